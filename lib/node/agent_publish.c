/* SPDX-License-Identifier: Apache-2.0
 *
 * Status of each pod, made again when something may have changed, told where it did: to the API side and to disk, where
 * it keeps the times of conditions over a restart.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/admission.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/cgroup.h"
#include "node/journal.h"
#include "node/pod_facts.h"
#include "node/pod_persist.h"
#include "node/revision.h"
#include "node/slices.h"
#include "node/pod_status.h"
#include "node/state_prune.h"
#include "node/volume.h"

#define STATE_DIRECTORY_MODE 0700
#define STATE_FILE_MODE 0600
/* Of one termination message (kubelet: 4 KiB each, 12 KiB a pod). */
#define MESSAGE_MAX 4096
#define PUBLISH_USEC (10 * USEC_PER_MSEC)
#define WRITE_RETRY_USEC (10 * USEC_PER_SEC)
#define MESSAGES_TOTAL (12 * 1024)

const struct pod_incarnation *agent_shown(const struct pod_entry *entry)
{
        return entry->view->current ? entry->view->current : entry->view->next;
}

/* --- disk --------------------------------------------------------------------------------------------------------- */

static char *state_name(const char *key)
{
        char *name = xstrdup(key);

        for (char *c = name; *c; c++)
                if (*c == '/')
                        *c = '_';
        return name;
}

static char *state_path(const struct agent *agent, const char *kind, const char *key)
{
        char *name CLEANUP_FREE = state_name(key);

        return xasprintf("%s/%s/%s.json", agent->config->state_dir, kind, name);
}

static void tell_stored(struct agent *agent, int result, const struct err *err)
{
        if (result < 0 && !agent->disk_problem) {
                agent->disk_problem = xstrdup(err->msg);
                log_warning("state cannot be stored, going on from memory: %s", err->msg);
        } else if (result >= 0 && agent->disk_problem) {
                free(TAKE_PTR(agent->disk_problem));
                log_info("state is stored again");
        }
}

bool agent_write_state(struct agent *agent, const char *kind, const char *key, const char *text, size_t len)
{
        char *path CLEANUP_FREE = state_path(agent, kind, key);
        char *directory CLEANUP_FREE = file_dirname(path);
        struct err err = ERR_INIT;
        int r;

        r = file_mkdir_p(directory, STATE_DIRECTORY_MODE, &err);
        if (r >= 0)
                r = file_write_atomic(path, text, len, STATE_FILE_MODE, FILE_WRITE_NO_SYNC, &err);
        tell_stored(agent, r, &err);
        return r >= 0;
}

int agent_read_state(const struct agent *agent, const char *kind, const char *key, struct buf *text)
{
        char *path CLEANUP_FREE = state_path(agent, kind, key);

        return file_read(path, text, NULL);
}

static void publish_within(struct agent *agent, usec_t span)
{
        usec_t at = usec_add(loop_now(agent->loop), span);

        if (at < loop_timer_get(agent->publish))
                loop_timer_set(agent->publish, at);
}

void agent_mark_at(struct agent *agent, struct pod_entry *entry, usec_t at)
{
        agent_pod_of(entry)->dirty = true;
        publish_within(agent, usec_sub(at, loop_now(agent->loop)));
}

/* What a full disk did not take is written when it does: a podwatch that starts meanwhile goes by what is old. */
void agent_write_again(struct agent *agent, struct pod_entry *entry)
{
        agent_mark_at(agent, entry, usec_add(loop_now(agent->loop), WRITE_RETRY_USEC));
}

void agent_persist(struct agent *agent, struct pod_entry *entry)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE);
        struct agent_pod *pod = agent_pod_of(entry);
        uint64_t digest;

        /* Before what was there is restored, nothing is worth to be written over it; and what is kept of a pod that has
         * gone are its attempts, for the time when it comes back. */
        if (!agent->observed || (!entry->view->current && !entry->view->next))
                return;
        digest = pod_persist_digest(entry->view, agent->boot_id);
        if (digest == pod->persisted)
                return;
        pod_persist_write(entry->view, agent->boot_id, &text);
        if (text.failed)
                return;
        if (agent_write_state(agent, "state", entry->view->key, buf_str(&text), text.len)) {
                pod->persisted = digest;
                return;
        }
        agent_write_again(agent, entry);
}

static void restore_status(struct agent *agent, struct pod_entry *entry)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE);
        struct agent_pod *pod = agent_pod_of(entry);
        cJSON *file CLEANUP_CJSON = NULL;

        if (pod->status || agent_read_state(agent, "status", entry->view->key, &text) < 0)
                return;
        /* A file that does not say whose status it holds, as earlier ones, is of no use. */
        file = cJSON_ParseWithLength(buf_str(&text), text.len);
        pod->status = cJSON_DetachItemFromObjectCaseSensitive(file, "of");
        if (!pod->status)
                return;
        pod->status_version = xstrdup(cjson_text(file, "version", ""));
        char *printed = cJSON_PrintUnformatted(pod->status);
        pod->status_text = xstrdup(printed ? printed : "{}");
        cJSON_free(printed);
}

/* A trial that was going on when podwatch ended goes on. */
static void restore_fallback(struct agent *agent, struct pod_entry *entry)
{
        const struct pod_incarnation *inc = entry->view->current;
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        if (!inc || !inc->gated || entry->view->fallback || !entry->view->fallback_revision)
                return;
        if (revision_load(agent->revisions, inc->pod->namespace, inc->pod->name, entry->view->fallback_revision, &pod,
                          &err) == 0)
                pod_store_fallback(agent->store, entry, pod, entry->view->fallback_revision, loop_now(agent->loop));
        if (!entry->view->fallback)
                log_warning("%s stays on its new version, the one before it (%u) is gone: %s", entry->view->key,
                            entry->view->fallback_revision, pod ? "its number is another's" : err.msg);
}

void agent_restore(struct agent *agent, struct pod_entry *entry, bool observed)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE);
        struct err err = ERR_INIT;

        restore_status(agent, entry);
        if (agent_read_state(agent, "state", entry->view->key, &text) < 0)
                return;
        if (pod_store_restore(agent->store, entry, buf_str(&text), text.len, agent->boot_id, observed,
                              loop_now(agent->loop), loop_now_realtime(agent->loop), &err) < 0)
                log_warning("what was stored of %s is left aside: %s", entry->view->key, err.msg);
        if (observed)
                restore_fallback(agent, entry);
}

void agent_forget_status(struct agent *agent, const char *key)
{
        char *path CLEANUP_FREE = state_path(agent, "status", key);

        (void)unlink(path);
}

void agent_prune(struct agent *agent)
{
        struct strv live CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;

        agent->prune = false;
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                char *name CLEANUP_FREE = state_name(e->view->key);
                strv_add(&live, name);
        }
        if (state_prune(agent->config->state_dir, agent->config->removed_kept, &live, &err) < 0)
                log_warning("what is stored of pods that are gone stays: %s", err.msg);
}

void agent_pod_free(struct agent *agent, struct pod_entry *entry)
{
        struct agent_pod *pod = entry->userdata;

        if (!pod)
                return;
        entry->userdata = NULL;
        agent_tails_free(agent, pod);
        agent_probes_free(pod);
        cJSON_Delete(pod->status);
        free(pod->status_text);
        free(pod->status_version);
        free(pod->progress);
        free(pod->circle);
        free(pod->probe_uid);
        free(pod->probe_hash);
        free(pod->probe_counts);
        cJSON_Delete(pod->gaps);
        cJSON_Delete(pod->ends);
        revert_release(&pod->reverted);
        free(pod);
}

/* --- status ------------------------------------------------------------------------------------------------------- */

struct messages {
        struct pod_status_message *items;
        size_t count;
        char **texts;
        size_t total;
};

static void messages_release(struct messages *m)
{
        for (size_t i = 0; i < m->count; i++)
                free(m->texts[i]);
        free(m->texts);
        free(m->items);
}

/* What one ended instance left: its message file, or the end of its log where the policy says so. */
static void add_message(const struct agent *agent, const struct agent_pod *pod, const struct pod *spec, size_t index,
                        const struct pod_instance *instance, bool last, struct messages *m)
{
        const struct pod_container *c = &spec->containers[index];
        const char *tail = c->termination_message_fallback && instance->exit_code != 0
                                   ? agent_tail_find(pod, c->name, instance->id)
                                   : NULL;
        char *text;

        if (instance->state != INSTANCE_EXITED || m->total >= MESSAGES_TOTAL)
                return;
        text = volume_read_message(&agent->host, spec, c->name, instance->attempt, MESSAGE_MAX);
        if (!*text && tail) {
                free(text);
                text = xstrdup(tail);
        }
        if (!*text) {
                free(text);
                return;
        }
        utf8_mend(text);
        m->total += strlen(text);
        m->items = xrealloc(m->items, m->count + 1, sizeof(*m->items));
        m->texts = xrealloc(m->texts, m->count + 1, sizeof(*m->texts));
        m->texts[m->count] = text;
        m->items[m->count++] = (struct pod_status_message){.container = (int)index, .last = last, .text = text};
}

static void collect_messages(const struct agent *agent, const struct agent_pod *pod, const struct pod_incarnation *inc,
                             struct messages *m)
{
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                const struct pod_container_view *c = &inc->containers[i];

                /* An instance that is created ahead of its start is not the newest yet, see pod_status.c. */
                add_message(agent, pod, inc->pod, i, &c->now, false, m);
                add_message(agent, pod, inc->pod, i, &c->last, instance_ran(&c->now), m);
        }
}

static cJSON *make_status(struct agent *agent, struct pod_entry *entry, const struct pod_incarnation *inc)
{
        struct agent_pod *pod = agent_pod_of(entry);
        struct messages messages CLEANUP(messages_release) = {0};

        collect_messages(agent, pod, inc, &messages);
        const struct pod_status_input in = {
                .view = entry->view,
                .incarnation = inc,
                .plan = &entry->plan,
                .previous = pod->status,
                .previous_version = pod->status_version,
                .messages = messages.items,
                .message_count = messages.count,
                .host_ip = agent->node_ip,
                .now_wall = loop_now_realtime(agent->loop),
        };
        return pod_status(&in);
}

/* A local API server that became ready is worth a try at once. */
static void poke_for(struct agent *agent, const struct pod *pod, const char *before, const char *after)
{
        static const char ready[] = "\"type\":\"Ready\",\"status\":\"True\"";

        if (strstr(pod->name, "apiserver") && strstr(after, ready) && (!before || !strstr(before, ready)))
                api_side_poke(agent->api);
}

static void write_status(struct agent *agent, struct pod_entry *entry)
{
        struct agent_pod *pod = agent_pod_of(entry);
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE);

        buf_addstr(&text, "{\"version\":");
        buf_add_json_string(&text, pod->status_version, strlen(pod->status_version));
        buf_addstr(&text, ",\"of\":");
        buf_addstr(&text, pod->status_text);
        buf_addch(&text, '}');
        pod->status_unwritten =
                !text.failed && !agent_write_state(agent, "status", entry->view->key, buf_str(&text), text.len);
        if (pod->status_unwritten)
                agent_write_again(agent, entry);
}

static void tell(struct agent *agent, struct pod_entry *entry, const struct pod_incarnation *inc, cJSON *status)
{
        struct agent_pod *pod = agent_pod_of(entry);
        char *printed = cJSON_PrintUnformatted(status);
        char *text CLEANUP_FREE = xstrdup(printed ? printed : "{}");

        cJSON_free(printed);
        agent_metrics_status(agent, inc, pod->status, status);
        cJSON_Delete(pod->status);
        pod->status = status;
        char *version CLEANUP_FREE = pod_status_version(inc->pod);
        bool changed = !str_eq(text, pod->status_text) || !str_eq(version, pod->status_version);
        if (changed) {
                poke_for(agent, inc->pod, pod->status_text, text);
                free(pod->status_text);
                pod->status_text = TAKE_PTR(text);
                free(pod->status_version);
                pod->status_version = TAKE_PTR(version);
        }
        /* What is not observed yet must not look as if it had changed; an orphan has no mirror. */
        if (!agent->observed)
                return;
        if (changed || pod->status_unwritten)
                write_status(agent, entry);
        /* Also what is as it was: after a restart of podwatch, or with another version of the pod, nobody was told yet,
         * and the same again costs nothing. */
        if (inc->revision > 0)
                api_side_pod(agent->api, entry->view->key,
                             inc->pod->mirror_json ? inc->pod->mirror_json : inc->pod->json, pod->status_text,
                             !inc->terminal);
}

static void publish_one(struct agent *agent, struct pod_entry *entry)
{
        const struct pod_incarnation *inc = agent_shown(entry);

        agent_pod_of(entry)->dirty = false;
        agent_persist(agent, entry);
        /* What was true when podwatch ran last stands until Docker was looked at: a pod that runs on must not seem to
         * have stopped and come back. */
        if (!inc || (!agent->observed && agent_pod_of(entry)->status))
                return;
        agent_tails_update(agent, entry);
        agent_ends_stepped(agent, entry);
        agent_ends_write(agent, entry);
        tell(agent, entry, inc, make_status(agent, entry, inc));
}

/* With what is published next it is tried again. */
static void on_classes(void *userdata, bool success)
{
        struct agent *agent = userdata;

        if (!success)
                agent->class_milli = -1;
}

/* The share of a class changes as its pods come and go. */
static void share_classes(struct agent *agent)
{
        struct admission_sum burstable = {0};
        struct err err = ERR_INIT;

        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *inc = e->view->current;

                if (inc && inc->phase != POD_ENDED && inc->pod->qos == POD_QOS_BURSTABLE)
                        admission_add(&burstable, inc->pod);
        }
        int64_t milli = burstable.resources[POD_RESOURCE_CPU];
        if (milli == agent->class_milli || !pod_store_next(agent->store, NULL))
                return;
        if (cgroup_classes(&agent->host, milli, &err) == 0) {
                agent->class_milli = milli;
                agent->class_told = false;
                slices_classes(agent->slices, &agent->host, milli, on_classes, agent);
        } else if (!agent->class_told) {
                /* With what is published next it is tried again. */
                log_warning("processors are not shared between classes of pods as they should be: %s", err.msg);
                agent->class_told = true;
        }
}

void agent_publish(void *userdata, usec_t now)
{
        struct agent *agent = userdata;
        struct err err = ERR_INIT;
        /* Whatever mirror stands for none of the pods given until then is an orphan: each is given, changed or not. */
        bool complete = agent->observed && agent->source_complete && !agent->api_complete;

        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                if (agent_pod_of(e)->dirty || complete)
                        publish_one(agent, e);
        if (agent->observed)
                share_classes(agent);
        usec_t again = agent_write_events(agent, now);
        if (again != USEC_INFINITY)
                publish_within(agent, usec_sub(again, now));
        if (journal_turn(agent->journal, agent->store, now, loop_now_realtime(agent->loop), &err) < 0)
                log_warning("the journal cannot be written, going on without for a while: %s", err.msg);
        if (agent->prune)
                agent_prune(agent);
        if (complete) {
                agent->api_complete = true;
                api_side_complete(agent->api);
        }
        agent_status_changed(agent);
}

/* Files are written, and the API side told, when the requests that a step led to have been sent: a disk that stalls
 * must not hold up a container. */
void agent_publish_soon(struct agent *agent)
{
        publish_within(agent, PUBLISH_USEC);
}

void agent_mark(struct agent *agent, struct pod_entry *entry)
{
        agent_pod_of(entry)->dirty = true;
        agent_publish_soon(agent);
}

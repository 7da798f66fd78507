/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker.h"
#include "model.h"
#include "model_files.h"
#include "node/config_refresh.h"
#include "node/container_name.h"
#include "node/host.h"
#include "node/manifest_source.h"
#include "node/observer.h"
#include "node/order_hold.h"
#include "node/orphan.h"
#include "node/pod_exec.h"
#include "node/pod_persist.h"
#include "node/pod_store.h"
#include "node/probe.h"
#include "node/replay.h"
#include "node/revert.h"
#include "node/revision.h"
#include "node/seen.h"
#include "node/view_digest.h"
#include "sim_api.h"
#include "sim_causes.h"
#include "sim_disk.h"
#include "sim_loop.h"
#include "sim_node.h"

/* As agent_publish.c: what a kill before then takes is lost. */
#define PUBLISH_USEC (10 * USEC_PER_MSEC)
#define WRITE_RETRY_USEC (10 * USEC_PER_SEC)
/* Every n-th time that a digest says that there is nothing to write, that is looked into. */
#define DIGEST_CHECK 16

/* --- the node -------------------------------------------------------------------------------------------------- */

struct sim_node {
        struct sim_node_options o;
        struct host host;
        struct docker *docker;
        struct probes *probes;
        struct pod_exec *exec;
        struct observer *observer;
        struct pod_store *store;
        struct manifest_source *source;
        struct sim_api *api; /* NULL: there is none */
        struct loop_source *step, *timer, *publish;
        struct buf text;
        uint64_t skipped;
        bool observed, sources_ready, complete;
        struct sim_causes causes;
};

/* pod_entry.userdata */
struct shown {
        uint64_t digest; /* of what was last looked at */
        bool dirty;
        struct revert reverted;
        struct sim_api_pod api;
};

static struct shown *shown_of(struct pod_entry *entry)
{
        if (!entry->userdata)
                entry->userdata = xcalloc(1, sizeof(struct shown));
        return entry->userdata;
}

static void on_step(void *userdata)
{
        struct sim_node *node = userdata;

        pod_store_step(node->store, loop_now(node->o.loop));
        for (struct pod_entry *e = pod_store_next(node->store, NULL); e; e = pod_store_next(node->store, e))
                revert_tell(&shown_of(e)->reverted, node->source);
        loop_timer_set(node->timer, pod_store_deadline(node->store));
}

static void on_timer(void *userdata, usec_t now)
{
        (void)now;
        on_step(userdata);
}

void sim_node_kick(struct sim_node *node)
{
        loop_defer_schedule(node->step);
}

/* As agent_publish.c: a trial that was going on goes on. */
static void restore_fallback(struct sim_node *node, struct pod_entry *entry)
{
        const struct pod_incarnation *inc = entry->view->current;
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        if (!inc || !inc->gated || entry->view->fallback || !entry->view->fallback_revision)
                return;
        if (revision_load(model_files_revisions(node->o.files), inc->pod->namespace, inc->pod->name,
                          entry->view->fallback_revision, &pod, &err) >= 0)
                pod_store_fallback(node->store, entry, pod, entry->view->fallback_revision, loop_now(node->o.loop));
}

static void restore(struct sim_node *node, struct pod_entry *entry, bool observed)
{
        const char *text = sim_disk_read(node->o.disk, entry->view->key);
        struct err err = ERR_INIT;

        if (text && pod_store_restore(node->store, entry, text, strlen(text), node->o.boot_id, observed,
                                      loop_now(node->o.loop), loop_now_realtime(node->o.loop), &err) < 0)
                node->o.complain(node->o.userdata, "state of %s cannot be restored: %s", entry->view->key, err.msg);
        if (text && observed)
                restore_fallback(node, entry);
}

/* --- store hooks ------------------------------------------------------------------------------------------------ */

static void on_act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        struct sim_node *node = userdata;

        if (action->kind == POD_ACTION_REVERT)
                revert_note(&shown_of(entry)->reverted, entry->view);
        node->o.acted(node->o.userdata, entry, action);
        if (action->kind == POD_ACTION_EVENT && node->api)
                sim_api_event(node->api, entry, action);
        if (action->kind == POD_ACTION_OP || action->kind == POD_ACTION_PROBE || action->kind == POD_ACTION_GARBAGE)
                pod_exec_start(node->exec, entry->view, action, generation);
}

static void on_hold(void *userdata, const struct pod_entry *entry, char *text, size_t size)
{
        const struct sim_node *node = userdata;

        node->o.hold(node->o.userdata, entry->view->key, text, size);
        if (!*text) {
                char *circle CLEANUP_FREE = NULL;

                order_hold(node->store, entry, node->host.node_name, text, size, &circle);
        }
}

/* As agent_order_changed. */
static void look_at_held(struct sim_node *node)
{
        for (struct pod_entry *e = pod_store_next(node->store, NULL); e; e = pod_store_next(node->store, e))
                if (order_is_held(e))
                        pod_store_mark(node->store, e);
}

static void publish_within(struct sim_node *node, usec_t span)
{
        usec_t at = usec_add(loop_now(node->o.loop), span);

        if (at < loop_timer_get(node->publish))
                loop_timer_set(node->publish, at);
}

/* What agent_publish.c does of disk: what steps changed is written a little later. */
static void persist_one(struct sim_node *node, struct pod_entry *entry)
{
        struct sim_disk_file *file = sim_disk_file(node->o.disk, entry->view->key);
        uint64_t digest = pod_persist_digest(entry->view, node->o.boot_id);
        bool same = file->text && digest == file->digest;

        file->stale &= !same;
        if (same && ++node->skipped % DIGEST_CHECK != 0)
                return;
        buf_clear(&node->text);
        pod_persist_write(entry->view, node->o.boot_id, &node->text);
        if (same && !str_eq(buf_str(&node->text), file->text))
                node->o.complain(node->o.userdata, "a change of the state of %s would not be written: %s",
                                 entry->view->key, buf_str(&node->text));
        if (!sim_disk_write(node->o.disk, node->o.rng, file, buf_str(&node->text), digest)) {
                shown_of(entry)->dirty = true;
                publish_within(node, WRITE_RETRY_USEC);
        }
}

/* Until Docker was looked at, what stands on disk is better. */
static bool is_worth_to_be_written(const struct sim_node *node, const struct pod_entry *entry)
{
        return node->observed && (entry->view->current || entry->view->next);
}

static void publish_one(struct sim_node *node, struct pod_entry *entry)
{
        struct shown *shown = shown_of(entry);

        shown->dirty = !node->observed;
        if (!is_worth_to_be_written(node, entry))
                return;
        persist_one(node, entry);
        if (node->api)
                sim_api_publish(node->api, entry, &shown->api);
}

static void on_publish(void *userdata, usec_t now)
{
        struct sim_node *node = userdata;
        bool complete = node->observed && node->sources_ready && !node->complete;

        (void)now;
        for (struct pod_entry *e = pod_store_next(node->store, NULL); e; e = pod_store_next(node->store, e))
                if (complete || shown_of(e)->dirty)
                        publish_one(node, e);
        if (complete && node->api)
                sim_api_complete(node->api);
        node->complete |= complete;
}

static void on_stepped(void *userdata, struct pod_entry *entry)
{
        struct sim_node *node = userdata;
        struct shown *shown = shown_of(entry);
        uint64_t digest = view_digest(entry->view, &entry->plan);

        if (shown->digest == digest)
                return;
        shown->digest = digest;
        shown->dirty = true;
        publish_within(node, PUBLISH_USEC);
        look_at_held(node);
}

static void on_gone_pod(void *userdata, struct pod_entry *entry)
{
        struct shown *shown = entry->userdata;
        struct sim_node *node = userdata;

        if (node->api)
                sim_api_gone(node->api, entry->view->key);
        if (shown) {
                sim_api_pod_release(&shown->api);
                revert_release(&shown->reverted);
        }
        free(shown);
        entry->userdata = NULL;
}

/* --- executor ---------------------------------------------------------------------------------------------------- */

static int on_outcome(void *userdata, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        struct sim_node *node = userdata;
        struct pod_entry *entry = pod_store_find(node->store, job->key);

        sim_node_kick(node);
        return entry ? pod_store_outcome(node->store, entry, outcome, loop_now(node->o.loop)) : 1;
}

static void on_probed(void *userdata, const struct pod_exec_job *job, uint32_t generation, bool success, bool error,
                      const char *output)
{
        struct sim_node *node = userdata;
        struct pod_entry *entry = pod_store_find(node->store, job->key);

        if (entry)
                (void)pod_store_probe(node->store, entry, generation, success, error, output, loop_now(node->o.loop));
        sim_node_kick(node);
}

static void on_removed(void *userdata, const char *key, const char *id, uint32_t generation, bool success,
                       const char *message)
{
        struct sim_node *node = userdata;
        struct pod_entry *entry = pod_store_find(node->store, key);

        if (entry)
                (void)pod_store_garbage_outcome(node->store, entry, id, generation, success, message,
                                                loop_now(node->o.loop));
        sim_node_kick(node);
}

static void on_lost(void *userdata, const char *why)
{
        struct sim_node *node = userdata;

        pod_store_runtime(node->store, NULL, false, loop_now(node->o.loop));
        observer_lost(node->observer, why);
}

static void on_notice(void *userdata, const char *key, const char *message)
{
        (void)userdata;
        (void)key;
        (void)message;
}

static bool on_wanted(void *userdata, const struct pod_exec_job *job)
{
        const struct sim_node *node = userdata;
        const struct pod_entry *entry = pod_store_find(node->store, job->key);

        return entry && pod_view_has(entry->view, job->pod);
}

static bool on_uses_uid(void *userdata, const char *key, const char *uid)
{
        const struct sim_node *node = userdata;

        return pod_store_uses_uid(node->store, uid, key);
}

static bool on_awaited(void *userdata, const char *key, enum pod_op op, uint32_t generation)
{
        const struct sim_node *node = userdata;
        const struct pod_entry *entry = pod_store_find(node->store, key);

        return entry && pod_awaits(entry->view, op, generation);
}

static bool on_oom_refused(void *userdata, bool sandbox, bool named, const char *message)
{
        (void)userdata;
        (void)sandbox;
        (void)named;
        (void)message;
        return false;
}

static void on_progress(void *userdata, const struct pod_exec_job *job, const char *line)
{
        (void)userdata;
        (void)job;
        (void)line;
}

/* --- observer ---------------------------------------------------------------------------------------------------- */

static struct pod *pod_of_orphan(void *userdata, const struct docker_containers *list, const struct docker_container *c,
                                 unsigned *ret_revision)
{
        const struct sim_node *node = userdata;
        struct pod *pod = node->o.find_version(node->o.userdata, docker_label(&c->labels, LABEL_POD_UID),
                                               docker_label(&c->labels, POD_LABEL_SPEC_HASH), ret_revision);
        struct err err = ERR_INIT;

        if (!pod && orphan_pod(list, c, &pod, &err) < 0)
                node->o.complain(node->o.userdata, "no pod of the labels of %s: %s", c->name, err.msg);
        return pod;
}

static struct seen_by who_sees(struct sim_node *node)
{
        return (struct seen_by){.loop = node->o.loop,
                                .store = node->store,
                                .observer = node->observer,
                                .pod_of = pod_of_orphan,
                                .userdata = node};
}

static void on_listed(void *userdata, const struct docker_containers *list)
{
        struct sim_node *node = userdata;
        const struct seen_by by = who_sees(node);

        (void)seen_list(&by, list);
        sim_node_kick(node);
}

static void on_inspected(void *userdata, const struct docker_container *c)
{
        struct sim_node *node = userdata;
        const struct seen_by by = who_sees(node);

        seen_one(&by, c);
        sim_node_kick(node);
}

static void on_gone(void *userdata, const char *id)
{
        struct sim_node *node = userdata;

        pod_store_gone(node->store, id, loop_now(node->o.loop));
        sim_node_kick(node);
}

static bool on_busy(void *userdata, const char *id)
{
        struct sim_node *node = userdata;

        return pod_exec_busy(node->exec, id);
}

static void on_not_refreshed(void *userdata, const char *key, const char *message)
{
        (void)userdata;
        (void)key;
        (void)message;
}

static void on_configs(void *userdata)
{
        struct sim_node *node = userdata;

        config_refresh(node->store, &node->host, on_not_refreshed, node);
}

static void on_runtime(void *userdata, bool ready, const char *why)
{
        struct sim_node *node = userdata;

        (void)why;
        if (ready) {
                pod_exec_forget(node->exec);
                for (struct pod_entry *e = pod_store_next(node->store, NULL); e && !node->observed;
                     e = pod_store_next(node->store, e))
                        restore(node, e, true);
                if (!node->observed)
                        on_configs(node);
                node->observed = true;
                publish_within(node, PUBLISH_USEC);
        }
        pod_store_runtime(node->store, NULL, ready, loop_now(node->o.loop));
        if (node->api)
                sim_api_runtime(node->api, ready);
        sim_node_kick(node);
}

static void on_about(void *userdata, const struct docker_version *version, const struct docker_info *info)
{
        (void)userdata;
        (void)version;
        (void)info;
}

/* --- manifests ---------------------------------------------------------------------------------------------------- */

static void on_want(void *userdata, struct pod *pod, unsigned revision, const char *file)
{
        struct sim_node *node = userdata;
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        const struct pod_entry *before = pod_store_find(node->store, key);
        bool known = before && (before->view->current || before->view->next || before->view->old);
        struct err err = ERR_INIT;

        if (pod_store_claim(node->store, 0, key, pod, revision, loop_now(node->o.loop), loop_now_realtime(node->o.loop),
                            &err) < 0)
                node->o.complain(node->o.userdata, "%s of %s is not taken: %s", key, file, err.msg);
        if (!known)
                restore(node, pod_store_find(node->store, key), false);
        sim_node_kick(node);
}

static void on_unwant(void *userdata, const char *namespace, const char *name)
{
        struct sim_node *node = userdata;
        char *key CLEANUP_FREE = xasprintf("%s/%s", namespace, name);
        struct pod_entry *entry;

        pod_store_unclaim(node->store, 0, key, loop_now(node->o.loop), loop_now_realtime(node->o.loop));
        entry = pod_store_find(node->store, key);
        if (entry && is_worth_to_be_written(node, entry))
                persist_one(node, entry);
        sim_node_kick(node);
}

static void on_problem(void *userdata, const struct manifest *manifest, const char *message)
{
        (void)userdata;
        (void)manifest;
        (void)message;
}

static void on_message(void *userdata, const char *message)
{
        (void)userdata;
        (void)message;
}

static void on_complete(void *userdata)
{
        static const struct observer_handlers handlers = {
                .listed = on_listed,
                .inspected = on_inspected,
                .gone = on_gone,
                .busy = on_busy,
                .runtime = on_runtime,
                .about = on_about,
        };
        struct sim_node *node = userdata;

        pod_store_sources_ready(node->store);
        node->sources_ready = true;
        publish_within(node, PUBLISH_USEC);
        node->observer = observer_new(node->o.loop, node->docker, &handlers, node);
}

static void new_source(struct sim_node *node)
{
        static const struct manifest_source_handlers handlers = {
                .want = on_want,
                .unwant = on_unwant,
                .problem = on_problem,
                .directory = on_message,
                .notice = on_message,
                .configs = on_configs,
                .complete = on_complete,
        };
        const struct manifest_source_options options = {
                .path = "/manifests", .node_name = "node", .scan_interval = 20 * USEC_PER_SEC};
        struct err err = ERR_INIT;

        if (manifest_source_new(node->o.loop, &options, model_files_revisions(node->o.files), &handlers, node,
                                &node->source, &err) < 0)
                node->o.complain(node->o.userdata, "the manifest directory cannot be read: %s", err.msg);
        node->host.configs = manifest_source_configs(node->source);
}

void sim_node_retry(struct sim_node *node, const struct pod *pod)
{
        manifest_source_retry(node->source, pod->namespace, pod->name);
}

/* --- records ------------------------------------------------------------------------------------------------------ */

void sim_node_look(struct sim_node *node, const char *key)
{
        struct pod_entry *entry = pod_store_find(node->store, key);

        sim_causes_changed(&node->causes, key);
        if (!entry)
                return;
        pod_store_mark(node->store, entry);
        sim_node_kick(node);
}

static void on_record(void *userdata, const char *record, size_t len)
{
        struct sim_node *node = userdata;
        struct err err = ERR_INIT;
        const char *idle;

        if (node->o.recorded)
                node->o.recorded(node->o.userdata, record);
        idle = sim_causes_check(&node->causes, node->store, record);
        if (idle)
                node->o.complain(node->o.userdata, "%s was woken for nothing: %.300s", idle, record);
        if (node->o.replay && replay_record(node->o.replay, record, len, &err) < 0)
                node->o.complain(node->o.userdata, "a record cannot be replayed: %s: %.200s", err.msg, record);
}

static void begin_run(struct sim_node *node)
{
        char *head CLEANUP_FREE = xasprintf("{\"journal\":1,\"segment\":1,\"run\":%llu,\"views\":0}",
                                            (unsigned long long)loop_now(node->o.loop));

        on_record(node, head, strlen(head));
}

/* --- birth and end ------------------------------------------------------------------------------------------------ */

struct sim_node *sim_node_new(const struct sim_node_options *options)
{
        static const struct pod_exec_handlers exec_handlers = {
                .outcome = on_outcome,
                .probed = on_probed,
                .removed = on_removed,
                .inspected = on_inspected,
                .gone = on_gone,
                .lost = on_lost,
                .oom_refused = on_oom_refused,
                .notice = on_notice,
                .progress = on_progress,
                .wanted = on_wanted,
                .awaited = on_awaited,
                .uses_uid = on_uses_uid,
        };
        struct sim_node *node = xcalloc(1, sizeof(*node));
        const struct pod_store_hooks hooks = {
                .act = on_act, .hold = on_hold, .stepped = on_stepped, .gone = on_gone_pod, .userdata = node};

        node->o = *options;
        node->host = (struct host){.node_name = "node",
                                   .node_ip = "10.0.0.1",
                                   .root_dir = "/root",
                                   .log_dir = "/log",
                                   .links_dir = "/links",
                                   .pause_image = "pause",
                                   .cgroup_version = 1,
                                   .docker_root = "",
                                   .cgroup_mount = "/cgroup",
                                   .cgroup_root = "/",
                                   .docker_api_minor = 41,
                                   .pod_pids_limit = -1,
                                   .network_mode = "default",
                                   .cluster_domain = ""};
        node->text = BUF_INIT(LIMIT_NODE_RECORD);
        node->docker = model_client_new(options->model);
        node->probes = probes_new(options->loop, NULL, node->docker);
        node->store = pod_store_new(&hooks, options->backoff_max);
        pod_store_set_revert(node->store, options->revert_after);
        node->exec = pod_exec_new(options->loop, node->docker, node->probes, NULL, &node->host, &exec_handlers, node);
        node->step = loop_defer_new(options->loop, "step", on_step, node);
        node->timer = loop_timer_new(options->loop, "step timer", on_timer, node);
        node->publish = loop_timer_new(options->loop, "publish", on_publish, node);
        if (options->api)
                node->api = sim_api_new(options->loop);
        begin_run(node);
        pod_store_set_recorder(node->store, on_record, node);
        new_source(node);
        return node;
}

struct sim_node *sim_node_free(struct sim_node *node)
{
        if (!node)
                return NULL;
        node->api = sim_api_free(node->api);
        for (struct pod_entry *e = pod_store_next(node->store, NULL); e; e = pod_store_next(node->store, e))
                on_gone_pod(node, e);
        node->docker = node->docker->ops->free(node->docker);
        node->probes = probes_free(node->probes);
        node->exec = pod_exec_free(node->exec);
        node->source = manifest_source_free(node->source);
        node->observer = observer_free(node->observer);
        node->store = pod_store_free(node->store);
        (void)loop_source_free(node->step);
        (void)loop_source_free(node->timer);
        (void)loop_source_free(node->publish);
        buf_release(&node->text);
        free(node);
        return NULL;
}

struct pod_store *sim_node_store(struct sim_node *node)
{
        return node->store;
}

bool sim_node_observed(const struct sim_node *node)
{
        return node->observed;
}

size_t sim_node_events_waiting(const struct sim_node *node)
{
        return node->api ? sim_api_waiting(node->api) : 0;
}

size_t sim_node_pending(const struct sim_node *node)
{
        return pod_exec_pending(node->exec);
}

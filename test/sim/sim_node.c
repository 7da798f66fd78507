/* SPDX-License-Identifier: Apache-2.0 */
#include <uthash.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker.h"
#include "model.h"
#include "node/container_name.h"
#include "node/host.h"
#include "node/observer.h"
#include "node/orphan.h"
#include "node/pod_exec.h"
#include "node/pod_persist.h"
#include "node/pod_store.h"
#include "node/probe.h"
#include "node/replay.h"
#include "sim_loop.h"
#include "sim_node.h"

/* What was to be written in this time before a kill may be lost. */
#define KILL_WINDOW (2 * USEC_PER_MSEC)

/* --- disk ------------------------------------------------------------------------------------------------------ */

struct saved {
        char *key, *text;
        char *before; /* what stood there until `written` */
        usec_t written;
        bool stale;
        UT_hash_handle hh;
};

struct sim_disk {
        struct saved *files;
        unsigned fails;
        uint64_t failures;
};

struct sim_disk *sim_disk_new(void)
{
        return xcalloc(1, sizeof(struct sim_disk));
}

struct sim_disk *sim_disk_free(struct sim_disk *disk)
{
        struct saved *s, *next;

        HASH_ITER (hh, disk->files, s, next) {
                HASH_DEL(disk->files, s);
                free(s->key);
                free(s->text);
                free(s->before);
                free(s);
        }
        free(disk);
        return NULL;
}

void sim_disk_set_fails(struct sim_disk *disk, unsigned chance)
{
        disk->fails = chance;
}

uint64_t sim_disk_failures(const struct sim_disk *disk)
{
        return disk->failures;
}

bool sim_disk_is_stale(struct sim_disk *disk, const char *key)
{
        struct saved *s;

        HASH_FIND_STR(disk->files, key, s);
        return s && s->stale;
}

static const char *disk_read(struct sim_disk *disk, const char *key)
{
        struct saved *s;

        HASH_FIND_STR(disk->files, key, s);
        return s ? s->text : NULL;
}

static void disk_write(struct sim_disk *disk, struct rng *rng, const char *key, const char *text, usec_t now)
{
        struct saved *s;

        HASH_FIND_STR(disk->files, key, s);
        if (!s) {
                s = xcalloc(1, sizeof(*s));
                s->key = xstrdup(key);
                HASH_ADD_KEYPTR(hh, disk->files, s->key, strlen(s->key), s);
        }
        if (s->text && strcmp(s->text, text) == 0) {
                s->stale = false;
                return;
        }
        s->stale = rng_chance(rng, disk->fails);
        disk->failures += s->stale;
        if (s->stale)
                return;
        if (now != s->written) {
                free(s->before);
                s->before = TAKE_PTR(s->text);
                s->written = now;
        }
        free(s->text);
        s->text = xstrdup(text);
}

/* Files are written after the requests that a step led to: a kill may come between. */
static void disk_lose(struct sim_disk *disk, usec_t since)
{
        struct saved *s, *next;

        HASH_ITER (hh, disk->files, s, next) {
                if (s->written < since)
                        continue;
                free(s->text);
                s->text = TAKE_PTR(s->before);
        }
}

/* --- the node -------------------------------------------------------------------------------------------------- */

struct sim_node {
        struct sim_node_options o;
        struct host host;
        struct docker *docker;
        struct probes *probes;
        struct pod_exec *exec;
        struct observer *observer;
        struct pod_store *store;
        struct loop_source *step, *timer;
        bool observed;
        struct cause {
                char key[64];
                bool changed; /* since its last step */
        } causes[32];
};

static void on_step(void *userdata)
{
        struct sim_node *node = userdata;

        pod_store_step(node->store, loop_now(node->o.loop));
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

static void restore(struct sim_node *node, struct pod_entry *entry, bool observed)
{
        const char *text = disk_read(node->o.disk, entry->view->key);
        struct err err = ERR_INIT;

        if (text && pod_store_restore(node->store, entry, text, strlen(text), node->o.boot_id, observed,
                                      loop_now(node->o.loop), loop_now_realtime(node->o.loop), &err) < 0)
                node->o.complain(node->o.userdata, "state of %s cannot be restored: %s", entry->view->key, err.msg);
}

/* --- store hooks ------------------------------------------------------------------------------------------------ */

static void on_act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        struct sim_node *node = userdata;

        node->o.acted(node->o.userdata, entry, action);
        if (action->kind == POD_ACTION_OP || action->kind == POD_ACTION_PROBE || action->kind == POD_ACTION_GARBAGE)
                pod_exec_start(node->exec, entry->view, action, generation);
}

static void on_hold(void *userdata, const struct pod_entry *entry, char *text, size_t size)
{
        const struct sim_node *node = userdata;

        node->o.hold(node->o.userdata, entry->view->key, text, size);
}

static void on_stepped(void *userdata, struct pod_entry *entry)
{
        struct sim_node *node = userdata;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_NODE_RECORD);

        if (!node->observed)
                return;
        pod_persist_write(entry->view, node->o.boot_id, &text);
        disk_write(node->o.disk, node->o.rng, entry->view->key, buf_str(&text), sim_loop_elapsed(node->o.loop));
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

static void on_oom_refused(void *userdata, const char *message)
{
        (void)userdata;
        (void)message;
}

static void on_progress(void *userdata, const struct pod_exec_job *job, const char *line)
{
        (void)userdata;
        (void)job;
        (void)line;
}

/* --- observer ---------------------------------------------------------------------------------------------------- */

static struct pod *pod_of_orphan(struct sim_node *node, const struct docker_containers *list,
                                 const struct docker_container *c, unsigned *ret_revision)
{
        struct pod *pod = node->o.find_version(node->o.userdata, docker_label(&c->labels, LABEL_POD_UID),
                                               docker_label(&c->labels, POD_LABEL_SPEC_HASH));
        struct err err = ERR_INIT;

        *ret_revision = pod != NULL;
        if (!pod && orphan_pod(list, c, &pod, &err) < 0)
                node->o.complain(node->o.userdata, "no pod of the labels of %s: %s", c->name, err.msg);
        return pod;
}

static void take_orphan(struct sim_node *node, const struct docker_containers *list, const struct docker_container *c)
{
        usec_t now = loop_now(node->o.loop), wall = loop_now_realtime(node->o.loop);
        unsigned revision;
        struct pod *pod CLEANUP_POD = pod_of_orphan(node, list, c, &revision);
        char *key CLEANUP_FREE = NULL;
        struct pod_entry *entry;

        if (!pod)
                return;
        if (pod_store_insert_orphan(node->store, pod, revision, now, wall)) {
                (void)pod_store_observe(node->store, c, now, wall);
                return;
        }
        key = xasprintf("%s/%s", pod->namespace, pod->name);
        entry = pod_store_find(node->store, key);
        if (entry)
                pod_store_garbage(node->store, entry, c->id, true, now);
}

static void show_listed(struct sim_node *node, const struct docker_containers *list, const struct docker_container *c)
{
        enum pod_observed seen =
                pod_store_observe(node->store, c, loop_now(node->o.loop), loop_now_realtime(node->o.loop));

        if (seen == POD_OBSERVED_ORPHAN)
                take_orphan(node, list, c);
        if (seen != POD_OBSERVED)
                observer_inspect(node->observer, c->id);
}

static bool in_list(const struct docker_containers *list, const char *id)
{
        for (size_t i = 0; i < list->count; i++)
                if (str_eq(list->items[i].id, id))
                        return true;
        return false;
}

static void inspect_absent(struct sim_node *node, const struct docker_containers *list, const struct pod_instance *i)
{
        if (i->state != INSTANCE_ABSENT && i->id[0] && !in_list(list, i->id))
                observer_inspect(node->observer, i->id);
}

static void look_for_absent(struct sim_node *node, const struct docker_containers *list, const struct pod_entry *entry)
{
        const struct pod_incarnation *all[] = {entry->view->current, entry->view->next, entry->view->old};

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                if (!all[i])
                        continue;
                inspect_absent(node, list, &all[i]->sandbox);
                for (size_t k = 0; k < all[i]->pod->container_count; k++) {
                        inspect_absent(node, list, &all[i]->containers[k].now);
                        inspect_absent(node, list, &all[i]->containers[k].last);
                }
        }
}

static bool is_sandbox(const struct docker_container *c)
{
        return str_eq(docker_label(&c->labels, LABEL_TYPE), LABEL_TYPE_SANDBOX);
}

static void on_listed(void *userdata, const struct docker_containers *list)
{
        struct sim_node *node = userdata;

        for (int sandboxes = 1; sandboxes >= 0; sandboxes--)
                for (size_t i = 0; i < list->count; i++)
                        if (is_sandbox(&list->items[i]) == (sandboxes == 1))
                                show_listed(node, list, &list->items[i]);
        for (struct pod_entry *e = pod_store_next(node->store, NULL); e; e = pod_store_next(node->store, e))
                look_for_absent(node, list, e);
        sim_node_kick(node);
}

static void on_inspected(void *userdata, const struct docker_container *c)
{
        struct sim_node *node = userdata;

        if (pod_store_observe(node->store, c, loop_now(node->o.loop), loop_now_realtime(node->o.loop)) ==
            POD_OBSERVED_ORPHAN)
                observer_list(node->observer);
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

static void on_runtime(void *userdata, bool ready, const char *why)
{
        struct sim_node *node = userdata;

        (void)why;
        if (ready) {
                pod_exec_forget(node->exec);
                for (struct pod_entry *e = pod_store_next(node->store, NULL); e && !node->observed;
                     e = pod_store_next(node->store, e))
                        restore(node, e, true);
                node->observed = true;
        }
        pod_store_runtime(node->store, NULL, ready, loop_now(node->o.loop));
        sim_node_kick(node);
}

static void on_about(void *userdata, const struct docker_version *version, const struct docker_info *info)
{
        (void)userdata;
        (void)version;
        (void)info;
}

/* --- manifests ---------------------------------------------------------------------------------------------------- */

void sim_node_want(struct sim_node *node, const char *file, struct pod *pod, unsigned revision)
{
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        bool known = pod_store_find(node->store, key) != NULL;
        struct err err = ERR_INIT;

        if (pod_store_claim(node->store, 0, file, pod, revision, loop_now(node->o.loop),
                            loop_now_realtime(node->o.loop), &err) < 0)
                node->o.complain(node->o.userdata, "%s is not taken: %s", key, err.msg);
        if (!known)
                restore(node, pod_store_find(node->store, key), false);
        sim_node_kick(node);
}

void sim_node_unwant(struct sim_node *node, const char *file)
{
        pod_store_unclaim(node->store, 0, file, loop_now(node->o.loop), loop_now_realtime(node->o.loop));
        sim_node_kick(node);
}

void sim_node_ready(struct sim_node *node)
{
        static const struct observer_handlers handlers = {
                .listed = on_listed,
                .inspected = on_inspected,
                .gone = on_gone,
                .busy = on_busy,
                .runtime = on_runtime,
                .about = on_about,
        };

        pod_store_sources_ready(node->store);
        node->observer = observer_new(node->o.loop, node->docker, &handlers, node);
}

/* --- records ------------------------------------------------------------------------------------------------------ */

/* A step that decides nothing must have had a cause: a change of that pod since its last one. */
static void check_cause(struct sim_node *node, const char *record)
{
        const char *rest = str_after(record, "{\"key\":\"");
        size_t len = rest ? strcspn(rest, "\"") : 0;
        struct cause *cause = NULL;
        const struct pod_entry *entry;

        if (!rest || len >= sizeof(cause->key))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(node->causes) && !cause; i++)
                if (!node->causes[i].key[0] ||
                    (strncmp(node->causes[i].key, rest, len) == 0 && !node->causes[i].key[len]))
                        cause = &node->causes[i];
        if (!cause)
                return;
        memcpy(cause->key, rest, len);
        entry = pod_store_find(node->store, cause->key);
        /* What is held is looked at whenever another pod has moved on; and where two versions share a UID, one may be
         * creating what the other was to create now. */
        if (strstr(record, "\"change\":") || (entry && entry->view->hold[0]) ||
            (entry && entry->view->next && entry->view->current &&
             str_eq(entry->view->next->pod->uid, entry->view->current->pod->uid))) {
                cause->changed = true;
        } else if (strstr(record, "\"step\":[")) {
                if (strstr(record, "\"step\":[]") && !cause->changed)
                        node->o.complain(node->o.userdata, "%s was woken for nothing: %.300s", cause->key, record);
                /* An edge is followed by another step of the same cause. */
                cause->changed = strstr(record, "\"stop\"") || strstr(record, "\"activate\"") ||
                                 strstr(record, "\"end\"") || strstr(record, "\"promote\"") ||
                                 strstr(record, "\"revive\"") || strstr(record, "\"drop\"");
        }
}

void sim_node_look(struct sim_node *node, const char *key)
{
        struct pod_entry *entry = pod_store_find(node->store, key);

        for (size_t i = 0; i < ARRAY_SIZE(node->causes); i++)
                if (str_eq(node->causes[i].key, key))
                        node->causes[i].changed = true;
        if (!entry)
                return;
        pod_store_mark(node->store, entry);
        sim_node_kick(node);
}

static void on_record(void *userdata, const char *record, size_t len)
{
        struct sim_node *node = userdata;
        struct err err = ERR_INIT;

        if (node->o.recorded)
                node->o.recorded(node->o.userdata, record);
        check_cause(node, record);
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
        };
        struct sim_node *node = xcalloc(1, sizeof(*node));
        const struct pod_store_hooks hooks = {.act = on_act, .hold = on_hold, .stepped = on_stepped, .userdata = node};

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
        node->docker = model_client_new(options->model);
        node->probes = probes_new(options->loop, NULL, node->docker);
        node->store = pod_store_new(&hooks, options->backoff_max);
        node->exec = pod_exec_new(options->loop, node->docker, node->probes, &node->host, &exec_handlers, node);
        node->step = loop_defer_new(options->loop, "step", on_step, node);
        node->timer = loop_timer_new(options->loop, "step timer", on_timer, node);
        begin_run(node);
        pod_store_set_recorder(node->store, on_record, node);
        return node;
}

struct sim_node *sim_node_free(struct sim_node *node)
{
        if (!node)
                return NULL;
        if (rng_chance(node->o.rng, 300))
                disk_lose(node->o.disk, usec_sub(sim_loop_elapsed(node->o.loop), KILL_WINDOW));
        node->docker = node->docker->ops->free(node->docker);
        node->probes = probes_free(node->probes);
        node->exec = pod_exec_free(node->exec);
        node->observer = observer_free(node->observer);
        node->store = pod_store_free(node->store);
        (void)loop_source_free(node->step);
        (void)loop_source_free(node->timer);
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

size_t sim_node_pending(const struct sim_node *node)
{
        return pod_exec_pending(node->exec);
}

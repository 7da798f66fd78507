/* SPDX-License-Identifier: Apache-2.0
 *
 * Between sources, observer, store and executor: each tells its news in the words of the others, and asks for a step.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "docker/docker.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/container_name.h"
#include "node/journal.h"
#include "node/manifest_source.h"
#include "node/observer.h"
#include "node/orphan.h"
#include "node/pod_exec.h"
#include "node/pod_store.h"
#include "node/revision.h"
#include "node/view_digest.h"
#include "node/volume.h"

/* Memory of pods that have gone is given back when no other has followed for so long. */
#define TRIM_AFTER_USEC (10 * USEC_PER_SEC)

struct agent_pod *agent_pod_of(struct pod_entry *entry)
{
        if (!entry->userdata)
                entry->userdata = xcalloc(1, sizeof(struct agent_pod));
        return entry->userdata;
}

/* --- store hooks -------------------------------------------------------------------------------------------------- */

static void log_action(const struct pod_entry *entry, const struct pod_action *action)
{
        const struct log_field fields[] = {
                {"pod", entry->view->key},
                {"stop", action->kind == POD_ACTION_STOP ? pod_stop_reason_name(action->stop_reason) : NULL},
        };

        log_fields(LOG_LEVEL_DEBUG, fields, ARRAY_SIZE(fields), "%s%s%s", pod_action_kind_name(action->kind),
                   action->kind == POD_ACTION_OP ? " " : "",
                   action->kind == POD_ACTION_OP ? pod_op_name(action->op) : "");
}

static void on_act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        struct agent *agent = userdata;

        log_action(entry, action);
        switch (action->kind) {
        case POD_ACTION_OP:
        case POD_ACTION_PROBE:
        case POD_ACTION_GARBAGE:
                pod_exec_start(agent->exec, entry->view, action, generation);
                break;
        case POD_ACTION_EVENT:
                agent_event(agent, entry, action);
                break;
        case POD_ACTION_PROMOTE:
                agent_gap_promoted(entry);
                break;
        case POD_ACTION_REVERT:
                agent_pod_of(entry)->reverted = pod_ref(entry->view->current->pod);
                agent->reverts = true;
                break;
        case POD_ACTION_STOP:
        case POD_ACTION_ACTIVATE:
        case POD_ACTION_END:
        case POD_ACTION_REVIVE:
        case POD_ACTION_ACCEPT:
        case POD_ACTION_DROP:
        case POD_ACTION_MAX:
                break;
        }
}

static void on_stepped(void *userdata, struct pod_entry *entry)
{
        struct agent *agent = userdata;
        struct agent_pod *pod = agent_pod_of(entry);
        uint64_t digest = view_digest(entry->view, &entry->plan);

        if (pod->digest == digest)
                return;
        pod->digest = digest;
        agent_gap_stepped(agent, entry);
        agent_ends_stepped(agent, entry);
        agent_events_of_waits(agent, entry);
        agent_event_of_hold(agent, entry);
        agent_mark(agent, entry);
        agent_order_changed(agent);
}

static void on_hold(void *userdata, const struct pod_entry *entry, char *text, size_t size)
{
        struct agent *agent = userdata;

        agent_admit(agent, entry, text, size);
        if (!*text)
                agent_hold_by_order(agent, pod_store_find(agent->store, entry->view->key), text, size);
}

static void on_gone(void *userdata, struct pod_entry *entry)
{
        struct agent *agent = userdata;

        agent_persist(agent, entry);
        api_side_pod_gone(agent->api, entry->view->key);
        agent_forget_status(agent, entry->view->key);
        agent_pod_free(agent, entry);
        agent->prune = true;
        loop_timer_set(agent->trim, usec_add(loop_now(agent->loop), TRIM_AFTER_USEC));
        agent_say_waits(agent);
}

/* --- executor ----------------------------------------------------------------------------------------------------- */

static int on_outcome(void *userdata, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        struct agent *agent = userdata;
        struct pod_entry *entry = pod_store_find(agent->store, job->key);
        int r;

        if (!entry)
                return 1;
        if (outcome->op == POD_OP_IMAGE)
                free(TAKE_PTR(agent_pod_of(entry)->progress));
        if (outcome->op == POD_OP_IMAGE && outcome->success)
                agent_image_used(agent, outcome->id, job->pulled);
        r = pod_store_outcome(agent->store, entry, outcome, loop_now(agent->loop));
        if (r == 0) {
                agent_metrics_outcome(agent, job, outcome);
                agent_events_of_outcome(agent, job, outcome);
        }
        agent_kick(agent);
        return r;
}

static void on_probed(void *userdata, const struct pod_exec_job *job, uint32_t generation, bool success, bool error,
                      const char *output)
{
        struct agent *agent = userdata;
        struct pod_entry *entry = pod_store_find(agent->store, job->key);

        if (!entry ||
            pod_store_probe(agent->store, entry, generation, success, error, output, loop_now(agent->loop)) != 0)
                return;
        agent_metrics_probe(agent_pod_of(entry), job, success, error);
        agent_probe_answered(agent, entry, job, success, error, output);
        if (!success || job->warning)
                agent_event_of_probe(agent, job, error, output);
        agent_kick(agent);
}

/* A container is gone, and it may have been the last of a pod that nobody knows. */
static void look_for_leftovers(struct agent *agent)
{
        if (agent->leftovers_due)
                observer_list(agent->observer);
}

static void on_removed(void *userdata, const char *key, const char *id, uint32_t generation, bool success,
                       const char *message)
{
        struct agent *agent = userdata;
        struct pod_entry *entry = pod_store_find(agent->store, key);

        if (success)
                look_for_leftovers(agent);
        if (!entry)
                return;
        (void)pod_store_garbage_outcome(agent->store, entry, id, generation, success, message, loop_now(agent->loop));
        agent_kick(agent);
}

static void on_lost(void *userdata, const char *why)
{
        struct agent *agent = userdata;

        pod_store_runtime(agent->store, NULL, false, loop_now(agent->loop));
        if (agent->observer)
                observer_lost(agent->observer, why);
}

static void on_oom_refused(void *userdata, const char *message)
{
        struct agent *agent = userdata;

        if (agent->host.refuses_oom_score)
                return;
        agent->host.refuses_oom_score = true;
        log_warning("this machine refuses a negative oom_score_adj, containers are made without from now on: %s",
                    message);
}

static void on_notice(void *userdata, const char *key, const char *message)
{
        const struct log_field fields[] = {{"pod", key}};

        (void)userdata;
        log_fields(LOG_LEVEL_WARNING, fields, ARRAY_SIZE(fields), "%s", message);
}

static void on_progress(void *userdata, const struct pod_exec_job *job, const char *line)
{
        struct agent *agent = userdata;
        struct pod_entry *entry = pod_store_find(agent->store, job->key);

        if (!line)
                agent_event_of_pull(agent, job);
        if (!entry || !line)
                return;
        free(agent_pod_of(entry)->progress);
        agent_pod_of(entry)->progress = xasprintf("%s: %s", job->pod->containers[job->container].name, line);
}

static bool on_wanted(void *userdata, const struct pod_exec_job *job)
{
        const struct agent *agent = userdata;
        const struct pod_entry *entry = pod_store_find(agent->store, job->key);

        return entry && pod_view_has(entry->view, job->pod);
}

static bool on_awaited(void *userdata, const char *key, enum pod_op op, uint32_t generation)
{
        const struct agent *agent = userdata;
        const struct pod_entry *entry = pod_store_find(agent->store, key);

        return entry && pod_awaits(entry->view, op, generation);
}

/* --- observer ----------------------------------------------------------------------------------------------------- */

/* What is known of a running container that nothing wants: its version on disk where that is still there, else what its
 * labels say. */
static struct pod *pod_of_orphan(struct agent *agent, const struct docker_containers *list,
                                 const struct docker_container *c, unsigned *ret_revision)
{
        const char *namespace = docker_label(&c->labels, LABEL_POD_NAMESPACE);
        const char *name = docker_label(&c->labels, LABEL_POD_NAME);
        struct revision revision = {0};
        struct pod *pod = NULL;
        struct err err = ERR_INIT;

        *ret_revision = 0;
        if (namespace && name && !strchr(namespace, '/') && !strchr(name, '/') &&
            revision_current(agent->revisions, namespace, name, &revision, &err) == 0 &&
            str_eq(revision.pod->uid, docker_label(&c->labels, LABEL_POD_UID)) &&
            str_eq(revision.pod->spec_hash, docker_label(&c->labels, POD_LABEL_SPEC_HASH))) {
                pod = pod_ref(revision.pod);
                *ret_revision = revision.number;
        }
        revision_release(&revision);
        err_clear(&err);
        if (!pod && orphan_pod(list, c, &pod, &err) < 0)
                log_warning("container %.12s (%s) runs and is left alone: %s", c->id, c->name, err.msg);
        return pod;
}

static void take_orphan(struct agent *agent, const struct docker_containers *list, const struct docker_container *c)
{
        usec_t now = loop_now(agent->loop), wall = loop_now_realtime(agent->loop);
        unsigned revision;
        struct pod *pod CLEANUP_POD = pod_of_orphan(agent, list, c, &revision);

        if (!pod)
                return;
        if (pod_store_insert_orphan(agent->store, pod, revision, now, wall)) {
                agent->metrics.orphans++;
                (void)pod_store_observe(agent->store, c, now, wall);
                return;
        }
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        struct pod_entry *entry = pod_store_find(agent->store, key);
        if (entry)
                pod_store_garbage(agent->store, entry, c->id, true, now);
}

static void show_listed(struct agent *agent, const struct docker_containers *list, const struct docker_container *c)
{
        enum pod_observed seen =
                pod_store_observe(agent->store, c, loop_now(agent->loop), loop_now_realtime(agent->loop));

        if (seen == POD_OBSERVED_ORPHAN) {
                take_orphan(agent, list, c);
                observer_inspect(agent->observer, c->id);
        } else if (seen == POD_OBSERVED_INSPECT) {
                observer_inspect(agent->observer, c->id);
        }
}

static bool in_list(const struct docker_containers *list, const char *id)
{
        for (size_t i = 0; i < list->count; i++)
                if (str_eq(list->items[i].id, id))
                        return true;
        return false;
}

/* Absence in a list is only a hint: it may be older than the container. */
static void inspect_absent(struct agent *agent, const struct docker_containers *list,
                           const struct pod_instance *instance)
{
        if (instance->state != INSTANCE_ABSENT && instance->id[0] && !in_list(list, instance->id))
                observer_inspect(agent->observer, instance->id);
}

static void look_for_absent(struct agent *agent, const struct docker_containers *list, const struct pod_entry *entry)
{
        const struct pod_incarnation *all[] = {entry->view->current, entry->view->next, entry->view->old};

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                if (!all[i])
                        continue;
                inspect_absent(agent, list, &all[i]->sandbox);
                for (size_t k = 0; k < all[i]->pod->container_count; k++) {
                        inspect_absent(agent, list, &all[i]->containers[k].now);
                        inspect_absent(agent, list, &all[i]->containers[k].last);
                }
        }
}

static bool is_sandbox(const struct docker_container *c)
{
        return str_eq(docker_label(&c->labels, LABEL_TYPE), LABEL_TYPE_SANDBOX);
}

static void on_listed(void *userdata, const struct docker_containers *list)
{
        struct agent *agent = userdata;

        for (int sandboxes = 1; sandboxes >= 0; sandboxes--)
                for (size_t i = 0; i < list->count; i++)
                        if (is_sandbox(&list->items[i]) == (sandboxes == 1))
                                show_listed(agent, list, &list->items[i]);
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                look_for_absent(agent, list, e);
        if (!agent->observed || agent->leftovers_due)
                agent->leftovers_due = agent_leftovers(agent, list);
        agent_kick(agent);
}

void agent_observe(struct agent *agent, const struct docker_container *container)
{
        enum pod_observed seen =
                pod_store_observe(agent->store, container, loop_now(agent->loop), loop_now_realtime(agent->loop));

        /* What it is of takes all of its pod's containers to tell. */
        if (seen == POD_OBSERVED_ORPHAN)
                observer_list(agent->observer);
        else if (seen == POD_OBSERVED_INSPECT)
                observer_inspect(agent->observer, container->id);
        agent_kick(agent);
}

static void on_inspected(void *userdata, const struct docker_container *container)
{
        agent_observe(userdata, container);
}

static void on_container_gone(void *userdata, const char *id)
{
        struct agent *agent = userdata;

        pod_store_gone(agent->store, id, loop_now(agent->loop));
        agent_kick(agent);
}

static bool on_busy(void *userdata, const char *id)
{
        struct agent *agent = userdata;

        return pod_exec_busy(agent->exec, id);
}

static void on_runtime(void *userdata, bool ready, const char *why)
{
        struct agent *agent = userdata;
        usec_t now = loop_now(agent->loop);

        free(agent->runtime_why);
        agent->runtime_why = ready ? NULL : xstrdup(why);
        agent->runtime_ready = ready;
        if (ready) {
                pod_exec_forget(agent->exec);
                for (struct pod_entry *e = pod_store_next(agent->store, NULL); e && !agent->observed;
                     e = pod_store_next(agent->store, e))
                        agent_restore(agent, e, true);
                agent->observed = true;
                log_info("Docker %s answers", agent->docker_version);
        } else {
                log_warning("waits for Docker: %s", why);
        }
        pod_store_runtime(agent->store, NULL, ready, now);
        api_side_runtime(agent->api, NULL, NULL, agent->runtime_why);
        agent_say_waits(agent);
        agent_kick(agent);
}

static void on_about(void *userdata, const struct docker_version *version, const struct docker_info *info)
{
        struct agent *agent = userdata;
        const char *minor = version ? strchr(version->api_used, '.') : NULL;

        if (version) {
                free(agent->docker_version);
                agent->docker_version = xstrdup(version->version);
                (void)str_to_int(minor ? minor + 1 : "", 0, 1000, &agent->host.docker_api_minor);
        }
        if (info) {
                agent->host.has_app_armor = info->apparmor;
                agent->host.cgroup_systemd = str_eq(info->cgroup_driver, "systemd");
                agent->host.cgroup_version = info->cgroup_version == 2 ? 2 : 1;
                free(agent->docker_root);
                agent->docker_root = xstrdup(info->root_dir ? info->root_dir : "");
                agent->host.docker_root = agent->docker_root;
        }
        api_side_runtime(agent->api, version, info, agent->runtime_why);
}

/* --- manifests ---------------------------------------------------------------------------------------------------- */

static void on_want(void *userdata, struct pod *pod, unsigned revision, const char *file)
{
        struct agent *agent = userdata;
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        struct err err = ERR_INIT;
        const struct pod_entry *before = pod_store_find(agent->store, key);
        /* An entry may be there for nothing but to remove what is left of an earlier one. */
        bool known = before && (before->view->current || before->view->next || before->view->old);

        if (pod_store_claim(agent->store, 0, key, pod, revision, loop_now(agent->loop), loop_now_realtime(agent->loop),
                            &err) < 0) {
                log_error("%s: %s", file, err.msg);
                return;
        }
        struct pod_entry *entry = pod_store_find(agent->store, key);
        if (entry && !known)
                agent_restore(agent, entry, false);
        const struct log_field fields[] = {{"pod", key}, {"uid", pod->uid}, {"file", file}};
        log_fields(LOG_LEVEL_INFO, fields, ARRAY_SIZE(fields), "version %u is wanted", revision);
        agent_say_waits(agent);
        agent_kick(agent);
}

static void on_unwant(void *userdata, const char *namespace, const char *name)
{
        struct agent *agent = userdata;
        char *key CLEANUP_FREE = xasprintf("%s/%s", namespace, name);
        const struct log_field fields[] = {{"pod", key}};

        pod_store_unclaim(agent->store, 0, key, loop_now(agent->loop), loop_now_realtime(agent->loop));
        log_fields(LOG_LEVEL_INFO, fields, ARRAY_SIZE(fields), "its manifest is gone: it is stopped");
        agent_kick(agent);
}

static void on_problem(void *userdata, const struct manifest *manifest, const char *message)
{
        struct agent *agent = userdata;
        const struct log_field fields[] = {{"file", manifest->path}};

        if (!message) {
                log_fields(LOG_LEVEL_INFO, fields, ARRAY_SIZE(fields), "the manifest is in order again");
                return;
        }
        if (manifest->busy) {
                log_fields(LOG_LEVEL_INFO, fields, ARRAY_SIZE(fields), "%s", message);
                return;
        }
        if (!manifest->pod) {
                log_fields(LOG_LEVEL_WARNING, fields, ARRAY_SIZE(fields), "not taken: %s", message);
                return;
        }
        char *key CLEANUP_FREE = xasprintf("%s/%s", manifest->pod->namespace, manifest->pod->name);
        char *text CLEANUP_FREE =
                xasprintf("%s; version %u of the manifest stays in force", message, manifest->revision);
        agent_post_event(agent, key, manifest->pod, "", true,
                         manifest->shadowed ? "FailedValidation" : "InvalidManifest",
                         manifest->shadowed ? message : text);
}

static void on_directory(void *userdata, const char *message)
{
        struct agent *agent = userdata;

        if (message)
                log_error("the manifest directory is missing, its pods stay as they are: %s", message);
        else if (agent->source)
                log_info("reads the manifest directory");
        agent_say_waits(agent);
}

static void on_source_notice(void *userdata, const char *message)
{
        (void)userdata;
        log_warning("%s", message);
}

/* Volumes of what runs show the new content; variables are those of a container's start. */
static void on_configs(void *userdata)
{
        struct agent *agent = userdata;

        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *const all[] = {e->view->current, e->view->next};

                for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                        struct err err = ERR_INIT;

                        if (all[i] && all[i]->volumes_ready && volume_refresh(&agent->host, all[i]->pod, &err) < 0)
                                log_warning("%s keeps the content that it has: %s", e->view->key, err.msg);
                }
        }
}

/* Only now is known what is not wanted, and containers that nothing wants are orphans. */
static void on_complete(void *userdata)
{
        static const struct observer_handlers handlers = {
                .listed = on_listed,
                .inspected = on_inspected,
                .gone = on_container_gone,
                .busy = on_busy,
                .runtime = on_runtime,
                .about = on_about,
        };
        struct agent *agent = userdata;

        agent->source_complete = true;
        pod_store_sources_ready(agent->store);
        pod_store_sources_ready(agent->store);
        agent->observer = observer_new(agent->loop, agent->docker, &handlers, agent);
}

static int new_source(struct agent *agent, struct err *err)
{
        static const struct manifest_source_handlers handlers = {
                .want = on_want,
                .unwant = on_unwant,
                .problem = on_problem,
                .directory = on_directory,
                .notice = on_source_notice,
                .configs = on_configs,
                .complete = on_complete,
        };
        const struct manifest_source_options options = {
                .path = agent->config->manifest_path,
                .node_name = agent->config->node_name,
                .scan_interval = agent->config->scan_interval,
                .strict = agent->config->strict,
                .each_removal = agent->config->each_removal,
        };
        int r;

        if (str_empty(options.path)) {
                on_complete(agent);
                return 0;
        }
        r = manifest_source_new(agent->loop, &options, agent->revisions, &handlers, agent, &agent->source, err);
        if (r >= 0)
                agent->host.configs = manifest_source_configs(agent->source);
        return r;
}

int agent_pods_new(struct agent *agent, struct err *err)
{
        static const struct pod_exec_handlers exec_handlers = {
                .outcome = on_outcome,
                .probed = on_probed,
                .removed = on_removed,
                .inspected = on_inspected,
                .gone = on_container_gone,
                .lost = on_lost,
                .oom_refused = on_oom_refused,
                .notice = on_notice,
                .progress = on_progress,
                .wanted = on_wanted,
                .awaited = on_awaited,
        };
        const struct pod_store_hooks hooks = {
                .act = on_act,
                .hold = on_hold,
                .drain = agent_drains,
                .stepped = on_stepped,
                .gone = on_gone,
                .userdata = agent,
        };

        agent->store = pod_store_new(&hooks, agent->config->backoff_max);
        pod_store_set_revert(agent->store, agent->config->revert_after);
        agent_order_init(agent);
        agent_images_init(agent);
        pod_store_set_recorder(agent->store, journal_record, agent->journal);
        /* Before the source reads what is in force among all that is there. */
        agent_prune(agent);
        agent->exec = pod_exec_new(agent->loop, agent->docker, agent->probes, &agent->host, &exec_handlers, agent);
        return new_source(agent, err);
}

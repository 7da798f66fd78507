/* SPDX-License-Identifier: Apache-2.0
 *
 * Between sources, observer, store and executor: each tells its news in the words of the others, and asks for a step.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/config_refresh.h"
#include "node/journal.h"
#include "node/manifest_source.h"
#include "node/observer.h"
#include "node/oom_score.h"
#include "node/pod_exec.h"
#include "node/pod_store.h"
#include "node/revert.h"
#include "node/slices.h"
#include "node/trash.h"
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
                revert_note(&agent_pod_of(entry)->reverted, entry->view);
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

        agent_leftovers_stepped(agent, entry);
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

        if (outcome->op == POD_OP_CLEANUP)
                trash_empty(agent->trash);
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

static bool on_oom_refused(void *userdata, bool sandbox, bool named, const char *message)
{
        struct agent *agent = userdata;

        if (agent->host.refuses_oom_score)
                return true;
        if (!oom_score_blamed(oom_score_refused(agent->config->docker_host), sandbox, named))
                return false;
        agent->host.refuses_oom_score = true;
        log_warning("this machine refuses a negative oom_score_adj, containers are made without from now on: %s",
                    message);
        return true;
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

static bool on_uses_uid(void *userdata, const char *key, const char *uid)
{
        const struct agent *agent = userdata;

        return pod_store_uses_uid(agent->store, uid, key);
}

static bool on_awaited(void *userdata, const char *key, enum pod_op op, uint32_t generation)
{
        const struct agent *agent = userdata;
        const struct pod_entry *entry = pod_store_find(agent->store, key);

        return entry && pod_awaits(entry->view, op, generation);
}

static void on_inspected(void *userdata, const struct docker_container *container)
{
        agent_observe(userdata, container);
}

static void on_container_gone(void *userdata, const char *id)
{
        agent_observe_gone(userdata, id);
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
        struct pod_entry *entry;

        pod_store_unclaim(agent->store, 0, key, loop_now(agent->loop), loop_now_realtime(agent->loop));
        /* At once: of what has ended already nothing is left by the time that the rest is written. */
        entry = pod_store_find(agent->store, key);
        if (entry)
                agent_persist(agent, entry);
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

static unsigned on_fallback(void *userdata, const struct pod *pod)
{
        const struct agent *agent = userdata;
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        const struct pod_entry *entry = pod_store_find(agent->store, key);

        if (!entry)
                return 0;
        /* What runs is what the next one would go back to. */
        return entry->view->fallback_revision ? entry->view->fallback_revision
               : entry->view->current         ? entry->view->current->revision
                                              : 0;
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

static void on_not_refreshed(void *userdata, const char *key, const char *message)
{
        (void)userdata;
        log_warning("%s keeps the content that it has: %s", key, message);
}

void agent_take_configs(struct agent *agent)
{
        config_refresh(agent->store, &agent->host, on_not_refreshed, agent);
}

static void on_configs(void *userdata)
{
        agent_take_configs(userdata);
}

/* Only now is known what is not wanted, and containers that nothing wants are orphans. */
static void on_complete(void *userdata)
{
        struct agent *agent = userdata;

        agent->source_complete = true;
        pod_store_sources_ready(agent->store);
        agent_observer_new(agent);
}

static int new_source(struct agent *agent, struct err *err)
{
        static const struct manifest_source_handlers handlers = {
                .want = on_want,
                .unwant = on_unwant,
                .problem = on_problem,
                .directory = on_directory,
                .notice = on_source_notice,
                .fallback = on_fallback,
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

static void on_trash_stays(void *userdata, const char *message)
{
        (void)userdata;
        log_warning("what is left of a pod that is gone stays until another one goes: %s", message);
}

/* With what an earlier run had no time for. */
static void new_trash(struct agent *agent)
{
        char *directory CLEANUP_FREE = volume_trash_directory(&agent->host);

        agent->trash = trash_new(agent->loop, directory, on_trash_stays, agent);
        trash_empty(agent->trash);
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
                .uses_uid = on_uses_uid,
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
        new_trash(agent);
        agent->slices = slices_new(agent->loop, NULL, 0);
        agent->exec = pod_exec_new(agent->loop, agent->docker, agent->probes, agent->slices, &agent->host,
                                   &exec_handlers, agent);
        return new_source(agent, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "codec/hash.h"
#include "model_dir.h"
#include "model_files.h"
#include "node/pod_facts.h"
#include "node/pod_store.h"
#include "node/replay.h"
#include "sim_disk.h"
#include "sim_loop.h"
#include "world_api.h"
#include "world_private.h"

#define START (1000 * USEC_PER_SEC)
#define START_WALL (1700000000 * USEC_PER_SEC)
/* The longest wait: a backoff or retry of 300 s that began with the calm, a list, a grace. Twice, since a pull may have
 * to wait before a create that has to wait. */
#define CALM (1500 * USEC_PER_SEC)
#define CALM_SLICE (30 * USEC_PER_SEC)
#define QUIET (180 * USEC_PER_SEC)
/* Of a brief schedule: a list of Docker's containers and a Lease fall into its quiet. */
#define BRIEF_CHAOS (60 * USEC_PER_SEC)
#define BRIEF_PACE 4000 /* ms */
#define BRIEF_SLICE (10 * USEC_PER_SEC)
#define BRIEF_QUIET (70 * USEC_PER_SEC)
#define BRIEF_PODS 2

void world_say(struct world *w, const char *fmt, ...)
{
        va_list ap;

        if (!w->options->verbose)
                return;
        (void)printf("%12.6f ", (double)(sim_loop_elapsed(w->loop) - START) / 1e6);
        va_start(ap, fmt);
        (void)vprintf(fmt, ap);
        va_end(ap);
        (void)putchar('\n');
}

void world_problem(void *world, const char *fmt, ...)
{
        struct world *w = world;
        char text[sizeof(w->result->problem)];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (w->asking) {
                w->unsettled = true;
                return;
        }
        world_say(w, "!!! %s", text);
        if (!w->result->problems++)
                (void)snprintf(w->result->problem, sizeof(w->result->problem), "at %.6f s: %.900s",
                               (double)(sim_loop_elapsed(w->loop) - START) / 1e6, text);
}

/* --- podwatch ------------------------------------------------------------------------------------------------------
 */

void world_course(struct world *w, const char *what, const struct model_container *c)
{
        uint64_t h = hash64_text(hash64_add(w->result->course, sim_loop_elapsed(w->loop)), what);

        w->result->course = hash64_text(h, c->name);
}

static struct pod *find_version(void *world, const char *uid, const char *hash, unsigned *ret_revision)
{
        struct world *w = world;
        struct version *v = world_version_find(w, uid, hash);

        /* Revisions are kept on disk, though not for ever. */
        *ret_revision = v && rng_chance(&w->rng, 800) ? model_files_number(w->files, v->pod) : 0;
        return *ret_revision ? pod_ref(v->pod) : NULL;
}

struct world_pod *world_pod_by_key(struct world *w, const char *key)
{
        for (unsigned i = 0; i < w->pod_count; i++)
                if (str_eq(w->pods[i].key, key))
                        return &w->pods[i];
        return NULL;
}

static struct version *version_of(const struct world *w, const struct pod_incarnation *inc)
{
        return inc ? world_version_find(w, inc->pod->uid, inc->pod->spec_hash) : NULL;
}

static void acted_on_trial(struct world *w, const struct pod_entry *entry, const struct pod_action *a)
{
        const struct pod_incarnation *inc = pod_view_incarnation(entry->view, a->which);
        struct world_pod *p = world_pod_by_key(w, entry->view->key);
        struct version *v = version_of(w, inc), *next = version_of(w, entry->view->next);

        if (!p || !v)
                return;
        trial_event(w, p, a->reason);
        if (a->kind == POD_ACTION_STOP && a->stop_reason == POD_STOP_REPLACED)
                trial_stopped(w, p, v);
        else if (a->kind == POD_ACTION_ACTIVATE)
                trial_activated(w, p, v, inc->gated, entry->view->fallback);
        else if (a->kind == POD_ACTION_END && inc->terminal && inc->gated) /* at the latest, where it was found ended */
                trial_activated(w, p, v, true, entry->view->fallback);
        else if (a->kind == POD_ACTION_ACCEPT)
                trial_accepted(w, p, v);
        else if (a->kind == POD_ACTION_REVERT && next)
                trial_reverted(w, p, v, next);
}

static void acted(void *world, const struct pod_entry *entry, const struct pod_action *a)
{
        struct world *w = world;
        const struct pod_incarnation *inc = pod_view_incarnation(entry->view, a->which);

        acted_on_trial(w, entry, a);
        if (a->kind == POD_ACTION_STOP)
                check_stop(w, entry->view, a);
        else if (a->kind == POD_ACTION_ACTIVATE && inc && !fact_runs(inc)) /* else its trial begins */
                check_activated(w, inc->pod);
        else if (a->kind == POD_ACTION_OP && (a->op == POD_OP_SIGNAL || a->op == POD_OP_KILL))
                check_signal(w, inc->containers[a->container].now.id, a->op == POD_OP_KILL);
        if (a->kind == POD_ACTION_EVENT || a->kind == POD_ACTION_PROBE)
                return;
        world_say(w, "%s %s %s %s %s", entry->view->key, pod_which_name(a->which), pod_action_kind_name(a->kind),
                  a->kind == POD_ACTION_OP ? pod_op_name(a->op) : pod_stop_reason_name(a->stop_reason),
                  a->container >= 0 && inc ? inc->pod->containers[a->container].name : "");
}

static void recorded(void *world, const char *record)
{
        (void)world;
        (void)puts(record);
}

static void hold(void *world, const char *key, char *text, size_t size)
{
        const struct world_pod *p = world_pod_by_key(world, key);

        (void)snprintf(text, size, "%s", p && p->held ? "held by the world" : "");
}

void world_node_start(struct world *w)
{
        const struct sim_node_options options = {
                .loop = w->loop,
                .model = w->model,
                .rng = &w->rng,
                .disk = w->disk,
                .files = w->files,
                .revert_after = w->revert_after,
                .replay = w->replay,
                .api = w->api != NULL,
                .boot_id = w->boot_id,
                .find_version = find_version,
                .hold = hold,
                .complain = world_problem,
                .acted = acted,
                .recorded = w->options->records ? recorded : NULL,
                .userdata = w,
        };

        if (w->node || w->over)
                return;
        world_say(w, "--- podwatch starts");
        if (w->api)
                world_api_anew(w->api, NULL);
        w->node_started = sim_loop_elapsed(w->loop);
        w->node = sim_node_new(&options);
        world_files_begin(w);
}

void world_node_kill(struct world *w)
{
        if (!w->node)
                return;
        world_say(w, "--- podwatch is killed");
        w->result->node_restarts++;
        w->killed = sim_loop_elapsed(w->loop);
        w->node = sim_node_free(w->node);
        for (unsigned i = 0; i < w->pod_count; i++) {
                bool stale = sim_disk_is_stale(w->disk, w->pods[i].key);

                if (stale)
                        world_forget(w, i);
                trial_killed(w, &w->pods[i], stale);
        }
}

/* --- the schedule ------------------------------------------------------------------------------------------------ */

/* Nobody edits anything for long, so that what grows by time has time to grow. */
static void something_rare(struct world *w)
{
        switch (rng_below(&w->rng, 6)) {
        case 0:
                world_crash(w);
                break;
        case 1:
                world_weather(w);
                break;
        case 2:
                if (rng_chance(&w->rng, 200))
                        world_restart_node(w);
                break;
        default:
                break;
        }
}

static void choose_chaos(struct world *w, bool *ret_steady, usec_t *ret_span, unsigned *ret_pace)
{
        struct rng *rng = &w->rng;

        if (w->options->brief) {
                *ret_steady = false;
                *ret_span = rng_between(rng, 1 * USEC_PER_SEC, BRIEF_CHAOS);
                *ret_pace = (unsigned)rng_between(rng, 100, BRIEF_PACE);
                return;
        }
        *ret_steady = rng_chance(rng, 150);
        *ret_span = rng_between(rng, 30, *ret_steady || rng_chance(rng, 70) ? 6000 : 600) * USEC_PER_SEC;
        *ret_pace = (unsigned)rng_between(rng, 300, 20000);
}

static void chaos(struct world *w)
{
        bool steady;
        usec_t span, end;
        unsigned pace; /* ms between two things, at most */

        choose_chaos(w, &steady, &span, &pace);
        end = sim_loop_elapsed(w->loop) + span;
        while (sim_loop_elapsed(w->loop) < end && w->result->problems == 0) {
                steady ? something_rare(w) : world_something(w);
                check_bounds(w);
                sim_loop_run(w->loop, rng_between(&w->rng, 0, pace) * USEC_PER_MSEC);
        }
}

/* Processes that were to crash live on. */
static void make_calm(struct world *w)
{
        struct model_container *c;

        world_say(w, "--- calm");
        w->calm = true;
        world_fair_weather(w);
        for (unsigned i = 0; i < w->pod_count; i++)
                w->pods[i].held = false;
        model_up(w->model);
        docs_calm(w);
        if (w->api)
                world_api_calm(w->api);
        for (c = model_containers(w->model); c; c = c->next)
                if (c->end && c->end_code == 1 && strncmp(c->container, "init", 4) == 0)
                        c->end_code = 0;
                else if (c->end && (c->end_code == 1 || c->end_code == CODE_NAMED))
                        c->end = loop_source_free(c->end);
        world_node_start(w);
        for (unsigned i = 0; i < w->pod_count; i++)
                sim_node_look(w->node, w->pods[i].key);
}

/* Everything is as it is to stay. */
static bool settled(struct world *w)
{
        w->asking = true;
        w->unsettled = false;
        check_converged(w);
        check_nothing_pending(w);
        if (w->api)
                world_api_check(w->api);
        w->asking = false;
        return !w->unsettled;
}

/* All of the time that it may take, or until it is settled: the check that nothing moves any more follows either way.
 */
static void wait_for_calm(struct world *w)
{
        usec_t end = sim_loop_elapsed(w->loop) + CALM, slice = w->options->brief ? BRIEF_SLICE : CALM_SLICE;
        unsigned settled_for = 0;

        while (sim_loop_elapsed(w->loop) < end && w->result->problems == 0) {
                sim_loop_run(w->loop, slice);
                settled_for = !w->options->whole_calm && settled(w) ? settled_for + 1 : 0;
                if (settled_for == 2)
                        return;
        }
}

static void on_difference(void *world, const char *what, const char *recorded, const char *now)
{
        world_problem(world, "replay: another %s: recorded %.350s, now %.350s", what, recorded, now);
}

static void count(struct world *w)
{
        w->result->events = sim_loop_runs(w->loop);
        w->result->met = *model_met(w->model);
        w->result->dir = *model_dir_met(w->dir);
        w->result->volume_failures = w->host.volume_failures;
        w->result->probe_failures = w->host.probe_failures;
        w->result->disk_failures = sim_disk_failures(w->disk);
        if (w->api)
                w->result->api = *world_api_met(w->api);
        w->result->records = w->replay ? replay_counts(w->replay)->records : 0;
}

static void world_begin(struct world *w)
{
        const struct model_files_hooks files_hooks = {.decode = world_files_decode, .userdata = w};
        const struct model_dir_hooks dir_hooks = {
                .told = world_files_told, .complete = world_files_begun, .userdata = w};
        const struct model_hooks hooks = {.started = check_started,
                                          .ended = check_ended,
                                          .stopping = check_stopping,
                                          .created = check_created,
                                          .userdata = w};

        w->rng.state = w->options->seed;
        w->loop = sim_loop_new(START, START_WALL);
        w->model = model_new(w->loop, &w->rng, &hooks);
        w->host = (struct model_host){.loop = w->loop,
                                      .rng = &w->rng,
                                      .model = w->model,
                                      .made = check_made,
                                      .cleaning = check_cleanup,
                                      .shows = check_shows,
                                      .userdata = w};
        model_host_set(&w->host);
        if (w->options->api)
                w->api = world_api_new(w, w->options->seed);
        w->disk = sim_disk_new();
        w->files = model_files_new(&w->rng, &files_hooks);
        model_files_set(w->files);
        w->dir = model_dir_new(w->loop, w->options->seed, &dir_hooks);
        model_dir_set(w->dir);
        docs_begin(w);
        if (rng_chance(&w->rng, 100))
                w->revert_after = rng_between(&w->rng, 1, 60) * USEC_PER_SEC;
        w->boot_id = xstrdup("boot");
        if (w->options->replay)
                w->replay = replay_new(on_difference, w);
        w->pod_count = (unsigned)rng_between(&w->rng, 1, w->options->brief ? BRIEF_PODS : WORLD_PODS_MAX);
        for (unsigned i = 0; i < w->pod_count; i++) {
                (void)snprintf(w->pods[i].name, sizeof(w->pods[i].name), "pod%u", i);
                (void)snprintf(w->pods[i].key, sizeof(w->pods[i].key), "default/pod%u", i);
                (void)snprintf(w->pods[i].files[0], sizeof(w->pods[i].files[0]), "pod%u.yaml", i);
                (void)snprintf(w->pods[i].files[1], sizeof(w->pods[i].files[1]), "pod%u~.yaml", i);
                w->pods[i].winner = -1;
                if (rng_chance(&w->rng, 700))
                        world_file_write(w, &w->pods[i], 0, world_version_new(w, i));
        }
}

static void world_end(struct world *w)
{
        struct model_container *c;

        count(w);
        w->over = true;
        w->node = sim_node_free(w->node);
        for (c = model_containers(w->model); c; c = c->next)
                c->end = loop_source_free(c->end);
        /* What is still under way ends. */
        w->options = &(const struct world_options){0};
        sim_loop_run(w->loop, 60 * USEC_PER_SEC);
        for (c = model_containers(w->model); c; c = c->next)
                c->end = loop_source_free(c->end);
        free(w->boot_id);
        check_free(w);
        for (unsigned i = 0; i < w->pod_count; i++)
                trial_over(&w->pods[i]);
        world_versions_free(w);
        docs_free(w);
        w->replay = replay_free(w->replay);
        w->disk = sim_disk_free(w->disk);
        model_dir_set(NULL);
        w->dir = model_dir_free(w->dir);
        model_files_set(NULL);
        w->files = model_files_free(w->files);
        model_host_set(NULL);
        w->api = world_api_free(w->api);
        w->model = model_free(w->model);
        w->loop = loop_free(w->loop);
}

void world_run(const struct world_options *options, struct world_result *ret)
{
        struct world w = {.options = options, .result = ret};
        struct world_result kept;

        *ret = (struct world_result){0};
        world_begin(&w);
        world_node_start(&w);
        chaos(&w);
        if (ret->problems == 0) {
                make_calm(&w);
                wait_for_calm(&w);
                check_converged(&w);
                if (w.api)
                        world_api_check(w.api);
                w.quiet = true;
                sim_loop_run(w.loop, options->brief ? BRIEF_QUIET : QUIET);
                if (w.api)
                        world_api_check(w.api);
        }
        count(&w);
        kept = *ret;
        world_end(&w);
        *ret = kept;
}

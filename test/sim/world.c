/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/pod_store.h"
#include "node/replay.h"
#include "sim_loop.h"
#include "world_private.h"

#define START (1000 * USEC_PER_SEC)
#define START_WALL (1700000000 * USEC_PER_SEC)
/* The longest wait: a backoff or retry of 300 s that began with the calm, a list, a grace. Twice, since a pull may have
 * to wait before a create that has to wait. */
#define CALM (1500 * USEC_PER_SEC)
#define QUIET (180 * USEC_PER_SEC)

void world_say(struct world *w, const char *fmt, ...)
{
        va_list ap;

        if (!w->options->verbose)
                return;
        (void)printf("%12.6f ", (double)(loop_now(w->loop) - START) / 1e6);
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
        world_say(w, "!!! %s", text);
        if (!w->result->problems++)
                (void)snprintf(w->result->problem, sizeof(w->result->problem), "at %.6f s: %.900s",
                               (double)(loop_now(w->loop) - START) / 1e6, text);
}

/* --- podwatch ------------------------------------------------------------------------------------------------------
 */

static struct pod *find_version(void *world, const char *uid, const char *hash)
{
        struct world *w = world;
        struct version *v = world_version_find(w, uid, hash);

        /* Revisions are kept on disk, though not for ever. */
        return v && rng_chance(&w->rng, 800) ? pod_ref(v->pod) : NULL;
}

static void acted(void *world, const struct pod_entry *entry, const struct pod_action *a)
{
        struct world *w = world;
        const struct pod_incarnation *inc = pod_view_incarnation(entry->view, a->which);

        if (a->kind == POD_ACTION_STOP)
                check_stop(w, inc->pod);
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

static void start_node(struct world *w)
{
        const struct sim_node_options options = {
                .loop = w->loop,
                .model = w->model,
                .rng = &w->rng,
                .disk = w->disk,
                .replay = w->replay,
                .boot_id = "boot",
                .find_version = find_version,
                .complain = world_problem,
                .acted = acted,
                .recorded = w->options->records ? recorded : NULL,
                .userdata = w,
        };

        if (w->node || w->over)
                return;
        world_say(w, "--- podwatch starts");
        w->node = sim_node_new(&options);
        for (unsigned i = 0; i < w->pod_count; i++) {
                w->pods[i].told = true;
                if (w->pods[i].wanted)
                        sim_node_want(w->node, w->pods[i].file, w->pods[i].wanted->pod, 1);
        }
        sim_node_ready(w->node);
}

static void kill_node(struct world *w)
{
        if (!w->node)
                return;
        world_say(w, "--- podwatch is killed");
        w->result->node_restarts++;
        w->node = sim_node_free(w->node);
}

/* --- files ---------------------------------------------------------------------------------------------------------
 */

/* podwatch reads what the file says now. */
static void read_file(struct world *w, struct world_pod *p)
{
        if (!w->node || p->told)
                return;
        p->told = true;
        if (p->wanted)
                sim_node_want(w->node, p->file, p->wanted->pod, 1);
        else
                sim_node_unwant(w->node, p->file);
}

static void read_files(void *world)
{
        struct world *w = world;

        for (unsigned i = 0; i < w->pod_count; i++)
                read_file(w, &w->pods[i]);
}

static void write_file(struct world *w, struct world_pod *p, struct version *v)
{
        if (p->wanted == v)
                return;
        world_say(w, "--- %s is now %s", p->file, v ? v->pod->spec_hash : "removed");
        p->wanted = v;
        p->changed = loop_now(w->loop);
        p->told = false;
        w->result->edits++;
        (void)sim_after(w->loop, rng_between(&w->rng, 0, 300) * USEC_PER_MSEC, read_files, w);
}

/* A version that was there before, or a new one. */
static struct version *some_version(struct world *w, unsigned index)
{
        struct version *old = w->version_count ? w->versions[rng_below(&w->rng, w->version_count)] : NULL;
        struct version *v = old && old->index == index && rng_chance(&w->rng, 400) ? old : world_version_new(w, index);

        return v ? v : old && old->index == index ? old : NULL;
}

/* --- what happens ----------------------------------------------------------------------------------------------- */

static struct model_container *some_container(struct world *w)
{
        struct model_container *c, *found = NULL;
        unsigned n = 0;

        for (c = model_containers(w->model); c; c = c->next)
                if (rng_below(&w->rng, ++n) == 0)
                        found = c;
        return found;
}

static void edit(struct world *w)
{
        unsigned i = (unsigned)rng_below(&w->rng, w->pod_count);

        write_file(w, &w->pods[i], rng_chance(&w->rng, 200) ? NULL : some_version(w, i));
}

static void edit_and_back(struct world *w)
{
        unsigned i = (unsigned)rng_below(&w->rng, w->pod_count);
        struct version *before = w->pods[i].wanted;

        write_file(w, &w->pods[i], rng_chance(&w->rng, 500) ? NULL : some_version(w, i));
        sim_loop_run(w->loop, loop_now(w->loop) + rng_between(&w->rng, 0, 5000) * USEC_PER_MSEC);
        write_file(w, &w->pods[i], before);
}

static void crash(struct world *w)
{
        struct model_container *c = some_container(w);

        if (!c || c->state != DOCKER_STATE_RUNNING)
                return;
        world_say(w, "--- %s crashes", c->name);
        model_crash(w->model, c, 139);
}

static void removed_by_somebody(struct world *w)
{
        struct model_container *c = some_container(w);

        if (!c)
                return;
        world_say(w, "--- somebody removes %s", c->name);
        check_lost(w, c);
        model_remove(w->model, c);
}

static void node_back(void *world)
{
        start_node(world);
}

static void restart_node(struct world *w)
{
        usec_t away = rng_chance(&w->rng, 100) ? rng_between(&w->rng, 0, 120000) : rng_between(&w->rng, 0, 2000);

        kill_node(w);
        (void)sim_after(w->loop, away * USEC_PER_MSEC, node_back, w);
}

static void daemon_back(void *world)
{
        struct world *w = world;

        world_say(w, "--- Docker is back");
        model_up(w->model);
}

static void restart_daemon(struct world *w)
{
        bool live_restore = rng_chance(&w->rng, 600);

        if (!model_is_up(w->model))
                return;
        world_say(w, "--- Docker goes away%s", live_restore ? "" : " with its containers");
        w->result->daemon_restarts++;
        model_down(w->model, live_restore);
        (void)sim_after(w->loop, rng_between(&w->rng, 100, 30000) * USEC_PER_MSEC, daemon_back, w);
}

static void ask(struct world *w)
{
        struct world_pod *p = &w->pods[rng_below(&w->rng, w->pod_count)];
        struct pod_entry *entry = w->node ? pod_store_find(sim_node_store(w->node), p->key) : NULL;

        if (!entry)
                return;
        world_say(w, "--- somebody asks for %s", p->key);
        p->asked = loop_now(w->loop);
        if (rng_chance(&w->rng, 500))
                pod_store_restart(sim_node_store(w->node), entry, -1, "asked for", loop_now(w->loop));
        else
                pod_store_retry(sim_node_store(w->node), entry, -1, loop_now(w->loop));
        sim_node_kick(w->node);
}

static unsigned some_chance(struct rng *rng)
{
        static const unsigned chances[] = {0, 0, 0, 1, 5, 20, 100};

        return chances[rng_below(rng, sizeof(chances) / sizeof(chances[0]))];
}

static void weather(struct world *w)
{
        struct model_faults *f = model_faults(w->model);
        struct rng *rng = &w->rng;

        if (rng_chance(rng, 300)) {
                *f = (struct model_faults){0};
                w->host.volumes_fail = w->host.probe_fails = w->host.unready = 0;
                w->host.probe_errors = w->host.hook_fails = 0;
                return;
        }
        *f = (struct model_faults){
                .lost_request = some_chance(rng),
                .lost_answer = some_chance(rng),
                .refused = some_chance(rng),
                .refused_done = some_chance(rng),
                .slow = some_chance(rng) / 4,
                .lost_event = some_chance(rng) * 4,
                .late_event = some_chance(rng) * 4,
                .double_event = some_chance(rng) * 4,
                .missing_image = some_chance(rng) * 5,
        };
        w->host.volumes_fail = some_chance(rng);
        w->host.probe_fails = some_chance(rng);
        w->host.unready = some_chance(rng) * 3;
        w->host.probe_errors = some_chance(rng);
        w->host.hook_fails = some_chance(rng) * 2;
}

static void something(struct world *w)
{
        static const struct {
                unsigned weight;
                void (*fn)(struct world *w);
        } table[] = {
                {25, edit},         {8, edit_and_back},  {20, crash}, {5, removed_by_somebody},
                {10, restart_node}, {4, restart_daemon}, {5, ask},    {20, weather},
        };
        unsigned total = 0;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                total += table[i].weight;
        total = (unsigned)rng_below(&w->rng, total);
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                if (total < table[i].weight) {
                        table[i].fn(w);
                        return;
                }
                total -= table[i].weight;
        }
}

/* --- the schedule ------------------------------------------------------------------------------------------------ */

static void chaos(struct world *w)
{
        usec_t end = loop_now(w->loop) + rng_between(&w->rng, 30, 600) * USEC_PER_SEC;
        unsigned pace = (unsigned)rng_between(&w->rng, 300, 20000); /* ms between two things, at most */

        while (loop_now(w->loop) < end && w->result->problems == 0) {
                something(w);
                check_bounds(w);
                sim_loop_run(w->loop, loop_now(w->loop) + rng_between(&w->rng, 0, pace) * USEC_PER_MSEC);
        }
}

/* Processes that were to crash live on. */
static void make_calm(struct world *w)
{
        struct model_container *c;

        world_say(w, "--- calm");
        w->calm = true;
        *model_faults(w->model) = (struct model_faults){0};
        w->host.volumes_fail = w->host.probe_fails = w->host.unready = w->host.probe_errors = w->host.hook_fails = 0;
        model_up(w->model);
        for (c = model_containers(w->model); c; c = c->next)
                if (c->end && c->end_code == 1 && strncmp(c->container, "init", 4) == 0)
                        c->end_code = 0;
                else if (c->end && c->end_code == 1)
                        c->end = loop_source_free(c->end);
        start_node(w);
}

static void on_difference(void *world, const char *what, const char *recorded, const char *now)
{
        world_problem(world, "replay: another %s: recorded %.350s, now %.350s", what, recorded, now);
}

static void count(struct world *w)
{
        const struct model_met *met = model_met(w->model);

        w->result->events = sim_loop_runs(w->loop);
        w->result->calls = met->calls;
        w->result->faults = met->lost_request + met->lost_answer + met->refused + met->refused_done + met->slow +
                            met->lost_event + met->late_event + met->double_event + w->host.volume_failures +
                            w->host.probe_failures;
        w->result->records = w->replay ? replay_counts(w->replay)->records : 0;
}

static void world_begin(struct world *w)
{
        const struct model_hooks hooks = {.started = check_started,
                                          .ended = check_ended,
                                          .stopping = check_stopping,
                                          .created = check_created,
                                          .userdata = w};

        w->rng.state = w->options->seed;
        w->loop = sim_loop_new(START, START_WALL);
        w->model = model_new(w->loop, &w->rng, &hooks);
        w->host = (struct model_host){
                .loop = w->loop, .rng = &w->rng, .model = w->model, .cleaning = check_cleanup, .userdata = w};
        model_host_set(&w->host);
        w->disk = sim_disk_new();
        if (w->options->replay)
                w->replay = replay_new(on_difference, w);
        w->pod_count = (unsigned)rng_between(&w->rng, 1, WORLD_PODS_MAX);
        for (unsigned i = 0; i < w->pod_count; i++) {
                (void)snprintf(w->pods[i].key, sizeof(w->pods[i].key), "default/pod%u", i);
                (void)snprintf(w->pods[i].file, sizeof(w->pods[i].file), "pod%u.yaml", i);
                if (rng_chance(&w->rng, 700))
                        w->pods[i].wanted = world_version_new(w, i);
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
        sim_loop_run(w->loop, loop_now(w->loop) + 60 * USEC_PER_SEC);
        for (c = model_containers(w->model); c; c = c->next)
                c->end = loop_source_free(c->end);
        check_free(w);
        world_versions_free(w);
        w->replay = replay_free(w->replay);
        w->disk = sim_disk_free(w->disk);
        model_host_set(NULL);
        w->model = model_free(w->model);
        w->loop = loop_free(w->loop);
}

void world_run(const struct world_options *options, struct world_result *ret)
{
        struct world w = {.options = options, .result = ret};
        struct world_result kept;

        *ret = (struct world_result){0};
        world_begin(&w);
        start_node(&w);
        chaos(&w);
        if (ret->problems == 0) {
                make_calm(&w);
                sim_loop_run(w.loop, loop_now(w.loop) + CALM);
                check_converged(&w);
                w.quiet = true;
                sim_loop_run(w.loop, loop_now(w.loop) + QUIET);
        }
        count(&w);
        kept = *ret;
        world_end(&w);
        *ret = kept;
}

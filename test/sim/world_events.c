/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to a world: edits, crashes, restarts, what somebody does by hand, and the weather, which is how often
 * calls and writes fail.
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "model_dir.h"
#include "model_files.h"
#include "node/pod_store.h"
#include "sim_disk.h"
#include "sim_loop.h"
#include "world_private.h"

/* A version that was there before, or a new one. */
static struct version *some_version(struct world *w, unsigned index)
{
        struct version *old = w->version_count ? w->versions[rng_below(&w->rng, w->version_count)] : NULL;
        struct version *v = old && old->index == index && rng_chance(&w->rng, 400) ? old : world_version_new(w, index);

        return v ? v : old && old->index == index ? old : NULL;
}

static struct model_container *some_container(struct world *w)
{
        struct model_container *c, *found = NULL;
        unsigned n = 0;

        for (c = model_containers(w->model); c; c = c->next)
                if (rng_below(&w->rng, ++n) == 0)
                        found = c;
        return found;
}

static unsigned some_file(struct world *w)
{
        return rng_chance(&w->rng, 150) ? 1 : 0;
}

static void edit(struct world *w)
{
        unsigned i = (unsigned)rng_below(&w->rng, w->pod_count);

        world_file_write(w, &w->pods[i], some_file(w), rng_chance(&w->rng, 200) ? NULL : some_version(w, i));
}

static void edit_and_back(struct world *w)
{
        unsigned i = (unsigned)rng_below(&w->rng, w->pod_count), file = some_file(w);
        struct version *before = w->pods[i].says[file];

        world_file_write(w, &w->pods[i], file, rng_chance(&w->rng, 500) ? NULL : some_version(w, i));
        sim_loop_run(w->loop, rng_between(&w->rng, 0, 5000) * USEC_PER_MSEC);
        world_file_write(w, &w->pods[i], file, before);
}

/* Where there are documents; else a pod. */
static void edit_document(struct world *w)
{
        w->with_docs ? docs_edit(w) : edit(w);
}

void world_crash(struct world *w)
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

/* Where Docker lets it: the network of a sandbox that has ended cannot be joined. */
static void started_by_somebody(struct world *w)
{
        struct model_container *c = some_container(w), *sandbox = c ? model_find(w->model, c->sandbox) : NULL;
        struct world_pod *p = c ? world_pod_by_key(w, c->key) : NULL;
        const struct model_faults *f = model_faults(w->model);

        if (!p || c->state != DOCKER_STATE_EXITED || !model_is_up(w->model))
                return;
        /* And where podwatch gets to know at once: nobody can act on what he was not told. */
        if (!w->node || !sim_node_observed(w->node) || f->lost_event || f->late_event || f->refused ||
            f->lost_request || f->lost_answer || f->slow || f->late_answer || f->refused_done)
                return;
        if (!sandbox || sandbox->state != DOCKER_STATE_RUNNING)
                return;
        world_say(w, "--- somebody starts %s", c->name);
        p->asked = sim_loop_elapsed(w->loop);
        w->by_somebody = true;
        model_start(w->model, c);
        w->by_somebody = false;
}

static void node_back(void *world)
{
        world_node_start(world);
}

void world_restart_node(struct world *w)
{
        usec_t away = rng_chance(&w->rng, 100) ? rng_between(&w->rng, 0, 120000) : rng_between(&w->rng, 0, 2000);

        world_node_kill(w);
        (void)sim_after(w->loop, away * USEC_PER_MSEC, node_back, w);
}

/* Its last requests are under way while it is dead, and the next one finds another version. */
static void killed_amid_edits(struct world *w)
{
        unsigned i = (unsigned)rng_below(&w->rng, w->pod_count), file = some_file(w);

        world_file_write(w, &w->pods[i], file, some_version(w, i));
        model_dir_finish(w->dir, w->pods[i].files[file]);
        sim_loop_run(w->loop, rng_between(&w->rng, 0, 500) * USEC_PER_MSEC);
        world_node_kill(w);
        world_file_write(w, &w->pods[i], file, some_version(w, i));
        model_dir_finish(w->dir, w->pods[i].files[file]);
        (void)sim_after(w->loop, rng_between(&w->rng, 0, 1000) * USEC_PER_MSEC, node_back, w);
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

/* The machine starts anew: nothing runs, what was in memory is gone, and so is the time since boot. */
static void reboot(struct world *w)
{
        world_node_kill(w);
        model_down(w->model, false);
        world_say(w, "--- reboot");
        w->result->reboots++;
        w->rebooted = sim_loop_elapsed(w->loop);
        free(w->boot_id);
        w->boot_id = xasprintf("boot%" PRIu64, w->result->reboots);
        sim_loop_reboot(w->loop, rng_between(&w->rng, 5, 5000) * USEC_PER_SEC);
        world_directories_lost(w);
        (void)sim_after(w->loop, rng_between(&w->rng, 1000, 30000) * USEC_PER_MSEC, daemon_back, w);
        (void)sim_after(w->loop, rng_between(&w->rng, 1000, 30000) * USEC_PER_MSEC, node_back, w);
}

/* Somebody, or a time daemon, sets the wall clock. */
static void set_clock(struct world *w)
{
        static const int64_t most[] = {USEC_PER_SEC, 100 * USEC_PER_SEC, 86400 * USEC_PER_SEC,
                                       3650 * 86400 * USEC_PER_SEC};
        uint64_t span = (uint64_t)most[rng_below(&w->rng, ARRAY_SIZE(most))];
        int64_t delta = (int64_t)rng_below(&w->rng, span);

        delta = rng_chance(&w->rng, 500) ? delta : -delta;
        world_say(w, "--- the clock is set by %" PRId64 " us", delta);
        w->result->clock_jumps++;
        w->jumped = sim_loop_elapsed(w->loop);
        sim_loop_jump(w->loop, delta);
}

static void hold_or_let_go(struct world *w)
{
        struct world_pod *p = &w->pods[rng_below(&w->rng, w->pod_count)];

        p->held = !p->held;
        p->held_since = sim_loop_elapsed(w->loop);
        w->result->holds += p->held;
        world_say(w, "--- %s is %s", p->key, p->held ? "held" : "let go");
        if (w->node)
                sim_node_look(w->node, p->key);
}

static void retry(struct world *w, struct world_pod *p, struct pod_entry *entry)
{
        if (p->wanted) {
                sim_node_retry(w->node, p->wanted->pod);
                world_files_retried(p);
        }
        pod_store_retry(sim_node_store(w->node), entry, -1, loop_now(w->loop));
}

static void ask(struct world *w)
{
        struct world_pod *p = &w->pods[rng_below(&w->rng, w->pod_count)];
        struct pod_entry *entry = w->node ? pod_store_find(sim_node_store(w->node), p->key) : NULL;

        if (!entry)
                return;
        world_say(w, "--- somebody asks for %s", p->key);
        p->asked = sim_loop_elapsed(w->loop);
        if (rng_chance(&w->rng, 500))
                pod_store_restart(sim_node_store(w->node), entry, -1, "asked for", loop_now(w->loop));
        else
                retry(w, p, entry);
        sim_node_kick(w->node);
}

static void directory_away(struct world *w)
{
        world_say(w, "--- the manifest directory goes away");
        model_dir_away(w->dir);
}

static unsigned some_chance(struct rng *rng)
{
        static const unsigned chances[] = {0, 0, 0, 1, 5, 20, 100};

        return chances[rng_below(rng, sizeof(chances) / sizeof(chances[0]))];
}

static void set_files_fail(struct world *w, unsigned chance)
{
        w->files_failed |= chance > 0;
        model_files_set_fails(w->files, chance);
}

void world_fair_weather(struct world *w)
{
        *model_faults(w->model) = (struct model_faults){0};
        w->host.volumes_fail = w->host.probe_fails = w->host.unready = 0;
        w->host.probe_errors = w->host.hook_fails = 0;
        sim_disk_set_fails(w->disk, 0);
        set_files_fail(w, 0);
        *model_dir_faults(w->dir) = (struct model_dir_faults){0};
}

void world_weather(struct world *w)
{
        struct model_faults *f = model_faults(w->model);
        struct rng *rng = &w->rng;

        if (rng_chance(rng, 300)) {
                world_fair_weather(w);
                return;
        }
        *f = (struct model_faults){
                .lost_request = some_chance(rng),
                .lost_answer = some_chance(rng),
                .refused = some_chance(rng),
                .refused_done = some_chance(rng),
                .slow = some_chance(rng) / 4,
                .late_answer = some_chance(rng) / 2,
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
        sim_disk_set_fails(w->disk, some_chance(rng) * 5);
        set_files_fail(w, some_chance(rng) * 5);
        *model_dir_faults(w->dir) = (struct model_dir_faults){
                .lost = some_chance(rng) * 5,
                .twice = some_chance(rng) * 5,
                .late = some_chance(rng) * 4,
                .swapped = some_chance(rng) * 4,
                .overflow = some_chance(rng),
                .refused = some_chance(rng) * 2,
        };
        if (rng_chance(rng, 50)) /* hardly anything works, the more so the longer it lasts */
                f->refused = f->missing_image = w->host.volumes_fail = 950;
}

void world_something(struct world *w)
{
        static const struct {
                unsigned weight;
                void (*fn)(struct world *w);
        } table[] = {
                {25, edit},
                {8, edit_and_back},
                {6, edit_document},
                {20, world_crash},
                {5, removed_by_somebody},
                {3, started_by_somebody},
                {10, world_restart_node},
                {12, killed_amid_edits},
                {4, restart_daemon},
                {1, reboot},
                {2, set_clock},
                {2, directory_away},
                {4, hold_or_let_go},
                {5, ask},
                {20, world_weather},
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

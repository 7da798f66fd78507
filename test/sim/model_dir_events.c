/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model_dir_private.h"

#define DIRECTORY "/manifests"

struct event {
        struct manifest_events *events;
        int watch;
        uint32_t mask;
        char name[40];
        uint64_t order;
        struct loop_source *timer; /* of one that others overtake */
        struct event *prev, *next;
};

static void event_free(struct event **list, struct event *e)
{
        DL_DELETE(*list, e);
        (void)loop_source_free(e->timer);
        free(e);
}

static void tell(struct manifest_events *events, struct event **list, struct event *e)
{
        struct event told = *e;

        if (e->order > events->told)
                events->told = e->order;
        event_free(list, e);
        events->fn(events->userdata, told.watch, told.mask, told.name);
}

static void on_readable(void *userdata)
{
        struct manifest_events *events = userdata;

        events->timer = NULL;
        events->full = false;
        while (events->queue)
                tell(events, &events->queue, events->queue);
}

static void on_overtaken(void *userdata)
{
        struct event *e = userdata;

        e->timer = NULL;
        model_dir_current->met.swapped += e->events->told > e->order;
        tell(e->events, &e->events->overtaken, e);
}

static void push(struct model_dir *dir, int watch, uint32_t mask, const char *name)
{
        struct manifest_events *events = dir->events;
        struct event *e = xcalloc(1, sizeof(*e));

        e->events = events;
        e->watch = watch;
        e->mask = mask;
        e->order = ++events->order;
        str_copy(e->name, sizeof(e->name), name);
        if (rng_chance(&dir->rng, dir->faults.swapped)) {
                e->timer = sim_after(dir->loop, model_dir_milliseconds(dir, 1, 2000), on_overtaken, e);
                DL_APPEND(events->overtaken, e);
                return;
        }
        DL_APPEND(events->queue, e);
        if (events->timer)
                return;
        bool late = rng_chance(&dir->rng, dir->faults.late);
        dir->met.late += late;
        events->timer = sim_after(dir->loop, late ? model_dir_milliseconds(dir, 1, 5000) : 0, on_readable, events);
}

void model_dir_emit(struct model_dir *dir, int watch, uint32_t mask, const char *name)
{
        if (watch < 0 || dir->events->full)
                return;
        if (dir->deaf || rng_chance(&dir->rng, dir->faults.lost)) {
                dir->met.lost++;
        } else if (rng_chance(&dir->rng, dir->faults.overflow)) {
                dir->met.overflow++;
                push(dir, -1, IN_Q_OVERFLOW, "");
                dir->events->full = true;
        } else {
                push(dir, watch, mask, name);
                if (!rng_chance(&dir->rng, dir->faults.twice))
                        return;
                dir->met.twice++;
                push(dir, watch, mask, name);
        }
}

void model_dir_happened(struct model_dir *dir, uint32_t mask, const char *name)
{
        if (dir->events && !dir->away)
                model_dir_emit(dir, dir->events->directory, mask, name);
}

int manifest_events_new(struct loop *loop, manifest_event_fn fn, void *userdata, struct manifest_events **ret,
                        struct err *err)
{
        struct manifest_events *events = xcalloc(1, sizeof(*events));

        (void)err;
        events->loop = loop;
        events->fn = fn;
        events->userdata = userdata;
        events->directory = events->ancestor = -1;
        events->born = sim_loop_elapsed(loop);
        model_dir_current->events = *ret = events;
        return 0;
}

struct manifest_events *manifest_events_free(struct manifest_events *events)
{
        if (!events)
                return NULL;
        while (events->queue)
                event_free(&events->queue, events->queue);
        while (events->overtaken)
                event_free(&events->overtaken, events->overtaken);
        (void)loop_source_free(events->timer);
        if (model_dir_current->events == events)
                model_dir_current->events = NULL;
        free(events);
        return NULL;
}

int manifest_events_watch(struct manifest_events *events, const char *path, uint32_t mask)
{
        (void)mask;
        if (!str_eq(path, DIRECTORY))
                return events->ancestor = events->ancestor >= 0 ? events->ancestor : ++events->last;
        if (model_dir_current->away)
                return -ENOENT;
        if (events->directory < 0 || events->watched != model_dir_current->number)
                events->directory = ++events->last;
        events->watched = model_dir_current->number;
        return events->directory;
}

void manifest_events_unwatch(struct manifest_events *events, int watch)
{
        if (watch == events->directory)
                events->directory = -1;
        if (watch == events->ancestor)
                events->ancestor = -1;
        push(model_dir_current, watch, IN_IGNORED, "");
}

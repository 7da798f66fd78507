/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <utlist.h>

#include "base/alloc.h"
#include "sim_loop.h"

enum kind { TIMER, DEFER, AFTER };

struct loop_source {
        struct loop *loop;
        enum kind kind;
        usec_t at; /* timers; USEC_INFINITY: off */
        uint64_t order;
        bool pending; /* deferrals */
        loop_timer_fn timer;
        sim_fn fn;
        void *userdata;
        struct loop_source *prev, *next;
};

struct loop {
        usec_t now;         /* what timers go by */
        usec_t boot_offset; /* what loop_now has more, modulo 2^64 */
        usec_t wall_offset;
        uint64_t order, runs;
        struct loop_source *timers; /* ascending by time, then by order */
        struct loop_source *defers; /* in the order they were scheduled */
};

struct loop *sim_loop_new(usec_t now, usec_t now_wall)
{
        struct loop *loop = xcalloc(1, sizeof(*loop));

        loop->now = now;
        loop->wall_offset = now_wall - now;
        return loop;
}

struct loop *loop_free(struct loop *loop)
{
        if (!loop)
                return NULL;
        while (loop->timers)
                (void)loop_source_free(loop->timers);
        free(loop);
        return NULL;
}

usec_t loop_now(const struct loop *loop)
{
        return loop->now + loop->boot_offset;
}

usec_t sim_loop_elapsed(const struct loop *loop)
{
        return loop->now;
}

void sim_loop_jump(struct loop *loop, int64_t delta)
{
        loop->wall_offset += (usec_t)delta;
}

void sim_loop_reboot(struct loop *loop, usec_t now)
{
        loop->boot_offset = now - loop->now;
}

usec_t loop_now_realtime(const struct loop *loop)
{
        return loop->now + loop->wall_offset;
}

uint64_t sim_loop_runs(const struct loop *loop)
{
        return loop->runs;
}

static void unlink_source(struct loop_source *s)
{
        struct loop *loop = s->loop;

        if (s->kind == DEFER && s->pending)
                DL_DELETE(loop->defers, s);
        if (s->kind != DEFER && s->at != USEC_INFINITY)
                DL_DELETE(loop->timers, s);
        s->pending = false;
        s->at = USEC_INFINITY;
}

static struct loop_source *source_new(struct loop *loop, enum kind kind, void *userdata)
{
        struct loop_source *s = xcalloc(1, sizeof(*s));

        s->loop = loop;
        s->kind = kind;
        s->at = USEC_INFINITY;
        s->userdata = userdata;
        return s;
}

struct loop_source *loop_timer_new(struct loop *loop, const char *name, loop_timer_fn fn, void *userdata)
{
        struct loop_source *s = source_new(loop, TIMER, userdata);

        (void)name;
        s->timer = fn;
        return s;
}

static int earlier(const struct loop_source *a, const struct loop_source *b)
{
        if (a->at != b->at)
                return a->at < b->at ? -1 : 1;
        return a->order < b->order ? -1 : a->order > b->order;
}

static void set_at(struct loop_source *s, usec_t at)
{
        unlink_source(s);
        s->at = at;
        s->order = ++s->loop->order;
        DL_INSERT_INORDER(s->loop->timers, s, earlier);
}

void loop_timer_set(struct loop_source *s, usec_t deadline)
{
        if (deadline == USEC_INFINITY)
                unlink_source(s);
        else
                set_at(s, deadline > loop_now(s->loop) ? deadline - s->loop->boot_offset : s->loop->now);
}

usec_t loop_timer_get(const struct loop_source *s)
{
        return s->at == USEC_INFINITY ? USEC_INFINITY : s->at + s->loop->boot_offset;
}

struct loop_source *loop_defer_new(struct loop *loop, const char *name, loop_defer_fn fn, void *userdata)
{
        struct loop_source *s = source_new(loop, DEFER, userdata);

        (void)name;
        s->fn = fn;
        return s;
}

void loop_defer_schedule(struct loop_source *s)
{
        if (s->pending)
                return;
        s->pending = true;
        DL_APPEND(s->loop->defers, s);
}

void loop_source_set_priority(struct loop_source *s, int64_t priority)
{
        (void)s;
        (void)priority;
}

struct loop_source *loop_source_free(struct loop_source *s)
{
        if (!s)
                return NULL;
        unlink_source(s);
        free(s);
        return NULL;
}

struct loop_source *sim_after(struct loop *loop, usec_t delay, sim_fn fn, void *userdata)
{
        struct loop_source *s = source_new(loop, AFTER, userdata);

        s->fn = fn;
        set_at(s, usec_add(loop->now, delay));
        return s;
}

static void run_defers(struct loop *loop)
{
        while (loop->defers) {
                struct loop_source *s = loop->defers;

                unlink_source(s);
                loop->runs++;
                s->fn(s->userdata);
        }
}

/* The timer that is due first, where one is until then. */
static bool run_next(struct loop *loop, usec_t until)
{
        struct loop_source *s = loop->timers;

        if (!s || s->at > until)
                return false;
        loop->now = s->at;
        unlink_source(s);
        loop->runs++;
        if (s->kind == TIMER) {
                s->timer(s->userdata, loop_now(loop));
        } else {
                sim_fn fn = s->fn;
                void *userdata = s->userdata;

                free(s);
                fn(userdata);
        }
        return true;
}

void sim_loop_run(struct loop *loop, usec_t span)
{
        usec_t until = loop->now + span;

        do
                run_defers(loop);
        while (run_next(loop, until));
        loop->now = until;
}

int loop_step(struct loop *loop, usec_t deadline, struct err *err)
{
        usec_t until = deadline == USEC_INFINITY ? deadline : deadline - loop->boot_offset;

        (void)err;
        run_defers(loop);
        if (run_next(loop, until))
                return 1;
        if (until == USEC_INFINITY)
                abort(); /* nothing will ever happen */
        loop->now = until;
        return 0;
}

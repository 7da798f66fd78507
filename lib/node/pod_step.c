/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "node/step.h"

static const char *const kind_names[POD_ACTION_MAX] = {
        [POD_ACTION_OP] = "op",           [POD_ACTION_PROBE] = "probe",       [POD_ACTION_GARBAGE] = "garbage",
        [POD_ACTION_STOP] = "stop",       [POD_ACTION_ACTIVATE] = "activate", [POD_ACTION_END] = "end",
        [POD_ACTION_PROMOTE] = "promote", [POD_ACTION_REVIVE] = "revive",     [POD_ACTION_ACCEPT] = "accept",
        [POD_ACTION_REVERT] = "revert",   [POD_ACTION_DROP] = "drop",         [POD_ACTION_EVENT] = "event",
};

const char *pod_action_kind_name(enum pod_action_kind kind)
{
        return (size_t)kind < POD_ACTION_MAX ? kind_names[kind] : "?";
}

const char *pod_which_name(enum pod_which which)
{
        static const char *const names[POD_WHICH_MAX] = {"current", "next", "old"};

        return (size_t)which < POD_WHICH_MAX ? names[which] : "?";
}

struct pod_incarnation *pod_view_incarnation(const struct pod_view *view, enum pod_which which)
{
        switch (which) {
        case POD_CURRENT:
                return view->current;
        case POD_NEXT:
                return view->next;
        case POD_OLD:
                return view->old;
        case POD_WHICH_MAX:
                break;
        }
        return NULL;
}

void pod_plan_release(struct pod_plan *plan)
{
        free(plan->actions);
        free(plan->waits);
        *plan = (struct pod_plan){0};
}

struct pod_action *step_add(struct step *s, enum pod_action_kind kind, int container)
{
        struct pod_plan *plan = s->plan;
        struct pod_action *a;

        if (plan->count == plan->cap) {
                plan->cap = plan->cap ? plan->cap * 2 : 8;
                plan->actions = xrealloc(plan->actions, plan->cap, sizeof(*plan->actions));
        }
        a = &plan->actions[plan->count++];
        /* Every byte is set: plans are compared. */
        memset(a, 0, sizeof(*a));
        a->kind = kind;
        a->which = s->which;
        a->container = container;
        return a;
}

static bool op_brings_up(enum pod_op op)
{
        return op == POD_OP_VOLUMES || op == POD_OP_CREATE || op == POD_OP_START || op == POD_OP_SANDBOX_CREATE ||
               op == POD_OP_SANDBOX_START;
}

void step_op(struct step *s, int container, enum pod_op op, const char *cause)
{
        struct pod_action *a = step_add(s, POD_ACTION_OP, container);

        a->op = op;
        pod_view_text(a->reason, sizeof(a->reason), cause);
        if (s->which == POD_CURRENT && op_brings_up(op))
                s->starting = true;
}

void step_edge(struct step *s, enum pod_action_kind kind, enum pod_stop_reason reason)
{
        struct pod_action *a = step_add(s, kind, -1);

        a->stop_reason = reason;
        if (kind == POD_ACTION_STOP)
                pod_view_text(a->reason, sizeof(a->reason), pod_stop_reason_name(reason));
}

void step_event(struct step *s, int container, bool warning, const char *reason, const char *fmt, ...)
{
        struct pod_action *a = step_add(s, POD_ACTION_EVENT, container);
        char text[POD_VIEW_TEXT_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        a->warning = warning;
        pod_view_text(a->reason, sizeof(a->reason), reason);
        pod_view_text(a->message, sizeof(a->message), text);
}

void step_wait(struct step *s, int container, usec_t until, const char *reason, const char *fmt, ...)
{
        struct pod_plan *plan = s->plan;
        struct pod_wait *w;
        char text[POD_VIEW_TEXT_MAX];
        va_list ap;

        if (plan->wait_count == plan->wait_cap) {
                plan->wait_cap = plan->wait_cap ? plan->wait_cap * 2 : 4;
                plan->waits = xrealloc(plan->waits, plan->wait_cap, sizeof(*plan->waits));
        }
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        w = &plan->waits[plan->wait_count++];
        memset(w, 0, sizeof(*w));
        w->which = s->which;
        w->container = container;
        w->until = until;
        pod_view_text(w->reason, sizeof(w->reason), reason);
        pod_view_text(w->message, sizeof(w->message), text);
}

bool step_due(struct step *s, usec_t at)
{
        if (at <= s->now)
                return true;
        if (at < s->plan->deadline)
                s->plan->deadline = at;
        return false;
}

static void look_at(struct step *s, enum pod_which which)
{
        s->which = which;
        s->inc = pod_view_incarnation(s->view, which);
}

/* Directories of an incarnation that has ended and of which nothing may run any more. They are shared where another
 * incarnation has the same UID. */
static void step_cleanup(struct step *s)
{
        if (s->inc->cleaned || s->starting || !slot_free(&s->inc->slot) || fact_unsettled(s->inc) ||
            fact_stray_lives(s->view))
                return;
        if (step_due(s, s->inc->retry.at))
                step_op(s, -1, POD_OP_CLEANUP, pod_stop_reason_name(s->inc->stop_reason));
}

static void step_current(struct step *s)
{
        switch (s->inc->phase) {
        case POD_PREPARING: /* held: the edge to ACTIVE was not planned */
                step_start(s, false);
                break;
        case POD_ACTIVE:
                /* What is known by its labels only runs on until it is replaced; nobody knows what to start. */
                if (s->inc->revision > 0)
                        step_start(s, !fact_stray_lives(s->view));
                step_run(s);
                break;
        case POD_STOPPING:
                step_stop(s);
                break;
        case POD_ENDED:
                if (!s->view->wanted)
                        step_cleanup(s);
                break;
        case POD_PHASE_MAX:
                break;
        }
}

/* Removal waits while the pod is on its way up: a start must not share the daemon with what can be done later. What
 * runs and should not, or may yet, goes at once. */
static void step_garbage(struct step *s)
{
        look_at(s, POD_CURRENT);
        for (size_t i = 0; i < s->view->garbage_count; i++) {
                const struct pod_garbage *g = &s->view->garbage[i];

                if (!slot_free(&g->slot) || (s->starting && g->state == INSTANCE_EXITED) || !step_due(s, g->retry.at))
                        continue;
                step_add(s, POD_ACTION_GARBAGE, -1)->garbage = i;
        }
}

void pod_step(const struct pod_view *view, usec_t now, struct pod_plan *plan)
{
        struct step s = {.view = view, .now = now, .plan = plan};

        plan->count = plan->wait_count = 0;
        plan->deadline = USEC_INFINITY;
        look_at(&s, POD_CURRENT);
        if (!view->runtime_ready) {
                if (s.inc)
                        step_wait(&s, -1, USEC_INFINITY, "RuntimeNotReady", "waiting for Docker");
                return;
        }
        if (step_edit(&s))
                return;

        look_at(&s, POD_CURRENT);
        if (s.inc) {
                s.starting = s.inc->phase != POD_ENDED && (fact_unsettled(s.inc) || s.inc->slot.op == POD_OP_VOLUMES);
                step_current(&s);
                step_waits(&s);
        }
        look_at(&s, POD_NEXT);
        if (s.inc) {
                step_start(&s, false);
                step_waits(&s);
        }
        look_at(&s, POD_OLD);
        if (s.inc)
                step_cleanup(&s);
        step_garbage(&s);
}

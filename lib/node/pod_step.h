#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The decision: what to do next for one pod name, from what is known now. Pure: no I/O, no clock, nothing hidden, so
 * the daemon, the simulator and replay run the same. Start order, init containers and sidecars, restart rule, backoff,
 * probes, edits and stops are all decided here; the executor (pod_exec.c) only carries out.
 *
 * Total: every state of the view gives a plan. Calling it again with the same view gives the same plan; an action is
 * not planned again while its slot is taken. One exception to slots: PRE_STOP, SIGNAL and KILL may be planned over
 * IMAGE, POST_START and PRE_STOP, which can take long, and KILL over SIGNAL; the executor then cancels what was there
 * where it can, and its completion is stale.
 */
#include "node/pod_view.h"

enum pod_action_kind {
        POD_ACTION_OP,       /* start `op` in the slot of `container` (or the pod's with container -1) */
        POD_ACTION_PROBE,    /* start a probe of `probe` kind */
        POD_ACTION_GARBAGE,  /* remove garbage[index] */
        POD_ACTION_STOP,     /* current goes over to POD_STOPPING for `stop_reason` */
        POD_ACTION_ACTIVATE, /* the incarnation may start its containers from now on */
        POD_ACTION_END,      /* current has ended: it becomes POD_ENDED */
        POD_ACTION_PROMOTE,  /* next takes the place of the ended current, which becomes old */
        POD_ACTION_REVIVE,   /* the ended current is still wanted: it comes up again */
        POD_ACTION_ACCEPT,   /* current was on trial and is Ready: it stays */
        POD_ACTION_REVERT,   /* current was on trial and failed it: the version before it becomes next */
        POD_ACTION_DROP,     /* forget the ended current, or old; nothing takes its place */
        POD_ACTION_EVENT,    /* tell the world: type, reason, message; belongs to the action before it */
        POD_ACTION_MAX
};

/* What changes the view at once, without anybody else: STOP to DROP. A plan holds at most one of these, as its last
 * action but for events: take it up and step again. */
static inline bool pod_action_is_edge(enum pod_action_kind kind)
{
        return kind >= POD_ACTION_STOP && kind <= POD_ACTION_DROP;
}

enum pod_which { POD_CURRENT, POD_NEXT, POD_OLD, POD_WHICH_MAX };

struct pod_action {
        enum pod_action_kind kind;
        enum pod_which which;
        int container; /* index, -1: the pod itself */
        enum pod_op op;
        enum pod_probe_kind probe;
        size_t garbage; /* index */
        enum pod_stop_reason stop_reason;
        bool warning;    /* event type */
        char reason[48]; /* event reason; for ops: the cause in a word, for journal and log */
        char message[POD_VIEW_TEXT_MAX];
};

/* Why something is not further along: data for status and describe. */
struct pod_wait {
        enum pod_which which;
        int container;   /* -1: the pod itself */
        char reason[48]; /* Kubernetes' word where it has one: ContainerCreating, CrashLoopBackOff, ... */
        char message[POD_VIEW_TEXT_MAX];
        usec_t until; /* when it goes on by itself; USEC_INFINITY: when something happens */
};

struct pod_plan {
        struct pod_action *actions;
        size_t count, cap;
        struct pod_wait *waits;
        size_t wait_count, wait_cap;
        usec_t deadline; /* call pod_step again then, even if nothing happens; USEC_INFINITY: no need */
};

/* Fills plan (reset first; its memory is reused). */
void pod_step(const struct pod_view *view, usec_t now, struct pod_plan *plan);
void pod_plan_release(struct pod_plan *plan);

/* NULL without. */
struct pod_incarnation *pod_view_incarnation(const struct pod_view *view, enum pod_which which);

const char *pod_action_kind_name(enum pod_action_kind kind);
const char *pod_which_name(enum pod_which which);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of pod_step: the plan under construction, and the parts that make it. Each part looks at the view and adds
 * actions, waits and deadlines; none keeps anything of its own.
 *
 *      step_edit.c   the edges: whether an incarnation starts, stops, ends, is replaced, revived, dropped
 *      step_gate.c   the trial of a new version
 *      step_start.c  bringing up: volumes, images, sandbox, containers
 *      step_run.c    what runs or has run: restart rule, hooks, probes
 *      step_stop.c   bringing down: hooks, signals, deadlines, the sandbox
 *      step_wait.c   why things are not further along
 *
 * What is decided for one container, by its state (rows) and the phase of its incarnation (columns):
 *
 *                  PREPARING          ACTIVE                          STOPPING                ENDED
 *      ABSENT      image, create (1)  image, create (1)               -                       -
 *      CREATED     -                  start (1)                       -                       -
 *      RUNNING     (2)                post-start, probes; stop when   pre-stop, signal, kill; -
 *                                     a restart is wanted             readiness probe
 *      EXITED      (2)                restart rule and backoff,       -                       -
 *                                     then as ABSENT
 *
 *      (1) in its turn: init containers and sidecars one after the other, then all app containers
 *      (2) not reached: what was found running makes its incarnation ACTIVE
 */
#include "node/backoff.h"
#include "node/pod_facts.h"
#include "node/pod_step.h"
#include "node/probe_state.h"

struct step {
        const struct pod_view *view;
        usec_t now;
        struct pod_plan *plan;
        enum pod_which which; /* the incarnation being looked at */
        const struct pod_incarnation *inc;
        bool starting; /* current is on its way up by a request that is under way or planned */
};

/* Building blocks (pod_step.c). */
struct pod_action *step_add(struct step *s, enum pod_action_kind kind, int container);
void step_op(struct step *s, int container, enum pod_op op, const char *cause);
void step_edge(struct step *s, enum pod_action_kind kind, enum pod_stop_reason reason);
void step_event(struct step *s, int container, bool warning, const char *reason, const char *fmt, ...)
        __attribute__((format(printf, 5, 6)));
void step_wait(struct step *s, int container, usec_t until, const char *reason, const char *fmt, ...)
        __attribute__((format(printf, 5, 6)));
/* True when `at` has come; else it becomes a deadline. */
bool step_due(struct step *s, usec_t at);

/* True: an edge was planned, nothing else is to be. */
bool step_edit(struct step *s);
/* The same for what a trial leads to. */
bool step_gate(struct step *s);
/* may_start false: make everything that can be made before the start. */
void step_start(struct step *s, bool may_start);
/* One container whose turn it is and that does not run: image, create, start. */
void step_start_container(struct step *s, size_t index, bool may_start);
void step_run(struct step *s);
void step_probes(struct step *s, size_t index, bool readiness_only);
void step_stop(struct step *s);
/* Pre-stop hook, signal (when may_signal), kill of one running container. deadline: of its grace. */
void step_stop_container(struct step *s, size_t index, usec_t deadline, bool may_signal, const char *cause);
void step_waits(struct step *s);

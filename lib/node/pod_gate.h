#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The trial of a new version, as edges of a view: when it begins, and what is kept to go back to.
 */
#include "node/pod_view.h"

/* Longest time that a version must stay Ready to be accepted; half of its time where that is shorter. */
#define GATE_STEADY (10 * USEC_PER_SEC)

/* Time for a version to become Ready, from its first start: its own, else the node's; 0: it is not tried. */
usec_t gate_period(const struct pod_view *view, const struct pod *pod);
usec_t gate_steady(const struct pod_view *view, const struct pod *pod);

/* `to` takes the place of `from`, which has run: what it may go back to is kept. */
void gate_promote(struct pod_view *view, const struct pod_incarnation *from, struct pod_incarnation *to);
/* It may start from now on: its time begins. */
void gate_activate(struct pod_view *view, struct pod_incarnation *inc, usec_t now);
void gate_accept(struct pod_view *view, struct pod_incarnation *inc);
/* The fallback becomes next. */
void gate_revert(struct pod_view *view, struct pod_incarnation *inc, usec_t now);
/* There is nothing to go back to any more, so what is on trial stays. */
void gate_abandon(struct pod_view *view);
/* A reference is taken. */
void gate_set_fallback(struct pod_view *view, struct pod *pod, unsigned revision);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of pod_apply: the edges of one instance and of one incarnation. One setter for each change of state, so that
 * what goes with it (backoff, probes, readiness, deadlines) cannot be forgotten on any way there.
 */
#include "node/pod_facts.h"

#define STOP_GRACE_MIN (2 * USEC_PER_SEC) /* between signal and kill (minimumGracePeriodInSeconds) */

/* Takes a slot for op; returns its generation. */
uint32_t edge_take(struct pod_view *view, struct pod_slot *slot, enum pod_op op, usec_t now);

/* A new instance of container index is there, made by us or found: what was `now` becomes `last` where it ran, else
 * garbage. */
void edge_created(struct pod_view *view, struct pod_incarnation *inc, size_t index, const char *id, const char *sandbox,
                  unsigned attempt);
/* `now` of container index was seen running (adopted: found so, not started by us). */
void edge_running(struct pod_incarnation *inc, size_t index, usec_t started, usec_t started_wall, bool adopted,
                  usec_t now);
/* `now` of container index has ended; finished, exit code and the rest are in it already. */
void edge_exited(struct pod_view *view, struct pod_incarnation *inc, size_t index, usec_t now);
/* An init container has done its work where the end that is known of it is a good one, in this sandbox. */
void edge_step_done(struct pod_incarnation *inc, size_t index);
/* started and ready from hooks and probes. */
void edge_readiness(struct pod_incarnation *inc, size_t index, usec_t now);
void edge_restart(struct pod_incarnation *inc, size_t index, const char *reason, int64_t grace_seconds, bool by_user,
                  usec_t now);
void edge_sandbox_exited(struct pod_view *view, struct pod_incarnation *inc);
/* It is in use (again), or gone. */
void edge_not_garbage(struct pod_view *view, const char *id);
/* Puts the instance's id to the garbage and forgets it. */
void edge_discard(struct pod_view *view, struct pod_instance *instance);
/* The same for all of an incarnation. */
void edge_discard_all(struct pod_view *view, struct pod_incarnation *inc);
/* `attempt` of a container (NULL: of the sandbox) is in use with this UID: no incarnation that has the UID uses it
 * again. */
void edge_share_attempt(struct pod_view *view, const char *uid, const char *container, unsigned attempt);
/* Containers that joined another sandbox than the one there is now are from before it. */
void edge_settle(struct pod_view *view, struct pod_incarnation *inc);
/* `now` of container index has turned out to be of an earlier life of its version: it goes to the garbage. */
void edge_disown(struct pod_view *view, struct pod_incarnation *inc, size_t index, usec_t now);
/* A sandbox with this id is there: made by us or found. */
void edge_sandbox_created(struct pod_view *view, struct pod_incarnation *inc, const char *id, unsigned attempt);
/* Its sandbox is no longer its own: another one follows, in which all has to be done anew. */
void edge_sandbox_away(struct pod_view *view, struct pod_incarnation *inc);
/* An incarnation of a version, with the attempts of the others that have its UID. */
struct pod_incarnation *edge_make(struct pod_view *view, struct pod *pod, unsigned revision, usec_t now,
                                  usec_t now_wall);
void edge_retire_next(struct pod_view *view);
/* The incarnation is no longer wanted and nothing of it may run: it moves to `old`. */
void edge_retire(struct pod_view *view, struct pod_incarnation *inc);

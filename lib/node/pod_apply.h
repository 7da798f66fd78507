#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Every change of a pod_view, one function an edge: what an action does to the view when it is taken up, what a
 * completion or an observation writes back. Pure as pod_step is; the daemon, the simulator and replay change views by
 * these alone.
 */
#include "node/pod_step.h"

struct docker_container;

/* Marks the slot of an OP, PROBE or GARBAGE action as taken; returns its new generation. For the other kinds: makes the
 * change itself (STOP to DROP; EVENT changes nothing) and returns 0. */
uint32_t pod_apply_action(struct pod_view *view, const struct pod_action *action, usec_t now);

/* Outcome of an OP. Conventions that pod_step relies on:
 *  - The end of a container is never an outcome: it is observed (event, inspect).
 *  - SIGNAL and KILL of what does not run, SANDBOX_STOP of what does not run, REMOVE of what is gone: success. Then
 *    inspect and observe, for the view says that it runs.
 *  - START and SANDBOX_START of what runs already: success. SANDBOX_START of a pod that is not on the host's network
 *    succeeds once its address was observed (inspect).
 *  - A START, SANDBOX_START, CREATE or SANDBOX_CREATE that failed may have been carried out: before the failure is
 *    told, inspect the object by id or name and observe it. Where Docker cannot be asked, the runtime is not ready
 *    (tell that first), and will be only after a full list was observed.
 *  - CREATE and SANDBOX_CREATE whose name is taken: inspect the owner and observe it. That adopts it, makes it garbage
 *    or moves the attempts on. Success with its id where it is then `now` of this container (the sandbox), else failure
 *    with the owner named; the next try takes another attempt or finds it removed.
 *  - CREATE uses next_attempt of the container (sandbox_next_attempt) and joins the sandbox, both as they are when the
 *    action is taken up.
 *  - CLEANUP goes by UID, and so must skip what another incarnation of the same UID still uses; pod_step plans none
 *    then. An incarnation that was pushed out of `old` gets no CLEANUP: directories of UIDs that no view knows are
 *    swept by the executor at start and with the slow list. */
struct pod_outcome {
        enum pod_op op;
        uint32_t generation;
        bool success;
        const char *id;      /* CREATE, SANDBOX_CREATE: id; IMAGE: image id */
        const char *sandbox; /* CREATE: id of the one that was joined; NULL (journals of before): that of the view */
        const char *reason;  /* failure: waiting reason */
        const char *message; /* failure */
};
/* 0: applied; 1: stale, dropped (the caller removes what a stale CREATE made: see pod_apply_garbage). */
int pod_apply_outcome(struct pod_view *view, const struct pod_outcome *outcome, usec_t now);
/* Whether the outcome of the request with this generation is for an incarnation that has not ended. */
bool pod_awaits(const struct pod_view *view, enum pod_op op, uint32_t generation);

/* A probe's outcome: 1 stale. error: the probe itself could not be carried out (does not count). */
int pod_apply_probe(struct pod_view *view, uint32_t generation, bool success, bool error, const char *output,
                    usec_t now);
/* Garbage removed (or failed: retried). */
int pod_apply_garbage_outcome(struct pod_view *view, const char *id, uint32_t generation, bool success,
                              const char *message, usec_t now);
/* Adds an id to remove, or tells the state of one that was added before. */
void pod_apply_garbage(struct pod_view *view, const char *id, enum instance_state state);

/* What pod_observe_container made of it. */
enum pod_observed {
        POD_OBSERVED,         /* written into the view, or nothing new */
        POD_OBSERVED_ORPHAN,  /* it runs and belongs to no incarnation here: make one (orphan.h), insert it with
                               * pod_insert_orphan, observe again */
        POD_OBSERVED_INSPECT, /* a list entry does not tell enough (times, exit code, address): inspect, observe that.
                               * Until then the view does not show its end, so declare the runtime ready only after */
        POD_OBSERVED_MAX
};

/* What Docker shows of one container that carries our labels. Finds the incarnation (UID and spec hash) and the
 * container (name, attempt) it belongs to. One that belongs to none becomes garbage or, running, an orphan. Show
 * sandboxes before the containers that join them. now_wall: to move Docker's wall times to boot time. */
enum pod_observed pod_observe_container(struct pod_view *view, const struct docker_container *container, usec_t now,
                                        usec_t now_wall);
/* It tells the view something new; what it does not need not be observed. */
bool pod_observe_is_news(const struct pod_view *view, const struct docker_container *container);
/* The container is gone from Docker (an inspect says so; absence in a list is only a hint, since the list may be older
 * than the container). */
void pod_observe_gone(struct pod_view *view, const char *id, usec_t now);
/* Takes in an incarnation that runs in Docker and that no manifest wants (any more): it becomes current and what was
 * wanted becomes next, to be prepared while it runs. pod: from its revision on disk where that is known, else from
 * labels (revision 0). False, and nothing done, where current has containers of its own already: then call
 * pod_apply_garbage. */
bool pod_insert_orphan(struct pod_view *view, struct pod *pod, unsigned revision, usec_t now, usec_t now_wall);
/* Docker is not reachable: nothing is known to have changed, nothing can be done. */
void pod_observe_runtime(struct pod_view *view, bool ready, usec_t now);

/* The source wants this version (a new or changed manifest), or none any more. Same UID and spec hash as what is wanted
 * already: no change, returns false. */
bool pod_want(struct pod_view *view, struct pod *pod, unsigned revision, usec_t now, usec_t now_wall);
bool pod_unwant(struct pod_view *view, usec_t now);
/* Why it must not start yet ("" or NULL: nothing). What runs is not stopped by it. True: that changed. */
bool pod_hold(struct pod_view *view, const char *reason);
/* The node is emptied and it is this pod's turn to stop (or not any more): it stays wanted. True: that changed. */
bool pod_drain(struct pod_view *view, bool drain);
/* The version that current, on trial, goes back to: read from disk after a restart of podwatch, by its number. Another
 * one than that (fallback_hash) is not taken. */
void pod_fallback(struct pod_view *view, struct pod *pod, unsigned revision);
/* A user asks for a restart of one container (index) or all (-1), or to skip a backoff. */
void pod_request_restart(struct pod_view *view, int container, const char *reason, usec_t now);
void pod_request_retry(struct pod_view *view, int container, usec_t now);

/* Labels of our own beside the kubelet's. */
#define POD_LABEL_SPEC_HASH "podwatch.io/spec-hash"

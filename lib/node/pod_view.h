#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wanted and what was seen of one pod name, and nothing else: the whole input of pod_step. It is plain data, so
 * the daemon, the simulator and `podwatch replay` step the same bytes (pod_view_json.c writes and reads it).
 *
 * A pod name has at most two incarnations: `current`, whose containers may run, and `next`, a replacement that is made
 * ready (images, volumes, containers created) while the current one still runs, and started only after that has ended.
 * So "never two running" holds by structure. What was created and is no longer wanted is garbage: ids to remove. `old`
 * has ended (or never ran) and was replaced: only its directories are still to be removed.
 *
 * Times are microseconds of CLOCK_BOOTTIME unless a name says wall. What Docker reports in wall time is moved to boot
 * time when it is observed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "kube/pod.h"
#include "kube/pod_identity.h"

#define POD_VIEW_ID_MAX 65       /* Docker id: 64 hex digits and NUL */
#define POD_VIEW_TEXT_MAX 512    /* messages kept for status; longer ones are cut */
#define POD_VIEW_GARBAGE_MAX 512 /* ids waiting to be removed; more are found again by the next list */

/* State of one Docker container, sandbox or other. */
enum instance_state {
        INSTANCE_ABSENT,
        INSTANCE_CREATED, /* never started (or its start failed) */
        INSTANCE_RUNNING,
        INSTANCE_EXITED,
        INSTANCE_MAX
};

struct pod_instance {
        enum instance_state state;
        char id[POD_VIEW_ID_MAX];      /* "" when absent */
        char sandbox[POD_VIEW_ID_MAX]; /* whose network it joins, "" for a sandbox */
        unsigned attempt;              /* restart count in its name and labels */
        usec_t started, finished;      /* 0: not yet */
        usec_t started_wall, finished_wall;
        int exit_code;
        bool oom_killed;
        char error[POD_VIEW_TEXT_MAX]; /* Docker's State.Error or why create/start failed */
};

/* One request under way. Generations are unique in a view (pod_view.generation), so a completion finds its slot by the
 * generation alone, wherever the incarnation has moved meanwhile; one that is found nowhere is stale and dropped. */
enum pod_op {
        POD_OP_NONE,
        POD_OP_VOLUMES, /* pod slot: directories, volumes, cgroup, hosts file; or their check, see fact_next_shares */
        POD_OP_SANDBOX_CREATE,
        POD_OP_SANDBOX_START,
        POD_OP_SANDBOX_STOP,
        POD_OP_CLEANUP, /* directories, cgroup and log links of an incarnation that has ended */
        POD_OP_IMAGE,   /* container slot: look up, pull where the policy says so */
        POD_OP_CREATE,
        POD_OP_START,
        POD_OP_POST_START,
        POD_OP_PRE_STOP,
        POD_OP_SIGNAL,
        POD_OP_KILL,
        POD_OP_REMOVE,
        POD_OP_PROBE, /* probe slots only */
        POD_OP_MAX
};

struct pod_slot {
        enum pod_op op;      /* NONE: free */
        uint32_t generation; /* of its last use */
        usec_t since;
};

/* What failed last in a slot, and when it may be tried again: 1 s doubling to 5 min, per slot, cleared by success. For
 * images: 10 s doubling to 5 min, as the kubelet's pull backoff. */
struct pod_retry {
        unsigned failures;
        usec_t at;       /* not before; 0: now */
        char reason[48]; /* Kubernetes' waiting reason: ErrImagePull, CreateContainerError, ... */
        char message[POD_VIEW_TEXT_MAX];
};

/* The waiting reason of a container whose postStart hook failed: it stays in its retry, without a wait of its own,
 * until the next instance is made. */
#define REASON_POST_START "PostStartHookError"

struct pod_probe_state {
        bool known; /* a threshold was reached, `success` is its result (else the initial value of the kind counts) */
        bool success;
        int streak; /* consecutive outcomes equal to last_success, towards its threshold */
        usec_t due; /* next probe, 0: not planned yet */
        struct pod_slot slot;
        usec_t last; /* when the last outcome came */
        bool last_success;
        char last_output[256];
};

/* Crash backoff of one container name; survives restarts of podwatch. */
struct pod_backoff {
        unsigned count; /* restarts made: with 0 the next one is at once, 1: after 10 s, 2: 20 s ... */
        bool ended;     /* a run has ended and what follows it is not made yet */
        usec_t until;   /* not before; 0: no wait */
        usec_t period;  /* of the wait that ends at until; 0 without */
};

struct pod_container_view {
        struct pod_instance now;  /* newest instance */
        struct pod_instance last; /* the one before, kept for its logs and lastState; state ABSENT without */
        bool image_ready;
        char image_id[80]; /* sha256:..., "" before image_ready */
        struct pod_slot slot;
        struct pod_retry retry;
        struct pod_retry image_retry;
        struct pod_backoff backoff;
        struct pod_probe_state probes[POD_PROBE_KIND_MAX];
        bool started;         /* status.started of `now`: startup probe passed, or none and running (postStart done) */
        bool ready;           /* readiness says yes and started */
        bool post_start_done; /* of `now` */
        bool pre_stop_done;   /* of `now` */
        bool restart_wanted;  /* liveness or startup failed, or a user asked: stop it, the restart rule follows */
        bool restart_by_user; /* that restart waits for nothing and ignores restartPolicy */
        char restart_reason[128];
        int64_t restart_grace_usec; /* grace of that stop, -1: the pod's */
        usec_t signalled;           /* when the stop signal went out to `now`, 0: not */
        usec_t kill_at;             /* our own deadline for SIGKILL, 0: none */
        bool killed;                /* SIGKILL was sent */
        unsigned next_attempt;      /* attempt of the next instance: above every one ever seen of this name */
        bool init_done;             /* an init container that ended well (or was seen past in an adopted pod) */
};

enum pod_stop_reason {
        POD_STOP_NONE,
        POD_STOP_REMOVED,   /* manifest gone */
        POD_STOP_REPLACED,  /* another version is prepared and waits */
        POD_STOP_DEADLINE,  /* activeDeadlineSeconds */
        POD_STOP_ORPHAN,    /* runs in Docker, no manifest wants it */
        POD_STOP_SANDBOX,   /* the sandbox died: everything goes and comes again */
        POD_STOP_COMPLETED, /* restartPolicy runs nothing again: sidecars and sandbox follow */
        POD_STOP_DRAINED,   /* somebody empties the node; it stays wanted and comes back when that ends */
        POD_STOP_MAX
};

enum pod_incarnation_phase {
        POD_PREPARING, /* may pull and create, not start (next), or on its way up (current) */
        POD_ACTIVE,    /* its containers may run */
        POD_STOPPING,  /* stop_reason says why */
        POD_ENDED,     /* nothing of it runs; garbage and directories may still be there */
        POD_PHASE_MAX
};

struct pod_incarnation {
        struct pod *pod;   /* a reference */
        unsigned revision; /* number on disk, 0 for orphans */
        enum pod_incarnation_phase phase;
        enum pod_stop_reason stop_reason;
        usec_t stop_since, stop_deadline;   /* 0 while not stopping */
        usec_t first_seen, first_seen_wall; /* status.startTime; activeDeadlineSeconds counts from it */
        bool volumes_ready;
        struct pod_instance sandbox;
        bool sandbox_ready; /* SANDBOX_START has succeeded: it runs and its files (hosts, resolv.conf) are there */
        unsigned sandbox_next_attempt;
        struct pod_backoff sandbox_backoff; /* of a sandbox that dies again and again */
        char ip[64];                        /* of the sandbox; "" without */
        struct pod_slot slot;               /* pod slot: volumes, sandbox, cleanup */
        struct pod_retry retry;
        struct pod_container_view *containers; /* pod->container_count, same order */
        bool terminal;                         /* restartPolicy says that nothing will run again */
        bool terminal_failed;                  /* phase Failed rather than Succeeded */
        bool cleaned;                          /* POD_OP_CLEANUP done */
        usec_t ready_since;                    /* it is Ready since then, 0: it is not */
        bool proven;                           /* it was Ready once */
        bool gated;                            /* on trial: it goes back to view->fallback unless it becomes Ready */
        usec_t gate_until;                     /* end of the trial, 0: it has not begun (nothing was started) */
};

struct pod_garbage {
        char id[POD_VIEW_ID_MAX];
        enum instance_state state; /* as last seen or known; what runs is removed by force */
        struct pod_slot slot;
        struct pod_retry retry;
};

struct pod_view {
        char *key;   /* namespace/name */
        bool wanted; /* a manifest asks for it; what it asks is next, else current */
        struct pod_incarnation *current, *next, *old;
        unsigned leftovers;    /* how many were forgotten whose directories are still there; of this run of podwatch */
        uint32_t generation;   /* last one given to a slot */
        usec_t backoff_max;    /* crashLoopBackOff.maxContainerRestartPeriod; 0: the default */
        usec_t revert_default; /* trial of new versions of pods that say nothing of it (revertAfter); 0: none */
        struct pod_garbage *garbage;
        size_t garbage_count;
        bool runtime_ready;           /* Docker answers and its containers were listed since */
        char hold[POD_VIEW_TEXT_MAX]; /* why it must not start yet (port clash, resources, start order), "" without */
        bool drain;                   /* the node is emptied, and it is this pod's turn */
        struct pod *fallback;         /* version to go back to from one on trial (a reference), NULL without */
        unsigned fallback_revision;   /* of it; may be known before it is (read from disk after a restart) */
        char fallback_hash[POD_SPEC_HASH_MAX]; /* of it, as long as its number is known: a number whose version could
                                                * not be stored is given again after a restart */
};

struct pod_view *pod_view_new(const char *key);
struct pod_view *pod_view_free(struct pod_view *view); /* takes NULL, returns NULL */
static inline void cleanup_pod_view(struct pod_view **view)
{
        *view = pod_view_free(*view);
}
#define CLEANUP_POD_VIEW __attribute__((cleanup(cleanup_pod_view)))
/* Takes a reference of its own to pod. */
struct pod_incarnation *pod_incarnation_new(struct pod *pod, unsigned revision, usec_t now, usec_t now_wall);
struct pod_incarnation *pod_incarnation_free(struct pod_incarnation *incarnation); /* takes NULL, returns NULL */

/* Copies all of it; pods are shared by reference. */
struct pod_view *pod_view_copy(const struct pod_view *view);

/* Every text in a view is written by this: UTF-8 (what is not becomes "?"), cut to size at a character's end, the rest
 * of the bytes zero. NULL is "". */
void pod_view_text(char *to, size_t size, const char *text);

bool pod_incarnation_same_version(const struct pod_incarnation *incarnation, const struct pod *pod);
/* Whether one of its incarnations is of this very object. */
bool pod_view_has(const struct pod_view *view, const struct pod *pod);
/* The incarnation, the container's index or -1, and the instance with this Docker id; NULL where none has it. */
struct pod_instance *pod_view_find_id(const struct pod_view *view, const char *id,
                                      struct pod_incarnation **ret_incarnation, int *ret_container);

/* Words for enums, for JSON, logs and tests; "?" outside of the range. */
const char *instance_state_name(enum instance_state state);
const char *pod_op_name(enum pod_op op);
const char *pod_stop_reason_name(enum pod_stop_reason reason);
const char *pod_incarnation_phase_name(enum pod_incarnation_phase phase);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries out what pod_step decided: each action that was taken up becomes one job, which ends with one outcome. Jobs
 * run on Docker's API, on the local file system (volumes, cgroups, links), through systemd (slices) or through probes;
 * they decide nothing about the pod, and know the view only when they begin, so that a view may change or go while they
 * run.
 *
 * Names are what makes a repeat safe: a create whose name is taken adopts the container when it is exactly ours,
 * replaces it when it is a leftover of this pod, and fails naming its owner otherwise.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/pod_apply.h"

struct docker;
struct docker_container;
struct err;
struct host;
struct loop;
struct pod_exec;
struct probes;
struct slices;

/* Docker calls that change containers, side by side. More do not make it faster: dockerd and containerd serialise most
 * of the work (test/bench shows the curve). */
#define POD_EXEC_PARALLEL 6
/* Pulls under way, those that nobody waits for any more among them: what Docker was asked for and has not begun to
 * load cannot be taken back (20.10 looks names up one after the other, and does nothing else meanwhile, not even
 * /info). */
#define POD_EXEC_PULLS 5

/* What a job was about, for events. */
struct pod_exec_job {
        const char *key;
        const struct pod *pod;
        int container; /* index, -1: the pod itself */
        enum pod_probe_kind probe;
        bool pulled;        /* IMAGE: it was not there and was pulled */
        int64_t image_size; /* IMAGE: bytes, of one that was pulled */
        bool warning;       /* a probe that succeeded with something to tell */
        usec_t took;        /* the pull, or the probe */
        usec_t lasted;      /* all of it, less the wait for a turn at Docker */
};

struct pod_exec_handlers {
        /* 1: stale (what a stale create made is removed here). */
        int (*outcome)(void *userdata, const struct pod_exec_job *job, const struct pod_outcome *outcome);
        void (*probed)(void *userdata, const struct pod_exec_job *job, uint32_t generation, bool success, bool error,
                       const char *output);
        void (*removed)(void *userdata, const char *key, const char *id, uint32_t generation, bool success,
                        const char *message);
        /* Something was looked at on the way. */
        void (*inspected)(void *userdata, const struct docker_container *container);
        void (*gone)(void *userdata, const char *id);
        /* Docker does not answer: nobody's failure. Called before the outcome. */
        void (*lost)(void *userdata, const char *why);
        /* A start failed as it does where the machine refuses a negative oom_score_adj; named: and it says so. True: it
         * is that, and from now on containers are made without. */
        bool (*oom_refused)(void *userdata, bool sandbox, bool named, const char *message);
        /* Something an operator should know, once (a link that cannot be made, a hook that failed). */
        void (*notice)(void *userdata, const char *key, const char *message);
        /* One line of an image pull; NULL: it begins. */
        void (*progress)(void *userdata, const struct pod_exec_job *job, const char *line);
        /* Whether this version of the pod is still there. */
        bool (*wanted)(void *userdata, const struct pod_exec_job *job);
        /* Whether a pod of another name than key uses the directories of this UID. */
        bool (*uses_uid)(void *userdata, const char *key, const char *uid);
        /* Whether the outcome of this very job is still waited for (pod_awaits). */
        bool (*awaited)(void *userdata, const char *key, enum pod_op op, uint32_t generation);
};

/* All borrowed; host may change between jobs. slices NULL: there are none. */
struct pod_exec *pod_exec_new(struct loop *loop, struct docker *docker, struct probes *probes, struct slices *slices,
                              const struct host *host, const struct pod_exec_handlers *handlers, void *userdata);
/* After docker, probes and slices have been freed. Takes NULL, returns NULL. */
struct pod_exec *pod_exec_free(struct pod_exec *exec);

/* Begins an OP, PROBE or GARBAGE action of view. Handlers are not called before it has returned. */
void pod_exec_start(struct pod_exec *exec, const struct pod_view *view, const struct pod_action *action,
                    uint32_t generation);

/* Whether a job that inspects this container when it is done is under way. */
bool pod_exec_busy(const struct pod_exec *exec, const char *id);
/* Docker came back or is another one: what was known of it (the pause image) is looked up again. */
void pod_exec_forget(struct pod_exec *exec);
size_t pod_exec_pending(const struct pod_exec *exec);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the world: versions of pods (world_pods.c), what must hold (world_check.c), the schedule (world.c).
 */
#include "base/clock.h"
#include "kube/pod.h"
#include "model.h"
#include "model_host.h"
#include "node/pod_step.h"
#include "rng.h"
#include "sim_node.h"
#include "world.h"

#define WORLD_PODS_MAX 4
#define WORLD_VERSIONS_MAX 256
#define WORLD_FILES 2 /* that may want one pod */

enum program {
        PROGRAM_STEADY,   /* runs until it is stopped */
        PROGRAM_CRASHY,   /* ends badly after a while, until the calm */
        PROGRAM_FINISHES, /* ends well after a while */
        PROGRAM_MAX
};

/* When a container is run again after its end, where it says so itself. */
struct restart_rule {
        bool own; /* else the pod's policy */
        enum pod_restart_policy policy;
        int code; /* after this one in any case; 0: none */
};

struct version {
        struct pod *pod;
        unsigned index; /* of the pod */
        enum program programs[8];
        bool deaf[8]; /* to SIGTERM */
        struct restart_rule rules[8];
        int after;        /* index of the pod before which it does not start; -1: none */
        bool after_ready; /* that has to be Ready, not just started */
};

/* What a program ends with that its container may name in a rule. */
#define CODE_NAMED 42

/* The runs of one container of one version, for the backoff. */
struct run_track {
        char *name; /* uid/hash/container */
        unsigned count;
        usec_t started, finished; /* of the last run; 0: none */
        usec_t sandbox;           /* when its sandbox was created */
        int exit_code;
        bool lost;          /* somebody removed it, so nobody may know how it ended */
        bool untold;        /* before podwatch could know that it had begun */
        char went_well[65]; /* the sandbox in which it last ended with 0 */
        struct run_track *next;
};

/* The directories of a UID. */
struct directories {
        char *uid;
        bool made;
        struct directories *next;
};

struct world_pod {
        char key[32], files[WORLD_FILES][32];
        struct version *says[WORLD_FILES]; /* the files, NULL where there is none */
        struct version *wanted;            /* what the first of them says */
        usec_t changed;                    /* when that did last */
        usec_t asked;                      /* when somebody asked for a restart or a retry */
        bool told;                         /* podwatch has read the files since */
        bool held;
        usec_t held_since;
};

struct world {
        const struct world_options *options;
        struct world_result *result;
        struct loop *loop;
        struct rng rng;
        struct model *model;
        struct model_host host;
        struct sim_disk *disk;
        struct replay *replay;
        struct sim_node *node; /* NULL: not running */
        struct world_api *api; /* NULL: there is no API server */
        struct version *versions[WORLD_VERSIONS_MAX];
        size_t version_count;
        struct world_pod pods[WORLD_PODS_MAX];
        unsigned pod_count;
        struct run_track *tracks;
        struct directories *directories;
        char *boot_id;
        usec_t rebooted, jumped, removed, killed; /* when last, by the simulator's clock */
        bool by_somebody;                         /* a start is none of podwatch's */
        bool calm;
        usec_t calm_since;
        bool quiet;             /* nothing may start or stop any more */
        bool asking, unsettled; /* while asking, what is wrong is no problem yet */
        bool over;
};

/* Something happened to this container: a part of the course that the API server must not change. */
void world_course(struct world *w, const char *what, const struct model_container *c);
void world_say(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_problem(void *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* world_pods.c */
/* A new version of pod `index`; NULL when there are too many. */
struct version *world_version_new(struct world *w, unsigned index);
struct version *world_version_find(const struct world *w, const char *uid, const char *hash);
void world_versions_free(struct world *w);
/* The container is run again after it has ended so. */
bool world_runs_again(const struct version *v, size_t container, int code);
/* All of the pod may end by itself, for good. */
bool world_may_complete(const struct version *v);
/* Some of it may, so that it is never Ready again. */
bool world_may_end(const struct version *v);
const struct pod_container *world_spec(const struct version *v, const char *container, size_t *ret_index);

/* world_check.c: hooks of the model, and the end. */
void check_created(void *world, struct model_container *c);
void check_started(void *world, struct model_container *c, usec_t *ret_lives);
void check_ended(void *world, struct model_container *c);
void check_stopping(void *world, struct model_container *c, const char *how);
/* Before somebody other than podwatch removes it. */
void check_lost(struct world *w, const struct model_container *c);
/* podwatch stops a version of a pod; it asks for a signal (kill: SIGKILL) to the container with this id. */
void check_stop(struct world *w, const struct pod_view *view, const struct pod_action *action);
void check_signal(struct world *w, const char *id, bool kill);
/* It may start from now on. */
void check_activated(struct world *w, const struct pod *pod);
/* Hooks of the host: the directories of this UID were made, are about to be removed. */
void check_made(void *world, const char *uid);
void check_cleanup(void *world, const char *uid);
void world_directories_lost(struct world *w);
/* podwatch died with a state of this pod that it could not write: nobody knows of its runs any more. */
void world_forget(struct world *w, unsigned index);
/* It is held for another pod that will not come up. */
bool world_waits(struct world *w, const struct world_pod *p);
void check_converged(struct world *w);
/* No process is to end and no restart is on its way. */
void check_nothing_pending(struct world *w);
void check_bounds(struct world *w);
void check_free(struct world *w);

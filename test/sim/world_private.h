#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the world: versions of pods (world_pods.c), what must hold (world_check.c, world_order.c,
 * world_calm.c), what happens (world_events.c), the schedule (world.c).
 */
#include "base/clock.h"
#include "kube/config_object.h"
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
#define WORLD_DOCS 2

enum program {
        PROGRAM_STEADY,   /* runs until it is stopped */
        PROGRAM_CRASHY,   /* ends badly after a while, until the calm */
        PROGRAM_FINISHES, /* ends well after a while */
        PROGRAM_MAX
};

/* How a pod takes what a document says. */
enum doc_use { DOC_USE_ENV, DOC_USE_ENV_FROM, DOC_USE_VOLUME, DOC_USE_MAX };

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
        int doc;          /* index of the document that it wants; -1: none */
        enum doc_use doc_use;
        size_t doc_container; /* that has the variable */
        bool doc_optional;
        bool never_ready; /* whatever happens */
        bool ran;         /* an app container of it */
};

/* A ConfigMap or Secret in a file of its own; values as in world_docs.c. */
struct world_doc {
        int says;  /* the file */
        int told;  /* to podwatch, since it started */
        int known; /* to podwatch */
        int last;  /* number that was used */
        struct doc_span {
                int value;
                usec_t since;
        } * spans; /* what was known when */
        size_t span_count;
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
        char hash[POD_SPEC_HASH_MAX]; /* of the version that made them last */
        int shown;                    /* by its volume of a document */
        struct directories *next;
};

struct world_pod {
        char name[16], key[32], files[WORLD_FILES][32];
        struct version *says[WORLD_FILES];  /* the files, NULL where there is none */
        struct version *told[WORLD_FILES];  /* to podwatch, since it started */
        struct version *force[WORLD_FILES]; /* what podwatch took of each */
        bool refused[WORLD_FILES];          /* that is not what it says */
        bool lacks[WORLD_FILES];            /* as no document serves it */
        bool retried[WORLD_FILES];          /* somebody asked for it, and it was not told since */
        int winner;                         /* the file that has the pod; -1: none */
        struct version *wanted;             /* what that one gave */
        struct version *rejected;           /* what it said and has failed its trial */
        bool reject_unsure;                 /* that may not have been written */
        usec_t changed;                     /* when `wanted` did last */
        usec_t asked;                       /* when somebody asked for a restart or a retry */
        const struct version *trial;        /* that is on trial */
        struct pod *trial_from;             /* what it goes back to (a reference) */
        usec_t trial_since;
        const struct version *tried; /* the last whose trial is over, which ... */
        usec_t tried_since;          /* ... had begun then, */
        usec_t tried_until;          /* and ended then */
        bool trial_lost;             /* podwatch may have forgotten that */
        const struct version *good;  /* was Ready, and stopped for another since */
        usec_t good_since;
        bool untold; /* it goes back, and that was not said */
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
        struct model_files *files;
        struct model_dir *dir;
        bool files_failed; /* writes of versions, at some time */
        struct world_doc docs[WORLD_DOCS];
        bool with_docs;
        usec_t revert_after;
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
        usec_t node_started;                      /* the same of podwatch */
        bool by_somebody;                         /* a start is none of podwatch's */
        bool starting;                            /* podwatch reads the directory for the first time */
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

#define SLACK (1 * USEC_PER_SEC)
/* Within this what has ended is seen in any weather. */
#define UNSEEN (180 * USEC_PER_SEC)

struct world_pod *world_pod_by_key(struct world *w, const char *key);
/* podwatch is started where it does not run; it is killed where it does. */
void world_node_start(struct world *w);
void world_node_kill(struct world *w);

/* world_events.c */
void world_something(struct world *w); /* any of them */
void world_crash(struct world *w);
void world_restart_node(struct world *w);
void world_weather(struct world *w);
/* Nothing fails. */
void world_fair_weather(struct world *w);

/* world_check.c: hooks of the model. */
void check_created(void *world, struct model_container *c);
void check_started(void *world, struct model_container *c, usec_t *ret_lives);
void check_ended(void *world, struct model_container *c);
void check_stopping(void *world, struct model_container *c, const char *how);
/* Before somebody other than podwatch removes it. */
void check_lost(struct world *w, const struct model_container *c);
/* podwatch stops a version of a pod; it asks for a signal (kill: SIGKILL) to the container with this id. */
void check_stop(struct world *w, const struct pod_view *view, const struct pod_action *action);
void check_signal(struct world *w, const char *id, bool kill);
/* Hooks of the host: the directories of this UID were made, are about to be removed. */
void check_made(void *world, const struct pod *pod);
void check_cleanup(void *world, const char *uid);
void check_shows(void *world, const char *uid, int number);
void world_directories_lost(struct world *w);
/* podwatch died with a state of this pod that it could not write: nobody knows of its runs any more. */
void world_forget(struct world *w, unsigned index);
/* The directories of this UID, made where they are new. */
struct directories *world_directories(struct world *w, const char *uid);

/* world_order.c */
/* It may start from now on. */
void check_activated(struct world *w, const struct pod *pod);
/* It is held for another pod that will not come up. */
bool world_waits(struct world *w, const struct world_pod *p);
/* The container runs, or has ended for good. */
bool world_is_up(const struct version *v, size_t i, const struct pod_container_view *c);
/* The version that the pod wants is its current one, and nothing of it is still to be made: what may lack now is
 * needed by nothing. */
bool world_is_made(const struct world *w, const struct world_pod *p);

/* world_calm.c */
void check_converged(struct world *w);
/* No process is to end and no restart is on its way. */
void check_nothing_pending(struct world *w);
void check_bounds(struct world *w);
void check_free(struct world *w);

/* world_files.c: hooks of the model */
struct pod *world_files_decode(void *world, const char *text, const struct pod_source *source, struct err *err);
void world_files_told(void *world, const char *name, const char *text);
/* Around the first look of a podwatch that has just started. */
void world_files_begin(struct world *w);
void world_files_begun(void *world);
/* Once it is calm. */
void world_files_check(struct world *w);
void world_file_write(struct world *w, struct world_pod *p, unsigned file, struct version *v);
/* Any file: text is what it says once it is written. */
void world_files_changed(struct world *w, const char *name, const char *text);
/* A trial failed: `to` is in force from now on; somebody asked that such a version be tried again. */
void world_files_reverted(struct world *w, struct world_pod *p, struct version *from, struct version *to);
void world_files_retried(struct world_pod *p);

/* world_docs.c */
void docs_begin(struct world *w);
void docs_edit(struct world *w);
void docs_calm(struct world *w);
void docs_free(struct world *w);
/* podwatch starts and knows none; was told of this file: false where it is none of a document. */
void docs_unknown(struct world *w);
bool docs_told(struct world *w, const char *name, const char *text);
void docs_check_told(struct world *w);
/* The version takes something of a document, in a share of all. */
void docs_use(struct world *w, struct version *v);
/* By what podwatch knows a document serves it; all of it can be made. */
bool docs_serve(const struct world *w, const struct version *v);
bool docs_lack(const struct world *w, const struct version *v);
bool docs_admit(const struct version *v, const struct config_objects *configs, struct err *err);
bool docs_said(const struct pod_plan *plan, const struct version *v);
void docs_check_created(struct world *w, const struct version *v, const struct model_container *c);
void docs_check_shown(struct world *w, const struct version *v, int shown);

/* world_trial.c */
/* A version with a trial of its own, in a share of all; some of them never Ready. */
void trial_choose(struct world *w, struct version *v);
/* What podwatch decides: a version stops for another, starts, stays, goes back; and what it says. */
void trial_stopped(struct world *w, struct world_pod *p, const struct version *v);
void trial_activated(struct world *w, struct world_pod *p, const struct version *v, bool gated, struct pod *from);
void trial_accepted(struct world *w, struct world_pod *p, const struct version *v);
void trial_reverted(struct world *w, struct world_pod *p, struct version *from, struct version *to);
void trial_event(struct world *w, struct world_pod *p, const char *reason);
/* podwatch is killed; stale: its state of this pod is not that of disk. */
void trial_killed(struct world *w, struct world_pod *p, bool stale);
/* No version of it is on trial any more. */
void trial_over(struct world_pod *p);
/* Its file has gone. */
void trial_unwanted(struct world *w, struct world_pod *p);
void trial_check_over(struct world *w, const struct world_pod *p, const struct pod_view *view);

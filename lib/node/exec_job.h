#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of pod_exec: a job, its way through the queue, and its end. One file for each kind of job:
 *
 *      exec_local.c      volumes, cgroups, cleanup: the file system of the host
 *      exec_image.c      images: look-up, pull, what is known of them
 *      exec_pause.c      the image of sandboxes
 *      exec_create.c     containers by name, sandboxes and others
 *      exec_start.c      start, and what follows one
 *      exec_stop.c       signals, removal
 *      exec_hook.c       probes and lifecycle hooks
 *
 * A job begins in its *_begin function and ends in one of job_done, job_failed, job_failed_err. Each completion of a
 * call begins with `if (job_over(job)) return;`: the job was cancelled meanwhile.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "node/pod_exec.h"

struct docker_call;
struct docker_image;
struct image_fact;
struct loop_source;
struct probe;
struct slices;

struct job {
        struct pod_exec *exec;
        struct job *prev, *next;           /* all jobs */
        struct job *wait_prev, *wait_next; /* those of the list it waits in: for the loop, a turn, the pause image */
        struct job **waits_in;             /* head of that list, NULL: it waits in none */
        char *key;
        enum pod_op op; /* NONE: a garbage removal */
        enum pod_probe_kind probe_kind;
        uint32_t generation;
        struct pod *pod; /* a reference; NULL for garbage */
        int container;   /* index, -1: the pod */
        unsigned attempt;
        char id[POD_VIEW_ID_MAX];         /* what it is about */
        char sandbox_id[POD_VIEW_ID_MAX]; /* of the incarnation */
        char ip[64];                      /* of the pod, "" while unknown */
        char image_id[80];
        bool running;    /* garbage: it must be killed first */
        bool shares_uid; /* cleanup: another incarnation has the same UID, its directories stay */
        bool checks;     /* volumes: of a replacement whose directories are those of what runs: nothing is made */
        bool cancelled;
        bool has_turn;
        bool pulling; /* counts among exec->pulls */
        int tries;
        usec_t begun;        /* it got its turn; before that: it was asked for */
        usec_t pull_started; /* 0: nothing was pulled */
        int64_t image_size;  /* bytes, once it is looked up */
        usec_t probe_started;
        char *name, *body; /* of a create; of a start that failed, body is Docker's message */
        char signal[32];
        void (*run)(struct job *job);
        void (*with_fact)(struct job *job, const struct image_fact *fact, const struct err *err);
        struct docker_call *call;
        struct probe *probe;
        struct loop_source *timer;
};

struct pod_exec {
        struct loop *loop;
        struct docker *docker;
        struct probes *probes;
        struct slices *slices;
        const struct host *host;
        struct pod_exec_handlers handlers;
        void *userdata;
        struct job *jobs;
        struct job *fresh; /* not begun yet */
        struct loop_source *begin_fresh;
        struct job *queue;      /* waiting for a turn at Docker */
        size_t turns;           /* in use */
        struct job *pull_queue; /* waiting for a pull to end */
        size_t pulls;           /* under way */
        struct image_fact *images;
        struct job *pause_waiters;
        int pause_state; /* enum pause_state */
        int pause_fd;    /* of our own image while it is loaded */
        char *pause_ref; /* what sandboxes are made of, once known */
};

const struct pod_container *job_container(const struct job *job); /* NULL for the pod itself */
struct pod_exec_job job_about(const struct job *job);

/* Runs `run` when it is this job's turn: at once, or later. The turn ends with job_end_turn, or with the job. */
void job_take_turn(struct job *job, void (*run)(struct job *job));
void job_end_turn(struct job *job);

/* True: the job was cancelled and is freed. Clears job->call. */
bool job_over(struct job *job);

/* Ends. job_failed_err is for errors of Docker's calls: it also tells when the connection was what failed. id: see
 * struct pod_outcome; may be NULL. */
void job_done(struct job *job, const char *id);
void job_failed(struct job *job, const char *reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void job_failed_err(struct job *job, const char *reason, const struct err *err);
/* The connection failed, not the request. */
bool job_is_loss(const struct err *err);
/* Frees a job whose outcome was told otherwise (probes, garbage). */
void job_free(struct job *job);

/* Shows the container `id` to the store, then ends the job well. */
void job_inspect_and_done(struct job *job);

/* Lists that jobs wait in. */
void job_wait(struct job *job, struct job **list);
void job_wait_over(struct job *job);

void local_begin(struct job *job);

void image_begin(struct job *job);
void image_pull_over(struct job *job); /* it has ended, or the job does; fine where none was under way */
/* Calls `then` once what Docker says of job->image_id is known. fact NULL: it cannot be told, and err says why; both
 * NULL: no image is known. */
struct image_fact {
        char *id, *user, *stop_signal;
        struct image_fact *prev, *next;
};
void image_with_fact(struct job *job,
                     void (*then)(struct job *job, const struct image_fact *fact, const struct err *err));
void image_facts_free(struct pod_exec *exec);
/* Calls `run` once sandboxes can be made (exec->pause_ref is set), or fails the job. */
void pause_with(struct job *job, void (*run)(struct job *job));
void pause_forget(struct pod_exec *exec);

void create_sandbox_begin(struct job *job);
void create_container_begin(struct job *job);

void start_begin(struct job *job);

void stop_begin(struct job *job);    /* SIGNAL, KILL, SANDBOX_STOP */
void remove_begin(struct job *job);  /* REMOVE */
void garbage_begin(struct job *job); /* GARBAGE */

void hook_begin(struct job *job);  /* POST_START, PRE_STOP */
void probe_begin(struct job *job); /* PROBE */

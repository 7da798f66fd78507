#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A model of Docker for the simulator: containers with processes that live, end by themselves, take signals or ignore
 * them; a daemon that answers late, wrongly or not at all, loses events, goes away with or without its containers. It
 * stands behind the table of docker.h, so the real executor and observer run against it.
 */
#include <stdbool.h>

#include "docker/docker.h"
#include "rng.h"

struct loop;
struct loop_source;
struct model;

struct model_container {
        struct model *model;
        char id[65];
        char *name;
        struct docker_labels labels;
        enum docker_state state;
        usec_t by_somebody;             /* when somebody started it, not podwatch */
        usec_t created, started, ended; /* by the simulator's clock; 0: not yet */
        usec_t created_wall, started_wall, finished_wall;
        int exit_code;
        char ip[24]; /* of its last start */
        /* of its labels */
        char *key; /* namespace/name of the pod */
        const char *uid, *hash, *container, *sandbox;
        unsigned attempt;
        bool is_sandbox;
        int doc; /* of its variable DOC; 0: it has none */
        /* what its process will do */
        struct loop_source *end;
        int end_code;
        usec_t term_delay; /* after SIGTERM; USEC_INFINITY: deaf */
        /* what excuses its end, for the checks */
        bool probe_failed, hook_failed;
        bool told;                       /* a client knows that it has started */
        bool was_ready;                  /* its readiness probe has succeeded since it started */
        bool given_up;                   /* it was dead when podwatch decided so; a start may have been under way */
        unsigned failures[2];            /* of startup and liveness probes in a row */
        usec_t stop_asked, signal_asked; /* by podwatch */
        usec_t kill_least;               /* no kill before */
        struct model_container *prev, *next;
};

/* Chances in a thousand, and times. Zero is a daemon as one wishes it. */
struct model_faults {
        unsigned lost_request;  /* the call fails, nothing was done */
        unsigned lost_answer;   /* it was done, the call fails */
        unsigned refused;       /* 500, nothing was done */
        unsigned refused_done;  /* 500, and it was done */
        unsigned slow;          /* takes up to 20 s more */
        unsigned late_answer;   /* it was done, the answer takes up to 5 s */
        unsigned lost_event;    /* never told */
        unsigned late_event;    /* told up to 5 s later */
        unsigned double_event;  /* told twice */
        unsigned missing_image; /* a pull fails */
};

struct model_hooks {
        /* A container runs from now on: sets what its process will do (lives: until it ends by itself). */
        void (*started)(void *userdata, struct model_container *c, usec_t *ret_lives);
        void (*ended)(void *userdata, struct model_container *c);
        /* Somebody signals, kills or removes what runs. by_us: through a call of podwatch. */
        void (*stopping)(void *userdata, struct model_container *c, const char *how);
        void (*created)(void *userdata, struct model_container *c);
        void *userdata;
};

struct model *model_new(struct loop *loop, struct rng *rng, const struct model_hooks *hooks);
struct model *model_free(struct model *model);
struct model_faults *model_faults(struct model *model);
/* What was met, by name of the fault, for the summary. */
struct model_met {
        uint64_t calls, lost_request, lost_answer, refused, refused_done, slow, late_answer, lost_event, late_event,
                double_event, missing_image, daemon_down, starts, ends, creates, removes;
};
const struct model_met *model_met(const struct model *model);

struct model_container *model_containers(struct model *model); /* a list by next */
struct model_container *model_find(struct model *model, const char *id);
/* The process ends by itself now. */
void model_crash(struct model *model, struct model_container *c, int code);
/* Somebody removes it by force. */
void model_remove(struct model *model, struct model_container *c);
/* The daemon goes away; containers live on with live_restore, else they end. And comes back. */
void model_down(struct model *model, bool live_restore);
void model_up(struct model *model);
bool model_is_up(const struct model *model);

/* A connection; pending calls end without `done` when it is freed, what they asked for may still be done. */
struct docker *model_client_new(struct model *model);

/* Inside: model.c keeps the containers, model_calls.c the calls. */
struct model_client;
struct loop *model_loop(struct model *model);
struct rng *model_rng(struct model *model);
struct model_met *model_count(struct model *model);
struct model_container *model_find_name(struct model *model, const char *name);
struct model_container *model_create(struct model *model, const char *name, const char *body);
void model_start(struct model *model, struct model_container *c);
void model_signal(struct model *model, struct model_container *c, const char *signal);
void model_end(struct model *model, struct model_container *c, int code);
void model_destroy(struct model *model, struct model_container *c);
/* Fills d, whose strings are borrowed until model_free: not to be released. */
void model_show(const struct model_container *c, bool inspected, struct docker_container *d);
void model_client_added(struct model *model, struct model_client *client);
void model_client_gone(struct model *model, struct model_client *client);
/* model_calls.c */
void model_client_event(struct model_client *client, const struct model_container *c, const char *action);
void model_client_down(struct model_client *client);

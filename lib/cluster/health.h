#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Health endpoints asked side by side until each has answered 200 or time is up: every one at once and then each
 * CLUSTER_RETRY_INTERVAL, or at a pace of its own.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"

struct kubeconfig;
struct loop;

struct health_check;
typedef void (*health_fn)(void *userdata, const struct health_check *check);

/* Of a check that is not waited for: asked after each pause until it is healthy, without a limit of time for the
 * answer. The wait ends when the others have, or when this one has failed after the last pause. */
struct health_pace {
        const usec_t *pauses; /* before each request */
        size_t count;         /* at least one */
        health_fn asking;     /* told before each request */
        health_fn failed;     /* told of each that failed */
        void *userdata;
};

struct health_check {
        const char *name;
        char *url;                       /* as shown; the caller's to free */
        const char *ask;                 /* what is asked in its place with credentials; NULL: url */
        const struct kubeconfig *config; /* credentials, with which client-go asks, and has words for each status; NULL:
                                          * none, and any certificate is taken */
        const struct health_pace *pace;  /* NULL: each CLUSTER_RETRY_INTERVAL until time is up */
        /* results */
        bool healthy;
        size_t tried;   /* requests that ended */
        int status;     /* of the last answer, 0 without and where why has its words */
        struct err why; /* what Go would say of the last failure */
        usec_t took;
};

/* fn (may be NULL) is told of each check as it ends. 0 whether they are healthy or not; negative: nothing could be
 * asked. */
int health_wait(struct loop *loop, struct health_check *checks, size_t count, usec_t timeout, health_fn fn,
                void *userdata, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The host under the simulator: volumes, cgroups, log links and probes, in place of the modules of the same functions.
 * One world at a time.
 */
#include <stdbool.h>

#include "rng.h"

struct loop;
struct model;
struct pod;

/* Command of a readiness probe that never succeeds. */
#define MODEL_HOST_NEVER "never"

struct model_host {
        struct loop *loop;
        struct rng *rng;
        struct model *model;
        unsigned volumes_fail; /* in a thousand */
        unsigned probe_fails;  /* liveness and startup, of a container that is well */
        unsigned unready;      /* readiness */
        unsigned probe_errors; /* the probe cannot be carried out */
        unsigned hook_fails;
        uint64_t probes, probe_failures, hooks, volume_failures;
        /* Directories were made, are about to be removed. */
        void (*made)(void *userdata, const struct pod *pod);
        void (*cleaning)(void *userdata, const char *uid);
        /* A volume that is made of a ConfigMap or Secret shows this number from now on; 0: none. */
        void (*shows)(void *userdata, const char *uid, int number);
        void *userdata;
};

void model_host_set(struct model_host *host); /* NULL at the end of a world */

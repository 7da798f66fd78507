#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker's containers are doing. Its event stream only says which container to inspect; the full list, taken when
 * the stream is connected and slowly after that, is the safety net. A daemon that goes away and comes back runs through
 * the same path as the start: subscribe, list, inspect what the list does not tell, then the runtime is ready.
 */
#include <stdbool.h>

#include "base/clock.h"

struct docker;
struct docker_container;
struct docker_containers;
struct docker_info;
struct docker_version;
struct loop;
struct observer;

#define OBSERVER_LIST_USEC (60 * USEC_PER_SEC)

struct observer_handlers {
        /* All containers that carry a kubelet's label. Call observer_inspect for those of which more must be known. */
        void (*listed)(void *userdata, const struct docker_containers *list);
        void (*inspected)(void *userdata, const struct docker_container *container);
        void (*gone)(void *userdata, const char *id);
        /* Whether a request for this container is under way that looks at it afterwards anyway. */
        bool (*busy)(void *userdata, const char *id);
        /* ready: it was listed, and what was asked for by listed() was inspected. why: NULL when ready. */
        void (*runtime)(void *userdata, bool ready, const char *why);
        void (*about)(void *userdata, const struct docker_version *version, const struct docker_info *info);
};

/* Starts at once; handlers are called from the loop. docker is borrowed. */
struct observer *observer_new(struct loop *loop, struct docker *docker, const struct observer_handlers *handlers,
                              void *userdata);
/* After docker has been freed, so that no call is under way. Takes NULL, returns NULL. */
struct observer *observer_free(struct observer *observer);

/* Inspects the container soon; asked for again while it is under way, it is inspected once more after that. */
void observer_inspect(struct observer *observer, const char *id);
/* A call of somebody else found that Docker does not answer: connect anew. */
void observer_lost(struct observer *observer, const char *why);
/* Takes a full list now. */
void observer_list(struct observer *observer);

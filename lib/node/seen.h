#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker shows, told to the store: a full list, or one container that was inspected. What the store wants to know
 * more of is inspected; what runs and nothing wants is taken in to be stopped in order.
 */
struct docker_container;
struct docker_containers;
struct loop;
struct observer;
struct pod;
struct pod_store;

/* All borrowed. */
struct seen_by {
        struct loop *loop;
        struct pod_store *store;
        struct observer *observer;
        /* The pod of a container that runs and that nothing wants: a reference of the caller's own, and its number on
         * disk or 0. NULL leaves it alone. */
        struct pod *(*pod_of)(void *userdata, const struct docker_containers *list, const struct docker_container *c,
                              unsigned *ret_revision);
        void *userdata;
};

/* Returns how many pods were taken in that nothing wants. */
unsigned seen_list(const struct seen_by *by, const struct docker_containers *list);
void seen_one(const struct seen_by *by, const struct docker_container *container);

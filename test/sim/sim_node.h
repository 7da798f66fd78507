#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch under the simulator: the real store, executor and observer, put together as agent_pods.c does, with a disk
 * in memory. It can be killed at any moment and started again.
 */
#include <stdbool.h>

#include "base/clock.h"
#include "rng.h"

struct docker;
struct loop;
struct model;
struct model_files;
struct pod;
struct pod_action;
struct pod_entry;
struct pod_store;
struct replay;
struct sim_disk;
struct sim_node;

struct sim_node_options {
        struct loop *loop;
        struct model *model;
        struct model_files *files;
        struct rng *rng;
        struct sim_disk *disk;
        struct replay *replay; /* gets every record at once; NULL: no recording */
        bool api;              /* there is an API server, see model_api_set */
        const char *boot_id;
        usec_t backoff_max;
        usec_t revert_after; /* trial of new versions of every pod, 0: none */
        /* The version of a pod that runs and is wanted by nobody, as the revisions on disk would know it; NULL: made of
         * labels. A new reference. */
        struct pod *(*find_version)(void *userdata, const char *uid, const char *hash, unsigned *ret_revision);
        /* Why this pod may not start now; "" for nothing. */
        void (*hold)(void *userdata, const char *key, char *text, size_t size);
        /* A defect, or something that must not happen. */
        void (*complain)(void *userdata, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
        /* Every action, for --verbose. */
        void (*acted)(void *userdata, const struct pod_entry *entry, const struct pod_action *action);
        /* Every record, for --records; may be NULL. */
        void (*recorded)(void *userdata, const char *record);
        void *userdata;
};

struct sim_node *sim_node_new(const struct sim_node_options *options);
struct sim_node *sim_node_free(struct sim_node *node); /* kill -9 */

/* Takes what failed its trial once more, as `podwatch retry` does beside pod_store_retry. */
void sim_node_retry(struct sim_node *node, const struct pod *pod);
struct pod_store *sim_node_store(struct sim_node *node);
void sim_node_kick(struct sim_node *node);
/* What a hold goes by has changed. */
void sim_node_look(struct sim_node *node, const char *key);
bool sim_node_observed(const struct sim_node *node);
size_t sim_node_pending(const struct sim_node *node);
/* To be posted to the API server. */
size_t sim_node_events_waiting(const struct sim_node *node);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch's API side under the simulator: the real client, mirrors, Node, Lease and events, put together as api_side.c
 * does, and the status of each pod as agent_publish.c gives it.
 */
#include <stdbool.h>
#include <stddef.h>

struct cJSON;
struct loop;
struct pod_action;
struct pod_entry;
struct sim_api;

struct sim_api *sim_api_new(struct loop *loop);
struct sim_api *sim_api_free(struct sim_api *api); /* kill -9; takes NULL, returns NULL */
/* What is kept of a pod between two calls. */
struct sim_api_pod {
        struct cJSON *status; /* as last made */
        char *version;        /* of the pod that it is of */
};
void sim_api_pod_release(struct sim_api_pod *pod);
/* The state of this pod is shown. */
void sim_api_publish(struct sim_api *api, const struct pod_entry *entry, struct sim_api_pod *kept);
void sim_api_gone(struct sim_api *api, const char *key);
/* All pods have been given. */
void sim_api_complete(struct sim_api *api);
void sim_api_event(struct sim_api *api, const struct pod_entry *entry, const struct pod_action *action);
void sim_api_runtime(struct sim_api *api, bool ready);
/* Events that wait to be posted. */
size_t sim_api_waiting(const struct sim_api *api);

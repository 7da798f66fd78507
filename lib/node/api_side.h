#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything of podwatch that talks to the API server, behind one door: the kubeconfig (which may come later, change or
 * go), the Node and its Lease, mirror pods, events. The agent says what is true; this shows it as soon as there is
 * somebody to show it to. Nothing here is on the path of a container, and without a kubeconfig it costs nothing.
 */
#include <stdbool.h>
#include <stdint.h>

#include "api/event.h"
#include "base/clock.h"

struct api_client;
struct api_side;
struct cJSON;
struct docker_info;
struct docker_version;
struct err;
struct kubelet_config;
struct loop;

/* Which kubelet this node passes for where versions are compared; behind the plus stands who it is. */
#define API_SIDE_KUBELET_VERSION "v1.36.0+podwatch-" GENPHASE_PROJECT_VERSION

struct api_side_config {
        const char *kubeconfig; /* path; NULL: no API server, standalone */
        const char *node_name;
        const char *node_ip;            /* "" or NULL: found (machine_address) */
        const char *root_dir;           /* its file system counts as node storage */
        const char *const *node_labels; /* "key=value", ends with NULL; may be NULL; borrowed for life */
        /* What is reserved, the thresholds of evictionHard (below them the Node shows pressure), and what it is
         * registered with, if at all. Borrowed for life. */
        const struct kubelet_config *kubelet;
        int max_pods;
        bool unschedulable;
        int lease_seconds;
        usec_t status_interval, report_interval;
};

/* A refusal of a mirror begins or ends (""), for local status; key is namespace/name. */
typedef void (*api_side_refused_fn)(void *userdata, const char *key, const char *message);
/* The link to the API server came up or went down, or the kubeconfig came: worth a log line. */
typedef void (*api_side_changed_fn)(void *userdata, const char *message);

int api_side_new(struct loop *loop, const struct api_side_config *config, api_side_refused_fn refused,
                 api_side_changed_fn changed, void *userdata, struct api_side **ret, struct err *err);
struct api_side *api_side_free(struct api_side *side); /* takes NULL, returns NULL */

/* What of Docker the Node shows. version, info NULL: as before. not_ready: why containers cannot run now, NULL or "":
 * they can. */
void api_side_runtime(struct api_side *side, const struct docker_version *version, const struct docker_info *info,
                      const char *not_ready);

/* A pod to be shown, see mirrors_set; gone, see mirrors_remove; all of them have been given once. */
void api_side_pod(struct api_side *side, const char *key, const char *pod_json, const char *status_json, bool create);
void api_side_pod_gone(struct api_side *side, const char *key);
void api_side_complete(struct api_side *side);
/* A local kube-apiserver has become ready (or anything else makes a try worth while). */
void api_side_poke(struct api_side *side);

/* The node's HTTPS port is open (0, at first: it is not): the Node names it. */
void api_side_port(struct api_side *side, int port);
/* For other questions to the API server; NULL where none is configured. */
struct api_client *api_side_client(const struct api_side *side);

void api_side_event(struct api_side *side, const struct event *event);

const char *api_side_node_ip(const struct api_side *side);
/* For status: {"kubeconfig":PATH,"server":URL,"up":bool,"reason":TEXT,"nextTry":...,"node":{...},"events":{...}}; the
 * caller adds it to its own object and frees it with that. */
struct cJSON *api_side_status(const struct api_side *side);
/* Adds {"uid","exists","current","refusal"} of the pod's mirror as "mirror" to object; nothing where it has none. */
void api_side_mirror_status(const struct api_side *side, const char *key, struct cJSON *object);

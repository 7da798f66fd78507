#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What this node answers to local programs, in the kubelet's paths and JSON: over a unix socket for root (and one
 * group) always; on 127.0.0.1:10248 /healthz; on readOnlyPort, when it is set, /pods and /healthz without
 * authentication. The HTTPS port (node_port.h) answers by the same table, once it knows who asks.
 *
 *      GET /healthz       "ok"; ?verbose lists its parts, each of which has a path of its own below it
 *      GET /pods          core/v1 PodList, status included
 *      GET /runningpods/  core/v1 PodList of what Docker runs
 *      GET /metrics       Prometheus text, by the kubelet's names; /metrics/probes: of probes;
 *                         /metrics/resource: what containers, pods and the node take
 *      GET /stats/summary the same as the kubelet's summary API has it
 *      GET /configz       {"kubeletconfig": KubeletConfiguration in force}
 *
 * Over the HTTPS port alone:
 *
 *      GET /containerLogs/NAMESPACE/POD/CONTAINER   the log, as the kubelet has it
 *      /exec/, /attach/, /portForward/, /run/, /checkpoint/, /debug/, /logs/   501: what podwatch has not
 *
 * Over the unix socket alone:
 *
 *      GET /status    what `podwatch status` shows; ?watch=true: a line each time that it has changed
 *      GET /events    core/v1 EventList, of ?pod=POD or all; ?watch=true: those kept and those that come, as of a watch
 *      GET /describe  all of ?pod=POD: {"pod": core/v1 Pod, "node": what podwatch has beside it, "events": [...]}
 *      GET /logs      log of ?pod=POD[&container=NAME], with the options of container_log.h
 *      POST /VERB     a request to do something: local_act.h (root alone)
 */
#include <stdbool.h>

#include "node/local_act.h"

struct err;
struct http_server_request;
struct local_api;
struct loop;

/* JSON text; free it. Called for each request. */
typedef char *(*local_api_text_fn)(void *userdata);

/* Answers by itself, perhaps later. */
typedef void (*local_api_answer_fn)(void *userdata, struct http_server_request *request);

/* The same with the rest of the path. */
typedef void (*local_api_rest_fn)(void *userdata, struct http_server_request *request, const char *rest);

struct local_api_options {
        const char *socket_path;
        const char *socket_group; /* who may use it beside root; NULL: nobody */
        const char *healthz_address;
        int healthz_port; /* 0: none */
        const char *read_only_address;
        int read_only_port; /* 0: none */
        local_api_text_fn pods, running_pods, configz, metrics, probe_metrics, resource_metrics, stats;
        local_api_answer_fn status, events, logs, describe;
        local_api_rest_fn port_logs; /* rest: NAMESPACE/POD/CONTAINER */
        bool debugging_handlers;     /* the HTTPS port shows what runs, and logs */
        local_act_fn act;
        void *userdata;
};

int local_api_new(struct loop *loop, const struct local_api_options *options, struct local_api **ret, struct err *err);
/* Answers a request that came to the HTTPS port and may be answered. */
void local_api_answer_port(struct local_api *api, struct http_server_request *request);
struct local_api *local_api_free(struct local_api *api); /* takes NULL, returns NULL */

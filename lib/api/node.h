#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The Node object and its Lease: registered when the API server is there, kept right, renewed. The status never claims
 * what is not so: Ready is true only with the causes given in node_facts all gone, and the node stays unschedulable as
 * long as facts say so. Rules: pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodelease (reference section 8).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct api_client;
struct cJSON;
struct kubelet_taint;
struct loop;
struct node_object;

/* What is true of this machine now. Strings are copied. */
struct node_facts {
        const char *internal_ip; /* "" while unknown */
        const char *hostname;
        int64_t cpu_milli;
        int64_t memory_bytes, ephemeral_bytes;
        int64_t allocatable_cpu_milli, allocatable_memory_bytes, allocatable_ephemeral_bytes;
        int max_pods;
        const char *machine_id, *system_uuid, *boot_id, *kernel_version, *os_image;
        const char *runtime_version; /* "docker://20.10.24" */
        const char *kubelet_version; /* what we answer to version skew rules with */
        const char *architecture;    /* amd64 */
        int kubelet_port;            /* daemonEndpoints; 0: none is announced */
        bool unschedulable;
        bool memory_pressure, disk_pressure, pid_pressure;
        const char *not_ready; /* why the node is not Ready; NULL or "": it is */
};

struct node_options {
        const char *node_name;
        const char *const *labels; /* "key=value" beside the standard ones, ends with NULL; borrowed; may be NULL */
        const char *pod_cidr;      /* "" without */
        /* At registration alone, as the kubelet: what the cluster makes of the Node afterwards stays. Borrowed. */
        const struct kubelet_taint *taints;
        size_t taint_count;
        const char *provider_id; /* NULL without */
        bool unregistered;       /* somebody else makes the Node (registerNode false): it is waited for */
        int lease_seconds;       /* 0: 40 */
        usec_t status_interval;  /* how often facts are compared, 0: 10 s */
        usec_t report_interval;  /* full report without a change, 0: 5 min */
};

/* uid: of the Node once registered; NULL when it is gone (deleted, link down does not count). */
typedef void (*node_registered_fn)(void *userdata, const char *uid);
/* Asked each status_interval and after node_changed; fills facts with borrowed strings. */
typedef void (*node_facts_fn)(void *userdata, struct node_facts *ret_facts);

struct node_object *node_new(struct loop *loop, struct api_client *client, const struct node_options *options,
                             node_facts_fn facts, node_registered_fn registered, void *userdata);
struct node_object *node_free(struct node_object *node);
/* Facts may have changed (Docker came or went): compare now. */
void node_changed(struct node_object *node);
/* Why it is not registered, or the last refusal; "" when all is well. */
const char *node_reason(const struct node_object *node);
usec_t node_lease_renewed(const struct node_object *node); /* wall clock, 0 never */

/* Pure parts, for tests. */
struct cJSON *node_body(const struct node_options *options, const struct node_facts *facts, usec_t now_wall);
/* status object; conditions keep lastTransitionTime of observed (may be NULL) where the status is the same. */
struct cJSON *node_status(const struct node_facts *facts, const struct cJSON *observed, usec_t now_wall);

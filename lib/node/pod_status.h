#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * v1 PodStatus of a pod view, as the kubelet computes it (pkg/kubelet/kubelet_pods.go generateAPIPodStatus,
 * pkg/kubelet/status/generate.go; reference section 7): phase, conditions whose lastTransitionTime stays until they
 * flip, container statuses and their reasons. Pure: all that is not in the view comes in as arguments.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct cJSON;
struct pod;
struct pod_incarnation;
struct pod_instance;
struct pod_plan;
struct pod_view;

/* Text a container left in its termination message file (or the end of its log), per container and instance. */
struct pod_status_message {
        int container;    /* index in the pod */
        bool last;        /* of the instance before the newest */
        const char *text; /* cut by the caller */
};

struct pod_status_input {
        const struct pod_view *view;
        const struct pod_incarnation *incarnation; /* of view: what is shown (current, else next) */
        const struct pod_plan *plan;               /* waits: their reasons and messages become waiting states */
        const struct cJSON *previous;              /* the status made before, NULL without: condition times, sticky
                                                    * phases */
        const char *previous_version; /* what pod_status_version said of the pod that previous is of: the status of
                                       * another pod or version of this name is left aside; NULL: it is this one. So is
                                       * one with another startTime: it was gone and came back since */
        const struct pod_status_message *messages;
        size_t message_count;
        const char *host_ip;
        usec_t now_wall;
};

/* Completed, Error, OOMKilled, ContainerCannotRun, ContainerStatusUnknown: of an instance that has exited. */
const char *pod_status_ended_reason(const struct pod_instance *instance);
/* Which pod and version a status is of. Free it. */
char *pod_status_version(const struct pod *pod);
/* The status object; free with cJSON_Delete. */
struct cJSON *pod_status(const struct pod_status_input *in);

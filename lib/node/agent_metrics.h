#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What is counted for /metrics while podwatch runs, by the kubelet's names (pkg/kubelet/metrics/metrics.go,
 * pkg/kubelet/prober); what can be seen at any time is counted when somebody asks (agent_metrics.c).
 */
#include <stdint.h>

#include "node/metrics_text.h"
#include "node/pod_view.h"

/* Reasons why a container did not start; more than these are counted as "other". */
#define AGENT_METRICS_CODES_MAX 16
#define AGENT_METRICS_CODE_MAX 48

enum { METRICS_CONTAINER, METRICS_INIT_CONTAINER, METRICS_CONTAINER_TYPES };

struct agent_metrics {
        uint64_t started_pods, started_pods_errors;
        uint64_t started_containers[METRICS_CONTAINER_TYPES];
        struct {
                char code[AGENT_METRICS_CODE_MAX];
                uint64_t count[METRICS_CONTAINER_TYPES];
        } container_errors[AGENT_METRICS_CODES_MAX];
        uint64_t operations[POD_OP_MAX], operation_errors[POD_OP_MAX];
        struct metrics_histogram operation_times[POD_OP_MAX];
        uint64_t orphans;
        struct metrics_histogram pod_start;
};

/* Of one version of a pod: results of its probes, for each of its containers and kinds. */
struct agent_probe_counts {
        struct {
                uint64_t successful, failed, unknown;
        } of[POD_PROBE_KIND_MAX];
};

struct agent;
struct agent_pod;
struct cJSON;
struct pod;
struct pod_exec_job;
struct pod_outcome;

void agent_metrics_outcome(struct agent *agent, const struct pod_exec_job *job, const struct pod_outcome *outcome);
void agent_metrics_probe(struct agent_pod *state, const struct pod_exec_job *job, bool success, bool error);
/* The status of the pod that is shown is `after` now and was `before` (NULL: unknown). */
void agent_metrics_status(struct agent *agent, const struct pod_incarnation *inc, const struct cJSON *before,
                          const struct cJSON *after);
/* Texts of /metrics and /metrics/probes; free them. */
char *agent_show_metrics(void *userdata);
char *agent_show_probe_metrics(void *userdata);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and limits as the kernel and Docker want them: CPU shares and quota, memory, oom_score_adj, the cgroup a pod
 * lives in and what is set on it (pkg/kubelet/cm/helpers_linux.go, pkg/kubelet/qos/policy.go). Pure.
 */
#include <stdbool.h>
#include <stdint.h>

#include "kube/pod.h"

struct host;

#define CPU_SHARES_MIN 2
#define CPU_SHARES_MAX 262144
#define CPU_PERIOD_USEC 100000
#define CPU_QUOTA_MIN_USEC 1000

#define OOM_SCORE_SANDBOX (-998)
#define OOM_SCORE_GUARANTEED (-997)
#define OOM_SCORE_BEST_EFFORT 1000

int64_t cpu_shares_from_milli(int64_t milli);
int64_t cpu_quota_from_milli(int64_t milli); /* per CPU_PERIOD_USEC; 0: no limit */
/* cgroup v2's cpu.weight of the same shares, 1..10000. */
int64_t cpu_weight_from_shares(int64_t shares);

/* Request, or the limit where no request is set; 0 without both. */
int64_t container_cpu_request_milli(const struct pod_container *container);
int64_t container_cpu_limit_milli(const struct pod_container *container);      /* 0 without */
int64_t container_memory_request_bytes(const struct pod_container *container); /* 0 without */
int64_t container_memory_limit_bytes(const struct pod_container *container);   /* 0 without */

int container_oom_score(const struct pod *pod, const struct pod_container *container, int64_t memory_capacity);

/* Path of the cgroup that holds those of pods of a class, below the cgroup mount. Free it. */
char *pod_cgroup_above(const struct host *host, enum pod_qos class);
/* Path of the pod's cgroup below the cgroup mount, as the cgroupfs driver names it
 * ("/kubepods/burstable/pod<uid>"). Free it. */
char *pod_cgroup_path(const struct host *host, const struct pod *pod);
/* The slice of a cgroup and where it lies, as the kubelet has them with the systemd driver (CgroupName.ToSystemd in
 * pkg/kubelet/cm/cgroup_manager_linux.go): a dash is a level, so one of the path becomes an underscore.
 * "/a-b/kubepods" is a_b-kubepods.slice at /a_b.slice/a_b-kubepods.slice. Free them. */
char *cgroup_slice_name(const char *path);
char *cgroup_slice_path(const char *name);
/* The same of a pod's cgroup. Free them. */
char *pod_cgroup_slice(const struct host *host, const struct pod *pod);
char *pod_cgroup_slice_path(const struct host *host, const struct pod *pod);
/* What goes into HostConfig.CgroupParent: the path, or with the systemd driver the name of the last slice. NULL where
 * pods have no cgroups. Free it. */
char *pod_cgroup_parent(const struct host *host, const struct pod *pod);

struct pod_cgroup_limits {
        int64_t cpu_shares;
        int64_t cpu_quota_usec; /* -1: none */
        int64_t memory_bytes;   /* -1: none */
        int64_t pids;           /* -1: none */
};
void pod_cgroup_limits(const struct host *host, const struct pod *pod, struct pod_cgroup_limits *ret);

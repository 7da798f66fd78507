#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the processes of a control group take, as the kernel counts it, in the terms of the kubelet's statistics
 * (cAdvisor: the working set is what is used less the file pages that were not used lately). Cgroup v1 and v2.
 */
#include <stdbool.h>
#include <stdint.h>

struct host;
struct pod;

struct cgroup_usage {
        bool has_cpu, has_memory;
        uint64_t cpu_nsec; /* since it was made */
        int64_t memory_bytes, working_set_bytes, rss_bytes;
        int64_t limit_bytes; /* 0: none */
        int64_t page_faults, major_page_faults;
};

/* path: below the cgroup mount ("": all). What cannot be read is not there. */
void cgroup_usage_read(const struct host *host, const char *path, struct cgroup_usage *ret);
/* Path of a pod's cgroup, NULL where pods have none; of a container of it, by its Docker id. Free them. */
char *cgroup_usage_pod_path(const struct host *host, const struct pod *pod);
char *cgroup_usage_container_path(const struct host *host, const struct pod *pod, const char *id);

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "node/container_resources.h"
#include "node/host.h"
#include "node/slice_spec.h"

/* What CPUQuotaPerSecUSec is kept in: systemd writes a percentage into its files. */
#define QUOTA_STEP_USEC 10000

static void add(struct slice_spec *spec, const char *property, int64_t value)
{
        spec->limits[spec->limit_count++] = (struct slice_limit){property, (uint64_t)value};
}

static void add_shares(const struct host *host, struct slice_spec *spec, int64_t shares)
{
        if (host->cgroup_version == 2)
                add(spec, "CPUWeight", cpu_weight_from_shares(shares));
        else
                add(spec, "CPUShares", shares);
}

/* Microseconds of a second, rounded up: what a container may have must not be more than what its pod has. The period is
 * not told: systemd's own is the same, and before 242 it knew no other. */
static void add_quota(struct slice_spec *spec, int64_t quota_usec)
{
        __int128 of_second = (__int128)quota_usec * 1000000 / CPU_PERIOD_USEC;
        __int128 rounded = (of_second + QUOTA_STEP_USEC - 1) / QUOTA_STEP_USEC * QUOTA_STEP_USEC;

        add(spec, "CPUQuotaPerSecUSec", rounded > INT64_MAX ? INT64_MAX : (int64_t)rounded);
}

static void name(const struct host *host, struct slice_spec *ret, const char *path, const char *above)
{
        *ret = (struct slice_spec){
                .name = cgroup_slice_name(path),
                .above = cgroup_slice_name(above),
                .io_accounting = host->cgroup_version == 2 ? "IOAccounting" : "BlockIOAccounting",
        };
}

void slice_spec_pod(const struct host *host, const struct pod *pod, struct slice_spec *ret)
{
        char *path CLEANUP_FREE = pod_cgroup_path(host, pod), *above CLEANUP_FREE = pod_cgroup_above(host, pod->qos);
        struct pod_cgroup_limits limits;

        name(host, ret, path, above);
        ret->description = xasprintf("containers of the pod %s/%s", pod->namespace, pod->name);
        pod_cgroup_limits(host, pod, &limits);
        add_shares(host, ret, limits.cpu_shares);
        if (limits.cpu_quota_usec > 0)
                add_quota(ret, limits.cpu_quota_usec);
        if (limits.memory_bytes > 0)
                add(ret, host->cgroup_version == 2 ? "MemoryMax" : "MemoryLimit", limits.memory_bytes);
        if (limits.pids > 0)
                add(ret, "TasksMax", limits.pids);
}

void slice_spec_class(const struct host *host, enum pod_qos class, int64_t shares, struct slice_spec *ret)
{
        char *path CLEANUP_FREE = pod_cgroup_above(host, class);
        char *above CLEANUP_FREE = pod_cgroup_above(host, POD_QOS_GUARANTEED);

        name(host, ret, path, above);
        ret->description = xasprintf("%s pods", class == POD_QOS_BURSTABLE ? "Burstable" : "BestEffort");
        add_shares(host, ret, shares);
}

void slice_spec_release(struct slice_spec *spec)
{
        free(spec->name);
        free(spec->above);
        free(spec->description);
        *spec = (struct slice_spec){0};
}

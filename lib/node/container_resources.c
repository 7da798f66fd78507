/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/container_resources.h"
#include "node/host.h"

#define SLICE_SUFFIX ".slice"

int64_t cpu_shares_from_milli(int64_t milli)
{
        /* 1024 shares a CPU; beyond the maximum long before the product could overflow. */
        if (milli <= 0)
                return CPU_SHARES_MIN;
        if (milli >= (int64_t)CPU_SHARES_MAX * 1000 / 1024)
                return CPU_SHARES_MAX;
        int64_t shares = milli * 1024 / 1000;
        return shares < CPU_SHARES_MIN ? CPU_SHARES_MIN : shares;
}

int64_t cpu_quota_from_milli(int64_t milli)
{
        int64_t quota;

        if (milli <= 0)
                return 0;
        if (__builtin_mul_overflow(milli, (int64_t)(CPU_PERIOD_USEC / 1000), &quota))
                return INT64_MAX;
        return quota < CPU_QUOTA_MIN_USEC ? CPU_QUOTA_MIN_USEC : quota;
}

int64_t cpu_weight_from_shares(int64_t shares)
{
        return 1 + (shares - CPU_SHARES_MIN) * 9999 / (CPU_SHARES_MAX - CPU_SHARES_MIN);
}

int64_t container_cpu_request_milli(const struct pod_container *container)
{
        const struct pod_resources *r = &container->resources;

        if (r->has_request[POD_RESOURCE_CPU])
                return quantity_milli(&r->request[POD_RESOURCE_CPU]);
        return container_cpu_limit_milli(container);
}

int64_t container_cpu_limit_milli(const struct pod_container *container)
{
        const struct pod_resources *r = &container->resources;

        return r->has_limit[POD_RESOURCE_CPU] ? quantity_milli(&r->limit[POD_RESOURCE_CPU]) : 0;
}

int64_t container_memory_request_bytes(const struct pod_container *container)
{
        const struct pod_resources *r = &container->resources;

        if (r->has_request[POD_RESOURCE_MEMORY])
                return quantity_value(&r->request[POD_RESOURCE_MEMORY]);
        return container_memory_limit_bytes(container);
}

int64_t container_memory_limit_bytes(const struct pod_container *container)
{
        const struct pod_resources *r = &container->resources;

        return r->has_limit[POD_RESOURCE_MEMORY] ? quantity_value(&r->limit[POD_RESOURCE_MEMORY]) : 0;
}

int container_oom_score(const struct pod *pod, const struct pod_container *container, int64_t memory_capacity)
{
        int64_t score;

        if (str_eq(pod->priority_class_name, "system-node-critical"))
                return OOM_SCORE_GUARANTEED;
        switch (pod->qos) {
        case POD_QOS_GUARANTEED:
                return OOM_SCORE_GUARANTEED;
        case POD_QOS_BEST_EFFORT:
                return OOM_SCORE_BEST_EFFORT;
        case POD_QOS_BURSTABLE:
        case POD_QOS_MAX:
                break;
        }
        if (memory_capacity <= 0)
                return OOM_SCORE_BEST_EFFORT - 1;
        score = 1000 - (int64_t)((__int128)1000 * container_memory_request_bytes(container) / memory_capacity);
        /* Above the guaranteed ones by a margin, below best effort (pkg/kubelet/qos/policy.go). */
        if (score < 1000 + OOM_SCORE_GUARANTEED)
                return 1000 + OOM_SCORE_GUARANTEED;
        if (score >= OOM_SCORE_BEST_EFFORT)
                return OOM_SCORE_BEST_EFFORT - 1;
        return (int)score;
}

static const char *qos_directory(enum pod_qos qos)
{
        switch (qos) {
        case POD_QOS_BURSTABLE:
                return "burstable";
        case POD_QOS_BEST_EFFORT:
                return "besteffort";
        case POD_QOS_GUARANTEED:
        case POD_QOS_MAX:
                break;
        }
        return NULL;
}

/* "/" and "" are no prefix; slashes at the end and doubled ones do not count, the first may be missing. Free it. */
static char *root_prefix(const struct host *host)
{
        char *prefix = xstrdup("");

        for (const char *p = host->cgroup_root ? host->cgroup_root : ""; *p;) {
                size_t len = strcspn(p, "/");

                if (len > 0) {
                        char *longer = xasprintf("%s/%.*s", prefix, (int)len, p);
                        free(prefix);
                        prefix = longer;
                }
                p += len + strspn(p + len, "/");
        }
        return prefix;
}

char *pod_cgroup_above(const struct host *host, enum pod_qos class)
{
        char *prefix CLEANUP_FREE = root_prefix(host);
        const char *qos = qos_directory(class);

        return xasprintf("%s/kubepods%s%s", prefix, qos ? "/" : "", qos ? qos : "");
}

char *pod_cgroup_path(const struct host *host, const struct pod *pod)
{
        char *above CLEANUP_FREE = pod_cgroup_above(host, pod->qos);

        return xasprintf("%s/pod%s", above, pod->uid);
}

char *cgroup_slice_name(const char *path)
{
        char *name = xasprintf("%s" SLICE_SUFFIX, path + strspn(path, "/"));

        for (char *c = name; *c; c++)
                *c = (char)(*c == '-' ? '_' : *c == '/' ? '-' : *c);
        return name;
}

char *cgroup_slice_path(const char *name)
{
        const char *end = name + strlen(name) - strlen(SLICE_SUFFIX);
        char *path = xstrdup("");

        for (const char *c = name; c <= end; c++) {
                if (c < end && *c != '-')
                        continue;
                char *next = xasprintf("%s/%.*s" SLICE_SUFFIX, path, (int)(c - name), name);
                free(path);
                path = next;
        }
        return path;
}

char *pod_cgroup_slice(const struct host *host, const struct pod *pod)
{
        char *path CLEANUP_FREE = pod_cgroup_path(host, pod);

        return cgroup_slice_name(path);
}

char *pod_cgroup_slice_path(const struct host *host, const struct pod *pod)
{
        char *name CLEANUP_FREE = pod_cgroup_slice(host, pod);

        return cgroup_slice_path(name);
}

char *pod_cgroup_parent(const struct host *host, const struct pod *pod)
{
        if (!host->cgroups_per_qos)
                return NULL;
        return host->cgroup_systemd ? pod_cgroup_slice(host, pod) : pod_cgroup_path(host, pod);
}

struct resource_sum {
        int64_t cpu_request, cpu_limit, memory_limit;
        bool cpu_limited, memory_limited; /* every container sets one */
};

static int64_t add_clamped(int64_t a, int64_t b)
{
        int64_t sum;

        return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int64_t larger(int64_t a, int64_t b)
{
        return a > b ? a : b;
}

/* Sum over what runs together (app containers and sidecars), or what an init container needs beside the sidecars that
 * started before it, whichever is larger (k8s.io/component-helpers/resource PodRequests). */
static void pod_sum(const struct pod *pod, struct resource_sum *ret)
{
        struct resource_sum run = {0}, init = {0};
        bool cpu_limited = true, memory_limited = true;

        for (size_t i = 0; i < pod->container_count; i++) {
                const struct pod_container *c = &pod->containers[i];
                int64_t cpu = container_cpu_request_milli(c), cpu_limit = container_cpu_limit_milli(c);
                int64_t memory_limit = container_memory_limit_bytes(c);

                cpu_limited = cpu_limited && cpu_limit > 0;
                memory_limited = memory_limited && memory_limit > 0;
                if (c->init && !c->sidecar) {
                        init.cpu_request = larger(init.cpu_request, add_clamped(run.cpu_request, cpu));
                        init.cpu_limit = larger(init.cpu_limit, add_clamped(run.cpu_limit, cpu_limit));
                        init.memory_limit = larger(init.memory_limit, add_clamped(run.memory_limit, memory_limit));
                } else {
                        run.cpu_request = add_clamped(run.cpu_request, cpu);
                        run.cpu_limit = add_clamped(run.cpu_limit, cpu_limit);
                        run.memory_limit = add_clamped(run.memory_limit, memory_limit);
                }
        }
        *ret = (struct resource_sum){
                .cpu_request = larger(run.cpu_request, init.cpu_request),
                .cpu_limit = larger(run.cpu_limit, init.cpu_limit),
                .memory_limit = larger(run.memory_limit, init.memory_limit),
                .cpu_limited = cpu_limited,
                .memory_limited = memory_limited,
        };
}

void pod_cgroup_limits(const struct host *host, const struct pod *pod, struct pod_cgroup_limits *ret)
{
        struct resource_sum sum;

        pod_sum(pod, &sum);
        *ret = (struct pod_cgroup_limits){
                .cpu_shares = cpu_shares_from_milli(pod->qos == POD_QOS_BEST_EFFORT ? 0 : sum.cpu_request),
                .cpu_quota_usec = -1,
                .memory_bytes = -1,
                .pids = host->pod_pids_limit > 0 ? host->pod_pids_limit : -1,
        };
        if (sum.cpu_limited && host->cpu_cfs_quota)
                ret->cpu_quota_usec = cpu_quota_from_milli(sum.cpu_limit);
        if (sum.memory_limited)
                ret->memory_bytes = sum.memory_limit;
}

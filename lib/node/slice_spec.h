#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What systemd is asked for where it owns the cgroups (Docker's systemd driver): the slices of pods and of their
 * classes with the properties that the kubelet sets (opencontainers/cgroups, systemd/v1.go and v2.go). Pure.
 */
#include <stddef.h>
#include <stdint.h>

#include "kube/pod.h"

struct host;

/* weight or shares, quota, memory, tasks */
#define SLICE_LIMITS_MAX 4

struct slice_limit {
        const char *property; /* all are numbers of 64 bits */
        uint64_t value;
};

struct slice_spec {
        char *name;                /* kubepods-burstable-podUID.slice */
        char *above;               /* the slice that it lies in */
        char *description;         /* for people */
        const char *io_accounting; /* what systemd calls it with this version of cgroups */
        struct slice_limit limits[SLICE_LIMITS_MAX];
        size_t limit_count;
};

/* Release ret. */
void slice_spec_pod(const struct host *host, const struct pod *pod, struct slice_spec *ret);
/* class: not Guaranteed, whose pods lie beside the classes; shares: of cgroup v1, 2 to 262144. */
void slice_spec_class(const struct host *host, enum pod_qos class, int64_t shares, struct slice_spec *ret);
void slice_spec_release(struct slice_spec *spec);

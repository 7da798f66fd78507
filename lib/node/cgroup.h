#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Pod-level cgroups: the directory below kubepods that all containers of a pod share, and what is set on it
 * (pkg/kubelet/cm/pod_container_manager_linux.go). With Docker's cgroupfs driver they are made here. With the systemd
 * driver systemd owns the tree and is asked for it (slices.h); what it leaves of a pod that is gone, which are the
 * hierarchies that it does not know, is removed here.
 */
#include <stdint.h>

struct err;
struct host;
struct pod;
struct strv;

/* Makes the pod's cgroup and sets shares, quota, memory and pids. Again is fine; nothing with the systemd driver. */
int cgroup_setup(const struct host *host, const struct pod *pod, struct err *err);
/* What classes of pods get of a busy processor beside each other and beside a Guaranteed pod, as the kubelet has it
 * (pkg/kubelet/cm/qos_container_manager_linux.go, setCPUCgroupConfig): Burstable ones together what they ask for,
 * burstable_milli in thousandths of a CPU, BestEffort ones together the least there is. Again is fine; nothing with the
 * systemd driver. */
int cgroup_classes(const struct host *host, int64_t burstable_milli, struct err *err);
/* Removes the cgroup of the pod with this UID from every hierarchy, whatever its class (that of a pod of which only its
 * containers are known is not). For a pod of which Docker has no container any more: what still runs in there is
 * killed, as the kubelet does (pod_container_manager_linux.go, Destroy). A dockerd that was killed while it started a
 * container leaves such a process, and forgets it. -EBUSY until the killed are gone; a missing cgroup is fine. */
int cgroup_remove(const struct host *host, const char *uid, struct err *err);
/* Adds the UIDs of all pods that have a cgroup in some hierarchy, each once. */
void cgroup_list(const struct host *host, struct strv *uids);
/* Adds the names of the slices that the pod with this UID has, whatever its class; none with the cgroupfs driver. */
void cgroup_slices(const struct host *host, const char *uid, struct strv *names);

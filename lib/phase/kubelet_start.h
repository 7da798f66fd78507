#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The phase kubelet-start (cmd/kubeadm/app/cmd/phases/init/kubelet.go, phases/kubelet): what the kubelet, or podwatch
 * in its place, reads when it starts. The configuration, the file with flags and, in newer versions, the file with what
 * is particular to this node.
 */
#include "phase/phase.h"
#include "phase/service.h"

struct err;

#define KUBELET_DIRECTORY "/var/lib/kubelet"
#define KUBELET_CONFIG_FILE KUBELET_DIRECTORY "/config.yaml"
#define KUBELET_FLAGS_FILE KUBELET_DIRECTORY "/kubeadm-flags.env"
#define KUBELET_INSTANCE_FILE KUBELET_DIRECTORY "/instance-config.yaml"

/* Writes the files and, without --rootfs and --dry-run, stops the kubelet's service before and starts it after. */
int phase_kubelet_start(struct phase *phase, struct err *err);

/* The kubelet's services: "kubelet", and "podwatch" where that is what this host has instead. */
const char *kubelet_service(const struct phase *phase);
/* Stops or restarts it around a change of its configuration (TryStopKubelet, TryRestartKubelet). What stands in the way
 * is said, and is no error. */
void kubelet_service_act(const struct phase *phase, enum service_action action);

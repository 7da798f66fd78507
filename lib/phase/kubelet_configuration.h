#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * KubeletConfiguration as kubeadm writes it (cmd/kubeadm/app/componentconfigs/kubelet.go): the user's document as its
 * Go type has it, and kubeadm's defaults where it says nothing. The defaults are templates/kubelet-config.yaml, the
 * type is in templates/pod-types.yaml.
 */
#include <stdbool.h>

#include "phase/phase.h"
#include "phase/problems.h"

struct err;
struct value;

#define KUBELET_CONFIGURATION_TYPE "KubeletConfiguration"

/* What is wrong with the user's document: fields that the type does not have (warnings where lenient), wrong kinds. */
int kubelet_configuration_check(const struct phase *phase, bool lenient, struct config_problems *problems,
                                struct err *err);

/* The whole document (free it). for_node: with what depends on this machine (resolvConf where systemd-resolved runs);
 * without, it is what all nodes share (the ConfigMap). Values of the user that differ from what kubeadm recommends are
 * warned about where `warn`. */
int kubelet_configuration_render(const struct phase *phase, bool for_node, bool warn, struct value **ret,
                                 struct err *err);

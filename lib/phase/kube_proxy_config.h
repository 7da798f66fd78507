#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * KubeProxyConfiguration as kubeadm renders it: all fields of the era's type, bind address, cluster CIDR and kubeconfig
 * filled in, and the user's document over it.
 */
#include "phase/phase.h"
#include "phase/problems.h"

struct err;

/* What is wrong with the user's document: fields that the type does not have (warnings where lenient), wrong kinds. */
int kube_proxy_config_check(const struct phase *phase, bool lenient, struct config_problems *problems, struct err *err);

/* The whole document (free it). kubeconfig: the path that clientConnection.kubeconfig gets where the user says none. */
int kube_proxy_config_render(const struct phase *phase, const char *kubeconfig, struct value **ret, struct err *err);

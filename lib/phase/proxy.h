#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * kube-proxy as a static pod: the manifest, and its configuration file beside it. The kubeconfig is made by the phase
 * kubeconfig proxy.
 */
#include "phase/phase.h"

struct err;

#define PROXY_KUBECONFIG "/etc/kubernetes/proxy.conf"
#define PROXY_CONFIG_DIRECTORY "/etc/kubernetes/kube-proxy"
#define PROXY_CONFIG_FILE PROXY_CONFIG_DIRECTORY "/config.yaml"

/* Nothing where proxy.disabled is set. */
int phase_proxy(struct phase *phase, struct err *err);

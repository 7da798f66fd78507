#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The phase kubelet-finalize (cmd/kubeadm/app/cmd/phases/init/kubeletfinalize.go): once the kubelet has a certificate
 * that it renews itself, kubelet.conf points to that file and no longer holds one of its own.
 */
#include "phase/phase.h"

struct err;

#define KUBELET_KUBECONFIG "/etc/kubernetes/kubelet.conf"

/* Nothing where there is no kubelet-client-current.pem below the kubelet's certificate directory (--cert-dir of
 * kubeletExtraArgs, else /var/lib/kubelet/pki). Without --rootfs the kubelet's service is restarted. */
int phase_kubelet_finalize(struct phase *phase, struct err *err);

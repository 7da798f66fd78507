#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * `init --dry-run`: what would be written goes below a directory of its own,
 * /etc/kubernetes/tmp/kubeadm-init-dryrunXXXXXX or one in $KUBEADM_INIT_DRYRUN_DIR, which stays there to be looked at.
 * The phases see it as the root, with the certificates and kubeconfigs that are there already copied in.
 */
struct err;
struct phase;

/* Makes the directory and points the phase at it. */
int init_dry_run_begin(struct phase *phase, struct err *err);
/* Says where things were put and prints the manifests and the kubelet's files, as kubeadm's wait-control-plane does. */
int init_dry_run_show(struct phase *phase, struct err *err);

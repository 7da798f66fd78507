#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * `init --dry-run`: what would be written goes below a directory of its own,
 * /etc/kubernetes/tmp/kubeadm-init-dryrunXXXXXX or one in $KUBEADM_INIT_DRYRUN_DIR, which stays there to be looked at.
 * The phases see it as the root of what they read and write, with the certificates and kubeconfigs that are there
 * already copied in; what they look up on the host is that of the host. options.dry_run stays set, so no service and no
 * API server is touched, whichever phases are left out.
 */
struct err;
struct phase;

/* Makes the directory and points the phase at it. */
int init_dry_run_begin(struct phase *phase, struct err *err);
/* Prints the manifest of etcd, which kubeadm does as soon as it has written it. Nothing with --quiet or where there is
 * none. */
int init_dry_run_show_etcd(const struct phase *phase, struct err *err);
/* Says where things were put and prints the other manifests and the kubelet's files, as kubeadm's wait-control-plane
 * does. */
int init_dry_run_show(const struct phase *phase, struct err *err);

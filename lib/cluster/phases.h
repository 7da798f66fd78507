#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The phases of `init` that talk to the API server (cmd/kubeadm/app/cmd/phases/init), each with kubeadm's output and
 * errors.
 */
#include <stdbool.h>

struct cluster;
struct err;
struct phase;

/* Waits for the kubelet (or podwatch) and for the components whose manifests are there, within the timeouts of the
 * configuration. Needs no admin role. */
int cluster_wait_control_plane(struct cluster *cluster, struct err *err);

/* ConfigMap kubeadm-config with its role; ConfigMap kubelet-config, its role and, in the versions that do it, the CRI
 * socket as an annotation of the Node. */
int cluster_upload_kubeadm_config(struct cluster *cluster, struct err *err);
int cluster_upload_kubelet_config(struct cluster *cluster, struct err *err);

struct cluster_upload_certs {
        const char *key; /* --certificate-key; NULL: the configuration's, else a random one is made and kept there */
        bool skip_key_print;
};
/* Secret kubeadm-certs: certificates and keys sealed by the key, owned by a token that lives for two hours. */
int cluster_upload_certificates(struct cluster *cluster, const struct cluster_upload_certs *options, struct err *err);

/* Labels and taints of this node. */
int cluster_mark_control_plane(struct cluster *cluster, struct err *err);

/* The tokens of the configuration (one is made where it has none), their roles, ConfigMap cluster-info. */
int cluster_bootstrap_token(struct cluster *cluster, bool skip_token_print, struct err *err);

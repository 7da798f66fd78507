#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files the configuration of the node agent comes from. The command line names them (--config FILE and --env-file
 * FILE, each as often as wanted, "": none); where it does not, they are those that kubelet-start writes and the users
 * of kubeadm know, as far as they are there: so podwatch has the node's name and the cluster's DNS from where the
 * kubelet would have them.
 */
#include <stddef.h>

struct err;
struct kubelet_config;
struct pod_findings;
struct strv;

struct kubelet_file_defaults {
        const char *const *configs, *const *env_files; /* end with NULL */
};

/* /var/lib/kubelet/config.yaml, then /etc/kubernetes/podwatch.yaml; and the EnvironmentFiles of kubeadm's unit. */
extern const struct kubelet_file_defaults kubelet_file_defaults;

/* Reads all of it into a zeroed config (see kubelet_config_load); --config and --env-file are taken out of `flags`, the
 * rest are the kubelet's. The names of what was read are added to ret_read. A file that the command line names must be
 * there; each is bounded by LIMIT_MANIFEST_BYTES. */
int kubelet_files_load(struct strv *flags, const struct kubelet_file_defaults *defaults, struct kubelet_config *ret,
                       struct strv *ret_read, struct pod_findings *findings, struct err *err);

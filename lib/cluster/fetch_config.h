#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration that the cluster was made with, for commands on a node whose --config file is gone
 * (util/config/cluster.go). Of what kubeadm fetches only the ClusterConfiguration is asked for: no command that uses
 * this looks at the rest, so a cluster that lacks the rest does not make it fall back to defaults.
 */
struct err;
struct kubeconfig;
struct phase;

/* Says kubeadm's two lines, "[prefix] ..." (prefix NULL: says nothing), and gets the ClusterConfiguration of ConfigMap
 * kubeadm-config, tried again for 350 ms as kubeadm does; each request ends after 10 s. Free *ret. */
int fetch_config(const struct phase *phase, const struct kubeconfig *config, const char *prefix, char **ret,
                 struct err *err);

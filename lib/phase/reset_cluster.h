#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the configuration of the cluster tells reset (newResetData): where the data of a local etcd is, where the
 * certificates are by which its member leaves, and whether components run as users of their own. It may well not be to
 * be had; reset then goes by the manifests.
 */
#include <stdbool.h>

struct phase;
struct reset_options;

struct reset_cluster {
        char *text;          /* the ClusterConfiguration */
        struct phase *phase; /* opened with it; NULL: it is not known */
};
void reset_cluster_release(struct reset_cluster *cluster);

/* Asks by options->fetch; what fails is a warning of phase. Release *ret, which is zeroed before. */
void reset_cluster_ask(const struct phase *phase, const struct reset_options *options, struct reset_cluster *ret);

bool reset_cluster_is_known(const struct reset_cluster *cluster);
bool reset_cluster_has_local_etcd(const struct reset_cluster *cluster);
/* Absolute; NULL: not known, or the etcd is external. Borrowed. */
const char *reset_cluster_data_dir(const struct reset_cluster *cluster);
/* NULL: not known. Borrowed. */
const char *reset_cluster_certificates_dir(const struct reset_cluster *cluster);
/* Feature gate RootlessControlPlane. */
bool reset_cluster_is_rootless(const struct reset_cluster *cluster);

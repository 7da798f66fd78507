/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/reset_cluster.h"

#include <stdlib.h>

#include "base/err.h"
#include "phase/phase.h"
#include "phase/reset.h"
#include "phase/rootless.h"

/* What messages call the text. */
#define NAME "ConfigMap kube-system/kubeadm-config"

void reset_cluster_release(struct reset_cluster *cluster)
{
        (void)phase_free(cluster->phase);
        free(cluster->text);
        *cluster = (struct reset_cluster){0};
}

/* FetchInitConfigurationFromCluster */
void reset_cluster_ask(const struct phase *phase, const struct reset_options *options, struct reset_cluster *ret)
{
        struct phase_options opening = phase->options;
        struct err err = ERR_INIT;
        int r = options->fetch ? options->fetch(options->fetch_userdata, &ret->text, &err) : 1;

        if (r == 0) {
                opening.no_config = false;
                opening.config_file = NAME;
                opening.config_text = ret->text;
                opening.lenient = true;
                opening.seen = NULL;
                r = phase_open(&opening, &ret->phase, &err);
        }
        if (r >= 0)
                return;
        reset_cluster_release(ret);
        phase_warn(phase, "[reset] Unable to fetch the kubeadm-config ConfigMap from cluster: %s", err.msg);
}

bool reset_cluster_is_known(const struct reset_cluster *cluster)
{
        return cluster->phase != NULL;
}

bool reset_cluster_has_local_etcd(const struct reset_cluster *cluster)
{
        const struct config_etcd *etcd = cluster->phase ? &cluster->phase->config->cluster.etcd : NULL;

        return etcd && (etcd->local.set || !etcd->external.set);
}

const char *reset_cluster_data_dir(const struct reset_cluster *cluster)
{
        if (!reset_cluster_has_local_etcd(cluster))
                return NULL;
        const char *dir = cluster->phase->config->cluster.etcd.local.data_dir.text;
        /* What is not absolute would be looked for in the directory of the caller. */
        return dir[0] == '/' ? dir : NULL;
}

const char *reset_cluster_certificates_dir(const struct reset_cluster *cluster)
{
        return cluster->phase ? cluster->phase->config->cluster.certificates_dir.text : NULL;
}

bool reset_cluster_is_rootless(const struct reset_cluster *cluster)
{
        return cluster->phase && config_gate_enabled(cluster->phase->config, ROOTLESS_GATE);
}

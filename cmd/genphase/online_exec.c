/* SPDX-License-Identifier: Apache-2.0
 *
 * online.h in genphase.
 */
#include "base/err.h"
#include "genphase.h"
#include "kube/kubeconfig.h"
#include "online.h"

#define ADMIN_CONF "/etc/kubernetes/admin.conf"

int online_if_kubeconfig(const struct genphase *g, struct err *err)
{
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        const char *path = g->online.kubeconfig ? g->online.kubeconfig : ADMIN_CONF;

        if (kubeconfig_load(g->options.rootfs, path, &config, NULL) < 0)
                return 0;
        return genphase_replace(g, "genphase-api", err);
}

int online_cluster_config(struct genphase *g, const char *prefix, char **ret_text, struct err *err)
{
        int r = online_if_kubeconfig(g, err);

        (void)prefix;
        (void)ret_text;
        return r < 0 ? r : 1;
}

int online_run(struct genphase *g, enum online_verb verb, const struct strv *args)
{
        struct err err = ERR_INIT;

        (void)verb;
        (void)args;
        (void)genphase_replace(g, "genphase-api", &err);
        return genphase_fail(&err, 1);
}

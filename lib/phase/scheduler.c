/* SPDX-License-Identifier: Apache-2.0
 *
 * What is particular to kube-scheduler (kubeadm: phases/controlplane/manifests.go).
 */
#include "phase/component.h"

#define PORT 10259

static void set_variables(const struct phase *phase, struct template_variables *variables)
{
        component_set_probe_host(variables, &phase->config->cluster.scheduler.extra_args);
        template_set_number(variables, "probePort", PORT, NULL);
}

static struct config_component settings(const struct phase *phase)
{
        return phase->config->cluster.scheduler;
}

const struct component component_scheduler = {
        .name = "kube-scheduler",
        .phase = "control-plane/scheduler",
        .variables = set_variables,
        .settings = settings,
        .kubeadm_pod = true,
        .proxies = true,
        .sorted_volumes = true,
};

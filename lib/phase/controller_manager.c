/* SPDX-License-Identifier: Apache-2.0
 *
 * What is particular to kube-controller-manager, and the mounts that it shares with kube-apiserver (kubeadm:
 * phases/controlplane/manifests.go, volumes.go).
 */
#include <string.h>

#include "base/alloc.h"
#include "phase/component.h"

#define PORT 10257

static void set_variables(const struct phase *phase, struct template_variables *variables)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const struct config_args *args = &cluster->controller_manager.extra_args;
        const struct config_arg *flex = config_args_last(args, "flex-volume-plugin-dir");
        const struct config_text *pods = &cluster->networking.pod_subnet;
        bool external = component_external_ca(phase);
        char *cert CLEANUP_FREE = config_certificate_path(phase->config, "ca.crt");
        char *key CLEANUP_FREE = config_certificate_path(phase->config, "ca.key");

        component_set_probe_host(variables, args);
        template_set_number(variables, "probePort", PORT, NULL);
        template_set_text(variables, "clusterName", *cluster->cluster_name.text ? cluster->cluster_name.text : NULL,
                          &cluster->cluster_name.place);
        /* The signing controller must not start without the CA's key. */
        template_set_text(variables, "signingCert", external ? "" : cert, &cluster->certificates_dir.place);
        template_set_text(variables, "signingKey", external ? "" : key, &cluster->certificates_dir.place);
        template_set_text(variables, "allocateNodeCIDRs", *pods->text ? "true" : NULL, &pods->place);
        template_set_text(variables, "podSubnet", *pods->text ? pods->text : NULL, &pods->place);
        if (!*pods->text)
                template_set_text(variables, "serviceSubnet", NULL, NULL);
        template_set_text(variables, "flexVolumeDir",
                          flex ? flex->value : "/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
                          flex ? &flex->place : NULL);
}

void component_add_ca_directories(const struct phase *phase, struct value *pod)
{
        const struct value *dirs = era_value(phase->era, "certificate-authorities", "directories");

        for (size_t i = 0; value_is(dirs, VALUE_LIST) && i < dirs->list.count; i++) {
                const char *dir = value_string(dirs->list.items[i], "");
                const struct value_place host = {.origin = "host"};

                if (*dir != '/' || !phase_host_has_path(phase, dir))
                        continue;
                char *name CLEANUP_FREE = xstrdup(dir + 1);
                for (char *p = name; *p; p++)
                        if (*p == '/')
                                *p = '-';
                component_add_volume(pod, name, dir, dir, "DirectoryOrCreate", true, &host);
        }
}

static struct config_component settings(const struct phase *phase)
{
        return phase->config->cluster.controller_manager;
}

const struct component component_controller_manager = {
        .name = "kube-controller-manager",
        .phase = "control-plane/controller-manager",
        .variables = set_variables,
        .settings = settings,
        .kubeadm_pod = true,
        .volumes = component_add_ca_directories,
        .proxies = true,
        .sorted_volumes = true,
};

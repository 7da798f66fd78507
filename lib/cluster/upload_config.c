/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "cluster/phases.h"
#include "cluster/step.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "kube/version.h"
#include "phase/kubelet_configuration.h"
#include "phase/phase.h"
#include "pki/seal.h"

#define HASH_TEXT_MAX 80

/* "kubelet-config", or in older versions that of a minor; in between a feature gate decides (row kubeletConfigMap:
 * plain, versioned, or what the gate UnversionedKubeletConfigMap says and its default). */
static char *kubelet_config_name(const struct phase *phase)
{
        const char *rule = era_text(phase->era, "cluster", "kubeletConfigMap", "");
        const struct config_gates *gates = &phase->config->cluster.feature_gates;
        bool plain = str_eq(rule, "plain") || str_eq(rule, "gate-on");
        struct kube_version version;

        for (size_t i = 0; str_starts(rule, "gate-") && i < gates->count; i++)
                if (str_eq(gates->items[i].name, "UnversionedKubeletConfigMap"))
                        plain = gates->items[i].enabled;
        if (plain || kube_version_parse(phase->config->cluster.kubernetes_version.text, false, &version, NULL) < 0)
                return xstrdup("kubelet-config");
        return xasprintf("kubelet-config-%d.%d", version.major, version.minor);
}

struct annotation {
        const char *key, *value;
};

static void annotate(void *userdata, const struct value *node, struct value *patch)
{
        const struct annotation *a = userdata;

        if (str_eq(value_string(value_get(node, "metadata", "annotations", a->key, NULL), NULL), a->value))
                return;
        struct value *metadata = value_map_set(patch, "metadata", value_new_map());
        value_map_set(value_map_set(metadata, "annotations", value_new_map()), a->key, value_new_string(a->value));
}

/* Row criSocketAnnotation: unless the gate NodeLocalCRISocket is on, with its default; no row: never. */
static bool wants_annotation(const struct phase *phase)
{
        const char *rule = era_text(phase->era, "cluster", "criSocketAnnotation", "");
        const struct config_gates *gates = &phase->config->cluster.feature_gates;
        bool wanted = str_eq(rule, "gate-off");

        for (size_t i = 0; str_starts(rule, "gate-") && i < gates->count; i++)
                if (str_eq(gates->items[i].name, "NodeLocalCRISocket"))
                        wanted = !gates->items[i].enabled;
        return wanted;
}

static int annotate_cri_socket(struct cluster *cluster, struct err *err)
{
        const struct config_node_registration *node = &cluster->phase->config->init.node_registration;
        struct annotation annotation = {"kubeadm.alpha.kubernetes.io/cri-socket", node->cri_socket.text};

        phase_detail(cluster->phase, 1,
                     "[upload-config] Preserving the CRISocket information for the control-plane node");
        int r = object_patch_node(cluster, node->name.text, annotate, &annotation, err);
        return r < 0 ? err_wrap(err, "%s", era_text(cluster->phase->era, "cluster", "criSocketError", "")) : 0;
}

/* The hash annotation stands where kubeadm made the configuration alone: another one is the user's to upgrade. */
static void set_kubelet_variables(const struct phase *phase, const char *name, const char *text,
                                  struct template_variables *variables)
{
        char hash[HASH_TEXT_MAX] = "sha256:";

        pki_sha256_text(text, strlen(text), hash + strlen(hash));
        template_set_text(variables, "kubeletConfigMap", name, NULL);
        template_set_text(variables, "kubeletConfigNote", "", NULL);
        if (str_starts(era_text(phase->era, "cluster", "kubeletConfigMap", ""), "gate-") &&
            !str_eq(name, "kubelet-config"))
                template_set_textf(
                        variables, NULL, "kubeletConfigNote",
                        "\nNOTE: The \"%s\" naming of the kubelet ConfigMap is deprecated. Once the "
                        "UnversionedKubeletConfigMap feature gate graduates to Beta the default name will become "
                        "just \"kubelet-config\". Kubeadm upgrade will handle this transition transparently.",
                        name);
        template_set_text(variables, "kubeletConfiguration", text, NULL);
        template_set_text(variables, "kubeletConfigHash", phase->config->kubelet ? NULL : hash, NULL);
}

int cluster_upload_kubelet_config(struct cluster *cluster, struct err *err)
{
        struct phase *phase = cluster->phase;
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *config CLEANUP_VALUE = NULL;
        char *name CLEANUP_FREE = kubelet_config_name(phase);

        phase_detail(phase, 1, "[upload-config] Uploading the kubelet component config to a ConfigMap");
        int r = kubelet_configuration_render(phase, false, false, &config, err);
        if (r == 0) {
                yaml_write(config, 0, &text);
                r = buf_check(&text, "KubeletConfiguration", err);
        }
        if (r == 0) {
                set_kubelet_variables(phase, name, buf_str(&text), &variables);
                r = step_run(cluster, "upload-config-kubelet", &variables, err);
        }
        if (r < 0)
                return err_wrap(err, "error creating kubelet configuration ConfigMap");
        return wants_annotation(phase) ? annotate_cri_socket(cluster, err) : 0;
}

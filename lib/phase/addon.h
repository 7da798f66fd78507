#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The addons CoreDNS and kube-proxy as API objects: the texts of templates/addons.yaml filled in for a configuration,
 * the bytes that kubeadm's `addon ... --print-manifest` prints (cmd/kubeadm/app/phases/addons/{dns,proxy}). The same
 * texts, read as YAML, are what is applied to an API server; what kubeadm changes on the way there is not in them:
 * the proxy variables of the DaemonSet's environment (component_merge_environment) and, where the user gave no
 * KubeProxyConfiguration, the hash annotation of the ConfigMap.
 */
#include <stdbool.h>
#include <stddef.h>

#include "codec/value.h"
#include "phase/phase.h"

struct err;

struct addon_object {
        const char *name; /* "deployment", "configMap", ...: of the row, lives as long as the era */
        char *text;       /* one YAML document, without "---" */
        bool patched;     /* it went through the patches directory */
};

struct addon_objects {
        struct addon_object *items; /* in the order of printing */
        size_t count;
};

#define CLEANUP_ADDON_OBJECTS __attribute__((cleanup(addon_objects_release)))

void addon_objects_release(struct addon_objects *objects);

/* What kubeadm asks for where no CoreDNS is deployed yet. */
#define ADDON_COREDNS_REPLICAS 2

/* The objects of the addon "coredns" or "kube-proxy", patched; replicas is of CoreDNS' Deployment. */
int addon_render(struct phase *phase, const char *addon, int replicas, struct addon_objects *ret, struct err *err);

/* One object as a tree (free it). */
int addon_object_value(const struct addon_object *object, struct value **ret, struct err *err);

/* Prints the objects of an addon, NULL for both, as kubeadm does. */
int phase_addon_print(struct phase *phase, const char *addon, struct err *err);

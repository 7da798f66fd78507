#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Which document of a configuration file is what: apiVersion and kind of each, which of them this kubeadm reads, in the
 * order in which kubeadm decodes them (by group, version and kind as text).
 */
#include <stdbool.h>
#include <stddef.h>

#include "phase/era.h"
#include "phase/problems.h"

struct err;
struct value;
struct yaml_documents;

enum config_document_use {
        CONFIG_DOCUMENT_INIT,
        CONFIG_DOCUMENT_CLUSTER,
        CONFIG_DOCUMENT_KUBE_PROXY,
        CONFIG_DOCUMENT_KUBELET,
        CONFIG_DOCUMENT_ARGUMENTS, /* ours: arguments.h */
        CONFIG_DOCUMENT_NODE,      /* JoinConfiguration, ResetConfiguration, UpgradeConfiguration */
        CONFIG_DOCUMENT_IGNORED,   /* foreign groups */
        CONFIG_DOCUMENT_USE_MAX
};

struct config_document {
        const struct value *value; /* borrowed */
        size_t index;              /* among the documents of the file */
        char *group, *version;     /* "kubeadm.k8s.io", "v1beta4" */
        const char *kind;          /* borrowed from the value */
        enum config_document_use use;
};

struct config_document_list {
        struct config_document *items;
        size_t count;
};

#define CLEANUP_DOCUMENT_LIST __attribute__((cleanup(config_document_list_release)))

void config_document_list_release(struct config_document_list *list);

/* That each has an apiVersion and a kind; kubeadm looks at them before it reads the text of the next document. */
int config_documents_check_kinds(const struct yaml_documents *documents, struct config_problems *problems,
                                 struct err *err);

/* What must be right before any document is decoded: each has a kind, none twice, and with CONFIG_DECODE_KNOWN_ONLY
 * all are known. flags as for config_decode. Errors with kubeadm's texts. */
int config_documents_split(const struct yaml_documents *documents, const struct era *era, unsigned flags,
                           struct config_problems *problems, struct config_document_list *ret, struct err *err);

/* Tells what document number i of the list is for, when it is its turn to be decoded: an API version that this kubeadm
 * does not read is an error. One that kubeadm does not even look at stays CONFIG_DOCUMENT_IGNORED. */
int config_documents_classify(struct config_document_list *list, size_t i, const struct era *era, unsigned flags,
                              struct config_problems *problems, struct err *err);

/* What kubeadm looks at behind all of its own documents: that there is one, and of the others the versions and kinds.
 */
int config_documents_check(const struct config_document_list *list, const struct era *era, unsigned flags,
                           struct config_problems *problems, struct err *err);

/* Whether there is an InitConfiguration or a ClusterConfiguration; kubeadm looks at the kind alone. */
bool config_documents_has_init(const struct config_document_list *list);

/* Whether an API version that this kubeadm reads, deprecated and experimental ones included, has a kind. */
bool config_documents_has_kind(const struct era *era, const char *version, const char *kind);

/* The Kubernetes version that a ClusterConfiguration among the documents asks for, NULL where none does. */
const char *config_documents_version(const struct yaml_documents *documents);
/* Makes it another one, with the origin "kubernetes-version" (a flag); a ClusterConfiguration is added where there is
 * an InitConfiguration alone. Nothing where there is neither. */
void config_documents_set_version(struct yaml_documents *documents, const char *version);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings that are read and do nothing in the chosen version: kubeadm is silent about them, and people wonder for
 * days. Which they are is data: the rows of the group no-effect of templates/eras.yaml.
 */
#include "phase/config_documents.h"

/* A warning with its place for each setting of the documents that a row names. node_kinds: documents of other commands
 * (JoinConfiguration) are what is looked at, and no mistake. */
void config_no_effect(const struct config_document_list *documents, const struct era *era, bool node_kinds,
                      struct config_problems *problems);

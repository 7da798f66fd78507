#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * From the value tree of an InitConfiguration or a ClusterConfiguration to struct config_init or config_cluster, field
 * by field: config_schema.h says where each goes, and the Go types of templates/config-types.yaml which of them the
 * document's API version has in this kubeadm. Goes on behind mistakes.
 */
#include <stdbool.h>

#include "base/strv.h"
#include "phase/api_types.h"
#include "phase/config.h"
#include "phase/problems.h"

struct value;

struct config_fields {
        struct phase_config *config; /* owns what is made */
        struct api_types *types;
        bool lenient; /* unknown fields are warnings */
        struct config_problems *problems;
        struct strv unknown; /* kubeadm's words for each unknown field of the document */
};

/* Decodes v, a document of `kind` in an API version ("v1beta4"), into target, the struct of that kind. */
void config_fields_decode(struct config_fields *d, const char *kind, const char *version, const struct value *v,
                          void *target);

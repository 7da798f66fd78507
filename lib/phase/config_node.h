#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * JoinConfiguration, ResetConfiguration and UpgradeConfiguration: genphase joins, resets and upgrades nothing with
 * them, but checks, migrates and prints them. They stay trees: checked against the types of their API version
 * (templates/config-types.yaml), filled up from templates/config-defaults.yaml, validated as kubeadm does
 * (apis/kubeadm/validation), and brought into the form of the API version that is written.
 */
#include "phase/config.h"
#include "phase/phase.h"
#include "phase/problems.h"

struct err;
struct value;

enum config_node_flags {
        CONFIG_NODE_STRICT = 1 << 0,  /* unknown fields are errors, else warnings */
        CONFIG_NODE_MIGRATE = 1 << 1, /* as `config migrate` changes it on the way to the newer API version */
};

/* What kubeadm would hold of the document, as `version` writes it (free it). Mistakes go to problems; the error is then
 * kubeadm's text, and *ret_exit_code what it ends with. */
int config_node_render(const struct phase *phase, const struct config_node_document *doc, const char *version,
                       unsigned flags, struct config_problems *problems, struct value **ret, int *ret_exit_code,
                       struct err *err);

/* Looks at the fields of a document alone, as kubeadm does of all that stand beside an InitConfiguration or a
 * ClusterConfiguration, before it looks at what these hold. */
int config_node_look(const struct era *era, const struct config_node_document *doc, struct config_problems *problems,
                     struct err *err);

/* The templates of config-defaults.yaml below `group` ("defaults" or "printed") for a kind, filled in (free it). */
int config_node_template(const struct phase *phase, const char *group, const char *kind, struct value **ret,
                         struct err *err);

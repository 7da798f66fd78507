#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * From the documents of a configuration file to struct phase_config, by the tables of config_schema.h. Goes on behind
 * mistakes, so that all of them are reported at once.
 */
#include <stdbool.h>

#include "phase/config.h"
#include "phase/era.h"
#include "phase/problems.h"

struct err;
struct yaml_documents;

enum config_decode_flags {
        CONFIG_DECODE_LENIENT = 1 << 0,          /* unknown fields are warnings, as for kubeadm's init */
        CONFIG_DECODE_ALLOW_DEPRECATED = 1 << 1, /* no warning about an API version on its way out */
        CONFIG_DECODE_ALLOW_EXPERIMENTAL = 1 << 2,
        CONFIG_DECODE_KNOWN_ONLY = 1 << 3, /* a document of another group is an error (config validate) */
        CONFIG_DECODE_NODE_KINDS = 1 << 4, /* JoinConfiguration, ResetConfiguration and UpgradeConfiguration are kept,
                                            * and enough for a file */
};

/* Decodes all documents into config, which owns them from then on (documents is left empty). A kind twice, a document
 * without kind, an API version that this kubeadm does not read, no configuration at all: errors with kubeadm's texts.
 * Mistakes inside documents go to problems; the result is then -ERR_INVALID and err holds the text that kubeadm would
 * end with. */
int config_decode(struct phase_config *config, struct yaml_documents *documents, const struct era *era, unsigned flags,
                  struct config_problems *problems, struct err *err);

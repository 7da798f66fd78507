#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * `config migrate`: a configuration in the API version that this kubeadm writes, filled up as kubeadm holds it
 * (MigrateOldConfig). The phase was opened with CONFIG_DECODE_NODE_KINDS and CONFIG_DECODE_ALLOW_DEPRECATED.
 */
#include "phase/phase.h"
#include "phase/problems.h"

struct err;

/* Prints the documents, or writes them to new_config with mode 0644 where that is not NULL; a path of the process,
 * not below --rootfs. */
int phase_config_migrate(struct phase *phase, const char *new_config, struct err *err);

/* The node documents of the configuration, checked: for `config validate`. */
int phase_config_check_nodes(struct phase *phase, struct err *err);

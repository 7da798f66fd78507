#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * kubeadm's validation of JoinConfiguration, ResetConfiguration and UpgradeConfiguration, with its paths and texts
 * (ValidateJoinConfiguration and so on of apis/kubeadm/validation).
 */
#include "phase/phase.h"
#include "phase/problems.h"

struct value;

/* v is the whole document, defaulted. */
void config_node_check(const struct phase *phase, const char *kind, const struct value *v,
                       struct config_problems *problems);

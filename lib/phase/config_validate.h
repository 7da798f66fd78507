#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of kubeadm's validation (apis/kubeadm/validation), in its order, with its field paths and texts. All
 * mistakes go to problems, each with the place of the value.
 */
#include "phase/config.h"
#include "phase/era.h"
#include "phase/problems.h"

void config_validate(const struct phase_config *config, const struct era *era, struct config_problems *problems);

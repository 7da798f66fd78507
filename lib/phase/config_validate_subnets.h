#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of config_validate that is about the network: DNS domain, subnets and their sizes.
 */
#include "phase/config.h"
#include "phase/era.h"
#include "phase/problems.h"

void config_validate_networking(const struct phase_config *config, const struct era *era,
                                struct config_problems *problems);

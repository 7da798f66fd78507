#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of kubeadm's validation (apis/kubeadm/validation), in its order, with its field paths and texts. All
 * mistakes go to problems, each with the place of the value.
 */
#include "base/strv.h"
#include "phase/config.h"
#include "phase/era.h"
#include "phase/problems.h"

/* validation.ValidateIgnorePreflightErrors on the names of a configuration and those of --ignore-preflight-errors (each
 * may be NULL), which the phases of init do after config_validate. */
void config_check_ignored(const struct era *era, const struct config_texts *configured, const struct strv *flags,
                          struct config_problems *problems);
void config_validate(const struct phase_config *config, const struct era *era, struct config_problems *problems);

/* Rules that JoinConfiguration and ResetConfiguration have as well; path is that of the field. */
void config_check_socket(const struct era *era, const struct config_text *socket, const char *path,
                         struct config_problems *problems);
void config_check_certificate_key(const struct era *era, const struct config_text *key, const char *path,
                                  struct config_problems *problems);
/* Argument number i of the list at path. */
void config_check_argument(const struct config_arg *arg, size_t i, const char *path, struct config_problems *problems);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * `config print`: the defaults of a kubeadm, with placeholders where a user would decide. The phase was opened with
 * no_config.
 */
#include "base/strv.h"
#include "phase/phase.h"

struct err;

/* action: "init", "join", "reset" or "upgrade". component_configs: kinds to add, KubeProxyConfiguration. */
int phase_config_print(struct phase *phase, const char *action, const struct strv *component_configs, struct err *err);

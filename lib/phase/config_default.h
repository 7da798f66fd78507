#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Defaults: what an API version fills in (static), and what kubeadm looks up or computes from other settings (dynamic:
 * node name, CRI socket, advertise address, version, endpoint port, lower-case names). Values keep where they came
 * from.
 */
#include "phase/config.h"
#include "phase/era.h"
#include "phase/host.h"
#include "phase/problems.h"

struct err;
struct phase;

void config_default_static(struct phase_config *config, const struct era *era);

/* Of the phase's configuration. Errors with kubeadm's texts; warnings go to problems. */
int config_default_dynamic(const struct phase *phase, struct config_problems *problems, struct err *err);

/* SetAPIEndpointDynamicDefaults: the address that stands for what was given. 0: it is the given one; 1: the host chose,
 * for there was none, any of a family, or a loopback address. */
int config_choose_address(const struct config_text *given, const struct host *host, struct config_problems *problems,
                          struct ip_address *ret, struct err *err);

/* What kubeadm checks once the configuration is valid: the advertise address is one to bind to. */
int config_check_bind_address(const struct phase_config *config, struct err *err);

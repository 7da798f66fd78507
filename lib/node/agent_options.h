#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * From the kubelet's configuration to what the agent takes, with what only this machine can tell: its host name, where
 * systemd keeps the real resolv.conf.
 */
#include "node/agent.h"

struct kubelet_config;

struct agent_options {
        struct agent_config config; /* borrows from the kubelet_config and from what follows */
        char *node_name;
};

/* kubelet must outlive ret. */
void agent_options_from(const struct kubelet_config *kubelet, struct agent_options *ret);
void agent_options_release(struct agent_options *options);
#define CLEANUP_AGENT_OPTIONS __attribute__((cleanup(agent_options_release)))

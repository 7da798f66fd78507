#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The lists of a component's container: command line, environment, volumes. Used by component.c and, where phases share
 * a configuration, by init.
 */
#include <stdbool.h>

#include "phase/phase.h"

/* A command is a list of strings: the program, then --name=value each. */
void component_argument_set(struct value *command, const char *name, const char *value,
                            const struct value_place *place);
void component_argument_remove(struct value *command, const char *name);

/* Puts the user's arguments into the command by the algorithm that the row argumentOrder names. */
void component_merge_arguments(const struct phase *phase, const char *component, struct value *command,
                               const struct config_args *extra);

/* kubeadm that filters authorization-mode of kube-apiserver does it in the configuration: what a later phase of the
 * same run uploads has it, written or not. Nothing with other versions. */
void component_keep_authorization_mode(struct phase *phase);

/* Up to 1.22 a gate of kubeadm's own (row passedGate of the component) counts in the component's configuration too,
 * whatever the user's document says: it is set in the map at `key`. */
void component_pass_gate(const struct phase *phase, const char *component, const char *key, struct value *config);

/* Sets container.env from the proxy variables of the process (where `proxies`) and the user's, by the algorithm that
 * the row environmentOrder names; leaves it out where there are none. */
void component_merge_environment(const struct phase *phase, struct value *container, bool proxies,
                                 const struct config_envs *extra);

/* Volumes and mounts in bytewise order of their names. */
void component_sort_volumes(struct value *pod);

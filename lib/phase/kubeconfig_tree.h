#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A kubeconfig file that is changed and written again, everything else in it kept (clientcmd.LoadFromFile and
 * WriteToFile). Without GnuTLS: certificates are bytes here.
 */
#include "phase/phase.h"

struct err;
struct value;

/* Reads the file below --rootfs. -ENOENT with Go's text where it is missing. Free *ret. */
int kubeconfig_tree_load(const struct phase *phase, const char *path, struct value **ret, struct err *err);

/* The map `member` of the entry `name` in a list: ("clusters", "cluster"), ("contexts", "context"), ("users", "user").
 * NULL: there is none. */
struct value *kubeconfig_tree_find(const struct value *root, const char *list, const char *member, const char *name);

/* Sets KEY-data to the base64 of text, which it takes the file KEY's place of; removes both where text is NULL. */
void kubeconfig_tree_set_data(struct value *map, const char *key, const char *text);

/* Takes the file for phase_commit, in the form in which client-go writes it. */
int kubeconfig_tree_add(struct phase *phase, const char *path, struct value *root, struct err *err);

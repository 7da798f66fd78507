#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Feature gate RootlessControlPlane: components run as users of their own, who own the keys that they read
 * (util/staticpod/utils_linux.go; templates/rootless.yaml is the table). Users that are missing are made by the commit
 * that writes the manifest. A dry run only tells, as kubeadm's does; `-o yaml`, `explain` and `diff` show the pod with
 * the numbers that the users have or would get, and change nothing.
 */
#include <stdbool.h>

struct component;
struct err;
struct phase;
struct value;

#define ROOTLESS_GATE "RootlessControlPlane"

/* Puts who it runs as into a component's pod, where the gate is on. */
int rootless_pod(struct phase *phase, const struct component *component, struct value *pod, struct err *err);
/* Whether the files that are to be its user's are there; in kubeadm's order that is told before a patch is read. */
int rootless_check(struct phase *phase, const struct component *component, struct err *err);
/* Takes the users that are missing and whose the component's files are to be for phase_commit. */
int rootless_files(struct phase *phase, const struct component *component, struct err *err);

/* {users: {NAME: number}, groups: {NAME: number}} of those of the table as the host has them or would make them; null
 * where that cannot be said. Free it. */
struct value *rootless_ids(const struct phase *phase);

/* Whether a component runs as its user of the table by its manifest on disk and /etc/passwd: what is known of the gate
 * where the cluster's configuration is not. */
bool rootless_is_used(const struct phase *phase);
/* Takes the users and groups of the table away (users_remove). */
int rootless_remove_users(struct phase *phase, struct err *err);

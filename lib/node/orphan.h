#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A pod made from the labels of its containers, for what runs in Docker and is wanted by no manifest: enough to stop it
 * in order (names, grace, preStop hooks), as the kubelet does for pods it has forgotten. Where the revision on disk is
 * still there, use that instead.
 */
#include <stdbool.h>
#include <stddef.h>

struct docker_container;
struct docker_containers;
struct err;
struct pod;

/* All containers of `list` with the UID and spec hash of `one` (which stands in it) become one pod, and a new reference
 * to it. -ERR_INVALID: labels are missing or make no sense. */
int orphan_pod(const struct docker_containers *list, const struct docker_container *one, struct pod **ret,
               struct err *err);

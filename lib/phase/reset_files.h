#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What reset takes off the disk. Paths are without --rootfs, and so are messages.
 */
#include <stdbool.h>

#include "base/strv.h"

struct err;
struct phase;

/* Each tells what it removes or unmounts (action.h), and in a dry run does no more than that.
 *
 * Removes everything in the directory but not itself; a missing one is fine. Mounts are not crossed. path has to
 * be absolute. */
int reset_clean_directory(const struct phase *phase, const char *path, struct err *err);
/* False where it cannot be looked at, a missing one too, as for kubeadm (IsDirEmpty). */
bool reset_directory_is_empty(const struct phase *phase, const char *path);
/* A file, a link or a whole tree; a missing one is fine. */
int reset_remove(const struct phase *phase, const char *path, struct err *err);

/* filepath.EvalSymlinks below --rootfs: the directory that path leads to, which must be there. Free *ret. */
int reset_resolve(const struct phase *phase, const char *path, char **ret, struct err *err);
/* Unmounts what is mounted below the directory; flags by name (MNT_DETACH, ...). All are tried; it failed where any is
 * still there. */
int reset_unmount_below(const struct phase *phase, const char *path, const struct strv *flags, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts of this mount namespace: what is mounted below a directory, and how a path inside a volume is bound somewhere
 * else without a symlink leading out of the volume.
 */
#include <stddef.h>

#include "base/strv.h"

struct err;

/* Unmounts whatever is mounted on or below path, the deepest first. Links on the way to path are followed, path itself
 * is not. A missing path is fine. */
int host_mount_detach_below(const char *path, struct err *err);

/* Mount points of /proc/self/mountinfo text that are path or below it, in the order given there. Pure. */
void host_mount_points_below(const char *mountinfo, const char *path, struct strv *ret_points);

/* Binds the file or directory `sub_path` inside the directory `volume` to `target`, which is made. Links inside the
 * volume are followed as long as they stay inside; missing directories are made with the mode of the volume. Done
 * already: nothing happens. */
int host_mount_bind_inside(const char *volume, const char *sub_path, const char *target, struct err *err);

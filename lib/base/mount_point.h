#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether something is mounted on a path. The kernel is asked about the file itself: the device numbers tell nothing of
 * a bind mount of the same file system, and the text of /proc/self/mountinfo only fits paths spelled as the kernel
 * spells them.
 */
struct err;

/* 1: path, which is not followed where it is a symlink, is the root of a mount; 0: it is not. Codes: errno. */
int mount_point_at(const char *path, struct err *err);

/* The same by comparing the mount of path with that of its directory, for kernels before 5.8, which do not say it with
 * the attributes of the file. "/" has no directory and gives 0. */
int mount_point_by_id(const char *path, struct err *err);

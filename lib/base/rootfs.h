#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths below a root directory that is not ours (--rootfs), as a process with that root directory would take them: an
 * absolute link and ".." stay below it, so nothing outside is read or written by way of a link in the tree. root is
 * NULL or "" where there is none; paths are then those of this machine.
 */
#include <stddef.h>

struct buf;
struct err;

/* open(); O_CLOEXEC is added. A descriptor, or -1 with errno. */
int rootfs_open(const char *root, const char *path, int flags);
/* file_read(): appends the whole file to b. Messages name path without root. */
int rootfs_read(const char *root, const char *path, struct buf *b, struct err *err);

/* Follows the links of a path that need not be there, for calls that take a path and would leave the root. What others
 * change below it meanwhile is not seen. */
struct rootfs_walk {
        const char *root;
        char *at;       /* where it has come to, below root: no name in it is that of a link; NULL: at root */
        unsigned links; /* followed so far */
};

enum rootfs_last {
        ROOTFS_FOLLOW,    /* the last name is followed where it is a link */
        ROOTFS_KEEP,      /* it is what is meant itself */
        ROOTFS_DIRECTORY, /* it is to be a directory: a link to nothing there is an error too */
};

/* Goes on by path. 0; -EEXIST: a link on the way leads to nothing, as mkdir() says of it (the walk is at the end all
 * the same); -ELOOP: more links than the kernel follows (the walk is no use any more). *ret_wrong (may be NULL): how
 * much of path the error is about, its whole length without one. */
int rootfs_walk(struct rootfs_walk *walk, const char *path, enum rootfs_last last, size_t *ret_wrong);
/* Where the walk is, root in front. Free it. */
char *rootfs_walked(const struct rootfs_walk *walk);
void rootfs_walk_release(struct rootfs_walk *walk);

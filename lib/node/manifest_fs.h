#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel under the manifest directory: calls on the directory and its files, and inotify, as the kernel has them.
 * Nothing is decided here; that is done in manifest_dir.c (what to read when, what is gone), manifest_file.c (what is
 * whole) and manifest_watch.c (what an event means). The simulator has a file system of its own behind these functions.
 *
 * All descriptors have O_CLOEXEC and are closed by close(2).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct err;
struct loop;
struct manifest_events;
struct strv;

/* A descriptor of the directory at path, or -errno. */
int manifest_fs_open(const char *path);
/* Of a file in it, symlinks followed, for reading; it does not wait for the other end of a FIFO. Or -errno. */
int manifest_fs_open_file(int directory_fd, const char *name);
/* Adds the names in the directory, without "." and "..", in no order, until there are max. 0 or -errno. */
int manifest_fs_names(int directory_fd, size_t max, struct strv *names);
/* What is at path; what has this name in the directory, a symlink itself unless `follow`; what is open. 0 or -errno. */
int manifest_fs_stat(const char *path, struct stat *ret);
int manifest_fs_stat_at(int directory_fd, const char *name, bool follow, struct stat *ret);
int manifest_fs_stat_open(int fd, struct stat *ret);
/* Takes a read lease, which lasts until fd is closed: true: somebody has the file open for writing. false: nobody has,
 * or this file system cannot tell. */
bool manifest_fs_is_written(int fd);
/* Bytes read at offset, 0 at the end, or -errno. */
ssize_t manifest_fs_read(int fd, void *data, size_t size, off_t offset);

/* mask: as inotify(7) has it; IN_Q_OVERFLOW with watch -1. name: "" where there is none. */
typedef void (*manifest_event_fn)(void *userdata, int watch, uint32_t mask, const char *name);
int manifest_events_new(struct loop *loop, manifest_event_fn fn, void *userdata, struct manifest_events **ret,
                        struct err *err);
struct manifest_events *manifest_events_free(struct manifest_events *events); /* takes NULL, returns NULL */
/* The number of the watch on what is at path, the same one where that is watched already; or -errno. */
int manifest_events_watch(struct manifest_events *events, const char *path, uint32_t mask);
void manifest_events_unwatch(struct manifest_events *events, int watch);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: whole reads with a ceiling, whole-or-absent writes (temp file in the same directory, fsync, rename, fsync of
 * the directory), directories with parents. Messages name the path as given.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;
struct err;
struct strv;

/* Appends the whole file to b (whose max is the ceiling). Follows symlinks; refuses what is not a regular file.
 * Codes: errno of open/read, ERR_LIMIT. */
int file_read(const char *path, struct buf *b, struct err *err);
int file_read_at(int dir_fd, const char *name, struct buf *b, struct err *err);
/* The same of what is open with these flags; name is for messages. O_NONBLOCK: a FIFO in a watched directory must not
 * hang the reader. */
#define FILE_READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
int file_read_fd(int fd, const char *name, struct buf *b, struct err *err);

enum file_write_flags {
        FILE_WRITE_KEEP_MODE = 1 << 0,      /* an existing file keeps its mode and owner (kubeadm writes in place) */
        FILE_WRITE_FOLLOW = 1 << 1,         /* a symlink is followed and its target replaced (made where
                                             * missing), the link stays */
        FILE_WRITE_SKIP_UNCHANGED = 1 << 2, /* the same bytes are not written again: returns 1 */
        FILE_WRITE_NO_SYNC = 1 << 3,        /* no fsync: for what can be made again (caches, status files) */
        FILE_WRITE_EXCL = 1 << 4,           /* -EEXIST where the name is taken */
};

/* Replaces the file `path` by data, whole or not at all; mode is exact (no umask). On failure the old file is as it
 * was and no temporary file stays. 0: written. 1: unchanged (FILE_WRITE_SKIP_UNCHANGED). */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, unsigned flags, struct err *err);

/* The same in two steps, so that several files can be written together: staged ones are complete on disk (with
 * FILE_WRITE_NO_SYNC once fd_sync_all has had their descriptors) and become visible by file_commit. Where the file
 * system can (O_TMPFILE) they have no name until then, so a program that is killed in between leaves nothing behind;
 * elsewhere they have a temporary one beside their target. */
struct file_staged {
        char *path;   /* the target, symlinks followed where asked */
        char *temp;   /* temporary name; NULL: nothing staged */
        bool unnamed; /* the file is `fd` alone */
        int fd;       /* open and locked while temp is set */
        unsigned flags;
};
int file_stage(const char *path, const void *data, size_t len, mode_t mode, unsigned flags, struct file_staged *ret,
               struct err *err);
/* With FILE_WRITE_NO_SYNC in staged->flags the name is not on disk yet: file_sync_directories for all of them. */
int file_commit(struct file_staged *staged, struct err *err);
/* Signals that end a program wait in between, so that none ends it with a temporary name on disk: for several files
 * that are staged and committed together. file_commit and file_write_atomic do so themselves. Only SIGKILL (and a crash
 * of the machine) in the instant between giving a replacement its temporary name and renaming it leaves that name
 * behind (file_remove_temporary); it begins with a dot, so nobody reads it. A new file has its final name from the
 * start where the file system can (O_TMPFILE). */
void file_hold_signals(sigset_t *ret_before);
void file_release_signals(const sigset_t *before);
/* Removes the temporary names that writers which live no more left in a directory and in those up to `levels` below it;
 * one that lives holds a lock on its file. A missing directory is fine. */
void file_remove_temporary(const char *directory, unsigned levels);
/* Puts the names in directories on disk, all at once. 0, or -errno of one and its index in *ret_failed. */
int file_sync_directories(const struct strv *directories, size_t *ret_failed);
/* Takes the staged file away; does nothing after a commit. */
void file_staged_release(struct file_staged *staged);

/* Makes the directory and its missing parents. Existing ones are left alone. 0: made, 1: was there. */
int file_mkdir_p(const char *path, mode_t mode, struct err *err);

/* Adds the names in a directory to `names`, in no order and without those that begin with a dot, until `names` has max.
 * One that cannot be opened is like an empty one. */
void file_list(const char *path, size_t max, struct strv *names);

/* Removes a tree; does not follow symlinks. Where something is mounted on a directory in it, also one of the same file
 * system, nothing is removed: -EBUSY. A missing path is fine. */
int file_remove_tree(const char *path, struct err *err);

bool file_exists(const char *path); /* stat() works */

/* dir + "/" + name with one slash between; an absolute name is put below dir, and below the root where dir is "".
 * Free it. */
char *file_join(const char *dir, const char *name);
/* filepath.Clean of Go: lexical, "" gives ".". Free it. */
char *file_clean(const char *path);
/* The part before the last slash ("." without one, "/" for the root). Free it. */
char *file_dirname(const char *path);
/* Points into path, behind the last slash. */
const char *file_basename(const char *path);

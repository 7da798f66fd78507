#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * One file of the manifest directory: whether its name is one of a manifest, what stat says of it, and its content,
 * read only when nobody has it open for writing.
 *
 * Why a read lease: a prefix of a pod is often a valid pod, so parsing does not prove that a file is complete. The
 * kernel grants a read lease (fcntl F_SETLEASE, F_RDLCK) exactly when no descriptor is open for writing; while it is
 * held, a writer's open() waits.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct buf;
struct err;

enum manifest_name {
        MANIFEST_NAME_TAKEN,  /* .yaml, .yml, .json */
        MANIFEST_NAME_HIDDEN, /* a dot in front */
        MANIFEST_NAME_BACKUP, /* an editor's or a person's copy: foo.yaml~, foo.yaml.bak, #foo.yaml#, 4913 */
        MANIFEST_NAME_OTHER,  /* some other extension */
        MANIFEST_NAME_MAX
};
enum manifest_name manifest_name_class(const char *name);
/* For a person: "an editor's backup"; "" for what is taken. */
const char *manifest_name_why(enum manifest_name class);

/* What tells one state of a file from another. Symlinks are followed. */
struct manifest_stat {
        dev_t device;
        ino_t inode;
        off_t size;
        uint64_t mtime_nsec, ctime_nsec;
};
void manifest_stat_from(struct manifest_stat *ret, const struct stat *st);
bool manifest_stat_equal(const struct manifest_stat *a, const struct manifest_stat *b);

enum manifest_read {
        MANIFEST_READ_DONE = 0,
        MANIFEST_READ_BUSY = 1, /* somebody has it open for writing, or it changed while it was read */
};
/* Appends the content to out (its max is the ceiling). Errors: no regular file, unreadable, ERR_LIMIT. Where the file
 * system knows no leases, a stat that stays the same must do. */
int manifest_file_read(int directory_fd, const char *name, struct manifest_stat *ret_stat, struct buf *out,
                       struct err *err);

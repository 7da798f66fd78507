#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing tar archives (POSIX ustar) to a descriptor, with an optional SHA-256 over what is written.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define TAR_BLOCK 512

struct tar {
        int fd; /* not owned */
        uint64_t written;
        void *hash; /* GnuTLS's; NULL: none */
};

enum tar_type { TAR_FILE = '0', TAR_SYMLINK = '2', TAR_DIRECTORY = '5' };

/* Space that an entry of size bytes takes, its header included. */
uint64_t tar_entry_size(uint64_t size);
/* Space of the end mark. */
#define TAR_END_SIZE (2 * TAR_BLOCK)

/* Header of an entry; the content follows by tar_content and is closed by tar_pad. Owner root, time 0. path at most 255
 * characters with a slash in the right place, target at most 100: else ENAMETOOLONG. */
int tar_header(struct tar *tar, enum tar_type type, const char *path, mode_t mode, uint64_t size, const char *target,
               struct err *err);
int tar_content(struct tar *tar, const void *data, size_t len, struct err *err);
int tar_pad(struct tar *tar, uint64_t size, struct err *err);
int tar_end(struct tar *tar, struct err *err);

/* From here on what is written is hashed, up to tar_hash_end, which gives 64 hex digits and NUL. */
int tar_hash_begin(struct tar *tar, struct err *err);
void tar_hash_end(struct tar *tar, char ret_hex[65]);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Images out of files: an archive as `docker load` takes it (manifest.json, one configuration, one layer), written in
 * one pass with the same bytes for the same input: no times, no owners, entries in the order given.
 *
 * Reference: the "Docker Image Specification v1.2", Combined Image JSON + Filesystem Changeset Format.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strv.h"

struct err;

enum image_file_type { IMAGE_FILE, IMAGE_DIRECTORY, IMAGE_SYMLINK, IMAGE_FILE_TYPE_MAX };

struct image_file {
        enum image_file_type type;
        char *path;       /* in the image, without the leading slash */
        mode_t mode;      /* permission bits; of a symlink without meaning */
        char *source;     /* IMAGE_FILE: a file of this machine (symlinks are followed)... */
        const void *data; /* ...or, where source is NULL, bytes that are borrowed */
        size_t data_len;
        char *target; /* IMAGE_SYMLINK */
};

struct image_files {
        struct image_file *items;
        size_t count;
};

/* Each adds the parent directories that are not there yet (0755). A path that is there already is left as it is:
 * the result says so (1). */
int image_files_add(struct image_files *files, const char *path, const char *source, mode_t mode);
int image_files_add_data(struct image_files *files, const char *path, const void *data, size_t len, mode_t mode);
int image_files_add_directory(struct image_files *files, const char *path, mode_t mode);
int image_files_add_symlink(struct image_files *files, const char *path, const char *target);
void image_files_release(struct image_files *files);

struct image_config {
        struct strv names; /* the references that it gets */
        struct strv entrypoint, cmd, env;
        struct strv labels;       /* "key=value" */
        const char *user;         /* NULL: root */
        const char *working_dir;  /* NULL: "/" */
        const char *architecture; /* Go's name; NULL: that of this machine */
};

void image_config_release(struct image_config *config);

/* Writes the archive to fd from where it stands; *ret_size is its length, ret_id (if not NULL) gets the image's id,
 * "sha256:" and 64 digits. Files may have LIMIT_IMAGE_BINARY bytes each. Errors name the file. */
#define IMAGE_ID_MAX 72
int image_tar_write(const struct image_config *config, const struct image_files *files, int fd, uint64_t *ret_size,
                    char ret_id[IMAGE_ID_MAX], struct err *err);

/* "amd64", "arm64", ... as Go names this machine; its own name where there is none. */
const char *image_architecture(void);

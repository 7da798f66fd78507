#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a patches directory holds: the patch files in the order in which they count (lexical, sub-directories in place),
 * each split into documents.
 */
#include <stddef.h>

#include "base/strv.h"
#include "phase/patch_name.h"

struct err;
struct phase;
struct value;

struct patch_file {
        const char *path;   /* for messages; lives as long as the configuration */
        const char *target; /* of the era's table */
        enum patch_type type;
        struct value **documents; /* their nodes have the origin "patch PATH" */
        size_t count;
};

struct patch_files {
        struct patch_file *items;
        size_t count;
        struct strv found; /* names without directory */
        struct strv ignored;
};

#define CLEANUP_PATCH_FILES __attribute__((cleanup(patch_files_release)))

void patch_files_release(struct patch_files *files);

/* Reads the directory below root (base/rootfs.h; NULL or "": none), whose links stay below it too. Prints kubeadm's
 * lines about files that are left alone. Errors with kubeadm's texts. */
int patch_files_read(struct phase *phase, const char *root, const char *directory, struct patch_files *ret,
                     struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents of a file as kubeadm tells them apart (apimachinery/pkg/util/yaml, YAMLReader): pieces between lines
 * that begin with "---".
 */
#include <stddef.h>

struct err;

struct patch_piece {
        const char *text; /* within the data; a separator that stands first belongs to it */
        size_t len;
        size_t line; /* 1-based number of its first line */
};

enum patch_split_flags {
        PATCH_SPLIT_EXACT = 1 << 0, /* a line with anything but white space behind "---" is no separator; else a comment
                                     * may stand there and anything more is an error */
        PATCH_SPLIT_BLANK = 1 << 1, /* pieces of nothing but white space count, as in a configuration */
};

/* One piece of data after another; *at counts on from 0. 0: *ret is set; 1: there are no more; -ERR_INVALID. */
int patch_split_next(const char *data, size_t len, unsigned flags, size_t *at, struct patch_piece *ret,
                     struct err *err);

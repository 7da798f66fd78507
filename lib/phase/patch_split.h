#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents of a patch file (apimachinery/pkg/util/yaml, YAMLReader): pieces between lines that begin with "---".
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

struct patch_piece {
        const char *text; /* within the data; a separator that stands first belongs to it */
        size_t len;
        size_t line; /* 1-based number of its first line */
};

/* One piece of data after another; *at counts on from 0. exact: a line with anything but white space behind "---" is no
 * separator; else a comment may stand there and anything more is an error. 0: *ret is set; 1: there are no more;
 * -ERR_INVALID. */
int patch_split_next(const char *data, size_t len, bool exact, size_t *at, struct patch_piece *ret, struct err *err);

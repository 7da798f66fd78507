#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of templates/ as they were at build time (embed.py).
 */
#include <stddef.h>

struct embedded_file {
        const char *name; /* "eras.yaml" */
        const char *data; /* NUL behind the end */
        size_t len;
};

extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

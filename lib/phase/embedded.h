#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of templates/ as they were at build time (embed.c): values that are read without a look at YAML, which
 * would take most of the time of a phase.
 */
#include <stddef.h>

struct embedded_file {
        const char *name; /* "eras.yaml" */
        const char *data; /* as value_unpack of codec/value_pack.h reads it */
        size_t len;
};

extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

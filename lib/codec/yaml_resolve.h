#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What an unquoted YAML scalar means: the rules of go-yaml v2 (resolve.go), which are YAML 1.1's with Go's number
 * syntax. The reader asks to know the value, the writer to know what needs quotes. Inside the codec only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum yaml_type {
        YAML_TYPE_ANY, /* as a wish: no tag */
        YAML_TYPE_STRING,
        YAML_TYPE_NULL,
        YAML_TYPE_BOOL,
        YAML_TYPE_INT,
        YAML_TYPE_FLOAT,
        YAML_TYPE_TIMESTAMP,
        YAML_TYPE_MAX
};

struct yaml_scalar {
        enum yaml_type type;
        bool negative;      /* INT: the value is -magnitude */
        uint64_t magnitude; /* INT: at most 2^63 where negative */
        bool boolean;
        double number; /* FLOAT; may be infinite or no number */
};

/* Resolves the text of a scalar under the tag `wish`. What is nothing else is a string; so is everything under
 * YAML_TYPE_STRING. Whether the outcome fits the wish is for the caller to say. */
void yaml_resolve(const char *s, size_t len, enum yaml_type wish, struct yaml_scalar *ret);

/* Base 60 (1:30, 1:2:3): a string for the reader, quoted by the writer for the sake of others. */
bool yaml_is_base60(const char *s, size_t len);

/* "!!int" and so on, for messages. */
const char *yaml_type_tag(enum yaml_type type);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a YAML file before libyaml sees it: what it would guess at, be vague about, or take minutes for. Inside
 * the codec only.
 */
#include <stddef.h>

struct err;
struct value_place;

struct yaml_text {
        const char *file; /* interned */
        const char *s;
        size_t len;
};

/* Skips a byte order mark at the start. Errors: not UTF-8, a NUL, a byte order mark at a later line, too many %TAG. */
int yaml_text_check(struct yaml_text *t, struct err *err);

/* Line and column of a byte. */
struct value_place yaml_text_place(const struct yaml_text *t, size_t offset);

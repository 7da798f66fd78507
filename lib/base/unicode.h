#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The little of Unicode that the order of keys, the emitter's columns and Go's quoting need.
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;

#define UNICODE_REPLACEMENT 0xfffdU

bool unicode_is_letter(uint32_t c); /* category L */
bool unicode_is_digit(uint32_t c);  /* category Nd */

uint32_t unicode_next_wide(const char **s, const char *end);

/* The character at *s, which is before end, and moves behind it. A byte that is not UTF-8 gives U+FFFD, as in Go. */
static inline uint32_t unicode_next(const char **s, const char *end)
{
        unsigned char c = (unsigned char)**s;

        if (c >= 0x80)
                return unicode_next_wide(s, end);
        (*s)++;
        return c;
}

/* Appends c as UTF-8. */
void unicode_add(uint32_t c, struct buf *out);

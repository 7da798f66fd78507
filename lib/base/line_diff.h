#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Two texts line by line, as `diff -u` shows them.
 */
#include <stddef.h>

struct buf;

/* Lines of context around a change. */
#define LINE_DIFF_CONTEXT 3

/* Appends the difference with the headings "--- name_a" and "+++ name_b"; nothing where there is none. */
void line_diff(const char *name_a, const char *a, size_t a_len, const char *name_b, const char *b, size_t b_len,
               struct buf *out);

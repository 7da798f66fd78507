#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing list of owned strings, always NULL-terminated once something is in it, so `items` serves as argv.
 */
#include <stdbool.h>
#include <stddef.h>

struct strv {
        char **items; /* NULL while empty */
        size_t len;
        size_t cap;
};

#define STRV_INIT ((struct strv){0})
#define CLEANUP_STRV __attribute__((cleanup(strv_release)))
#define STRV_FOREACH(s, v) for (size_t _i_##s = 0; _i_##s < (v)->len && ((s) = (v)->items[_i_##s], 1); _i_##s++)

void strv_release(struct strv *v);
void strv_add(struct strv *v, const char *s);
void strv_addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Takes ownership of s. */
void strv_take(struct strv *v, char *s);
void strv_insert(struct strv *v, size_t at, const char *s);
void strv_remove(struct strv *v, size_t at);
bool strv_contains(const struct strv *v, const char *s);
/* Bytewise order. */
void strv_sort(struct strv *v);
/* Splits at each separator, empty parts included; "" gives one empty part. */
void strv_split(struct strv *v, const char *s, char separator);
/* Free the result. */
char *strv_join(const struct strv *v, const char *separator);
void strv_copy(struct strv *to, const struct strv *from);
bool strv_equal(const struct strv *a, const struct strv *b);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings: comparison, numbers with a full check, distance for "did you mean".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* The rest of s behind prefix, or NULL where s does not start with it. */
const char *str_after(const char *s, const char *prefix);
bool str_empty(const char *s); /* NULL or "" */

/* Whole-string decimal numbers: 0, or -EINVAL (not a number) / -ERANGE; *ret untouched on failure. */
int str_to_i64(const char *s, int64_t *ret);
int str_to_u64(const char *s, uint64_t *ret);
int str_to_int(const char *s, int min, int max, int *ret);

/* Length in bytes of the well-formed UTF-8 sequence at s (1-4), 0 where it is malformed or len is 0. */
size_t utf8_sequence_length(const char *s, size_t len);
/* Number of the first byte that breaks UTF-8, or len. */
size_t utf8_valid_prefix(const char *s, size_t len);

/* In place: each byte that is not of UTF-8 becomes "?". A character of which a cut at the front or the end left a part
 * goes. */
void utf8_mend(char *s);

/* The candidate nearest to word (edit distance at most 1/3 of its length, at least 1), or NULL. */
const char *str_did_you_mean(const char *word, const char *const *candidates, size_t count);

/* Copies as much of `from` as fits into size bytes with the NUL, never half a UTF-8 sequence. */
void str_copy(char *to, size_t size, const char *from);

/* In place: ASCII lower case. */
void str_lower(char *s);

/* The part of the *len bytes at s without white space (Go's, of ASCII) at both ends, and its length in *len. */
const char *str_trim(const char *s, size_t *len);
/* A copy of s without white space at both ends. */
char *str_trimmed(const char *s);

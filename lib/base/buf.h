#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A byte buffer born with a ceiling. Appending never aborts: reaching the ceiling or the end of memory makes the
 * buffer `failed`, further appends do nothing, and buf_check reports it once at the end. The content is always
 * followed by a NUL that does not count.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct buf {
        char *data; /* NULL while nothing was appended; see buf_str */
        size_t len;
        size_t cap;
        size_t max;     /* ceiling in bytes; 0: nothing can be appended */
        bool failed;    /* an append did not fit */
        bool no_memory; /* ... because memory was out, not for the ceiling */
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_release(struct buf *b);
/* Empties the buffer and forgets the failure; keeps the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_addch(struct buf *b, char c);
void buf_addstr(struct buf *b, const char *s);
/* In decimal. */
void buf_addu(struct buf *b, uint64_t n);
void buf_addi(struct buf *b, int64_t n);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addfv(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Appends s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void buf_add_json_string(struct buf *b, const char *s, size_t len);
/* Appends s for a URL: all but the unreserved characters of RFC 3986 and those of `keep` as %XX. */
void buf_add_escaped(struct buf *b, const char *s, const char *keep);

/* From byte `from` on: control characters but newline and tab, and bytes that are not UTF-8, become "?", so that text
 * of others does not steer the terminal that it is shown on. */
void buf_hide_controls(struct buf *b, size_t from);

/* Makes room for at least `extra` more bytes; false when that breaks the ceiling (and the buffer fails). */
bool buf_reserve(struct buf *b, size_t extra);

/* The content as a string, "" when empty. Valid until the next append. */
const char *buf_str(const struct buf *b);
/* Hands the content over (free it); the buffer is empty afterwards. Never NULL. */
char *buf_steal(struct buf *b, size_t *ret_len);

/* 0, or -ERR_LIMIT with "<what>: larger than N bytes" when an append failed (-ENOMEM where memory was out). */
int buf_check(const struct buf *b, const char *what, struct err *err);

#define CLEANUP_BUF __attribute__((cleanup(buf_release)))

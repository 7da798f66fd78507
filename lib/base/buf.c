/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

void buf_release(struct buf *b)
{
        free(b->data);
        *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
        b->len = 0;
        b->failed = b->no_memory = false;
        if (b->data)
                b->data[0] = '\0';
}

bool buf_reserve(struct buf *b, size_t extra)
{
        if (b->failed)
                return false;
        if (extra > b->max || b->len > b->max - extra || b->len + extra == SIZE_MAX) {
                b->failed = true;
                return false;
        }
        size_t need = b->len + extra + 1;
        if (need <= b->cap)
                return true;
        size_t cap = b->cap ? b->cap : 64;
        while (cap < need)
                cap = cap > SIZE_MAX / 2 ? need : cap * 2;
        char *data = realloc(b->data, cap);
        if (!data) {
                b->failed = b->no_memory = true;
                return false;
        }
        b->data = data;
        b->cap = cap;
        return true;
}

/* Whether `extra` more bytes and the NUL have their room already: most appends, which should cost no more than that. */
static inline bool has_room(const struct buf *b, size_t extra)
{
        return !b->failed && b->len < b->cap && extra < b->cap - b->len && extra <= b->max - b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
        if (!has_room(b, len) && !buf_reserve(b, len))
                return;
        if (len)
                memcpy(b->data + b->len, data, len);
        b->len += len;
        b->data[b->len] = '\0';
}

void buf_addch(struct buf *b, char c)
{
        if (!has_room(b, 1) && !buf_reserve(b, 1))
                return;
        b->data[b->len++] = c;
        b->data[b->len] = '\0';
}

void buf_addstr(struct buf *b, const char *s)
{
        buf_add(b, s, strlen(s));
}

void buf_addu(struct buf *b, uint64_t n)
{
        char digits[20]; /* of 2^64 - 1 */
        size_t at = sizeof(digits);

        do
                digits[--at] = (char)('0' + n % 10);
        while (n /= 10);
        buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_addi(struct buf *b, int64_t n)
{
        if (n < 0)
                buf_addch(b, '-');
        buf_addu(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void buf_addfv(struct buf *b, const char *fmt, va_list ap)
{
        size_t room = has_room(b, 0) ? b->cap - b->len : 0;
        va_list again;

        if (b->failed)
                return;
        va_copy(again, ap);
        int n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, again);
        va_end(again);
        if (n >= 0 && has_room(b, (size_t)n)) {
                b->len += (size_t)n;
                return;
        }
        if (room)
                b->data[b->len] = '\0';
        if (n < 0 || !buf_reserve(b, (size_t)n)) {
                b->failed = true;
                return;
        }
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
        b->len += (size_t)n;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        buf_addfv(b, fmt, ap);
        va_end(ap);
}

void buf_hide_controls(struct buf *b, size_t from)
{
        for (size_t i = from, n; i < b->len; i += n ? n : 1) {
                unsigned char c = (unsigned char)b->data[i];
                bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;

                n = utf8_sequence_length(b->data + i, b->len - i);
                /* U+0080 to U+009F, of which U+009B is ESC [ in one */
                if (n == 2 && c == 0xc2 && (unsigned char)b->data[i + 1] < 0xa0)
                        control = true;
                if (n == 0 || control)
                        memset(b->data + i, '?', n ? n : 1);
        }
}

/* How many bytes of s stand in JSON as they are. */
static size_t plain_run(const char *s, size_t len)
{
        size_t i = 0;

        while (i < len && (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x80 && s[i] != '"' && s[i] != '\\')
                i++;
        return i;
}

void buf_add_json_string(struct buf *b, const char *s, size_t len)
{
        buf_addch(b, '"');
        for (size_t i = 0; i < len;) {
                size_t run = plain_run(s + i, len - i);

                buf_add(b, s + i, run);
                i += run;
                if (i == len)
                        break;
                unsigned char c = (unsigned char)s[i];
                size_t n = utf8_sequence_length(s + i, len - i);

                if (c == '"' || c == '\\')
                        buf_add(b, (const char[]){'\\', s[i]}, 2);
                else if (c == '\n')
                        buf_addstr(b, "\\n");
                else if (c == '\t')
                        buf_addstr(b, "\\t");
                else if (c == '\r')
                        buf_addstr(b, "\\r");
                else if (c < 0x20)
                        buf_addf(b, "\\u%04x", c);
                else if (n == 0)
                        buf_addstr(b, "\\ufffd");
                else
                        buf_add(b, s + i, n);
                i += n ? n : 1;
        }
        buf_addch(b, '"');
}

void buf_add_escaped(struct buf *b, const char *s, const char *keep)
{
        static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        for (; *s; s++) {
                if (strchr(unreserved, *s) || strchr(keep, *s))
                        buf_addch(b, *s);
                else
                        buf_addf(b, "%%%02X", (unsigned char)*s);
        }
}

const char *buf_str(const struct buf *b)
{
        return b->data ? b->data : "";
}

char *buf_steal(struct buf *b, size_t *ret_len)
{
        char *data = b->data ? b->data : xstrdup("");

        if (ret_len)
                *ret_len = b->len;
        *b = (struct buf){.max = b->max};
        return data;
}

int buf_check(const struct buf *b, const char *what, struct err *err)
{
        if (!b->failed)
                return 0;
        if (b->no_memory)
                return err_set(err, ENOMEM, "%s: out of memory", what);
        return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", what, b->max);
}

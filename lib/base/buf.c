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

void buf_add(struct buf *b, const void *data, size_t len)
{
        if (!buf_reserve(b, len))
                return;
        if (len)
                memcpy(b->data + b->len, data, len);
        b->len += len;
        b->data[b->len] = '\0';
}

void buf_addch(struct buf *b, char c)
{
        buf_add(b, &c, 1);
}

void buf_addstr(struct buf *b, const char *s)
{
        buf_add(b, s, strlen(s));
}

void buf_addfv(struct buf *b, const char *fmt, va_list ap)
{
        va_list again;

        va_copy(again, ap);
        int n = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
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

void buf_add_json_string(struct buf *b, const char *s, size_t len)
{
        buf_addch(b, '"');
        for (size_t i = 0; i < len;) {
                unsigned char c = (unsigned char)s[i];
                size_t n = utf8_sequence_length(s + i, len - i);

                if (c == '"' || c == '\\')
                        buf_addf(b, "\\%c", c);
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

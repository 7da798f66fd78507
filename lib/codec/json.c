/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/json.h"
#include "codec/value.h"

/* Bytes that Go's encoder escapes for the sake of HTML, and the length they have here: 0 for none. */
static size_t html_length(const char *s, size_t left)
{
        if (*s == '<' || *s == '>' || *s == '&')
                return 1;
        if (left >= 3 && (memcmp(s, "\xe2\x80\xa8", 3) == 0 || memcmp(s, "\xe2\x80\xa9", 3) == 0))
                return 3;
        return 0;
}

static void write_string(const char *s, size_t len, unsigned flags, struct buf *out)
{
        size_t from = out->len;

        buf_add_json_string(out, s, len);
        if (!(flags & JSON_ESCAPE_HTML) || out->failed)
                return;
        /* The few that need it are escaped behind, from a copy of what was just written. */
        char *plain CLEANUP_FREE = xstrndup(out->data + from, out->len - from);
        size_t plain_len = out->len - from;

        out->len = from;
        for (size_t i = 0; i < plain_len;) {
                size_t n = html_length(plain + i, plain_len - i);

                if (n == 0)
                        buf_addch(out, plain[i]);
                else
                        buf_addf(out, "\\u%04x",
                                 n == 1 ? (unsigned)plain[i] : 0x2000U + (unsigned char)plain[i + 2] - 0x80U);
                i += n ? n : 1;
        }
}

static void write_break(int level, unsigned flags, struct buf *out)
{
        int width = flags & JSON_INDENT_4 ? 4 : 2;

        if (!(flags & (JSON_INDENT | JSON_INDENT_4)))
                return;
        buf_addch(out, '\n');
        for (int i = 0; i < level * width; i++)
                buf_addch(out, ' ');
}

static void write_node(const struct value *v, unsigned flags, int level, struct buf *out);

static void write_list(const struct value *v, unsigned flags, int level, struct buf *out)
{
        buf_addch(out, '[');
        for (size_t i = 0; i < v->list.count; i++) {
                if (i)
                        buf_addch(out, ',');
                write_break(level + 1, flags, out);
                write_node(v->list.items[i], flags, level + 1, out);
        }
        if (v->list.count)
                write_break(level, flags, out);
        buf_addch(out, ']');
}

static int entry_order(const void *a, const void *b)
{
        const struct value_entry *x = *(const struct value_entry *const *)a;
        const struct value_entry *y = *(const struct value_entry *const *)b;

        return strcmp(x->key, y->key);
}

static void write_map(const struct value *v, unsigned flags, int level, struct buf *out)
{
        const struct value_entry **order CLEANUP_FREE = xmalloc(v->map.count * sizeof(struct value_entry *));

        for (size_t i = 0; i < v->map.count; i++)
                order[i] = &v->map.entries[i];
        if (flags & JSON_SORT_KEYS)
                qsort(order, v->map.count, sizeof(struct value_entry *), entry_order);
        buf_addch(out, '{');
        for (size_t i = 0; i < v->map.count; i++) {
                if (i)
                        buf_addch(out, ',');
                write_break(level + 1, flags, out);
                write_string(order[i]->key, strlen(order[i]->key), flags, out);
                buf_addstr(out, flags & (JSON_INDENT | JSON_INDENT_4) ? ": " : ":");
                write_node(order[i]->value, flags, level + 1, out);
        }
        if (v->map.count)
                write_break(level, flags, out);
        buf_addch(out, '}');
}

static void write_node(const struct value *v, unsigned flags, int level, struct buf *out)
{
        switch (v->kind) {
        case VALUE_MAP:
                write_map(v, flags, level, out);
                break;
        case VALUE_LIST:
                write_list(v, flags, level, out);
                break;
        case VALUE_STRING:
                write_string(v->text, v->len, flags, out);
                break;
        case VALUE_NUMBER:
                buf_add(out, v->text, v->len);
                break;
        case VALUE_BOOL:
                buf_addstr(out, v->boolean ? "true" : "false");
                break;
        case VALUE_NULL:
        case VALUE_KIND_MAX:
                buf_addstr(out, "null");
                break;
        }
}

void json_write(const struct value *v, unsigned flags, struct buf *out)
{
        write_node(v, flags, 0, out);
}

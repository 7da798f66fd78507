/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/value.h"
#include "codec/value_pack.h"

/* A node: kind, line, column, then
 *      boolean         its number
 *      number, string  text
 *      list, map       the length of what follows; the count; each item, or each key's line, column, text and value
 * Numbers have seven bits a byte, the lowest first, the top bit telling that there is more. A text is its length, its
 * bytes and a NUL. */

static void add_number(struct buf *out, size_t n)
{
        for (; n >= 0x80; n >>= 7)
                buf_addch(out, (char)(n | 0x80));
        buf_addch(out, (char)n);
}

static void add_text(struct buf *out, const char *text, size_t len)
{
        add_number(out, len);
        buf_add(out, text, len);
        buf_addch(out, '\0');
}

static void add_place(struct buf *out, const struct value_place *place)
{
        add_number(out, place->line);
        add_number(out, place->column);
}

static void add_items(struct buf *out, const struct value *v)
{
        add_number(out, v->list.count);
        for (size_t i = 0; i < v->list.count; i++)
                value_pack(v->list.items[i], out);
}

static void add_entries(struct buf *out, const struct value *v)
{
        add_number(out, v->map.count);
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];

                add_place(out, &e->place);
                add_text(out, e->key, strlen(e->key));
                value_pack(e->value, out);
        }
}

void value_pack(const struct value *v, struct buf *out)
{
        struct buf inside CLEANUP_BUF = BUF_INIT(out->max);

        buf_addch(out, (char)v->kind);
        add_place(out, &v->place);
        switch (v->kind) {
        case VALUE_BOOL:
                add_number(out, v->boolean);
                break;
        case VALUE_NUMBER:
        case VALUE_STRING:
                add_text(out, v->text, v->len);
                break;
        case VALUE_LIST:
                add_items(&inside, v);
                add_text(out, buf_str(&inside), inside.len);
                break;
        case VALUE_MAP:
                add_entries(&inside, v);
                add_text(out, buf_str(&inside), inside.len);
                break;
        case VALUE_NULL:
        case VALUE_KIND_MAX:
                break;
        }
        out->failed |= inside.failed;
        out->no_memory |= inside.no_memory;
}

struct reader {
        const char *at, *end;
        const char *file;
        bool wrong;
};

static size_t read_number(struct reader *r)
{
        size_t n = 0;

        for (unsigned shift = 0; r->at < r->end && shift < 8 * sizeof(n) - 7; shift += 7) {
                unsigned char c = (unsigned char)*r->at++;

                n |= (size_t)(c & 0x7f) << shift;
                if (!(c & 0x80))
                        return n;
        }
        r->wrong = true;
        r->at = r->end;
        return 0;
}

/* "" where it is cut off. */
static const char *read_text(struct reader *r, size_t *ret_len)
{
        size_t len = read_number(r);
        const char *text = r->at;

        if (r->wrong || len >= (size_t)(r->end - r->at) || text[len]) {
                r->wrong = true;
                r->at = r->end;
                *ret_len = 0;
                return "";
        }
        r->at += len + 1;
        *ret_len = len;
        return text;
}

static struct value_place read_place(struct reader *r)
{
        struct value_place place = {.file = r->file};

        place.line = (uint32_t)read_number(r);
        place.column = (uint32_t)read_number(r);
        return place;
}

/* What follows the length of a list or map, which the reader is then behind. */
static struct reader inside_of(struct reader *r)
{
        size_t len;
        struct reader inside = {.file = r->file};

        inside.at = read_text(r, &len);
        inside.end = inside.at + len;
        return inside;
}

static struct value *read_node(struct reader *r, int depth);

static struct value *read_list(struct reader *r, int depth)
{
        struct value *list = value_new_list();

        for (size_t n = read_number(r); n > 0 && !r->wrong; n--) {
                struct value *item = read_node(r, depth);

                if (item)
                        value_list_add(list, item);
        }
        return list;
}

static struct value *read_map(struct reader *r, int depth)
{
        struct value *map = value_new_map();

        for (size_t n = read_number(r); n > 0 && !r->wrong; n--) {
                struct value_place place = read_place(r);
                size_t len;
                const char *key = read_text(r, &len);
                struct value *item = read_node(r, depth);

                if (item)
                        value_map_append(map, key, item)->place = place;
        }
        return map;
}

static struct value *read_container(struct reader *r, enum value_kind kind, int depth)
{
        struct reader inside = inside_of(r);
        struct value *v = kind == VALUE_LIST ? read_list(&inside, depth) : read_map(&inside, depth);

        r->wrong |= inside.wrong || inside.at != inside.end;
        return v;
}

static struct value *read_content(struct reader *r, enum value_kind kind, int depth)
{
        const char *text;
        size_t len;

        switch (kind) {
        case VALUE_NULL:
                return value_new_null();
        case VALUE_BOOL:
                return value_new_bool(read_number(r) != 0);
        case VALUE_NUMBER:
                return value_new_number(read_text(r, &len));
        case VALUE_STRING:
                text = read_text(r, &len);
                return value_new_stringn(text, len);
        case VALUE_LIST:
        case VALUE_MAP:
                return depth < LIMIT_YAML_DEPTH ? read_container(r, kind, depth + 1) : NULL;
        case VALUE_KIND_MAX:
        default:
                return NULL;
        }
}

/* NULL (and wrong) at the end of the bytes or where they are no node. */
static struct value *read_node(struct reader *r, int depth)
{
        enum value_kind kind = r->at < r->end ? (enum value_kind)(unsigned char)*r->at++ : VALUE_KIND_MAX;
        struct value_place place = read_place(r);
        struct value *v CLEANUP_VALUE = read_content(r, kind, depth);

        r->wrong |= !v;
        if (r->wrong)
                return NULL;
        v->place = place;
        return TAKE_PTR(v);
}

struct value *value_unpack(const char *data, size_t len, const char *file)
{
        struct reader r = {.at = data, .end = data + len, .file = file};
        struct value *v CLEANUP_VALUE = read_node(&r, 0);

        return r.wrong || r.at != r.end ? NULL : TAKE_PTR(v);
}

static void skip_node(struct reader *r)
{
        enum value_kind kind = r->at < r->end ? (enum value_kind)(unsigned char)*r->at++ : VALUE_KIND_MAX;
        size_t len;

        (void)read_place(r);
        if (kind == VALUE_BOOL)
                (void)read_number(r);
        else if (kind != VALUE_NULL)
                (void)read_text(r, &len);
}

struct value *value_unpack_entry(const char *data, size_t len, const char *file, const char *key)
{
        struct reader r = {.at = data, .end = data + len, .file = file};

        if (len == 0 || (enum value_kind)(unsigned char)*r.at++ != VALUE_MAP)
                return NULL;
        (void)read_place(&r);
        struct reader inside = inside_of(&r);
        for (size_t n = read_number(&inside); n > 0 && !inside.wrong; n--) {
                size_t key_len;

                (void)read_place(&inside);
                if (strcmp(read_text(&inside, &key_len), key) == 0)
                        return inside.wrong ? NULL : read_node(&inside, 1);
                skip_node(&inside);
        }
        return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/unicode.h"
#include "codec/json.h"
#include "codec/map_index.h"
#include "codec/value.h"

struct reader {
        const char *file;
        const char *at, *end;
        const char *counted; /* up to here, on this line, `columns` characters were counted */
        uint32_t line, columns;
        size_t nodes;
        struct err *err;
};

static int load_node(struct reader *r, int depth, struct value **ret);

/* Places are asked for in the order of the text, so that nothing is counted twice. */
static struct value_place place_here(struct reader *r)
{
        for (; r->counted < r->at; r->counted++)
                r->columns += ((unsigned char)*r->counted & 0xc0) != 0x80;
        return (struct value_place){.file = r->file, .line = r->line, .column = r->columns + 1};
}

static int fail(struct reader *r, const char *what)
{
        struct value_place place = place_here(r);

        return value_error(&place, r->err, ERR_INVALID, "%s", what);
}

/* Behind a line break. */
static void begin_line(struct reader *r, const char *start)
{
        r->line++;
        r->columns = 0;
        r->counted = start;
}

static void skip_space(struct reader *r)
{
        for (; r->at < r->end; r->at++) {
                if (*r->at == '\n') {
                        begin_line(r, r->at + 1);
                } else if (*r->at != ' ' && *r->at != '\t' && *r->at != '\r') {
                        return;
                }
        }
}

static bool next_is(const struct reader *r, char c)
{
        return r->at < r->end && *r->at == c;
}

static int hex4(struct reader *r, uint32_t *ret)
{
        uint32_t n = 0;

        for (int i = 0; i < 4; i++, r->at++) {
                if (r->at == r->end || !isxdigit((unsigned char)*r->at))
                        return fail(r, "four hexadecimal digits are wanted behind \\u");
                char c = (char)tolower((unsigned char)*r->at);
                n = n * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        *ret = n;
        return 0;
}

static int load_unicode_escape(struct reader *r, struct buf *out)
{
        struct value_place place = place_here(r);
        uint32_t c, low;
        int e = hex4(r, &c);

        if (e < 0)
                return e;
        if (c >= 0xd800 && c < 0xdc00 && r->end - r->at >= 2 && r->at[0] == '\\' && r->at[1] == 'u') {
                r->at += 2;
                e = hex4(r, &low);
                if (e < 0)
                        return e;
                if (low >= 0xdc00 && low < 0xe000)
                        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
        place.column -= 2; /* of the backslash */
        if (c >= 0xd800 && c < 0xe000)
                return value_error(&place, r->err, ERR_INVALID, "half of a surrogate pair");
        unicode_add(c, out);
        return 0;
}

static int load_escape(struct reader *r, struct buf *out)
{
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *name = r->at < r->end && *r->at ? strchr(names, *r->at) : NULL;

        if (next_is(r, 'u')) {
                r->at++;
                return load_unicode_escape(r, out);
        }
        if (!name)
                return fail(r, "unknown escape");
        buf_addch(out, values[name - names]);
        r->at++;
        return 0;
}

/* Stands at the opening quote. */
static int load_string(struct reader *r, struct buf *out)
{
        r->at++;
        while (r->at < r->end && *r->at != '"') {
                const char *start = r->at;

                if ((unsigned char)*r->at < 0x20)
                        return fail(r, "a control character in a string");
                if (*r->at == '\\') {
                        r->at++;
                        int e = load_escape(r, out);
                        if (e < 0)
                                return e;
                        continue;
                }
                while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20)
                        r->at++;
                buf_add(out, start, (size_t)(r->at - start));
        }
        if (r->at == r->end)
                return fail(r, "the string has no end");
        r->at++;
        return buf_check(out, r->file ? r->file : "JSON", r->err);
}

static size_t skip_digits(struct reader *r)
{
        const char *start = r->at;

        while (r->at < r->end && isdigit((unsigned char)*r->at))
                r->at++;
        return (size_t)(r->at - start);
}

static int load_number(struct reader *r, struct value **ret)
{
        const char *start = r->at;

        if (next_is(r, '-'))
                r->at++;
        if (next_is(r, '0'))
                r->at++;
        else if (skip_digits(r) == 0)
                return fail(r, "a value is wanted here");
        if (next_is(r, '.')) {
                r->at++;
                if (skip_digits(r) == 0)
                        return fail(r, "a digit is wanted behind the point");
        }
        if (next_is(r, 'e') || next_is(r, 'E')) {
                r->at++;
                if (next_is(r, '+') || next_is(r, '-'))
                        r->at++;
                if (skip_digits(r) == 0)
                        return fail(r, "a digit is wanted in the exponent");
        }
        char *text CLEANUP_FREE = xstrndup(start, (size_t)(r->at - start));
        *ret = value_new_number(text);
        return 0;
}

static int load_word(struct reader *r, struct value **ret)
{
        size_t left = (size_t)(r->end - r->at);

        if (left >= 4 && memcmp(r->at, "true", 4) == 0) {
                *ret = value_new_bool(true);
                r->at += 4;
        } else if (left >= 5 && memcmp(r->at, "false", 5) == 0) {
                *ret = value_new_bool(false);
                r->at += 5;
        } else if (left >= 4 && memcmp(r->at, "null", 4) == 0) {
                *ret = value_new_null();
                r->at += 4;
        } else {
                return load_number(r, ret);
        }
        return 0;
}

/* Behind an element: 1 where another follows, 0 at the end. */
static int load_separator(struct reader *r, char end, const char *what)
{
        skip_space(r);
        if (next_is(r, end)) {
                r->at++;
                return 0;
        }
        if (!next_is(r, ','))
                return fail(r, what);
        r->at++;
        skip_space(r);
        return 1;
}

static int load_list(struct reader *r, int depth, struct value **ret)
{
        struct value *list CLEANUP_VALUE = value_new_list();
        int more = 1;

        r->at++;
        skip_space(r);
        if (next_is(r, ']')) {
                r->at++;
                more = 0;
        }
        while (more) {
                struct value *item;
                int e = load_node(r, depth + 1, &item);

                if (e < 0)
                        return e;
                value_list_add(list, item);
                more = load_separator(r, ']', "\",\" or \"]\" is wanted here");
                if (more < 0)
                        return more;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

static int load_entry(struct reader *r, int depth, struct map_index *index)
{
        struct buf key CLEANUP_BUF = BUF_INIT((size_t)(r->end - r->at));
        struct value_place place = place_here(r);
        struct value *item;

        if (!next_is(r, '"'))
                return fail(r, "a key in quotes is wanted here");
        int e = load_string(r, &key);

        if (e < 0)
                return e;
        if (strlen(buf_str(&key)) != key.len)
                return value_error(&place, r->err, ERR_INVALID, "a key with a NUL character");
        const struct value_entry *old = map_index_find(index, buf_str(&key));

        if (old)
                return value_error(&place, r->err, ERR_INVALID,
                                   "duplicate key \"%s\": it is already at line %u, column %u", buf_str(&key),
                                   old->place.line, old->place.column);
        skip_space(r);
        if (!next_is(r, ':'))
                return fail(r, "\":\" is wanted here");
        r->at++;
        skip_space(r);
        e = load_node(r, depth + 1, &item);
        if (e < 0)
                return e;
        map_index_append(index, buf_str(&key), item)->place = place;
        return 0;
}

static int load_map(struct reader *r, int depth, struct value **ret)
{
        struct value *map CLEANUP_VALUE = value_new_map();
        struct map_index index CLEANUP_MAP_INDEX = MAP_INDEX_INIT(map);
        int more = 1;

        r->at++;
        skip_space(r);
        if (next_is(r, '}')) {
                r->at++;
                more = 0;
        }
        while (more) {
                int e = load_entry(r, depth, &index);

                if (e < 0)
                        return e;
                more = load_separator(r, '}', "\",\" or \"}\" is wanted here");
                if (more < 0)
                        return more;
        }
        *ret = TAKE_PTR(map);
        return 0;
}

static int load_text(struct reader *r, struct value **ret)
{
        struct buf text CLEANUP_BUF = BUF_INIT((size_t)(r->end - r->at));
        int e = load_string(r, &text);

        if (e < 0)
                return e;
        *ret = value_new_stringn(buf_str(&text), text.len);
        return 0;
}

/* Stands at the first character of the value. */
static int load_node(struct reader *r, int depth, struct value **ret)
{
        struct value_place place = place_here(r);
        int e;

        if (depth > LIMIT_YAML_DEPTH)
                return value_error(&place, r->err, ERR_LIMIT, "nested deeper than %d levels", LIMIT_YAML_DEPTH);
        if (++r->nodes > LIMIT_YAML_NODES)
                return value_error(&place, r->err, ERR_LIMIT, "more than %d values in one document", LIMIT_YAML_NODES);
        if (next_is(r, '{'))
                e = load_map(r, depth, ret);
        else if (next_is(r, '['))
                e = load_list(r, depth, ret);
        else if (next_is(r, '"'))
                e = load_text(r, ret);
        else
                e = load_word(r, ret);
        if (e < 0)
                return e;
        (*ret)->place = place;
        return 0;
}

int json_load(const char *file_name, const char *data, size_t len, struct value **ret, struct err *err)
{
        struct reader r = {.file = value_place_file(file_name),
                           .at = data,
                           .end = data + len,
                           .counted = data,
                           .line = 1,
                           .err = err};
        struct value *v CLEANUP_VALUE = NULL;
        size_t valid = utf8_valid_prefix(data, len);
        int e;

        if (valid < len) {
                for (; r.at < data + valid; r.at++)
                        if (*r.at == '\n')
                                begin_line(&r, r.at + 1);
                return fail(&r, "a byte that is not UTF-8");
        }
        skip_space(&r);
        e = load_node(&r, 1, &v);
        if (e < 0)
                return e;
        skip_space(&r);
        if (r.at < r.end)
                return fail(&r, "nothing is wanted behind the value");
        *ret = TAKE_PTR(v);
        return 0;
}

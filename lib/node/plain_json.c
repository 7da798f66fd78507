/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/hash.h"
#include "codec/value.h"
#include "node/plain_json.h"

/* Copies out of the struct, so that no pointer of another type looks into it. */
#define LOAD(type, at)                                   \
        ({                                               \
                type _loaded;                            \
                memcpy(&_loaded, (at), sizeof(_loaded)); \
                _loaded;                                 \
        })

void plain_word(struct buf *out, const char *word)
{
        buf_addch(out, '"');
        buf_addstr(out, word);
        buf_addch(out, '"');
}

void plain_key(struct buf *out, const char *name, bool *first)
{
        buf_addstr(out, *first ? "\"" : ",\"");
        buf_addstr(out, name);
        buf_addstr(out, "\":");
        *first = false;
}

static bool is_zero(const struct plain_field *f, const char *at)
{
        if (f->type == PLAIN_TEXT)
                return at[0] == '\0';
        if (f->type == PLAIN_STRUCT) {
                for (size_t i = 0; i < f->count; i++)
                        for (const struct plain_field *s = f->fields; s->name; s++)
                                if (!is_zero(s, at + i * f->size + s->offset))
                                        return false;
                return true;
        }
        switch (f->size) {
        case sizeof(uint64_t):
                return LOAD(uint64_t, at) == 0;
        case sizeof(uint32_t):
                return LOAD(uint32_t, at) == 0;
        default:
                for (size_t i = 0; i < f->size; i++)
                        if (at[i])
                                return false;
                return true;
        }
}

/* What is not UTF-8 is written as pod_view_text would keep it, so that a text read back is cut to the same. */
static void write_text(const char *s, struct buf *out)
{
        size_t len = strlen(s);
        char *copy;

        if (utf8_valid_prefix(s, len) == len) {
                buf_add_json_string(out, s, len);
                return;
        }
        copy = xmalloc(len + 1);
        for (size_t i = 0; i < len;) {
                size_t n = utf8_sequence_length(s + i, len - i);

                memcpy(copy + i, n ? s + i : "?", n ? n : 1);
                i += n ? n : 1;
        }
        buf_add_json_string(out, copy, len);
        free(copy);
}

static void write_usec(usec_t t, struct buf *out)
{
        if (t == USEC_INFINITY)
                buf_addstr(out, "\"infinity\"");
        else
                buf_addu(out, t);
}

static void write_structs(const struct plain_field *f, const char *at, struct buf *out)
{
        if (f->count == 1) {
                plain_write(f->fields, at, out);
                return;
        }
        buf_addch(out, '[');
        for (size_t i = 0; i < f->count; i++) {
                if (i > 0)
                        buf_addch(out, ',');
                plain_write(f->fields, at + i * f->size, out);
        }
        buf_addch(out, ']');
}

static void write_one(const struct plain_field *f, const char *at, struct buf *out)
{
        switch (f->type) {
        case PLAIN_BOOL:
                buf_addstr(out, LOAD(bool, at) ? "true" : "false");
                break;
        case PLAIN_INT:
                buf_addi(out, LOAD(int, at));
                break;
        case PLAIN_UNSIGNED:
                buf_addu(out, LOAD(unsigned, at));
                break;
        case PLAIN_I64:
                buf_addi(out, LOAD(int64_t, at));
                break;
        case PLAIN_USEC:
                write_usec(LOAD(usec_t, at), out);
                break;
        case PLAIN_TEXT:
                write_text(at, out);
                break;
        case PLAIN_STRING:
                write_text(LOAD(const char *, at), out);
                break;
        case PLAIN_ENUM:
                plain_word(out, f->enum_name(LOAD(int, at)));
                break;
        case PLAIN_STRUCT:
                write_structs(f, at, out);
                break;
        case PLAIN_TYPE_MAX:
                break;
        }
}

void plain_write_fields(const struct plain_field *fields, const void *object, struct buf *out, bool *first)
{
        for (const struct plain_field *f = fields; f->name; f++) {
                const char *at = (const char *)object + f->offset;

                if (is_zero(f, at))
                        continue;
                buf_add(out, f->key + *first, f->key_len - *first);
                *first = false;
                write_one(f, at, out);
        }
}

void plain_write(const struct plain_field *fields, const void *object, struct buf *out)
{
        bool first = true;

        buf_addch(out, '{');
        plain_write_fields(fields, object, out, &first);
        buf_addch(out, '}');
}

/* --- digest --------------------------------------------------------------------------------------------------- */

static uint64_t digest_number(uint64_t h, uint64_t index, uint64_t n)
{
        return n ? hash64_add(hash64_add(h, index), n) : h;
}

/* Zeros add nothing, as they are not written. */
static uint64_t digest_one(const struct plain_field *f, const char *at, uint64_t h, uint64_t index)
{
        const char *text;

        switch (f->type) {
        case PLAIN_BOOL:
                return digest_number(h, index, LOAD(bool, at));
        case PLAIN_INT:
        case PLAIN_UNSIGNED:
        case PLAIN_ENUM:
                return digest_number(h, index, LOAD(unsigned, at));
        case PLAIN_I64:
        case PLAIN_USEC:
                return digest_number(h, index, LOAD(uint64_t, at));
        case PLAIN_TEXT:
                return at[0] ? hash64_text(hash64_add(h, index), at) : h;
        case PLAIN_STRING:
                text = LOAD(const char *, at);
                return text ? hash64_text(hash64_add(h, index), text) : h;
        case PLAIN_STRUCT:
                for (size_t i = 0; i < f->count; i++)
                        h = plain_digest(f->fields, at + i * f->size, hash64_add(h, index));
                return h;
        case PLAIN_TYPE_MAX:
                break;
        }
        return h;
}

uint64_t plain_digest(const struct plain_field *fields, const void *object, uint64_t seed)
{
        uint64_t h = seed;

        for (const struct plain_field *f = fields; f->name; f++)
                h = digest_one(f, (const char *)object + f->offset, h, (uint64_t)(f - fields));
        return hash64_add(h, UINT64_MAX);
}

/* --- reading -------------------------------------------------------------------------------------------------- */

static int wrong(const struct value *v, const char *name, struct err *err, const char *what)
{
        return value_error(&v->place, err, ERR_INVALID, "%s: %s", name, what);
}

static int read_usec(const char *name, const struct value *v, usec_t *ret, struct err *err)
{
        uint64_t n;

        if (value_is(v, VALUE_STRING) && str_eq(v->text, "infinity"))
                n = USEC_INFINITY;
        else if (!value_is(v, VALUE_NUMBER) || str_to_u64(v->text, &n) < 0)
                return wrong(v, name, err, "not a time in microseconds");
        *ret = n;
        return 0;
}

int plain_usec(const struct value *map, const char *key, uint64_t *ret, struct err *err)
{
        const struct value *v = value_map_get(map, key);

        return v ? read_usec(key, v, ret, err) : err_set(err, ERR_INVALID, "%s is missing", key);
}

static int read_integer(const struct plain_field *f, const struct value *v, int64_t min, int64_t max, int64_t *ret,
                        struct err *err)
{
        int64_t n;

        if (value_int(v, &n) < 0 || n < min || n > max)
                return wrong(v, f->name, err, "not an integer in its range");
        *ret = n;
        return 0;
}

static int read_text(const struct plain_field *f, const struct value *v, char *at, struct err *err)
{
        if (!value_is(v, VALUE_STRING))
                return wrong(v, f->name, err, "not a string");
        if (memchr(v->text, '\0', v->len))
                return wrong(v, f->name, err, "holds a NUL");
        if (f->type == PLAIN_STRING) {
                char *copy = xstrdup(v->text);

                free(LOAD(char *, at));
                memcpy(at, &copy, sizeof(copy));
                return 0;
        }
        if (v->len >= f->size)
                return wrong(v, f->name, err, "too long");
        memcpy(at, v->text, v->len + 1);
        return 0;
}

static int read_enum(const struct plain_field *f, const struct value *v, char *at, struct err *err)
{
        for (int i = 0; i < f->enum_max; i++) {
                if (!str_eq(value_string(v, ""), f->enum_name(i)))
                        continue;
                memcpy(at, &i, sizeof(i));
                return 0;
        }
        return wrong(v, f->name, err, "no word of its list");
}

static int read_structs(const struct plain_field *f, const struct value *v, char *at, struct err *err)
{
        if (f->count == 1)
                return plain_read(f->fields, v, at, err);
        if (!value_is(v, VALUE_LIST) || v->list.count != f->count)
                return wrong(v, f->name, err, "not a list of the right length");
        for (size_t i = 0; i < f->count; i++) {
                int r = plain_read(f->fields, v->list.items[i], at + i * f->size, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_number(const struct plain_field *f, const struct value *v, char *at, struct err *err)
{
        int64_t min = f->type == PLAIN_I64 ? INT64_MIN : f->type == PLAIN_INT ? INT_MIN : 0;
        int64_t max = f->type == PLAIN_I64 ? INT64_MAX : f->type == PLAIN_INT ? INT_MAX : UINT_MAX;
        int64_t n = 0;
        int r = read_integer(f, v, min, max, &n, err);

        if (r < 0)
                return r;
        if (f->type == PLAIN_I64) {
                memcpy(at, &n, sizeof(n));
        } else {
                unsigned u = (unsigned)n;

                memcpy(at, &u, sizeof(u));
        }
        return 0;
}

static int read_one(const struct plain_field *f, const struct value *v, char *at, struct err *err)
{
        usec_t t;
        int r;

        switch (f->type) {
        case PLAIN_BOOL:
                if (!value_is(v, VALUE_BOOL))
                        return wrong(v, f->name, err, "not a boolean");
                memcpy(at, &v->boolean, sizeof(bool));
                return 0;
        case PLAIN_INT:
        case PLAIN_UNSIGNED:
        case PLAIN_I64:
                return read_number(f, v, at, err);
        case PLAIN_USEC:
                r = read_usec(f->name, v, &t, err);
                if (r == 0)
                        memcpy(at, &t, sizeof(t));
                return r;
        case PLAIN_TEXT:
        case PLAIN_STRING:
                return read_text(f, v, at, err);
        case PLAIN_ENUM:
                return read_enum(f, v, at, err);
        case PLAIN_STRUCT:
                return read_structs(f, v, at, err);
        case PLAIN_TYPE_MAX:
                break;
        }
        return 0;
}

int plain_read(const struct plain_field *fields, const struct value *v, void *object, struct err *err)
{
        if (!value_is(v, VALUE_MAP))
                return value_error(v ? &v->place : NULL, err, ERR_INVALID, "not an object");
        for (const struct plain_field *f = fields; f->name; f++) {
                const struct value *member = value_map_get(v, f->name);
                int r = member ? read_one(f, member, (char *)object + f->offset, err) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

void plain_release(const struct plain_field *fields, void *object)
{
        for (const struct plain_field *f = fields; f->name; f++) {
                char *at = (char *)object + f->offset;

                if (f->type == PLAIN_STRING) {
                        free(LOAD(char *, at));
                        memset(at, 0, f->size);
                }
                for (size_t i = 0; f->type == PLAIN_STRUCT && i < f->count; i++)
                        plain_release(f->fields, at + i * f->size);
        }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"

const char *value_place_file(const char *name)
{
        /* The one table of the process: places borrow these names for as long as it runs. */
        static char *names[LIMIT_MANIFEST_FILES];
        static size_t count;

        if (!name)
                return NULL;
        for (size_t i = 0; i < count; i++)
                if (strcmp(names[i], name) == 0)
                        return names[i];
        if (count == ARRAY_SIZE(names))
                return "(one file name too many)";
        return names[count++] = xstrdup(name);
}

static struct value *value_new(enum value_kind kind)
{
        struct value *v = xcalloc(1, sizeof(*v));

        v->kind = kind;
        return v;
}

struct value *value_new_null(void)
{
        return value_new(VALUE_NULL);
}

struct value *value_new_bool(bool b)
{
        struct value *v = value_new(VALUE_BOOL);

        v->boolean = b;
        return v;
}

static struct value *value_new_text(enum value_kind kind, const char *s, size_t len)
{
        struct value *v = value_new(kind);

        v->text = xmalloc(len + 1);
        if (len)
                memcpy(v->text, s, len);
        v->text[len] = '\0';
        v->len = len;
        return v;
}

struct value *value_new_int(int64_t n)
{
        char text[24];
        int len = snprintf(text, sizeof(text), "%lld", (long long)n);

        return value_new_text(VALUE_NUMBER, text, (size_t)len);
}

struct value *value_new_number(const char *text)
{
        return value_new_text(VALUE_NUMBER, text, strlen(text));
}

struct value *value_new_string(const char *s)
{
        return value_new_text(VALUE_STRING, s, strlen(s));
}

struct value *value_new_stringn(const char *s, size_t len)
{
        return value_new_text(VALUE_STRING, s, len);
}

struct value *value_new_stringf(const char *fmt, ...)
{
        struct value *v = value_new(VALUE_STRING);
        char *text = NULL;
        va_list ap;

        va_start(ap, fmt);
        int n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0) {
                (void)fputs("out of memory\n", stderr);
                abort();
        }
        v->text = text;
        v->len = (size_t)n;
        return v;
}

struct value *value_new_list(void)
{
        return value_new(VALUE_LIST);
}

struct value *value_new_map(void)
{
        return value_new(VALUE_MAP);
}

struct value *value_free(struct value *v)
{
        if (!v)
                return NULL;
        switch (v->kind) {
        case VALUE_NUMBER:
        case VALUE_STRING:
                free(v->text);
                break;
        case VALUE_LIST:
                for (size_t i = 0; i < v->list.count; i++)
                        value_free(v->list.items[i]);
                free(v->list.items);
                break;
        case VALUE_MAP:
                for (size_t i = 0; i < v->map.count; i++) {
                        free(v->map.entries[i].key);
                        value_free(v->map.entries[i].value);
                }
                free(v->map.entries);
                break;
        case VALUE_NULL:
        case VALUE_BOOL:
        case VALUE_KIND_MAX:
                break;
        }
        free(v);
        return NULL;
}

static void need_kind(const struct value *v, enum value_kind kind, const char *what)
{
        if (v && v->kind == kind)
                return;
        (void)fprintf(stderr, "%s: a %s was needed, this is %s\n", what, value_kind_name(kind),
                      v ? value_kind_name(v->kind) : "nothing");
        abort();
}

struct value_entry *value_map_append(struct value *map, const char *key, struct value *item)
{
        need_kind(map, VALUE_MAP, "value_map_append");
        if (map->map.count == map->map.cap) {
                map->map.cap = map->map.cap ? map->map.cap * 2 : 8;
                map->map.entries = xrealloc(map->map.entries, map->map.cap, sizeof(*map->map.entries));
        }
        struct value_entry *entry = &map->map.entries[map->map.count++];

        *entry = (struct value_entry){.key = xstrdup(key), .value = item};
        return entry;
}

struct value *value_copy(const struct value *v)
{
        struct value *c;

        if (!v)
                return NULL;
        switch (v->kind) {
        case VALUE_NUMBER:
        case VALUE_STRING:
                c = value_new_text(v->kind, v->text, v->len);
                break;
        case VALUE_LIST:
                c = value_new_list();
                for (size_t i = 0; i < v->list.count; i++)
                        value_list_add(c, value_copy(v->list.items[i]));
                break;
        case VALUE_MAP:
                c = value_new_map();
                for (size_t i = 0; i < v->map.count; i++) {
                        const struct value_entry *entry = &v->map.entries[i];

                        value_map_append(c, entry->key, value_copy(entry->value))->place = entry->place;
                }
                break;
        case VALUE_BOOL:
                c = value_new_bool(v->boolean);
                break;
        case VALUE_NULL:
        case VALUE_KIND_MAX:
        default:
                c = value_new_null();
                break;
        }
        c->place = v->place;
        return c;
}

void value_list_insert(struct value *list, size_t at, struct value *item)
{
        need_kind(list, VALUE_LIST, "value_list_insert");
        if (at > list->list.count)
                at = list->list.count;
        if (list->list.count == list->list.cap) {
                list->list.cap = list->list.cap ? list->list.cap * 2 : 8;
                list->list.items = xrealloc(list->list.items, list->list.cap, sizeof(struct value *));
        }
        memmove(list->list.items + at + 1, list->list.items + at, (list->list.count - at) * sizeof(struct value *));
        list->list.items[at] = item;
        list->list.count++;
}

void value_list_add(struct value *list, struct value *item)
{
        need_kind(list, VALUE_LIST, "value_list_add");
        value_list_insert(list, list->list.count, item);
}

void value_list_remove(struct value *list, size_t at)
{
        need_kind(list, VALUE_LIST, "value_list_remove");
        if (at >= list->list.count)
                return;
        value_free(list->list.items[at]);
        list->list.count--;
        memmove(list->list.items + at, list->list.items + at + 1, (list->list.count - at) * sizeof(struct value *));
}

static struct value_entry *map_find(const struct value *map, const char *key)
{
        for (size_t i = 0; i < map->map.count; i++)
                if (strcmp(map->map.entries[i].key, key) == 0)
                        return &map->map.entries[i];
        return NULL;
}

struct value *value_map_set(struct value *map, const char *key, struct value *item)
{
        need_kind(map, VALUE_MAP, "value_map_set");
        struct value_entry *entry = map_find(map, key);

        if (!entry) {
                value_map_append(map, key, item);
                return item;
        }
        if (entry->value != item)
                value_free(entry->value);
        entry->value = item;
        return item;
}

bool value_map_remove(struct value *map, const char *key)
{
        need_kind(map, VALUE_MAP, "value_map_remove");
        struct value_entry *entry = map_find(map, key);

        if (!entry)
                return false;
        free(entry->key);
        value_free(entry->value);
        map->map.count--;
        memmove(entry, entry + 1, (size_t)(map->map.entries + map->map.count - entry) * sizeof(*entry));
        return true;
}

static int entry_compare(const void *a, const void *b)
{
        const struct value_entry *x = a, *y = b;

        return strcmp(x->key, y->key);
}

void value_sort_keys(struct value *v)
{
        if (value_is(v, VALUE_LIST))
                for (size_t i = 0; i < v->list.count; i++)
                        value_sort_keys(v->list.items[i]);
        if (!value_is(v, VALUE_MAP) || v->map.count == 0)
                return;
        qsort(v->map.entries, v->map.count, sizeof(*v->map.entries), entry_compare);
        for (size_t i = 0; i < v->map.count; i++)
                value_sort_keys(v->map.entries[i].value);
}

struct value *value_map_get(const struct value *map, const char *key)
{
        if (!value_is(map, VALUE_MAP))
                return NULL;
        struct value_entry *entry = map_find(map, key);

        return entry ? entry->value : NULL;
}

struct value *value_get(const struct value *v, ...)
{
        struct value *at = (struct value *)v;
        const char *key;
        va_list ap;

        va_start(ap, v);
        while (at && (key = va_arg(ap, const char *)))
                at = value_map_get(at, key);
        va_end(ap);
        return at;
}

const char *value_string(const struct value *v, const char *fallback)
{
        return value_is(v, VALUE_STRING) ? v->text : fallback;
}

int value_int(const struct value *v, int64_t *ret)
{
        if (!value_is(v, VALUE_NUMBER))
                return -EINVAL;
        return str_to_i64(v->text, ret);
}

bool value_is(const struct value *v, enum value_kind kind)
{
        return v && v->kind == kind;
}

static bool list_equal(const struct value *a, const struct value *b)
{
        if (a->list.count != b->list.count)
                return false;
        for (size_t i = 0; i < a->list.count; i++)
                if (!value_equal(a->list.items[i], b->list.items[i]))
                        return false;
        return true;
}

static bool map_equal(const struct value *a, const struct value *b)
{
        if (a->map.count != b->map.count)
                return false;
        for (size_t i = 0; i < a->map.count; i++) {
                const struct value_entry *x = &a->map.entries[i], *y = &b->map.entries[i];

                if (strcmp(x->key, y->key) != 0)
                        y = map_find(b, x->key); /* another order */
                if (!y || !value_equal(x->value, y->value))
                        return false;
        }
        return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
        if (!a || !b || a->kind != b->kind)
                return a == b;
        switch (a->kind) {
        case VALUE_BOOL:
                return a->boolean == b->boolean;
        case VALUE_NUMBER:
        case VALUE_STRING:
                return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
        case VALUE_LIST:
                return list_equal(a, b);
        case VALUE_MAP:
                return map_equal(a, b);
        case VALUE_NULL:
        case VALUE_KIND_MAX:
                break;
        }
        return true;
}

const char *value_kind_name(enum value_kind kind)
{
        static const char *const names[VALUE_KIND_MAX] = {
                [VALUE_NULL] = "null",     [VALUE_BOOL] = "boolean", [VALUE_NUMBER] = "number",
                [VALUE_STRING] = "string", [VALUE_LIST] = "list",    [VALUE_MAP] = "map",
        };

        return (unsigned)kind < VALUE_KIND_MAX ? names[kind] : "nothing";
}

int value_error(const struct value_place *place, struct err *err, int code, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        int r = err_setv(err, code, fmt, ap);
        va_end(ap);
        if (!err || !place)
                return r;
        const char *file = place->file;

        if (place->line && place->column)
                return file ? err_wrap(err, "%s:%u:%u", file, place->line, place->column)
                            : err_wrap(err, "line %u, column %u", place->line, place->column);
        if (place->line)
                return file ? err_wrap(err, "%s:%u", file, place->line) : err_wrap(err, "line %u", place->line);
        if (file)
                return err_wrap(err, "%s", file);
        return place->origin ? err_wrap(err, "%s", place->origin) : r;
}

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A value: what a YAML or JSON document holds, each node with its place (file:line:column), or what a program builds
 * to be written as one. Numbers are kept as text, so 64-bit integers and quantities survive. Maps keep their order and
 * are searched linearly (objects here have tens of keys). A value owns what is below it; a parent never shares a child.
 *
 * Values live while something is parsed, built, patched or written; what runs for long keeps typed structs and bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum value_kind {
        VALUE_NULL,
        VALUE_BOOL,
        VALUE_NUMBER, /* text is a JSON number */
        VALUE_STRING,
        VALUE_LIST,
        VALUE_MAP,
        VALUE_KIND_MAX
};

struct value;

/* Where a value was written, or why it is there. Strings are borrowed and must outlive the value: file names from
 * value_place_file, constants, or the configuration that the phase keeps. */
struct value_place {
        const char *file; /* NULL: built by the program */
        uint32_t line;    /* 1-based, 0 unknown */
        uint32_t column;  /* 1-based, in characters */
        const char
                *origin; /* for values built or changed by the program: "default", an era row, "patch FILE"; or NULL */
        const struct value_place *also; /* another place that had a part in it (borrowed as the strings), or NULL */
};

struct value_entry {
        char *key;
        struct value_place place; /* of the key */
        struct value *value;
};

struct value {
        enum value_kind kind;
        struct value_place place;
        union {
                bool boolean;
                struct {
                        char *text; /* number or string; NUL-terminated, may hold NUL inside only if a string */
                        size_t len;
                };
                struct {
                        struct value **items;
                        size_t count;
                        size_t cap;
                } list;
                struct {
                        struct value_entry *entries;
                        size_t count;
                        size_t cap;
                } map;
        };
};

/* Interned file name that lives as long as the process (few, bounded by LIMIT_MANIFEST_FILES distinct names). */
const char *value_place_file(const char *name);

struct value *value_new_null(void);
struct value *value_new_bool(bool b);
struct value *value_new_int(int64_t n);
struct value *value_new_number(const char *text);
struct value *value_new_string(const char *s);
struct value *value_new_stringn(const char *s, size_t len);
struct value *value_new_stringf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct value *value_new_list(void);
struct value *value_new_map(void);
struct value *value_free(struct value *v); /* takes NULL, returns NULL */
struct value *value_copy(const struct value *v);
static inline void cleanup_value(struct value **v)
{
        *v = value_free(*v);
}
#define CLEANUP_VALUE __attribute__((cleanup(cleanup_value)))

/* Lists and maps. All take ownership of `item`; they abort on a value of another kind. */
void value_list_add(struct value *list, struct value *item);
void value_list_insert(struct value *list, size_t at, struct value *item);
void value_list_remove(struct value *list, size_t at); /* frees the item */
/* Sets or replaces key (place of a replaced key kept); returns item. */
struct value *value_map_set(struct value *map, const char *key, struct value *item);
/* Adds a key that the caller knows not to be there, without looking. The entry is valid until the map changes. */
struct value_entry *value_map_append(struct value *map, const char *key, struct value *item);
bool value_map_remove(struct value *map, const char *key);
/* Keys in bytewise order, at every depth. */
void value_sort_keys(struct value *v);

/* Look-ups. NULL where map is NULL, no map, or lacks the key. value_get takes a chain of keys that ends in NULL:
 * value_get(pod, "metadata", "name", NULL). */
struct value *value_map_get(const struct value *map, const char *key);
struct value *value_get(const struct value *v, ...) __attribute__((sentinel));
/* The string, or fallback where v is NULL or no string. */
const char *value_string(const struct value *v, const char *fallback);
/* 0, or -EINVAL where v is no integer number, -ERANGE. */
int value_int(const struct value *v, int64_t *ret);
bool value_is(const struct value *v, enum value_kind kind); /* false for NULL */

/* Deep comparison: kinds, texts, list order; map order and places do not count. */
bool value_equal(const struct value *a, const struct value *b);

/* "null", "boolean", "number", "string", "list", "map" */
const char *value_kind_name(enum value_kind kind);

/* err_set with "FILE:LINE:COLUMN: " in front (as much of it as is known); returns -code. */
int value_error(const struct value_place *place, struct err *err, int code, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain structs as JSON objects by tables: one list of fields gives both directions. What is zero is left out, and what
 * is not there is zero, so a struct comes back exactly as it was. Text must be UTF-8 (pod_view_text sees to it).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct value;

enum plain_type {
        PLAIN_BOOL,
        PLAIN_INT,      /* int */
        PLAIN_UNSIGNED, /* unsigned, uint32_t */
        PLAIN_I64,      /* int64_t */
        PLAIN_USEC,     /* usec_t; USEC_INFINITY is "infinity" */
        PLAIN_TEXT,     /* char[size] */
        PLAIN_STRING,   /* char *, owned; NULL is left out */
        PLAIN_ENUM,     /* an enum, by its names */
        PLAIN_STRUCT,   /* count of them, one behind the other: an object, or a list with count > 1 */
        PLAIN_TYPE_MAX
};

struct plain_field {
        const char *name; /* NULL ends a table */
        const char *key;  /* as it is written, with a comma in front: ,"name": */
        size_t key_len;
        enum plain_type type;
        size_t offset, size;                 /* in the struct; size of one */
        const char *(*enum_name)(int value); /* PLAIN_ENUM */
        int enum_max;                        /* PLAIN_ENUM */
        const struct plain_field *fields;    /* PLAIN_STRUCT */
        size_t count;                        /* PLAIN_STRUCT */
};

#define PLAIN_SIZE(type, member) sizeof(((type *)0)->member)
#define PLAIN_KEY(name) (name), ",\"" name "\":", sizeof(",\"" name "\":") - 1
#define PLAIN(kind, type, member)                                                                            \
        {                                                                                                    \
                PLAIN_KEY(#member), kind, offsetof(type, member), PLAIN_SIZE(type, member), NULL, 0, NULL, 0 \
        }
#define PLAIN_NAMED(type, member, names, max)                                                                         \
        {                                                                                                             \
                PLAIN_KEY(#member), PLAIN_ENUM, offsetof(type, member), PLAIN_SIZE(type, member), names, max, NULL, 0 \
        }
#define PLAIN_SUB(type, member, table)                                                                                \
        {                                                                                                             \
                PLAIN_KEY(#member), PLAIN_STRUCT, offsetof(type, member), PLAIN_SIZE(type, member), NULL, 0, table, 1 \
        }
#define PLAIN_SUBS(type, member, table, n)                                                                         \
        {                                                                                                          \
                PLAIN_KEY(#member), PLAIN_STRUCT, offsetof(type, member), PLAIN_SIZE(type, member) / (n), NULL, 0, \
                        table, n                                                                                   \
        }
#define PLAIN_END                                                     \
        {                                                             \
                NULL, NULL, 0, PLAIN_TYPE_MAX, 0, 0, NULL, 0, NULL, 0 \
        }

/* Appends "name":value,... of the fields that are not zero, with a comma in front where `first` is false; *first is
 * false after something was written. */
void plain_write_fields(const struct plain_field *fields, const void *object, struct buf *out, bool *first);
/* Appends {...}. */
void plain_write(const struct plain_field *fields, const void *object, struct buf *out);

/* A number for what plain_write would write, at a small part of its cost: the same for the same fields, another for
 * others but once in 2^64. seed: what it goes on from. Good within one process; nothing to be stored. */
uint64_t plain_digest(const struct plain_field *fields, const void *object, uint64_t seed);

/* Fills object, all of whose fields must be zero. Keys that the table does not have are left to the caller. */
int plain_read(const struct plain_field *fields, const struct value *v, void *object, struct err *err);
/* Frees PLAIN_STRINGs. */
void plain_release(const struct plain_field *fields, void *object);

/* "word", which needs no escapes. */
void plain_word(struct buf *out, const char *word);
/* For objects written by hand: "name": with the comma. */
void plain_key(struct buf *out, const char *name, bool *first);
/* Places: a value that must be there and of this kind, else an error with the key. */
int plain_usec(const struct value *map, const char *key, uint64_t *ret, struct err *err);

/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "kube/version.h"
#include "phase/api_types.h"
#include "phase/era.h"

/* Where a type is looked up, in this order. */
static const char *const type_files[] = {"pod-types.yaml", "config-types.yaml", "other-types.yaml"};

/* Each type is an allocation of its own, so that what api_types_get gave stays where it is. */
struct api_types {
        const struct era *era;
        struct api_type **items;
        size_t count;
        struct strv names; /* words of the rows that are not whole strings of the file */
};

struct api_types *api_types_new(const struct era *era)
{
        struct api_types *types = xcalloc(1, sizeof(*types));

        types->era = era;
        return types;
}

static void type_free(struct api_type *type)
{
        free(type->fields);
        free(type);
}

struct api_types *api_types_free(struct api_types *types)
{
        if (!types)
                return NULL;
        for (size_t i = 0; i < types->count; i++)
                type_free(types->items[i]);
        free(types->items);
        strv_release(&types->names);
        free(types);
        return NULL;
}

static const struct {
        const char *word, *go_kind;
} kinds[API_KIND_MAX] = {
        [API_STRING] = {"string", "string"},     [API_BOOL] = {"bool", "bool"},
        [API_INT32] = {"int32", "int32"},        [API_INT64] = {"int64", "int64"},
        [API_QUANTITY] = {"Quantity", "struct"}, [API_INT_OR_STRING] = {"IntOrString", "struct"},
        [API_TIME] = {"Time", "struct"},         [API_ANY] = {"any", "struct"},
        [API_UINT32] = {"uint32", "uint32"},     [API_FLOAT64] = {"float64", "float64"},
        [API_DURATION] = {"Duration", "struct"}, [API_TIME_OR_DURATION] = {"TimeOrDuration", "struct"},
        [API_BYTES] = {"bytes", "slice"},        [API_STRUCT] = {"", "struct"},
};

static const struct {
        const char *word, *go_kind;
} shapes[API_SHAPE_MAX] = {
        [API_ONE] = {"", ""},
        [API_POINTER] = {"pointer", "ptr"},
        [API_LIST] = {"list", "slice"},
        [API_MAP] = {"map", "map"},
};

const char *api_ref_go_kind(const struct api_ref *ref)
{
        return ref->shape == API_ONE ? kinds[ref->kind].go_kind : shapes[ref->shape].go_kind;
}

static const char *keep(struct api_types *types, const char *word)
{
        strv_add(&types->names, word);
        return types->names.items[types->names.len - 1];
}

/* "list EnvVar": the number of words, 0 where they are none of these. */
static size_t read_ref(struct api_types *types, const struct strv *words, struct api_ref *ret)
{
        size_t at = 0;

        *ret = (struct api_ref){.shape = API_ONE, .kind = API_KIND_MAX};
        for (int s = API_POINTER; s < API_SHAPE_MAX; s++)
                if (words->len > 1 && str_eq(words->items[0], shapes[s].word)) {
                        ret->shape = (enum api_shape)s;
                        at = 1;
                }
        for (int k = 0; k < API_STRUCT; k++)
                if (str_eq(words->items[at], kinds[k].word))
                        ret->kind = (enum api_kind)k;
        if (ret->kind != API_KIND_MAX)
                return at + 1;
        if (!isupper((unsigned char)words->items[at][0]))
                return 0;
        ret->kind = API_STRUCT;
        ret->type_name = keep(types, words->items[at]);
        return at + 1;
}

static int wrong_row(const struct value *row, struct err *err, const char *what)
{
        return value_error(&row->place, err, ERR_INVALID, "\"%s\": %s", value_string(row, "(not a string)"), what);
}

/* since=1.22, until=1.30; 1: the row does not count for the era's version. */
static int read_range(const struct api_types *types, const struct value *row, const char *word, struct err *err)
{
        const char *since = str_after(word, "since="), *until = str_after(word, "until=");
        struct kube_version version, now = *era_version(types->era);

        now.pre[0] = '\0';
        if (kube_version_parse(since ? since : until, true, &version, NULL) < 0)
                return wrong_row(row, err, "since and until name a version");
        int c = kube_version_compare(&now, &version);
        return since ? c < 0 : c >= 0;
}

/* Everything behind the type. 1: the row does not count. */
static int read_flags(struct api_types *types, const struct value *row, const struct strv *words, size_t at,
                      struct api_field *field, struct err *err)
{
        int skip = 0;

        for (; at < words->len; at++) {
                const char *word = words->items[at], *key = str_after(word, "merge=");

                if (str_eq(word, "always")) {
                        field->always = true;
                } else if (str_eq(word, "omitzero")) {
                        field->omit_zero = true;
                } else if (str_eq(word, "merge")) {
                        field->merge = true;
                } else if (key) {
                        field->merge = true;
                        field->merge_key = keep(types, key);
                } else if (str_after(word, "since=") || str_after(word, "until=")) {
                        int r = read_range(types, row, word, err);
                        if (r < 0)
                                return r;
                        skip |= r;
                } else if (!str_eq(word, "retainKeys")) {
                        return wrong_row(row, err, "unknown word");
                }
        }
        return skip;
}

/* 0: counts, *ret is filled in; 1: it does not. */
static int read_row(struct api_types *types, const char *name, const struct value *row, struct api_field *ret,
                    struct err *err)
{
        struct strv words CLEANUP_STRV = STRV_INIT;

        if (!value_is(row, VALUE_STRING))
                return wrong_row(row, err, "expected a type and its flags");
        strv_split(&words, row->text, ' ');
        *ret = (struct api_field){.name = name};
        size_t at = read_ref(types, &words, &ret->ref);
        if (at == 0)
                return wrong_row(row, err, "unknown type");
        return read_flags(types, row, &words, at, ret, err);
}

static int read_field(struct api_types *types, const struct value_entry *e, struct api_type *type, struct err *err)
{
        const struct value *v = e->value;
        size_t count = v->kind == VALUE_LIST ? v->list.count : 1;

        for (size_t i = 0; i < count; i++) {
                const struct value *row = v->kind == VALUE_LIST ? v->list.items[i] : v;
                int r = read_row(types, e->key, row, &type->fields[type->count], err);

                if (r < 0)
                        return r;
                if (r == 0) {
                        type->count++;
                        return 0;
                }
        }
        return 0;
}

/* The rows of a type. */
static int find_rows(const struct api_types *types, const char *name, const struct value **ret, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(type_files); i++) {
                const struct value *file = NULL;
                int r = era_template(types->era, type_files[i], &file, err);

                if (r < 0)
                        return r;
                *ret = value_map_get(file, name);
                if (value_is(*ret, VALUE_MAP))
                        return 0;
                if (i + 1 == ARRAY_SIZE(type_files))
                        return value_error(&file->place, err, ERR_INVALID, "there is no type %s", name);
        }
        return 0;
}

int api_types_get(struct api_types *types, const char *name, const struct api_type **ret, struct err *err)
{
        const struct value *rows = NULL;

        for (size_t i = 0; i < types->count; i++)
                if (strcmp(types->items[i]->name, name) == 0) {
                        *ret = types->items[i];
                        return 0;
                }
        int r = find_rows(types, name, &rows, err);
        if (r < 0)
                return r;
        struct api_type *type = xcalloc(1, sizeof(*type));
        type->name = keep(types, name);
        type->fields = xcalloc(rows->map.count + 1, sizeof(*type->fields));
        for (size_t i = 0; i < rows->map.count && r == 0; i++)
                r = read_field(types, &rows->map.entries[i], type, err);
        if (r < 0) {
                type_free(type);
                return r;
        }
        types->items = xrealloc(types->items, types->count + 1, sizeof(struct api_type *));
        types->items[types->count++] = type;
        *ret = type;
        return 0;
}

const struct api_field *api_type_field(const struct api_type *type, const char *name)
{
        for (size_t i = 0; i < type->count; i++)
                if (strcmp(type->fields[i].name, name) == 0)
                        return &type->fields[i];
        return NULL;
}

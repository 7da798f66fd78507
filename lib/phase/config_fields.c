/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "phase/config_fields.h"
#include "phase/config_schema.h"
#include "phase/names.h"
#include "phase/typed.h"

/* What is decoded: its fields here, and what the API version has of it. */
struct shape {
        const struct config_schema *schema;
        const struct api_type *type;
};

static void decode_struct(struct config_fields *d, const struct shape *shape, const struct value *v, const char *path,
                          void *target);

static char *child_path(const char *path, const char *name)
{
        return *path ? xasprintf("%s.%s", path, name) : xstrdup(name);
}

static void wrong_type(struct config_fields *d, const struct value *v, const char *path, const char *expected)
{
        const char *kind = value_kind_name(v->kind);

        if (v->kind == VALUE_BOOL || v->kind == VALUE_NUMBER)
                config_problem_error(d->problems, &v->place, "%s: expected %s, found the %s %s%s", path, expected, kind,
                                     v->kind == VALUE_BOOL ? (v->boolean ? "true" : "false") : v->text,
                                     strcmp(expected, "a string") == 0 ? " (put it in quotes)" : "");
        else
                config_problem_error(d->problems, &v->place, "%s: expected %s, found a %s", path, expected, kind);
}

/* The string of v; NULL (and a problem) where it is none. */
static const char *string_of(struct config_fields *d, const struct value *v, const char *path)
{
        if (v->kind != VALUE_STRING) {
                wrong_type(d, v, path, "a string");
                return NULL;
        }
        if (strlen(v->text) != v->len) {
                config_problem_error(d->problems, &v->place, "%s: the string holds a NUL character", path);
                return NULL;
        }
        return v->text;
}

static void decode_text(struct config_fields *d, const struct value *v, const char *path, struct config_text *target)
{
        const char *s = string_of(d, v, path);

        if (s)
                *target = (struct config_text){s, v->place};
}

static void decode_token(struct config_fields *d, const struct value *v, const char *path, struct config_text *target)
{
        const char *s = string_of(d, v, path);

        if (s && !name_is_bootstrap_token(s))
                config_problem_error(d->problems, &v->place,
                                     "the bootstrap token \"%s\" was not of the form "
                                     "\"\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z\"",
                                     s);
        else if (s)
                *target = (struct config_text){s, v->place};
}

static void decode_number(struct config_fields *d, const struct value *v, const char *path,
                          struct config_number *target)
{
        int64_t n;

        if (v->kind != VALUE_NUMBER || value_int(v, &n) < 0 || n < INT32_MIN || n > INT32_MAX)
                wrong_type(d, v, path, "a whole number of 32 bits");
        else
                *target = (struct config_number){n, v->place};
}

static void decode_bool(struct config_fields *d, const struct value *v, const char *path, struct config_bool *target)
{
        if (v->kind != VALUE_BOOL)
                wrong_type(d, v, path, "true or false");
        else
                *target = (struct config_bool){v->boolean, true, v->place};
}

static void decode_duration(struct config_fields *d, const struct value *v, const char *path,
                            struct config_duration *target)
{
        struct err why = ERR_INIT;
        int64_t nsec;

        if (v->kind != VALUE_STRING)
                wrong_type(d, v, path, "a duration in a string (\"4m0s\")");
        else if (duration_parse(v->text, &nsec, &why) < 0)
                config_problem_error(d->problems, &v->place, "%s: %s", path, why.msg);
        else
                *target = (struct config_duration){nsec, true, v->place};
}

/* Makes room for the items of list v in the struct at target; NULL where v is no list. */
static void *begin_list(struct config_fields *d, const struct value *v, const char *path, size_t item_size,
                        const char *expected, void *target)
{
        struct config_any_list list = {.set = true, .place = v->place};

        if (v->kind != VALUE_LIST) {
                wrong_type(d, v, path, expected);
                return NULL;
        }
        list.count = v->list.count;
        list.items = config_alloc(d->config, list.count ? list.count : 1, item_size);
        memcpy(target, &list, sizeof(list));
        return list.items;
}

static void decode_texts(struct config_fields *d, const struct value *v, const char *path, struct config_texts *target)
{
        struct config_text *items = begin_list(d, v, path, sizeof(*items), "a list of strings", target);

        for (size_t i = 0; items && i < v->list.count; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);

                items[i] = (struct config_text){"", v->list.items[i]->place};
                if (!value_is(v->list.items[i], VALUE_NULL))
                        decode_text(d, v->list.items[i], item_path, &items[i]);
        }
}

static int compare_args(const void *a, const void *b)
{
        return strcmp(((const struct config_arg *)a)->name, ((const struct config_arg *)b)->name);
}

/* Of an entry: where its key stands, or the flag that it came from. */
static struct value_place entry_place(const struct value_entry *e, const struct value *map)
{
        if (e->place.file)
                return e->place;
        return e->value->place.origin ? e->value->place : map->place;
}

static void decode_arg_map(struct config_fields *d, const struct value *v, const char *path, struct config_args *target)
{
        if (v->kind != VALUE_MAP) {
                wrong_type(d, v, path, "a map of strings");
                return;
        }
        struct config_arg *items = config_alloc(d->config, v->map.count + 1, sizeof(*items));
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];
                char *item_path CLEANUP_FREE = child_path(path, e->key);
                const char *s = value_is(e->value, VALUE_NULL) ? "" : string_of(d, e->value, item_path);

                items[i] = (struct config_arg){e->key, s ? s : "", entry_place(e, v), NULL};
        }
        qsort(items, v->map.count, sizeof(*items), compare_args);
        *target = (struct config_args){items, v->map.count, true, v->place};
}

static void unknown_field(struct config_fields *d, const struct value_entry *e, const char *path, const char *near)
{
        char *field CLEANUP_FREE = child_path(path, e->key);
        const char *before = near ? "; did you mean \"" : "", *after = near ? "\"?" : "";

        strv_addf(&d->unknown, "unknown field \"%s\"", field);
        if (d->lenient)
                config_problem_warning(d->problems, &e->place, "unknown field \"%s\"%s%s%s", field, before,
                                       near ? near : "", after);
        else
                config_problem_error(d->problems, &e->place, "unknown field \"%s\"%s%s%s", field, before,
                                     near ? near : "", after);
}

/* A type of this API version; NULL (and a problem) where the tables lack it. */
static const struct api_type *find_type(struct config_fields *d, const char *name)
{
        const struct api_type *type = NULL;
        struct err err = ERR_INIT;

        if (api_types_get(d->types, name, &type, &err) < 0)
                config_problem_error(d->problems, NULL, "%s", err.msg);
        return type;
}

static const char *nearest_field(const struct api_type *type, const char *name)
{
        const char *names[64];
        size_t count = 0;

        for (; count < type->count && count < ARRAY_SIZE(names); count++)
                names[count] = type->fields[count].name;
        return str_did_you_mean(name, names, count);
}

static void decode_argument_field(struct config_fields *d, const struct value_entry *e, const char *path,
                                  struct config_arg *item)
{
        char *field CLEANUP_FREE = child_path(path, e->key);
        const char *s = value_is(e->value, VALUE_NULL) ? "" : string_of(d, e->value, field);

        if (s && strcmp(e->key, "name") == 0)
                item->name = s;
        else if (s && strcmp(e->key, "value") == 0)
                item->value = s;
        else if (s)
                item->merge_method = s;
}

static void decode_argument(struct config_fields *d, const struct api_type *type, const struct value *v,
                            const char *path, struct config_arg *item)
{
        *item = (struct config_arg){"", "", v->place, NULL};
        if (v->kind == VALUE_NULL)
                return;
        if (v->kind != VALUE_MAP) {
                wrong_type(d, v, path, "{name, value}");
                return;
        }
        for (size_t k = 0; k < v->map.count; k++) {
                const struct value_entry *e = &v->map.entries[k];

                if (api_type_field(type, e->key))
                        decode_argument_field(d, e, path, item);
                else
                        unknown_field(d, e, path, nearest_field(type, e->key));
        }
}

static void decode_arg_list(struct config_fields *d, const char *type_name, const struct value *v, const char *path,
                            struct config_args *target)
{
        const struct api_type *type = find_type(d, type_name);
        struct config_arg *items =
                type ? begin_list(d, v, path, sizeof(*items), "a list of {name, value}", target) : NULL;

        for (size_t i = 0; items && i < v->list.count; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);

                decode_argument(d, type, v->list.items[i], item_path, &items[i]);
        }
}

static void decode_args(struct config_fields *d, const struct api_ref *ref, const struct value *v, const char *path,
                        struct config_args *target)
{
        if (ref->shape == API_LIST)
                decode_arg_list(d, ref->type_name, v, path, target);
        else
                decode_arg_map(d, v, path, target);
}

static int compare_gates(const void *a, const void *b)
{
        return strcmp(((const struct config_gate *)a)->name, ((const struct config_gate *)b)->name);
}

static void decode_gates(struct config_fields *d, const struct value *v, const char *path, struct config_gates *target)
{
        if (v->kind != VALUE_MAP) {
                wrong_type(d, v, path, "a map of true and false");
                return;
        }
        struct config_gate *items = config_alloc(d->config, v->map.count + 1, sizeof(*items));
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];
                char *item_path CLEANUP_FREE = child_path(path, e->key);
                struct config_bool b = {0};

                if (!value_is(e->value, VALUE_NULL))
                        decode_bool(d, e->value, item_path, &b);
                items[i] = (struct config_gate){e->key, b.value, entry_place(e, v)};
        }
        qsort(items, v->map.count, sizeof(*items), compare_gates);
        *target = (struct config_gates){items, v->map.count, true, v->place};
}

static void typed_problem(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                          const char *text)
{
        struct config_fields *d = userdata;

        if (kind == TYPED_UNKNOWN_FIELD)
                strv_addf(&d->unknown, "unknown field \"%s\"", path);
        if (kind == TYPED_UNKNOWN_FIELD && d->lenient)
                config_problem_warning(d->problems, place, "%s", text);
        else
                config_problem_error(d->problems, place, "%s", text);
}

/* kubeadm's default (SetDefaults_EnvVar). */
static void default_env(struct value *item)
{
        struct value *field_ref = value_get(item, "valueFrom", "fieldRef", NULL);

        if (value_is(field_ref, VALUE_MAP) && !value_map_get(field_ref, "apiVersion"))
                value_map_set(field_ref, "apiVersion", value_new_string("v1"))->place = field_ref->place;
}

static void decode_envs(struct config_fields *d, const struct value *v, const char *path, struct config_envs *target)
{
        struct config_env *items = begin_list(d, v, path, sizeof(*items), "a list of environment variables", target);
        struct err err = ERR_INIT;

        for (size_t i = 0; items && i < v->list.count; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);
                const struct value *given = v->list.items[i];
                struct value *item = value_is(given, VALUE_NULL) ? value_new_map() : value_copy(given);

                item->place = given->place;
                (void)config_keep_value(d->config, item);
                if (typed_normalise(item, d->types, "EnvVar", item_path, typed_problem, d, &err) < 0)
                        config_problem_error(d->problems, NULL, "%s", err.msg);
                default_env(item);
                items[i] = (struct config_env){value_string(value_map_get(item, "name"), ""), item, item->place};
        }
}

static void decode_sub(struct config_fields *d, const struct config_field *field, const struct api_ref *ref,
                       const struct value *v, const char *path, void *target)
{
        const struct shape sub = {field->sub, find_type(d, ref->type_name)};

        if (sub.type)
                decode_struct(d, &sub, v, path, target);
}

static void decode_list(struct config_fields *d, const struct config_field *field, const struct api_ref *ref,
                        const struct value *v, const char *path, void *target)
{
        char *items = begin_list(d, v, path, field->item_size, "a list", target);

        for (size_t i = 0; items && i < v->list.count; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);

                decode_sub(d, field, ref, v->list.items[i], item_path, items + i * field->item_size);
        }
}

static void decode_field(struct config_fields *d, const struct config_field *field, const struct api_ref *ref,
                         const struct value *v, const char *path, void *strukt)
{
        void *target = (char *)strukt + field->offset;

        if (v->kind == VALUE_NULL)
                return;
        switch (field->type) {
        case CONFIG_TEXT:
                decode_text(d, v, path, target);
                break;
        case CONFIG_NUMBER:
                decode_number(d, v, path, target);
                break;
        case CONFIG_BOOL:
                decode_bool(d, v, path, target);
                break;
        case CONFIG_DURATION:
                decode_duration(d, v, path, target);
                break;
        case CONFIG_TEXTS:
                decode_texts(d, v, path, target);
                break;
        case CONFIG_ARGS:
                decode_args(d, ref, v, path, target);
                break;
        case CONFIG_ENVS:
                decode_envs(d, v, path, target);
                break;
        case CONFIG_GATES:
                decode_gates(d, v, path, target);
                break;
        case CONFIG_LIST:
                decode_list(d, field, ref, v, path, target);
                break;
        case CONFIG_STRUCT:
                decode_sub(d, field, ref, v, path, target);
                break;
        case CONFIG_TOKEN:
                decode_token(d, v, path, target);
                break;
        case CONFIG_IGNORED:
        case CONFIG_TYPE_MAX:
                break;
        }
}

/* Strings of a zeroed struct are "" and not NULL. */
static void init_struct(const struct config_schema *schema, void *target)
{
        for (const struct config_field *f = schema->fields; f->name; f++) {
                struct config_text *text = (void *)((char *)target + f->offset);

                if ((f->type == CONFIG_TEXT || f->type == CONFIG_TOKEN) && !text->text)
                        text->text = "";
        }
}

static const struct config_field *find_field(const struct config_schema *schema, const char *name)
{
        for (const struct config_field *f = schema->fields; f->name; f++)
                if (strcmp(f->name, name) == 0)
                        return f;
        return NULL;
}

static void decode_struct(struct config_fields *d, const struct shape *shape, const struct value *v, const char *path,
                          void *target)
{
        const struct config_schema *schema = shape->schema;

        init_struct(schema, target);
        if (schema->place_offset != CONFIG_NO_OFFSET)
                memcpy((char *)target + schema->place_offset, &v->place, sizeof(v->place));
        if (v->kind == VALUE_NULL)
                return;
        if (v->kind != VALUE_MAP) {
                wrong_type(d, v, path, "a map");
                return;
        }
        if (schema->set_offset != CONFIG_NO_OFFSET)
                *((bool *)target + schema->set_offset) = true;
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];
                const struct config_field *field = find_field(schema, e->key);
                const struct api_field *row = api_type_field(shape->type, e->key);
                char *field_path CLEANUP_FREE = child_path(path, e->key);

                if (field && row)
                        decode_field(d, field, &row->ref, e->value, field_path, target);
                else
                        unknown_field(d, e, path, nearest_field(shape->type, e->key));
        }
}

void config_fields_decode(struct config_fields *d, const char *kind, const char *version, const struct value *v,
                          void *target)
{
        char *name CLEANUP_FREE = xasprintf("%s.%s", kind, version);
        const struct shape shape = {config_schema(kind), find_type(d, name)};

        if (shape.type)
                decode_struct(d, &shape, v, "", target);
}

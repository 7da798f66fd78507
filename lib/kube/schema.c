/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/quantity.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/pod.h"
#include "kube/schema.h"

void schema_check_release(struct schema_check *check)
{
        free(check->reported);
        check->reported = NULL;
        check->reported_count = 0;
}

const struct schema_field *schema_find(const struct schema *schema, const char *name)
{
        for (size_t i = 0; i < schema->count; i++) {
                if (str_eq(schema->fields[i].name, name))
                        return &schema->fields[i];
        }
        return NULL;
}

static void report_unknown(struct schema_check *check, const struct schema *schema, const struct field_path *path)
{
        const char **names CLEANUP_FREE = xcalloc(schema->count, sizeof *names);
        const char *nearest;

        for (size_t i = 0; i < schema->count; i++)
                names[i] = schema->fields[i].name;
        nearest = str_did_you_mean(path->name, names, schema->count);
        if (nearest)
                field_finding(check->findings, check->strict, path, "unknown field (did you mean \"%s\"?)", nearest);
        else
                field_finding(check->findings, check->strict, path, "unknown field");
}

/* Once for each field of the table, however often it stands in the object. */
static void report_no_effect(struct schema_check *check, const struct schema_field *field,
                             const struct field_path *path)
{
        for (size_t i = 0; i < check->reported_count; i++) {
                if (check->reported[i] == field)
                        return;
        }
        check->reported = xrealloc(check->reported, check->reported_count + 1, sizeof(*check->reported));
        check->reported[check->reported_count++] = field;
        field_finding(check->findings, false, path, "%s", field->note ? field->note : check->no_effect_text);
}

static bool check_string(struct schema_check *check, const struct field_path *path)
{
        const struct value *v = path->value;

        if (v->kind == VALUE_NUMBER || v->kind == VALUE_BOOL) {
                field_invalid(check->findings, path, "must be a string, not a %s (put it in quotes)",
                              value_kind_name(v->kind));
                return false;
        }
        if (v->kind != VALUE_STRING) {
                field_invalid(check->findings, path, "must be a string, not a %s", value_kind_name(v->kind));
                return false;
        }
        if (strlen(v->text) != v->len) {
                field_invalid(check->findings, path, "must not contain a NUL character");
                return false;
        }
        return true;
}

static bool check_integer(struct schema_check *check, const struct field_path *path, bool wide)
{
        int64_t n;
        int r = path->value->kind == VALUE_NUMBER ? value_int(path->value, &n) : -EINVAL;

        if (r == -EINVAL) {
                field_invalid(check->findings, path, "must be an integer, not a %s",
                              path->value->kind == VALUE_NUMBER ? "fraction" : value_kind_name(path->value->kind));
                return false;
        }
        if (r < 0 || (!wide && (n < INT32_MIN || n > INT32_MAX))) {
                field_invalid(check->findings, path, "must fit in %d bits", wide ? 64 : 32);
                return false;
        }
        return true;
}

/* Strings and numbers become the canonical string. */
static bool check_quantity(struct schema_check *check, const struct field_path *path, struct value *v)
{
        struct err err = ERR_INIT;
        struct quantity q;
        char text[QUANTITY_TEXT_MAX];

        if (v->kind != VALUE_STRING && v->kind != VALUE_NUMBER) {
                field_invalid(check->findings, path, "must be a quantity (as \"100m\" or \"1Gi\"), not a %s",
                              value_kind_name(v->kind));
                return false;
        }
        if (strlen(v->text) != v->len || quantity_parse(v->text, &q, &err) < 0) {
                field_invalid(check->findings, path, "%s", err.code ? err.msg : "must not contain a NUL character");
                return false;
        }
        quantity_text(&q, text);
        free(v->text);
        v->kind = VALUE_STRING;
        v->len = strlen(text);
        v->text = xstrdup(text);
        return true;
}

static bool check_duration(struct schema_check *check, const struct field_path *path)
{
        struct err err = ERR_INIT;
        int64_t nsec;

        if (!check_string(check, path))
                return false;
        if (duration_parse(path->value->text, &nsec, &err) == 0)
                return true;
        field_invalid(check->findings, path, "%s", err.msg);
        return false;
}

static bool check_scalar(struct schema_check *check, enum schema_type type, const struct field_path *path,
                         struct value *v)
{
        switch (type) {
        case SCHEMA_STRING:
                return check_string(check, path);
        case SCHEMA_BOOL:
                if (v->kind == VALUE_BOOL)
                        return true;
                field_invalid(check->findings, path, "must be true or false, not a %s", value_kind_name(v->kind));
                return false;
        case SCHEMA_INT32:
                return check_integer(check, path, false);
        case SCHEMA_INT64:
                return check_integer(check, path, true);
        case SCHEMA_QUANTITY:
                return check_quantity(check, path, v);
        case SCHEMA_INT_OR_STRING:
                return v->kind == VALUE_STRING ? check_string(check, path) : check_integer(check, path, false);
        case SCHEMA_DURATION:
                return check_duration(check, path);
        case SCHEMA_OBJECT:
                if (v->kind == VALUE_MAP)
                        return true;
                field_invalid(check->findings, path, "must be a map, not a %s", value_kind_name(v->kind));
                return false;
        case SCHEMA_ANY:
        case SCHEMA_TYPE_MAX:
                break;
        }
        return true;
}

/* One value of the field's type, without its list or map around. */
static bool check_element(struct schema_check *check, const struct schema_field *field, const struct field_path *path,
                          struct value *v, bool descend)
{
        if (!check_scalar(check, field->type, path, v))
                return false;
        if (field->type == SCHEMA_OBJECT && descend)
                schema_check_object(check, field->object, path, v);
        return true;
}

/* A map of the user's: null stands for the zero value there, as Go decodes it. */
static void check_map_entry(struct schema_check *check, const struct schema_field *field, const struct field_path *path,
                            struct value_entry *entry, bool descend)
{
        if (entry->value->kind == VALUE_NULL && field->type == SCHEMA_STRING) {
                struct value *empty = value_new_string("");

                empty->place = entry->value->place;
                (void)value_free(entry->value);
                entry->value = empty;
        }
        struct field_path at = field_key(path, entry->key, entry->value);

        (void)check_element(check, field, &at, entry->value, descend);
}

/* Later stages compare the items of such lists, and look for the keys of such maps, each with each. */
static void cut_to_limit(struct schema_check *check, const struct schema_field *field, const struct field_path *path,
                         struct value *v)
{
        if (field->shape == SCHEMA_LIST && field->type == SCHEMA_OBJECT && v->list.count > LIMIT_POD_LIST) {
                field_too_many(check->findings, path, v->list.count, LIMIT_POD_LIST);
                while (v->list.count > LIMIT_POD_LIST)
                        value_list_remove(v, v->list.count - 1);
        }
        if (field->shape == SCHEMA_MAP && field->type == SCHEMA_QUANTITY && v->map.count > LIMIT_POD_LIST) {
                field_too_many(check->findings, path, v->map.count, LIMIT_POD_LIST);
                for (; v->map.count > LIMIT_POD_LIST; v->map.count--) {
                        free(v->map.entries[v->map.count - 1].key);
                        (void)value_free(v->map.entries[v->map.count - 1].value);
                }
        }
}

static bool check_shape(struct schema_check *check, const struct schema_field *field, const struct field_path *path,
                        struct value *v, bool descend)
{
        enum value_kind want = field->shape == SCHEMA_LIST ? VALUE_LIST : VALUE_MAP;

        if (field->shape == SCHEMA_ONE)
                return check_element(check, field, path, v, descend);
        if (v->kind != want) {
                field_invalid(check->findings, path, "must be a %s, not a %s", value_kind_name(want),
                              value_kind_name(v->kind));
                return false;
        }
        cut_to_limit(check, field, path, v);
        for (size_t i = 0; field->shape == SCHEMA_LIST && i < v->list.count; i++) {
                struct field_path at = field_index(path, i);

                (void)check_element(check, field, &at, v->list.items[i], descend);
        }
        for (size_t i = 0; field->shape == SCHEMA_MAP && i < v->map.count; i++)
                check_map_entry(check, field, path, &v->map.entries[i], descend);
        return true;
}

static bool is_zero(const struct value *v, enum schema_type type)
{
        int64_t n;

        switch (v->kind) {
        case VALUE_NULL:
                return true;
        case VALUE_BOOL:
                return !v->boolean;
        case VALUE_NUMBER:
                return value_int(v, &n) == 0 && n == 0;
        case VALUE_STRING:
                return v->len == 0 || (type == SCHEMA_DURATION && duration_parse(v->text, &n, NULL) == 0 && n == 0);
        case VALUE_LIST:
                return v->list.count == 0;
        case VALUE_MAP:
                return v->map.count == 0;
        case VALUE_KIND_MAX:
                break;
        }
        return false;
}

static bool is_harmless(const struct schema_field *field, const struct value *v)
{
        if (!field->harmless)
                return false;
        if (v->kind == VALUE_BOOL)
                return str_eq(field->harmless, v->boolean ? "true" : "false");
        return (v->kind == VALUE_STRING || v->kind == VALUE_NUMBER) && str_eq(field->harmless, v->text);
}

/* Judges one field that is set. Returns whether it stays in the object. */
static bool check_field(struct schema_check *check, const struct schema_field *field, const struct field_path *path,
                        struct value *v)
{
        bool refused = field->status == SCHEMA_REFUSED && !is_harmless(field, v);

        if (!check_shape(check, field, path, v, !refused && field->status != SCHEMA_DROPPED))
                return true;
        if (field->omit_zero && is_zero(v, field->shape == SCHEMA_ONE ? field->type : SCHEMA_ANY))
                return false;
        switch (field->status) {
        case SCHEMA_USED:
        case SCHEMA_CARRIED:
        case SCHEMA_STATUS_MAX:
                break;
        case SCHEMA_INERT:
                if (!is_harmless(field, v))
                        report_no_effect(check, field, path);
                break;
        case SCHEMA_DROPPED:
                if (!is_harmless(field, v))
                        report_no_effect(check, field, path);
                return false;
        case SCHEMA_REFUSED:
                if (refused)
                        field_forbidden(check->findings, path, "%s", field->note ? field->note : check->refused_text);
                break;
        }
        return true;
}

static bool check_entry(struct schema_check *check, const struct schema *schema, const struct field_path *path,
                        struct value_entry *entry)
{
        const struct schema_field *field = schema_find(schema, entry->key);
        struct field_path at = field_child_value(path, entry->key, entry->value);

        if (!field) {
                struct value key = {.kind = VALUE_NULL, .place = entry->place};

                at.value = &key;
                report_unknown(check, schema, &at);
                return false;
        }
        if (entry->value->kind == VALUE_NULL)
                return false;
        return check_field(check, field, &at, entry->value);
}

void schema_check_object(struct schema_check *check, const struct schema *schema, const struct field_path *path,
                         struct value *map)
{
        size_t kept = 0;

        /* In one pass: a map of very many unknown keys must not cost a move of the rest for each. */
        for (size_t i = 0; i < map->map.count; i++) {
                struct value_entry *entry = &map->map.entries[i];

                if (check_entry(check, schema, path, entry)) {
                        map->map.entries[kept++] = *entry;
                        continue;
                }
                free(entry->key);
                (void)value_free(entry->value);
        }
        map->map.count = kept;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/quantity.h"
#include "codec/timefmt.h"
#include "phase/typed.h"

struct walk {
        struct api_types *types;
        typed_report_fn report;
        void *userdata;
        struct err *err;
};

static int normalise_struct(const struct walk *w, struct value *v, const char *type_name, const char *path);

static void report_wrong(const struct walk *w, const struct value *v, const char *path, const char *expected)
{
        const char *kind = value_kind_name(v->kind), *shown = *path ? path : "the document";
        bool scalar = v->kind == VALUE_BOOL || v->kind == VALUE_NUMBER;
        char *text CLEANUP_FREE = scalar ? xasprintf("%s: expected %s, found the %s %s%s", shown, expected, kind,
                                                     v->kind == VALUE_BOOL ? (v->boolean ? "true" : "false") : v->text,
                                                     str_eq(expected, "a string") ? " (put it in quotes)" : "")
                                         : xasprintf("%s: expected %s, found a %s", shown, expected, kind);

        w->report(w->userdata, TYPED_WRONG_TYPE, &v->place, path, text);
}

static void report_unknown(const struct walk *w, const struct value_entry *e, const struct api_type *type,
                           const char *path)
{
        const char *names[192];
        size_t count = 0;

        for (size_t i = 0; i < type->count && count < ARRAY_SIZE(names); i++)
                names[count++] = type->fields[i].name;
        const char *near = str_did_you_mean(e->key, names, count);
        char *text CLEANUP_FREE = xasprintf("unknown field \"%s\"%s%s%s", path, near ? "; did you mean \"" : "",
                                            near ? near : "", near ? "\"?" : "");
        /* A key that a patch brought has no place of its own. */
        w->report(w->userdata, TYPED_UNKNOWN_FIELD, e->place.file ? &e->place : &e->value->place, path, text);
}

static void replace(struct value **slot, struct value *v)
{
        v->place = (*slot)->place;
        value_free(*slot);
        *slot = v;
}

static void normalise_quantity(const struct walk *w, struct value **slot, const char *path)
{
        char text[QUANTITY_TEXT_MAX];
        struct quantity q;
        const struct value *v = *slot;

        if ((v->kind != VALUE_STRING && v->kind != VALUE_NUMBER) || quantity_parse(v->text, &q, NULL) < 0) {
                report_wrong(w, v, path, "a quantity");
                return;
        }
        quantity_text(&q, text);
        replace(slot, value_new_string(text));
}

/* Seconds, in UTC. */
static void normalise_time(const struct walk *w, struct value **slot, const char *path)
{
        char text[TIMEFMT_MAX];
        usec_t when;

        if (!value_is(*slot, VALUE_STRING) || timefmt_parse((*slot)->text, &when) < 0) {
                report_wrong(w, *slot, path, "a time (2006-01-02T15:04:05Z)");
                return;
        }
        timefmt_seconds(when, text);
        replace(slot, value_new_string(text));
}

/* As Go's Duration.String() has it. */
static void normalise_duration(const struct walk *w, struct value **slot, const char *path)
{
        char text[TIMEFMT_MAX];
        int64_t nsec;

        if (!value_is(*slot, VALUE_STRING) || duration_parse((*slot)->text, &nsec, NULL) < 0) {
                report_wrong(w, *slot, path, "a duration (1h30m)");
                return;
        }
        duration_text(nsec, text);
        replace(slot, value_new_string(text));
}

static bool is_integer(const struct value *v, int64_t min, int64_t max)
{
        int64_t n;

        return value_int(v, &n) == 0 && n >= min && n <= max;
}

static bool is_base64(const struct value *v)
{
        struct buf bytes CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        return v->kind == VALUE_STRING && base64_decode(v->text, v->len, &bytes, NULL) == 0;
}

/* What Go has in a variable of the kind that nothing was put into. */
static struct value *zero_value(enum api_kind kind)
{
        switch (kind) {
        case API_STRING:
        case API_BYTES:
                return value_new_string("");
        case API_BOOL:
                return value_new_bool(false);
        case API_INT32:
        case API_INT64:
        case API_UINT32:
        case API_FLOAT64:
        case API_INT_OR_STRING:
        case API_TIME_OR_DURATION:
                return value_new_int(0);
        case API_DURATION:
                return value_new_string("0s");
        case API_QUANTITY:
                return value_new_string("0");
        case API_STRUCT:
                return value_new_map();
        case API_TIME:
        case API_ANY:
        case API_KIND_MAX:
                break;
        }
        return value_new_null();
}

/* What a scalar of the kind must be, where v is something else; NULL: v is right, or the kind is no plain scalar. */
static const char *scalar_expected(const struct value *v, enum api_kind kind)
{
        switch (kind) {
        case API_STRING:
                return v->kind == VALUE_STRING ? NULL : "a string";
        case API_BYTES:
                return is_base64(v) ? NULL : "base64";
        case API_BOOL:
                return v->kind == VALUE_BOOL ? NULL : "true or false";
        case API_INT32:
                return is_integer(v, INT32_MIN, INT32_MAX) ? NULL : "a whole number of 32 bits";
        case API_INT64:
                return is_integer(v, INT64_MIN, INT64_MAX) ? NULL : "a whole number of 64 bits";
        case API_UINT32:
                return is_integer(v, 0, UINT32_MAX) ? NULL : "a whole number of 32 bits that is not negative";
        case API_FLOAT64:
                return v->kind == VALUE_NUMBER ? NULL : "a number";
        case API_INT_OR_STRING:
                return v->kind == VALUE_STRING || is_integer(v, INT32_MIN, INT32_MAX)
                               ? NULL
                               : "a whole number of 32 bits or a string";
        case API_QUANTITY:
        case API_TIME:
        case API_DURATION:
        case API_TIME_OR_DURATION:
        case API_STRUCT:
        case API_ANY:
        case API_KIND_MAX:
                break;
        }
        return NULL;
}

/* One thing that is no list, map of the user's or pointer. */
static int normalise_one(const struct walk *w, struct value **slot, const struct api_ref *ref, const char *path)
{
        if ((*slot)->kind == VALUE_NULL)
                replace(slot, zero_value(ref->kind));
        const char *expected = scalar_expected(*slot, ref->kind);

        if (expected)
                report_wrong(w, *slot, path, expected);
        else if (ref->kind == API_QUANTITY)
                normalise_quantity(w, slot, path);
        else if (ref->kind == API_TIME && (*slot)->kind != VALUE_NULL)
                normalise_time(w, slot, path);
        else if (ref->kind == API_DURATION ||
                 (ref->kind == API_TIME_OR_DURATION && !is_integer(*slot, INT64_MIN, INT64_MAX)))
                normalise_duration(w, slot, path);
        else if (ref->kind == API_STRUCT)
                return normalise_struct(w, *slot, ref->type_name, path);
        return 0;
}

static int normalise_list(const struct walk *w, struct value *v, const struct api_ref *item, const char *path)
{
        int r = 0;

        if (v->kind != VALUE_LIST) {
                report_wrong(w, v, path, "a list");
                return 0;
        }
        for (size_t i = 0; i < v->list.count && r == 0; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);
                r = normalise_one(w, &v->list.items[i], item, item_path);
        }
        return r;
}

static int normalise_map(const struct walk *w, struct value *v, const struct api_ref *item, const char *path)
{
        int r = 0;

        if (v->kind != VALUE_MAP) {
                report_wrong(w, v, path, "a map");
                return 0;
        }
        for (size_t i = 0; i < v->map.count && r == 0; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s.%s", path, v->map.entries[i].key);
                r = normalise_one(w, &v->map.entries[i].value, item, item_path);
        }
        return r;
}

static int normalise_field(const struct walk *w, struct value **slot, const struct api_ref *ref, const char *path)
{
        if (ref->shape == API_ONE)
                return normalise_one(w, slot, ref, path);
        if ((*slot)->kind == VALUE_NULL)
                return 0;
        if (ref->shape == API_LIST)
                return normalise_list(w, *slot, ref, path);
        if (ref->shape == API_MAP)
                return normalise_map(w, *slot, ref, path);
        return normalise_one(w, slot, ref, path);
}

static bool is_zero(const struct value *v)
{
        switch (v->kind) {
        case VALUE_NULL:
                return true;
        case VALUE_BOOL:
                return !v->boolean;
        case VALUE_NUMBER:
                return str_eq(v->text, "0");
        case VALUE_STRING:
                return v->len == 0;
        case VALUE_LIST:
                return v->list.count == 0;
        case VALUE_MAP:
                return v->map.count == 0;
        case VALUE_KIND_MAX:
                break;
        }
        return false;
}

/* Whether Go's encoder writes the field. */
static bool is_written(const struct api_field *field, const struct value *v)
{
        if (field->always)
                return true;
        if (field->ref.shape == API_POINTER)
                return v->kind != VALUE_NULL;
        return !is_zero(v);
}

/* Fields that are written though nobody set them. */
static int add_missing(const struct walk *w, struct value *v, const struct api_type *type, const char *path)
{
        for (size_t i = 0; i < type->count; i++) {
                const struct api_field *field = &type->fields[i];

                if (!field->always || value_map_get(v, field->name))
                        continue;
                struct value *added = field->ref.shape == API_ONE ? zero_value(field->ref.kind) : value_new_null();
                added->place = v->place;
                value_map_set(v, field->name, added);
                char *field_path CLEANUP_FREE = xasprintf("%s.%s", path, field->name);
                int r = added->kind == VALUE_MAP ? normalise_struct(w, added, field->ref.type_name, field_path) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int normalise_struct(const struct walk *w, struct value *v, const char *type_name, const char *path)
{
        const struct api_type *type = NULL;

        if (v->kind != VALUE_MAP) {
                report_wrong(w, v, path, "a map");
                return 0;
        }
        int r = api_types_get(w->types, type_name, &type, w->err);
        for (size_t i = 0; i < v->map.count && r == 0;) {
                struct value_entry *e = &v->map.entries[i];
                const struct api_field *field = api_type_field(type, e->key);
                char *field_path CLEANUP_FREE = xasprintf("%s%s%s", path, *path ? "." : "", e->key);
                char *key CLEANUP_FREE = xstrdup(e->key);

                if (!field)
                        report_unknown(w, e, type, field_path);
                else
                        r = normalise_field(w, &e->value, &field->ref, field_path);
                if (field && is_written(field, e->value))
                        i++;
                else
                        (void)value_map_remove(v, key);
        }
        return r < 0 ? r : add_missing(w, v, type, path);
}

int typed_normalise(struct value *v, struct api_types *types, const char *type_name, const char *path,
                    typed_report_fn report, void *userdata, struct err *err)
{
        const struct walk w = {types, report, userdata, err};

        return normalise_struct(&w, v, type_name, path);
}

void typed_report_nothing(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                          const char *text)
{
        (void)userdata;
        (void)kind;
        (void)place;
        (void)path;
        (void)text;
}

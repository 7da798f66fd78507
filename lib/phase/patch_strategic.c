/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/era.h"
#include "phase/go_text.h"
#include "phase/patch_strategic.h"
#include "phase/patch_strategic_private.h"

#define RETAIN_KEYS "$retainKeys"
#define DELETIONS "$deleteFromPrimitiveList"
#define ELEMENT_ORDER "$setElementOrder"

static int fail(const struct strategic *s, const char *text)
{
        return err_set(s->err, ERR_INVALID, "%s", text);
}

static const char *const bad_retain_keys = "invalid patch format of retainKeys";
static const char *const bad_element_order = "invalid patch format of setElementOrder list";

static bool same_kind(const struct value *a, const struct value *b)
{
        return a->kind == b->kind && a->kind != VALUE_NULL;
}

/* Takes the entry's value out of the map; the entry goes. */
static struct value *take_entry(struct value *map, const char *key)
{
        for (size_t i = 0; i < map->map.count; i++) {
                struct value_entry *e = &map->map.entries[i];
                if (strcmp(e->key, key) != 0)
                        continue;
                struct value *v = e->value;
                e->value = NULL;
                (void)value_map_remove(map, key);
                return v;
        }
        return NULL;
}

static struct value **entry_slot(struct value *map, const char *key)
{
        for (size_t i = 0; i < map->map.count; i++)
                if (strcmp(map->map.entries[i].key, key) == 0)
                        return &map->map.entries[i].value;
        return NULL;
}

bool strategic_remove_directives(struct value *v)
{
        if (v->kind == VALUE_MAP) {
                if (value_map_get(v, PATCH_DIRECTIVE))
                        return false;
                for (size_t i = v->map.count; i > 0; i--) {
                        char *key CLEANUP_FREE = xstrdup(v->map.entries[i - 1].key);
                        if (!strategic_remove_directives(v->map.entries[i - 1].value))
                                (void)value_map_remove(v, key);
                }
        } else if (v->kind == VALUE_LIST) {
                for (size_t i = v->list.count; i > 0; i--)
                        if (!strategic_remove_directives(v->list.items[i - 1]))
                                value_list_remove(v, i - 1);
        }
        return true;
}

static void discard_nulls(struct value *v)
{
        if (v->kind == VALUE_MAP) {
                for (size_t i = v->map.count; i > 0; i--) {
                        struct value_entry *e = &v->map.entries[i - 1];
                        char *key CLEANUP_FREE = xstrdup(e->key);
                        if (e->value->kind == VALUE_NULL)
                                (void)value_map_remove(v, key);
                        else
                                discard_nulls(e->value);
                }
        } else if (v->kind == VALUE_LIST) {
                for (size_t i = 0; i < v->list.count; i++)
                        discard_nulls(v->list.items[i]);
        }
}

/* original[key] = patch, a value that stands for itself. Takes patch. */
static void put_value(const struct strategic *s, struct value *original, const char *key, struct value *patch)
{
        if (!s->directives_removed || strategic_remove_directives(patch)) {
                value_map_set(original, key, patch);
                return;
        }
        value_free(patch);
        (void)value_map_remove(original, key);
}

int strategic_bad_directive(const struct strategic *s, const struct value *directive, const struct value *map)
{
        struct buf type CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES), text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

        go_text(directive, &type);
        go_text(map, &text);
        return err_set(s->err, ERR_INVALID, "unknown patch type: %s in map: %s", buf_str(&type), buf_str(&text));
}

/* $patch: replace or delete within a map. */
static int apply_directive(const struct strategic *s, struct value **original, struct value *patch)
{
        const struct value *directive = value_map_get(patch, PATCH_DIRECTIVE);
        const char *text = value_string(directive, "");
        struct value *result;

        if (str_eq(text, "replace")) {
                (void)value_map_remove(patch, PATCH_DIRECTIVE);
                result = value_copy(patch);
        } else if (str_eq(text, "delete")) {
                result = value_new_map();
                result->place = patch->place;
        } else {
                return strategic_bad_directive(s, directive, patch);
        }
        value_free(*original);
        *original = result;
        return 0;
}

static bool lists_text(const struct value *list, const char *text)
{
        for (size_t i = 0; i < list->list.count; i++)
                if (str_eq(value_string(list->list.items[i], NULL), text))
                        return true;
        return false;
}

/* $retainKeys: what it does not name goes from the original. */
static int retain_keys(const struct strategic *s, struct value *original, struct value *patch)
{
        struct value *keys CLEANUP_VALUE = take_entry(patch, RETAIN_KEYS);

        if (!keys)
                return 0;
        if (keys->kind != VALUE_LIST)
                return fail(s, bad_retain_keys);
        for (size_t i = 0; i < patch->map.count; i++) {
                const struct value_entry *e = &patch->map.entries[i];

                if (e->value->kind == VALUE_NULL || str_starts(e->key, DELETIONS) || str_starts(e->key, ELEMENT_ORDER))
                        continue;
                if (!lists_text(keys, e->key))
                        return fail(s, bad_retain_keys);
        }
        for (size_t i = original->map.count; i > 0; i--) {
                char *key CLEANUP_FREE = xstrdup(original->map.entries[i - 1].key);
                if (!lists_text(keys, key))
                        (void)value_map_remove(original, key);
        }
        return 0;
}

/* The field of the struct that a JSON key means; letter case counts only between fields that differ in it. */
static int find_field(const struct strategic *s, const struct api_ref *ref, const char *key,
                      const struct api_field **ret)
{
        const struct api_type *type = NULL;

        if (ref->kind != API_STRUCT || (ref->shape != API_ONE && ref->shape != API_POINTER))
                return err_set(s->err, ERR_INVALID,
                               "merging an object in json but data type is not struct, instead is: %s",
                               api_ref_go_kind(ref));
        int r = api_types_get(s->types, ref->type_name, &type, s->err);
        if (r < 0)
                return r;
        *ret = api_type_field(type, key);
        for (size_t i = 0; i < type->count && !*ret; i++)
                if (strcasecmp(type->fields[i].name, key) == 0)
                        *ret = &type->fields[i];
        if (!*ret)
                return err_set(s->err, ERR_INVALID, "unable to find api field in struct %s for the json field \"%s\"",
                               type->name, key);
        return 0;
}

static int find_list(const struct strategic *s, const struct api_ref *ref, const char *key, struct strategic_list *ret)
{
        const struct api_field *field = NULL;

        int r = find_field(s, ref, key, &field);
        if (r < 0)
                return r;
        if (field->ref.shape != API_LIST)
                return err_set(s->err, ERR_INVALID, "expected slice or array type, but got: struct");
        *ret = (struct strategic_list){
                .item = {.shape = API_ONE, .kind = field->ref.kind, .type_name = field->ref.type_name},
                .merge = field->merge,
                .merge_key = field->merge_key ? field->merge_key : "",
        };
        return 0;
}

/* "PREFIX/field" -> "field" */
static int directive_field(const struct strategic *s, const char *key, const char *prefix, const char *problem,
                           const char **ret)
{
        const char *rest = str_after(key, prefix);

        if (!rest || *rest != '/')
                return fail(s, problem);
        *ret = rest + 1;
        return 0;
}

/* The patch's items stand in the order that $setElementOrder gives, deletions aside
 * (validatePatchWithSetOrderList). */
static int check_element_order(const struct strategic *s, const struct value *patch, const struct value *order,
                               const char *merge_key)
{
        size_t at = 0, next = 0;

        if (!patch || patch->list.count == 0 || order->list.count == 0)
                return 0;
        while (next < patch->list.count) {
                const struct value *item = patch->list.items[next];
                const struct value *directive = *merge_key ? value_map_get(item, PATCH_DIRECTIVE) : NULL;

                if (str_eq(value_string(directive, NULL), "delete") || (directive && at < order->list.count)) {
                        next++;
                        continue;
                }
                if (at == order->list.count)
                        break;
                const struct value *o = order->list.items[at++];
                const struct value *key = *merge_key ? value_map_get(item, merge_key) : item;
                if (!key)
                        return strategic_no_merge_key(s, item, merge_key);
                const struct value *o_key = *merge_key ? value_map_get(o, merge_key) : o;
                if (!o_key)
                        return strategic_no_merge_key(s, o, merge_key);
                if (value_equal(key, o_key))
                        next++;
        }
        if (next < patch->list.count) {
                struct buf p CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES), o CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
                go_text(patch, &p);
                go_text(order, &o);
                return err_set(s->err, ERR_INVALID,
                               "The order in patch list:\n%s\n doesn't match " ELEMENT_ORDER " list:\n%s\n",
                               buf_str(&p), buf_str(&o));
        }
        return 0;
}

static int need_list(const struct strategic *s, const struct value *v)
{
        if (!v || v->kind == VALUE_LIST)
                return 0;
        return err_set(s->err, ERR_INVALID, "expected a []interface {}, but received a %s", go_type_text(v));
}

/* The list of the field, merged where the patch has one too. Takes patch. */
static int merge_ordered(const struct strategic *s, struct value *original, const char *field, struct value *taken,
                         const struct strategic_list *how, const struct value *order)
{
        struct value *patch CLEANUP_VALUE = taken;
        struct value **slot = entry_slot(original, field);
        struct value *keys CLEANUP_VALUE = slot ? strategic_keys(*slot, how->merge_key) : value_new_list();
        const struct value *element = NULL;

        int r = strategic_element(s, slot ? *slot : NULL, patch, &element);
        if (r == 0 && !element)
                r = fail(s, "no elements in any of the given slices");
        if (r == 0 && patch && slot) {
                r = strategic_list(s, slot, TAKE_PTR(patch), how, false);
        } else if (r == 0 && patch) {
                if (s->directives_removed)
                        (void)strategic_remove_directives(patch);
                value_map_set(original, field, TAKE_PTR(patch));
        }
        return r < 0 ? r : strategic_order(s, value_map_get(original, field), order, keys, how->merge_key);
}

/* One $setElementOrder/FIELD. Takes order. */
static int apply_element_order(const struct strategic *s, struct value *original, struct value *patch,
                               const struct api_ref *ref, const char *key, struct value *taken)
{
        struct value *order CLEANUP_VALUE = taken, *list CLEANUP_VALUE = NULL;
        struct strategic_list how;
        const char *field = NULL;

        int r = need_list(s, order);
        if (r == 0)
                r = directive_field(s, key, ELEMENT_ORDER, bad_element_order, &field);
        if (r == 0)
                r = need_list(s, value_map_get(original, field));
        if (r == 0)
                r = need_list(s, value_map_get(patch, field));
        if (r == 0)
                r = find_list(s, ref, field, &how);
        if (r < 0)
                return r;
        struct value **slot = entry_slot(patch, field);
        list = slot ? TAKE_PTR(*slot) : NULL;
        r = check_element_order(s, list, order, how.merge_key);
        if (r < 0 || (!list && !value_map_get(original, field)))
                return r;
        return merge_ordered(s, original, field, TAKE_PTR(list), &how, order);
}

/* What is taken out of the patch leaves entries without a value. */
static int apply_element_orders(const struct strategic *s, struct value *original, struct value *patch,
                                const struct api_ref *ref)
{
        int r = 0;

        for (size_t i = 0; i < patch->map.count && r == 0; i++) {
                struct value_entry *e = &patch->map.entries[i];
                if (str_starts(e->key, ELEMENT_ORDER))
                        r = apply_element_order(s, original, patch, ref, e->key, TAKE_PTR(e->value));
        }
        return r;
}

/* Both are there and of one kind. Takes patch. */
static int merge_values(const struct strategic *s, struct value *original, const char *key, struct value *patch,
                        const struct api_ref *ref, bool deletions)
{
        struct value **slot = entry_slot(original, key);
        const struct api_field *field = NULL;
        struct strategic_list how;
        int r;

        switch (patch->kind) {
        case VALUE_MAP:
                r = find_field(s, ref, key, &field);
                if (r == 0)
                        return strategic_map(s, slot, patch, &field->ref);
                break;
        case VALUE_LIST:
                r = find_list(s, ref, key, &how);
                if (r == 0)
                        return strategic_list(s, slot, patch, &how, deletions);
                break;
        case VALUE_NULL:
        case VALUE_BOOL:
        case VALUE_NUMBER:
        case VALUE_STRING:
        case VALUE_KIND_MAX:
        default:
                value_map_set(original, key, patch);
                return 0;
        }
        value_free(patch);
        return r;
}

/* Takes patch. */
static int merge_entry(const struct strategic *s, struct value *original, const char *key, struct value *patch,
                       const struct api_ref *ref)
{
        bool deletions = str_starts(key, DELETIONS);
        const struct value *old;

        if (deletions && directive_field(s, key, DELETIONS, "invalid patch format of primitive list", &key) < 0) {
                value_free(patch);
                return -ERR_INVALID;
        }
        if (patch->kind == VALUE_NULL) {
                (void)value_map_remove(original, key);
                value_free(patch);
                return 0;
        }
        old = value_map_get(original, key);
        if (old && same_kind(old, patch))
                return merge_values(s, original, key, patch, ref, deletions);
        if (deletions && s->absent_deletions_ignored) {
                value_free(patch);
                return 0;
        }
        if (s->nulls_discarded)
                discard_nulls(patch);
        put_value(s, original, key, patch);
        return 0;
}

static int merge_map(const struct strategic *s, struct value **original, struct value *patch, const struct api_ref *ref)
{
        if (value_map_get(patch, PATCH_DIRECTIVE))
                return apply_directive(s, original, patch);
        int r = retain_keys(s, *original, patch);
        if (r == 0)
                r = apply_element_orders(s, *original, patch, ref);
        for (size_t i = 0; i < patch->map.count && r == 0; i++) {
                struct value_entry *e = &patch->map.entries[i];
                if (e->value)
                        r = merge_entry(s, *original, e->key, TAKE_PTR(e->value), ref);
        }
        return r;
}

int strategic_map(const struct strategic *s, struct value **original, struct value *patch, const struct api_ref *ref)
{
        int r = merge_map(s, original, patch, ref);

        value_free(patch);
        return r;
}

int patch_strategic(struct value **target, struct value *patch, struct api_types *types, const char *type_name,
                    const struct era *era, struct err *err)
{
        const struct api_ref root = {.shape = API_ONE, .kind = API_STRUCT, .type_name = type_name};
        const struct strategic s = {
                .types = types,
                .err = err,
                .absent_deletions_ignored = era_lists(era, "patches", "strategicMerge", "absentDeletionsIgnored"),
                .nulls_discarded = era_lists(era, "patches", "strategicMerge", "nullsDiscarded"),
                .directives_removed = era_lists(era, "patches", "strategicMerge", "directivesRemoved"),
                .deletions_in_any_list = era_lists(era, "patches", "strategicMerge", "deletionsInAnyList"),
        };

        /* What is patched is looked at first, also where there is nothing to do. */
        if (patch->kind == VALUE_NULL && ((*target)->kind == VALUE_MAP || (*target)->kind == VALUE_NULL))
                return 0;
        if (patch->kind != VALUE_MAP || (*target)->kind != VALUE_MAP)
                return err_set(err, ERR_INVALID, "invalid JSON document");
        return strategic_map(&s, target, value_copy(patch), &root);
}

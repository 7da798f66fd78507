/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/arguments.h"
#include "phase/patch_json.h"
#include "phase/patch_strategic.h"
#include "phase/pod_diff.h"
#include "phase/pod_patch.h"
#include "phase/typed.h"

#define POINTER_MAX 4096

void pod_patch_release(struct pod_patch *patch)
{
        value_free(patch->arguments);
        value_free(patch->pod);
        *patch = (struct pod_patch){0};
}

/* Trying */

struct maker {
        const struct value *meaning; /* of what is wanted */
        struct phase_config *memory;
        struct api_types *types;
        const struct era *era;
};

static bool means(const struct value *pod, const struct value *meaning)
{
        struct value *is CLEANUP_VALUE = pod_meaning(pod, NULL);

        return value_equal(is, meaning);
}

/* Applies a patch to a copy of base as patch.c would (free it); NULL where it cannot be applied. */
static struct value *applied(const struct maker *m, const struct value *base, const struct value *patch,
                             enum patch_type type)
{
        struct value *pod CLEANUP_VALUE = value_copy(base), *used CLEANUP_VALUE = value_copy(patch);
        size_t operation;
        int r;

        if (type == PATCH_ARGUMENTS)
                r = arguments_apply(m->memory, pod, used, ARGUMENTS_ORIGIN, &operation, NULL);
        else if (type == PATCH_JSON)
                r = patch_json(&pod, used, m->era, &operation, NULL);
        else
                r = patch_strategic(&pod, used, m->types, "Pod", m->era, NULL);
        if (r == 0)
                r = typed_normalise(pod, m->types, "Pod", "", typed_report_nothing, NULL, NULL);
        return r < 0 ? NULL : TAKE_PTR(pod);
}

/* Strategic merge */

static int strategic_map_patch(struct api_types *types, const struct api_ref *ref, const struct value *before,
                               const struct value *after, struct value **ret, struct err *err);

static struct value *deletion_of(const char *key, const struct value *item)
{
        struct value *v = value_new_map();

        value_map_set(v, key, value_copy(value_map_get(item, key)));
        value_map_set(v, "$patch", value_new_string("delete"));
        return v;
}

static const struct value *find_item(const struct value *list, const char *key, const struct value *item)
{
        for (size_t i = 0; list && i < list->list.count; i++)
                if (value_map_get(item, key) &&
                    value_equal(value_map_get(list->list.items[i], key), value_map_get(item, key)))
                        return list->list.items[i];
        return NULL;
}

/* A list whose items are merged by a key: what is new, what differs, what goes. */
static int strategic_list_patch(struct api_types *types, const struct api_field *field, const struct value *before,
                                const struct value *after, struct value **ret, struct err *err)
{
        const struct api_ref item_ref = {.kind = field->ref.kind, .type_name = field->ref.type_name};
        struct value *list CLEANUP_VALUE = value_new_list();

        for (size_t i = 0; i < after->list.count; i++) {
                const struct value *item = after->list.items[i], *old = find_item(before, field->merge_key, item);
                struct value *patch = NULL;

                if (old && value_equal(old, item))
                        continue;
                if (!old) {
                        value_list_add(list, value_copy(item));
                        continue;
                }
                int r = strategic_map_patch(types, &item_ref, old, item, &patch, err);
                if (r < 0)
                        return r;
                value_map_set(patch, field->merge_key, value_copy(value_map_get(item, field->merge_key)));
                value_list_add(list, patch);
        }
        for (size_t i = 0; before && i < before->list.count; i++)
                if (!find_item(after, field->merge_key, before->list.items[i]))
                        value_list_add(list, deletion_of(field->merge_key, before->list.items[i]));
        *ret = TAKE_PTR(list);
        return 0;
}

static int strategic_entry_patch(struct api_types *types, const struct api_type *type, const char *key,
                                 const struct value *before, const struct value *after, struct value *patch,
                                 struct err *err)
{
        const struct api_field *field = type ? api_type_field(type, key) : NULL;
        struct value *v = NULL;
        int r = 0;

        if (value_equal(before, after))
                return 0;
        if (field && field->merge && field->merge_key && value_is(before, VALUE_LIST) && value_is(after, VALUE_LIST))
                r = strategic_list_patch(types, field, before, after, &v, err);
        else if (value_is(before, VALUE_MAP) && value_is(after, VALUE_MAP))
                r = strategic_map_patch(types, field ? &field->ref : NULL, before, after, &v, err);
        else
                v = value_copy(after);
        if (r == 0)
                value_map_set(patch, key, v);
        return r;
}

static int strategic_map_patch(struct api_types *types, const struct api_ref *ref, const struct value *before,
                               const struct value *after, struct value **ret, struct err *err)
{
        struct value *patch CLEANUP_VALUE = value_new_map();
        const struct api_type *type = NULL;
        int r = 0;

        if (ref && ref->kind == API_STRUCT && ref->shape != API_MAP)
                r = api_types_get(types, ref->type_name, &type, err);
        for (size_t i = 0; i < before->map.count && r == 0; i++)
                if (!value_map_get(after, before->map.entries[i].key))
                        value_map_set(patch, before->map.entries[i].key, value_new_null());
        for (size_t i = 0; i < after->map.count && r == 0; i++) {
                const struct value_entry *e = &after->map.entries[i];
                const struct value *old = value_map_get(before, e->key);

                if (old)
                        r = strategic_entry_patch(types, type, e->key, old, e->value, patch, err);
                else
                        value_map_set(patch, e->key, value_copy(e->value));
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(patch);
        return 0;
}

/* JSON patch */

static void add_operation(struct value *patch, const char *op, const char *pointer, const struct value *v)
{
        struct value *operation = value_new_map();

        value_map_set(operation, "op", value_new_string(op));
        value_map_set(operation, "path", value_new_string(pointer));
        if (v)
                value_map_set(operation, "value", value_copy(v));
        value_list_add(patch, operation);
}

static void add_token(struct buf *pointer, const char *key)
{
        buf_addch(pointer, '/');
        for (; *key; key++) {
                if (*key == '~' || *key == '/')
                        buf_addstr(pointer, *key == '~' ? "~0" : "~1");
                else
                        buf_addch(pointer, *key);
        }
}

static void json_walk(struct value *patch, struct buf *pointer, const struct value *before, const struct value *after);

static void json_below(struct value *patch, struct buf *pointer, const char *token, const struct value *before,
                       const struct value *after)
{
        size_t len = pointer->len;

        add_token(pointer, token);
        if (before && after)
                json_walk(patch, pointer, before, after);
        else
                add_operation(patch, after ? "add" : "remove", buf_str(pointer), after);
        pointer->len = len;
        if (pointer->data)
                pointer->data[len] = '\0';
}

static void json_walk(struct value *patch, struct buf *pointer, const struct value *before, const struct value *after)
{
        if (value_equal(before, after))
                return;
        if (before->kind == VALUE_MAP && after->kind == VALUE_MAP) {
                for (size_t i = 0; i < before->map.count; i++)
                        json_below(patch, pointer, before->map.entries[i].key, before->map.entries[i].value,
                                   value_map_get(after, before->map.entries[i].key));
                for (size_t i = 0; i < after->map.count; i++)
                        if (!value_map_get(before, after->map.entries[i].key))
                                json_below(patch, pointer, after->map.entries[i].key, NULL,
                                           after->map.entries[i].value);
        } else if (before->kind == VALUE_LIST && after->kind == VALUE_LIST && before->list.count == after->list.count) {
                for (size_t i = 0; i < before->list.count; i++) {
                        char number[24];
                        (void)snprintf(number, sizeof(number), "%zu", i);
                        json_below(patch, pointer, number, before->list.items[i], after->list.items[i]);
                }
        } else {
                add_operation(patch, "replace", buf_str(pointer), after);
        }
}

/* Arguments */

static struct value *command_of(const struct value *pod)
{
        const struct value *containers = value_get(pod, "spec", "containers", NULL);

        return value_is(containers, VALUE_LIST) && containers->list.count > 0
                       ? value_map_get(containers->list.items[0], "command")
                       : NULL;
}

static size_t name_length(const char *argument)
{
        return str_starts(argument, "--") ? strcspn(argument, "=") : 0;
}

/* The arguments of list that have the name of `argument`, in their order. */
static struct value *of_name(const struct value *list, const char *argument)
{
        size_t len = name_length(argument);
        struct value *found = value_new_list();

        for (size_t i = 0; i < list->list.count; i++) {
                const char *text = value_string(list->list.items[i], "");
                if (name_length(text) == len && strncmp(text, argument, len) == 0)
                        value_list_add(found, value_copy(list->list.items[i]));
        }
        return found;
}

static struct value *argument_name_value(const char *argument)
{
        return value_new_stringn(argument + 2, name_length(argument) - 2);
}

/* The operation, so that a place can be added. */
static struct value *add_argument_operation(struct value *operations, const char *verb, const char *argument,
                                            bool with_value)
{
        size_t len = name_length(argument);
        struct value *operation = value_new_map();

        value_map_set(operation, verb, argument_name_value(argument));
        if (with_value && argument[len] == '=')
                value_map_set(operation, "value", value_new_string(argument + len + 1));
        value_list_add(operations, operation);
        return operation;
}

static bool is_first_of_name(const struct value *list, size_t at)
{
        struct value *all CLEANUP_VALUE = of_name(list, value_string(list->list.items[at], ""));

        for (size_t i = 0; i < at; i++)
                for (size_t k = 0; k < all->list.count; k++)
                        if (value_equal(list->list.items[i], all->list.items[k]))
                                return false;
        return true;
}

/* What the base has of the name at `at` of what is wanted: set anew, and added to where there are several. A new one is
 * put before the next that is there, unless it is the last. */
static void operations_of_name(struct value *operations, const struct value *before, const struct value *after,
                               size_t at)
{
        const char *argument = value_string(after->list.items[at], "");
        struct value *was CLEANUP_VALUE = of_name(before, argument), *is CLEANUP_VALUE = of_name(after, argument);
        size_t next = at + is->list.count;

        if (value_equal(was, is))
                return;
        for (size_t i = 0; i < is->list.count; i++) {
                struct value *operation =
                        add_argument_operation(operations, i == 0 ? "set" : "add", is->list.items[i]->text, true);
                const char *follower = next < after->list.count ? value_string(after->list.items[next], "") : "";

                if (i == 0 && was->list.count == 0 && name_length(follower) >= 3)
                        value_map_set(operation, "before", argument_name_value(follower));
        }
}

static struct value *argument_operations(const struct value *before, const struct value *after)
{
        struct value *operations = value_new_list();

        for (size_t i = 0; i < before->list.count; i++) {
                const char *text = value_string(before->list.items[i], "");
                struct value *is CLEANUP_VALUE = of_name(after, text);

                if (name_length(text) >= 3 && is->list.count == 0 && is_first_of_name(before, i))
                        (void)add_argument_operation(operations, "remove", text, false);
        }
        /* From the end, so that what something new goes before is there. */
        for (size_t i = after->list.count; i > 0; i--)
                if (name_length(value_string(after->list.items[i - 1], "")) >= 3 && is_first_of_name(after, i - 1))
                        operations_of_name(operations, before, after, i - 1);
        return operations;
}

/* Operations that make the command what is wanted, into ret, and the pod with them into *base_after. Nothing where that
 * does not come out: words and orders that operations do not reach are left to the patch of the pod. */
static void make_arguments(const struct maker *m, const struct value *base, struct pod_patch *ret,
                           struct value **base_after)
{
        const struct value *before = command_of(base), *after = command_of(m->meaning);

        if (!value_is(before, VALUE_LIST) || !value_is(after, VALUE_LIST) || value_equal(before, after))
                return;
        struct value *operations CLEANUP_VALUE = argument_operations(before, after);
        struct value *pod = applied(m, base, operations, PATCH_ARGUMENTS);
        if (!pod || operations->list.count == 0 || !value_equal(command_of(pod), after)) {
                value_free(pod);
                return;
        }
        ret->arguments = TAKE_PTR(operations);
        *base_after = pod;
}

/* As it is written, less what nobody edits: patches shall not spell defaults out. */
static struct value *written_form(const struct maker *m, const struct value *pod)
{
        struct value *copy = value_copy(pod);

        (void)typed_normalise(copy, m->types, "Pod", "", typed_report_nothing, NULL, NULL);
        (void)value_map_remove(copy, "status");
        (void)value_map_remove(value_map_get(copy, "metadata"), "creationTimestamp");
        return copy;
}

static bool comes_out(const struct maker *m, const struct value *base, const struct value *patch, enum patch_type type)
{
        struct value *result CLEANUP_VALUE = applied(m, base, patch, type);

        return result && means(result, m->meaning);
}

static int make_pod(const struct maker *m, const struct value *base, const struct value *wanted, struct pod_patch *ret,
                    struct err *err)
{
        static const struct api_ref pod_ref = {.kind = API_STRUCT, .type_name = "Pod"};
        struct value *before CLEANUP_VALUE = written_form(m, base), *after CLEANUP_VALUE = written_form(m, wanted),
                             *strategic CLEANUP_VALUE = NULL, *json CLEANUP_VALUE = value_new_list();
        struct buf pointer CLEANUP_BUF = BUF_INIT(POINTER_MAX);

        int r = strategic_map_patch(m->types, &pod_ref, before, after, &strategic, err);
        if (r < 0)
                return r;
        if (comes_out(m, base, strategic, PATCH_STRATEGIC)) {
                ret->pod = TAKE_PTR(strategic);
                ret->type = PATCH_STRATEGIC;
                return 0;
        }
        json_walk(json, &pointer, before, after);
        if (!comes_out(m, base, json, PATCH_JSON))
                return err_set(err, ERR_UNSUPPORTED, "no patch makes this pod of what is rendered");
        ret->pod = TAKE_PTR(json);
        ret->type = PATCH_JSON;
        return 0;
}

int pod_patch_make(const struct value *base, const struct value *wanted, bool by_argument, struct phase_config *memory,
                   struct api_types *types, const struct era *era, struct pod_patch *ret, struct err *err)
{
        struct value *meaning CLEANUP_VALUE = pod_meaning(wanted, NULL), *with_arguments CLEANUP_VALUE = NULL;
        const struct maker m = {.meaning = meaning, .memory = memory, .types = types, .era = era};
        struct pod_patch patch CLEANUP_POD_PATCH = {0};
        static const char *const fixed[] = {"apiVersion", "kind"};

        for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
                if (!value_equal(value_map_get(base, fixed[i]), value_map_get(wanted, fixed[i])))
                        return err_set(err, ERR_UNSUPPORTED, "%s: a patch cannot change it", fixed[i]);
        if (by_argument)
                make_arguments(&m, base, &patch, &with_arguments);
        const struct value *rest = with_arguments ? with_arguments : base;
        if (!means(rest, meaning)) {
                int r = make_pod(&m, rest, wanted, &patch, err);
                if (r < 0)
                        return r;
        }
        *ret = patch;
        patch = (struct pod_patch){0};
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/go_text.h"
#include "phase/patch_strategic_private.h"

int strategic_no_merge_key(const struct strategic *s, const struct value *map, const char *merge_key)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

        go_text(map, &text);
        return err_set(s->err, ERR_INVALID, "map: %s does not contain declared merge key: %s", buf_str(&text),
                       merge_key);
}

/* Numbers that are whole and others are two types. */
static bool same_type(const struct value *a, const struct value *b)
{
        return str_eq(go_type_text(a), go_type_text(b));
}

int strategic_element(const struct strategic *s, const struct value *a, const struct value *b, const struct value **ret)
{
        const struct value *const lists[] = {a, b};
        const struct value *element = NULL;

        for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
                for (size_t i = 0; lists[l] && i < lists[l]->list.count; i++) {
                        const struct value *item = lists[l]->list.items[i];

                        if (!element && item->kind == VALUE_LIST)
                                return err_set(s->err, ERR_INVALID, "lists of lists are not supported");
                        if (!element)
                                element = item;
                        if (same_type(element, item))
                                continue;
                        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
                        go_text(lists[0] ? lists[0] : lists[1], &text);
                        buf_addch(&text, ' ');
                        go_text(lists[1] ? lists[1] : lists[0], &text);
                        return err_set(s->err, ERR_INVALID, "list element types are not identical: [%s]",
                                       buf_str(&text));
                }
        }
        *ret = element;
        return 0;
}

static const struct value *item_key(const struct value *item, const char *merge_key)
{
        return *merge_key ? value_map_get(item, merge_key) : item;
}

struct value *strategic_keys(const struct value *list, const char *merge_key)
{
        struct value *keys = value_new_list();

        for (size_t i = 0; i < list->list.count; i++) {
                const struct value *key = item_key(list->list.items[i], merge_key);
                value_list_add(keys, key ? value_copy(key) : value_new_null());
        }
        return keys;
}

/* Number of the item with that key, list.count where there is none. */
static size_t find_key(const struct value *list, const char *merge_key, const struct value *key)
{
        size_t i = 0;

        while (i < list->list.count && !value_equal(item_key(list->list.items[i], merge_key), key))
                i++;
        return i;
}

struct ordered {
        struct value *item;
        size_t in_order;    /* number in the wanted order, or its count */
        size_t in_original; /* the same of the original */
};

/* By the number that `known` gives; insertion, as Go's stable sort of short lists. What one of the two does not have
 * counts as less, in either way. */
static void sort_items(struct ordered *items, size_t count, bool by_order, size_t unknown)
{
        for (size_t i = 1; i < count; i++)
                for (size_t j = i; j > 0; j--) {
                        size_t a = by_order ? items[j].in_order : items[j].in_original;
                        size_t b = by_order ? items[j - 1].in_order : items[j - 1].in_original;
                        if (a != unknown && b != unknown && a >= b)
                                break;
                        struct ordered swap = items[j];
                        items[j] = items[j - 1];
                        items[j - 1] = swap;
                }
}

/* Items that are left of deletions (only where another patch put them there) go to the end as they stand. The number of
 * the others. */
static size_t move_deletions(struct ordered *items, size_t count)
{
        size_t kept = count;

        for (size_t i = 0; i < kept;) {
                const struct value *directive = value_map_get(items[i].item, PATCH_DIRECTIVE);

                if (!str_eq(value_string(directive, NULL), "delete")) {
                        i++;
                        continue;
                }
                struct ordered moved = items[i];
                memmove(items + i, items + i + 1, (count - i - 1) * sizeof(*items));
                items[count - 1] = moved;
                kept--;
        }
        return kept;
}

/* left and right keep their order; an item of left goes before one of right where the original had it so. */
static void merge_sorted(struct value *merged, const struct ordered *left, size_t left_count,
                         const struct ordered *right, size_t right_count, size_t unknown)
{
        size_t i = 0, j = 0;

        for (size_t k = 0; k < merged->list.count; k++) {
                bool take_left = j == right_count;
                if (i < left_count && j < right_count)
                        take_left = left[i].in_original != unknown && right[j].in_original != unknown &&
                                    left[i].in_original < right[j].in_original;
                merged->list.items[k] = take_left ? left[i++].item : right[j++].item;
        }
}

static int number_items(const struct strategic *s, const struct value *merged, const struct value *order,
                        const struct value *original_keys, const char *merge_key, struct ordered *items)
{
        for (size_t i = 0; i < merged->list.count; i++) {
                struct value *item = merged->list.items[i];
                const struct value *key = item_key(item, merge_key);

                if (!key)
                        return strategic_no_merge_key(s, item, merge_key);
                if (!*merge_key && (item->kind == VALUE_MAP || item->kind == VALUE_LIST))
                        return err_set(s->err, ERR_INVALID, "a list without merge key has no order of elements");
                items[i] = (struct ordered){item, find_key(order, merge_key, key), find_key(original_keys, "", key)};
        }
        return 0;
}

int strategic_order(const struct strategic *s, struct value *merged, const struct value *order,
                    const struct value *original_keys, const char *merge_key)
{
        size_t count = merged->list.count, left = 0, right = 0;
        struct ordered *items CLEANUP_FREE = xcalloc(count + 1, sizeof(*items));
        struct ordered *server CLEANUP_FREE = xcalloc(count + 1, sizeof(*server));
        struct ordered *patch CLEANUP_FREE = xcalloc(count + 1, sizeof(*patch));

        int r = number_items(s, merged, order, original_keys, merge_key, items);
        if (r < 0)
                return r;
        for (size_t i = 0; i < count; i++) {
                if (items[i].in_order < order->list.count)
                        patch[right++] = items[i];
                else
                        server[left++] = items[i];
        }
        sort_items(patch, move_deletions(patch, right), true, order->list.count);
        sort_items(server, move_deletions(server, left), false, original_keys->list.count);
        merge_sorted(merged, server, left, patch, right, original_keys->list.count);
        return 0;
}

static void remove_matching(struct value *list, const char *merge_key, const struct value *key)
{
        for (size_t i = list->list.count; i > 0; i--)
                if (value_equal(item_key(list->list.items[i - 1], merge_key), key))
                        value_list_remove(list, i - 1);
}

/* Items of the patch with $patch: deletes from original; true in *ret_replace where the patch's other items are the
 * whole new list. They go from the patch. */
static int special_items(const struct strategic *s, struct value *original, struct value *patch, const char *merge_key,
                         bool *ret_replace)
{
        for (size_t i = 0; i < patch->list.count;) {
                const struct value *item = patch->list.items[i];
                const struct value *directive = value_map_get(item, PATCH_DIRECTIVE);
                const char *text = value_string(directive, "");

                if (!directive) {
                        i++;
                        continue;
                }
                if (str_eq(text, "delete")) {
                        if (!value_map_get(item, merge_key))
                                return strategic_no_merge_key(s, item, merge_key);
                        remove_matching(original, merge_key, value_map_get(item, merge_key));
                } else if (str_eq(text, "replace")) {
                        *ret_replace = true;
                } else if (str_eq(text, "merge")) {
                        return err_set(s->err, ERR_INVALID, "merging lists cannot yet be specified in the patch");
                } else {
                        return strategic_bad_directive(s, directive, item);
                }
                value_list_remove(patch, i);
        }
        return 0;
}

/* Each item of the patch into its match in original, or behind it. Moves the items out of patch. */
static int merge_items(const struct strategic *s, struct value *original, struct value *patch,
                       const struct strategic_list *how)
{
        int r = 0;

        for (size_t i = 0; i < patch->list.count && r == 0; i++) {
                struct value *item = patch->list.items[i];
                const struct value *key = value_map_get(item, how->merge_key);

                if (!key)
                        return strategic_no_merge_key(s, item, how->merge_key);
                size_t at = find_key(original, how->merge_key, key);
                struct value *copy = value_copy(item);
                if (at == original->list.count)
                        value_list_add(original, copy);
                else
                        r = strategic_map(s, &original->list.items[at], copy, &how->item);
        }
        return r;
}

/* The patch's items instead of all. */
static int replace_items(const struct strategic *s, struct value *original, const struct value *patch,
                         const char *merge_key)
{
        struct value *keys CLEANUP_VALUE = strategic_keys(patch, merge_key), *none CLEANUP_VALUE = value_new_list();

        while (original->list.count > 0)
                value_list_remove(original, original->list.count - 1);
        for (size_t i = 0; i < patch->list.count; i++)
                value_list_add(original, value_copy(patch->list.items[i]));
        return strategic_order(s, original, none, keys, merge_key);
}

static int merge_maps(const struct strategic *s, struct value *original, struct value *patch,
                      const struct strategic_list *how)
{
        bool replace = false;

        if (!*how->merge_key)
                return err_set(s->err, ERR_INVALID, "cannot merge lists without merge key for %s",
                               api_ref_go_kind(&how->item));
        int r = special_items(s, original, patch, how->merge_key, &replace);
        if (r < 0)
                return r;
        if (replace)
                return replace_items(s, original, patch, how->merge_key);
        struct value *keys CLEANUP_VALUE = strategic_keys(original, how->merge_key);
        r = merge_items(s, original, patch, how);
        return r < 0 ? r : strategic_order(s, original, patch, keys, how->merge_key);
}

/* deduplicateScalars: what is found twice gives its place to the last of the list. */
static void remove_duplicates(struct value *list)
{
        for (size_t i = 0; i + 1 < list->list.count; i++)
                for (size_t j = i + 1; j < list->list.count; j++) {
                        if (!value_equal(list->list.items[i], list->list.items[j]))
                                continue;
                        size_t last = list->list.count - 1;
                        struct value *duplicate = list->list.items[j];
                        list->list.items[j] = list->list.items[last];
                        list->list.items[last] = duplicate;
                        value_list_remove(list, last);
                        j--;
                }
}

static int merge_scalars(const struct strategic *s, struct value *original, const struct value *patch, bool deletions)
{
        struct value *keys CLEANUP_VALUE = strategic_keys(original, "");

        if (deletions) {
                for (size_t i = 0; i < patch->list.count; i++)
                        remove_matching(original, "", patch->list.items[i]);
                return 0;
        }
        for (size_t i = 0; i < patch->list.count; i++)
                value_list_add(original, value_copy(patch->list.items[i]));
        remove_duplicates(original);
        return strategic_order(s, original, patch, keys, "");
}

int strategic_list(const struct strategic *s, struct value **original, struct value *taken,
                   const struct strategic_list *how, bool deletions)
{
        struct value *patch CLEANUP_VALUE = taken;
        const struct value *element = NULL;

        if (!how->merge && !(deletions && s->deletions_in_any_list)) {
                value_free(*original);
                *original = TAKE_PTR(patch);
                return 0;
        }
        int r = strategic_element(s, *original, patch, &element);
        if (r < 0 || !element)
                return r;
        if (element->kind == VALUE_MAP)
                return merge_maps(s, *original, patch, how);
        return merge_scalars(s, *original, patch, deletions);
}

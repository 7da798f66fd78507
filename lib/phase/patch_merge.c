/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "base/alloc.h"
#include "base/err.h"
#include "codec/value.h"
#include "phase/era.h"
#include "phase/patch_merge.h"

/* Nulls in what is new delete nothing: they go. Those that are items of lists stay in newer versions. */
static void prune_nulls(struct value *v, bool items)
{
        if (v->kind == VALUE_LIST) {
                for (size_t i = v->list.count; i > 0; i--) {
                        if (items && v->list.items[i - 1]->kind == VALUE_NULL)
                                value_list_remove(v, i - 1);
                        else
                                prune_nulls(v->list.items[i - 1], items);
                }
        } else if (v->kind == VALUE_MAP) {
                for (size_t i = v->map.count; i > 0; i--) {
                        char *key CLEANUP_FREE = xstrdup(v->map.entries[i - 1].key);
                        if (v->map.entries[i - 1].value->kind == VALUE_NULL)
                                (void)value_map_remove(v, key);
                        else
                                prune_nulls(v->map.entries[i - 1].value, items);
                }
        }
}

static struct value *pruned(const struct value *v, bool items)
{
        struct value *copy = value_copy(v);

        prune_nulls(copy, items);
        return copy;
}

static void merge_maps(struct value *target, const struct value *patch, bool items)
{
        for (size_t i = 0; i < patch->map.count; i++) {
                const struct value_entry *e = &patch->map.entries[i];
                struct value *old = value_map_get(target, e->key);

                if (e->value->kind == VALUE_NULL)
                        (void)value_map_remove(target, e->key);
                else if (!value_is(old, VALUE_MAP))
                        value_map_set(target, e->key, pruned(e->value, items));
                else if (e->value->kind == VALUE_MAP)
                        merge_maps(old, e->value, items);
                else
                        value_map_set(target, e->key, value_copy(e->value));
        }
}

int patch_merge(struct value **target, const struct value *patch, const struct era *era, struct err *err)
{
        bool items = era_lists(era, "patches", "mergePatch", "nullItemsDropped");

        if ((*target)->kind == VALUE_NULL)
                return err_set(err, ERR_INVALID, "Invalid JSON Document");
        if (patch->kind != VALUE_MAP && patch->kind != VALUE_LIST)
                return err_set(err, ERR_INVALID, "Invalid JSON Patch");
        if (patch->kind == VALUE_MAP && (*target)->kind == VALUE_MAP) {
                merge_maps(*target, patch, items);
                return 0;
        }
        struct value *whole = pruned(patch, items);
        value_free(*target);
        *target = whole;
        return 0;
}

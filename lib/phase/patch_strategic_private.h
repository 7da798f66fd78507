#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What patch_strategic.c and patch_strategic_list.c share.
 */
#include <stdbool.h>

#include "codec/value.h"
#include "phase/api_types.h"

struct err;

#define PATCH_DIRECTIVE "$patch"

struct strategic {
        struct api_types *types;
        struct err *err;
        /* What the era's apimachinery does. */
        bool absent_deletions_ignored; /* a deletion list for what is not there is dropped, not taken as the list */
        bool nulls_discarded;          /* nulls in what is new are dropped */
        bool directives_removed;       /* and so are directives */
        bool deletions_in_any_list;    /* deletion lists count for lists that are replaced as well */
};

/* How a field's list is merged. */
struct strategic_list {
        struct api_ref item;
        bool merge;
        const char *merge_key; /* "": a list of scalars */
};

/* Both take patch over and may change it; *original is replaced. ref is what the map is in Go. */
int strategic_map(const struct strategic *s, struct value **original, struct value *patch, const struct api_ref *ref);
int strategic_list(const struct strategic *s, struct value **original, struct value *patch,
                   const struct strategic_list *how, bool deletions);
/* normalizeElementOrder: the items of `order` in its order, the others in that of original_keys (strategic_keys of the
 * list before the merge), and the two together as far as original_keys has both. */
int strategic_order(const struct strategic *s, struct value *merged, const struct value *order,
                    const struct value *original_keys, const char *merge_key);
/* The merge keys of a list's items, or the scalars themselves; null for an item without one. */
struct value *strategic_keys(const struct value *list, const char *merge_key);
/* sliceElementType: all items of both (either may be NULL) are of one type, which is no list. *ret: an item that stands
 * for it; NULL where there is none at all. */
int strategic_element(const struct strategic *s, const struct value *a, const struct value *b,
                      const struct value **ret);

int strategic_no_merge_key(const struct strategic *s, const struct value *map, const char *merge_key);
int strategic_bad_directive(const struct strategic *s, const struct value *directive, const struct value *map);

/* Takes directives out of v and all below it; false where v itself goes. */
bool strategic_remove_directives(struct value *v);

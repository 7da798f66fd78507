#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds keys of a map that is being read, so that a document of one huge map does not take quadratic time. A small map
 * is searched as it is. Inside the codec only.
 */
#include <stddef.h>
#include <stdint.h>

struct value;
struct value_entry;

struct map_index {
        struct value *map; /* borrowed; grows by map_index_append alone */
        uint32_t *slots;   /* entry number + 1; NULL while the map is small */
        size_t slot_count;
};

#define MAP_INDEX_INIT(m) ((struct map_index){.map = (m)})
#define CLEANUP_MAP_INDEX __attribute__((cleanup(map_index_release)))

void map_index_release(struct map_index *index);
/* NULL where the key is not there; valid until the next append. */
struct value_entry *map_index_find(struct map_index *index, const char *key);
/* The key must not be there. Takes item. */
struct value_entry *map_index_append(struct map_index *index, const char *key, struct value *item);

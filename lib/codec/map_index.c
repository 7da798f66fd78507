/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/hash.h"
#include "codec/map_index.h"
#include "codec/value.h"

#define SMALL_MAP 16

void map_index_release(struct map_index *index)
{
        free(index->slots);
        *index = (struct map_index){0};
}

static uint32_t *find_slot(struct map_index *index, const char *key)
{
        size_t mask = index->slot_count - 1;

        for (size_t at = hash_fnv32a(key, strlen(key)) & mask;; at = (at + 1) & mask) {
                uint32_t number = index->slots[at];

                if (number == 0 || strcmp(index->map->map.entries[number - 1].key, key) == 0)
                        return &index->slots[at];
        }
}

struct value_entry *map_index_find(struct map_index *index, const char *key)
{
        struct value *map = index->map;

        if (index->slots) {
                uint32_t number = *find_slot(index, key);

                return number ? &map->map.entries[number - 1] : NULL;
        }
        for (size_t i = 0; i < map->map.count; i++)
                if (strcmp(map->map.entries[i].key, key) == 0)
                        return &map->map.entries[i];
        return NULL;
}

/* At least twice as many slots as entries. */
static void rebuild(struct map_index *index)
{
        size_t count = SMALL_MAP * 4;

        while (count < index->map->map.count * 4)
                count *= 2;
        free(index->slots);
        index->slots = xcalloc(count, sizeof(*index->slots));
        index->slot_count = count;
        for (size_t i = 0; i < index->map->map.count; i++)
                *find_slot(index, index->map->map.entries[i].key) = (uint32_t)i + 1;
}

struct value_entry *map_index_append(struct map_index *index, const char *key, struct value *item)
{
        struct value_entry *entry = value_map_append(index->map, key, item);
        size_t count = index->map->map.count;

        if (count > SMALL_MAP && count * 2 > index->slot_count)
                rebuild(index);
        else if (index->slots)
                *find_slot(index, key) = (uint32_t)count;
        return entry;
}

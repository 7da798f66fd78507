/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "node/manifest_entry.h"

static size_t position(const struct manifest_entries *entries, const char *name, bool *ret_found)
{
        size_t low = 0, high = entries->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(entries->items[middle]->name, name);

                if (order == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret_found = false;
        return low;
}

struct manifest_entry *manifest_entries_find(const struct manifest_entries *entries, const char *name)
{
        bool found;
        size_t at = position(entries, name, &found);

        return found ? entries->items[at] : NULL;
}

struct manifest_entry *manifest_entries_get(struct manifest_entries *entries, const char *name)
{
        bool found;
        size_t at = position(entries, name, &found);
        struct manifest_entry *entry;

        if (found)
                return entries->items[at];
        entry = xcalloc(1, sizeof(*entry));
        entry->name = xstrdup(name);
        entry->link_watch = -1;
        entries->items = xrealloc(entries->items, entries->count + 1, sizeof(*entries->items));
        memmove(entries->items + at + 1, entries->items + at, (entries->count - at) * sizeof(*entries->items));
        entries->items[at] = entry;
        entries->count++;
        return entry;
}

void manifest_entries_remove(struct manifest_entries *entries, size_t at)
{
        struct manifest_entry *entry = entries->items[at];

        memmove(entries->items + at, entries->items + at + 1, (entries->count - at - 1) * sizeof(*entries->items));
        entries->count--;
        free(entry->name);
        free(entry->message);
        free(entry);
}

bool manifest_entry_is_whole(const struct manifest_entry *entry, const struct manifest_stat *found)
{
        bool same = found->device == entry->stat.device && found->inode == entry->stat.inode;

        return entry->whole && found->size > 0 && (entry->present ? !same : !entry->told && entry->remove_at == 0);
}

usec_t manifest_entry_read_at(const struct manifest_entry *entry)
{
        if (!entry->present)
                return USEC_INFINITY;
        if (entry->pending) /* whatever it was before: somebody may be writing it */
                return entry->quiet_at;
        return entry->again_at > 0 ? entry->again_at : USEC_INFINITY;
}

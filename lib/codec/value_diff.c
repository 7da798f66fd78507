/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/value_diff.h"

#define PATH_MAX_BYTES (64 * 1024)

struct diff {
        value_diff_fn fn;
        void *userdata;
        struct buf path;
};

static void walk(struct diff *d, const struct value *before, const struct value *after);

static void cut(struct buf *path, size_t len)
{
        if (len < path->len) {
                path->len = len;
                path->data[len] = '\0';
        }
}

static void tell(struct diff *d, const struct value *before, const struct value *after)
{
        d->fn(d->userdata, buf_str(&d->path), before, after);
}

static void walk_key(struct diff *d, const char *key, const struct value *before, const struct value *after)
{
        size_t len = d->path.len;

        /* Keys of annotations and the like have dots of their own. */
        if (strchr(key, '.'))
                buf_addf(&d->path, "[%s]", key);
        else
                buf_addf(&d->path, "%s%s", len ? "." : "", key);
        walk(d, before, after);
        cut(&d->path, len);
}

static void walk_map(struct diff *d, const struct value *before, const struct value *after)
{
        for (size_t i = 0; i < before->map.count; i++)
                walk_key(d, before->map.entries[i].key, before->map.entries[i].value,
                         value_map_get(after, before->map.entries[i].key));
        for (size_t i = 0; i < after->map.count; i++)
                if (!value_map_get(before, after->map.entries[i].key))
                        walk_key(d, after->map.entries[i].key, NULL, after->map.entries[i].value);
}

/* The text by which an item of a list is known, NULL where it has none. */
static const char *item_name(const struct value *item)
{
        static const char *const keys[] = {"name", "key", "mountPath", "containerPort"};

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                const struct value *v = value_map_get(item, keys[i]);

                if (value_is(v, VALUE_STRING) || value_is(v, VALUE_NUMBER))
                        return v->text;
        }
        return NULL;
}

static const struct value *find_item(const struct value *list, const char *name)
{
        for (size_t i = 0; i < list->list.count; i++)
                if (str_eq(item_name(list->list.items[i]), name))
                        return list->list.items[i];
        return NULL;
}

/* Every item has a name, and no other has it. */
static bool all_named(const struct value *list)
{
        for (size_t i = 0; i < list->list.count; i++) {
                const char *name = item_name(list->list.items[i]);

                if (!name || find_item(list, name) != list->list.items[i])
                        return false;
        }
        return true;
}

static void walk_item(struct diff *d, const char *name, const struct value *before, const struct value *after)
{
        size_t len = d->path.len;

        buf_addf(&d->path, "[%s]", name);
        walk(d, before, after);
        cut(&d->path, len);
}

static void walk_named(struct diff *d, const struct value *before, const struct value *after)
{
        for (size_t i = 0; i < before->list.count; i++) {
                const char *name = item_name(before->list.items[i]);

                walk_item(d, name, before->list.items[i], find_item(after, name));
        }
        for (size_t i = 0; i < after->list.count; i++) {
                const char *name = item_name(after->list.items[i]);

                if (!find_item(before, name))
                        walk_item(d, name, NULL, after->list.items[i]);
        }
}

static bool all_maps(const struct value *list)
{
        for (size_t i = 0; i < list->list.count; i++)
                if (!value_is(list->list.items[i], VALUE_MAP))
                        return false;
        return true;
}

static void walk_list(struct diff *d, const struct value *before, const struct value *after)
{
        size_t count = before->list.count > after->list.count ? before->list.count : after->list.count;

        if (!all_maps(before) || !all_maps(after)) {
                if (!value_equal(before, after))
                        tell(d, before, after);
                return;
        }
        if (all_named(before) && all_named(after)) {
                walk_named(d, before, after);
                return;
        }
        for (size_t i = 0; i < count; i++) {
                char *index CLEANUP_FREE = xasprintf("%zu", i);

                walk_item(d, index, i < before->list.count ? before->list.items[i] : NULL,
                          i < after->list.count ? after->list.items[i] : NULL);
        }
}

static void walk(struct diff *d, const struct value *before, const struct value *after)
{
        if (value_is(before, VALUE_MAP) && value_is(after, VALUE_MAP))
                walk_map(d, before, after);
        else if (value_is(before, VALUE_LIST) && value_is(after, VALUE_LIST))
                walk_list(d, before, after);
        else if ((before || after) && (!before || !after || !value_equal(before, after)))
                tell(d, before, after);
}

void value_diff(const struct value *before, const struct value *after, value_diff_fn fn, void *userdata)
{
        struct diff d = {.fn = fn, .userdata = userdata, .path = BUF_INIT(PATH_MAX_BYTES)};

        walk(&d, before, after);
        buf_release(&d.path);
}

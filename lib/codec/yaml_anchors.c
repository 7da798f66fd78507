/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/value.h"
#include "codec/yaml_anchors.h"

void yaml_anchors_clear(struct yaml_anchors *a)
{
        for (size_t i = 0; i < a->count; i++) {
                free(a->items[i].name);
                free(a->items[i].key);
        }
        a->count = 0;
}

void yaml_anchors_release(struct yaml_anchors *a)
{
        yaml_anchors_clear(a);
        free(a->items);
        *a = (struct yaml_anchors){0};
}

int yaml_anchors_begin(struct yaml_anchors *a, const char *name, const struct value_place *place, ssize_t *ret_number,
                       struct err *err)
{
        *ret_number = -1;
        if (!name)
                return 0;
        if (a->count == LIMIT_YAML_ANCHORS)
                return value_error(place, err, ERR_LIMIT, "more than %d anchors in one document", LIMIT_YAML_ANCHORS);
        if (a->count == a->cap) {
                a->cap = a->cap ? a->cap * 2 : 8;
                a->items = xrealloc(a->items, a->cap, sizeof(*a->items));
        }
        a->items[a->count] = (struct yaml_anchor){.name = xstrdup(name)};
        *ret_number = (ssize_t)a->count++;
        return 0;
}

void yaml_anchors_end(struct yaml_anchors *a, ssize_t number, const struct value *v, const char *key)
{
        if (number < 0)
                return;
        a->items[number].value = v;
        a->items[number].key = key ? xstrdup(key) : NULL;
}

int yaml_anchors_find(const struct yaml_anchors *a, const char *name, const struct value_place *place,
                      const struct yaml_anchor **ret, struct err *err)
{
        for (size_t i = a->count; i > 0; i--) {
                const struct yaml_anchor *anchor = &a->items[i - 1];

                if (strcmp(anchor->name, name) != 0)
                        continue;
                if (!anchor->value)
                        return value_error(place, err, ERR_INVALID, "anchor '%s' value contains itself", name);
                *ret = anchor;
                return 0;
        }
        return value_error(place, err, ERR_INVALID, "unknown anchor '%s' referenced", name);
}

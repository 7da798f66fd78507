/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/kubeconfig_tree.h"

int kubeconfig_tree_load(const struct phase *phase, const char *path, struct value **ret, struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_require_file(phase, path, LIMIT_PKI_FILE, &text, &len, err);

        if (r < 0)
                return r;
        if (len == 0) /* clientcmd.Load: no data is a configuration with nothing in it */
                *ret = value_new_map();
        else
                r = yaml_load_one(path, text, len, 0, ret, err);
        explicit_bzero(text, len);
        if (r == 0 && !value_is(*ret, VALUE_MAP)) {
                r = value_error(&(*ret)->place, err, ERR_INVALID, "expected a map, found a %s",
                                value_kind_name((*ret)->kind));
                *ret = value_free(*ret);
        }
        return r;
}

struct value *kubeconfig_tree_find(const struct value *root, const char *list, const char *member, const char *name)
{
        const struct value *items = value_map_get(root, list);

        for (size_t i = 0; value_is(items, VALUE_LIST) && i < items->list.count; i++) {
                const struct value *entry = items->list.items[i];
                struct value *found = value_map_get(entry, member);
                if (str_eq(value_string(value_map_get(entry, "name"), NULL), name) && value_is(found, VALUE_MAP))
                        return found;
        }
        return NULL;
}

void kubeconfig_tree_set_data(struct value *map, const char *key, const char *text)
{
        char *data_key CLEANUP_FREE = xasprintf("%s-data", key);

        (void)value_map_remove(map, key);
        (void)value_map_remove(map, data_key);
        if (!text)
                return;
        char *encoded CLEANUP_FREE = base64_text(text, strlen(text));
        value_map_set(map, data_key, value_new_string(encoded));
        explicit_bzero(encoded, strlen(encoded));
}

static int compare_names(const void *a, const void *b)
{
        const struct value *const *x = a, *const *y = b;

        return strcmp(value_string(value_map_get(*x, "name"), ""), value_string(value_map_get(*y, "name"), ""));
}

/* client-go keeps these lists as maps. */
static void sort_lists(struct value *root)
{
        static const char *const lists[] = {"clusters", "contexts", "users"};

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                struct value *list = value_map_get(root, lists[i]);
                if (value_is(list, VALUE_LIST) && list->list.count > 1)
                        qsort(list->list.items, list->list.count, sizeof(*list->list.items), compare_names);
        }
}

int kubeconfig_tree_add(struct phase *phase, const char *path, struct value *root, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE * 2);
        const struct value *preferences = value_map_get(root, "preferences");

        sort_lists(root);
        if (era_flag(phase->era, "certificates", "kubeconfigPreferences") && !preferences)
                value_map_set(root, "preferences", value_new_map());
        else if (!era_flag(phase->era, "certificates", "kubeconfigPreferences") && value_is(preferences, VALUE_MAP) &&
                 preferences->map.count == 0)
                (void)value_map_remove(root, "preferences");
        yaml_write(root, 0, &out);
        int r = buf_check(&out, path, err);
        if (r == 0)
                phase_add_file(phase, path, out.data, out.len, 0600, 0755, PHASE_FILE_SECRET);
        if (out.data)
                explicit_bzero(out.data, out.len);
        return r;
}

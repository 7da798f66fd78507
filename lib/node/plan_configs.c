/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "kube/config_object.h"
#include "kube/pod.h"
#include "node/plan_configs.h"

struct look {
        const struct pod *pod;
        const struct config_objects *before, *after;
        cJSON *list;
};

/* One object in both versions; NULL: not there. */
struct both {
        enum config_kind kind;
        const char *name;
        const struct config_object *before, *after;
};

static struct both find(const struct look *look, bool secret, const char *name)
{
        enum config_kind kind = secret ? CONFIG_SECRET : CONFIG_MAP;

        return (struct both){
                .kind = kind,
                .name = name,
                .before = config_objects_find(look->before, kind, look->pod->namespace, name),
                .after = config_objects_find(look->after, kind, look->pod->namespace, name),
        };
}

static const struct config_item *item_of(const struct config_object *object, const char *key)
{
        return object ? config_object_item(object, key) : NULL;
}

static void add_if_changed(const struct both *both, const char *key, cJSON *keys)
{
        const struct config_item *a = item_of(both->before, key), *b = item_of(both->after, key);

        if ((!a && !b) || (a && b && a->len == b->len && memcmp(a->data, b->data, a->len) == 0))
                return;
        cJSON_AddItemToArray(keys, cJSON_CreateString(key));
}

/* Every key of either. */
static void add_all_changed(const struct both *both, cJSON *keys)
{
        for (size_t i = 0; both->before && i < both->before->count; i++)
                add_if_changed(both, both->before->items[i].key, keys);
        for (size_t i = 0; both->after && i < both->after->count; i++)
                if (!item_of(both->before, both->after->items[i].key))
                        add_if_changed(both, both->after->items[i].key, keys);
}

/* Takes keys. */
static void add_change(const struct look *look, char *field, const struct both *both, bool optional, cJSON *keys,
                       const char *takes)
{
        char *name CLEANUP_FREE = field, *from CLEANUP_FREE = xasprintf("%s %s/%s", config_kind_name(both->kind),
                                                                        look->pod->namespace, both->name);
        cJSON *item;

        if (cJSON_GetArraySize(keys) == 0) {
                cJSON_Delete(keys);
                return;
        }
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "field", name);
        cJSON_AddStringToObject(item, "from", from);
        cJSON_AddItemToObject(item, "keys", keys);
        cJSON_AddStringToObject(item, "takes", !both->after && !optional ? PLAN_CONFIG_WITHDRAWN : takes);
        cJSON_AddItemToArray(look->list, item);
}

static char *container_field(const struct pod_container *c, const char *list, const char *name)
{
        return xasprintf("spec.%s[%s].%s[%s]", c->init ? "initContainers" : "containers", c->name, list, name);
}

static void look_at_variables(const struct look *look, const struct pod_container *c)
{
        for (size_t i = 0; i < c->env_count; i++) {
                const struct pod_env *env = &c->env[i];
                cJSON *keys;

                if (!env->config_name)
                        continue;
                const struct both both = find(look, env->config_secret, env->config_name);
                keys = cJSON_CreateArray();
                add_if_changed(&both, env->config_key, keys);
                add_change(look, container_field(c, "env", env->name), &both, env->config_optional, keys,
                           PLAN_CONFIG_RESTART);
        }
        for (size_t i = 0; i < c->env_from_count; i++) {
                const struct pod_env_from *from = &c->env_from[i];
                const struct both both = find(look, from->secret, from->name);
                cJSON *keys = cJSON_CreateArray();

                add_all_changed(&both, keys);
                add_change(look, container_field(c, "envFrom", from->name), &both, from->optional, keys,
                           PLAN_CONFIG_RESTART);
        }
}

/* Mounts of one file of the volume keep the file that was there when the container started. */
static void look_at_sub_paths(const struct look *look, const struct pod_volume *volume, const struct both *both,
                              bool optional, const cJSON *keys)
{
        for (size_t i = 0; i < look->pod->container_count; i++) {
                const struct pod_container *c = &look->pod->containers[i];

                for (size_t k = 0; k < c->mount_count; k++) {
                        const struct pod_mount *mount = &c->mounts[k];

                        if (str_eq(mount->name, volume->name) && (mount->sub_path || mount->sub_path_expr))
                                add_change(look, container_field(c, "volumeMounts", mount->mount_path), both, optional,
                                           cJSON_Duplicate(keys, true), PLAN_CONFIG_RESTART);
                }
        }
}

static void look_at_volume(const struct look *look, const struct pod_volume *volume)
{
        for (size_t i = 0; i < volume->source_count; i++) {
                const struct pod_config_source *source = &volume->sources[i];
                const struct both both = find(look, source->secret, source->name);
                cJSON *keys = cJSON_CreateArray();

                for (size_t k = 0; k < source->item_count; k++)
                        add_if_changed(&both, source->items[k].key, keys);
                if (source->item_count == 0)
                        add_all_changed(&both, keys);
                look_at_sub_paths(look, volume, &both, source->optional, keys);
                add_change(look, xasprintf("spec.volumes[%s]", volume->name), &both, source->optional, keys,
                           PLAN_CONFIG_AT_ONCE);
        }
}

cJSON *plan_configs(const struct pod *pod, const struct config_objects *before, const struct config_objects *after)
{
        const struct look look = {.pod = pod, .before = before, .after = after, .list = cJSON_CreateArray()};

        for (size_t i = 0; i < pod->container_count; i++)
                look_at_variables(&look, &pod->containers[i]);
        for (size_t i = 0; i < pod->volume_count; i++)
                look_at_volume(&look, &pod->volumes[i]);
        return look.list;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/config_object.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "node/config_values.h"
#include "node/host.h"
#include "node/volume_files.h"

static const struct config_object *find(const struct host *host, const struct pod *pod, bool secret, const char *name)
{
        return config_objects_find(host->configs, secret ? CONFIG_SECRET : CONFIG_MAP, pod->namespace, name);
}

static int not_found(bool secret, const char *name, struct err *err)
{
        return err_set(err, ENOENT, "%s \"%s\" not found", secret ? "secret" : "configmap", name);
}

/* Docker takes variables as text. */
static int check_text(const struct config_object *o, const struct config_item *item, struct err *err)
{
        if (memchr(item->data, '\0', item->len) || utf8_valid_prefix(item->data, item->len) != item->len)
                return err_set(err, ERR_INVALID, "key %s in %s %s/%s is no text", item->key, config_kind_name(o->kind),
                               o->namespace, o->name);
        return 0;
}

int config_value(const struct host *host, const struct pod *pod, const struct pod_env *ref, char **ret, struct err *err)
{
        const struct config_object *o = find(host, pod, ref->config_secret, ref->config_name);
        const struct config_item *item = o ? config_object_item(o, ref->config_key) : NULL;
        int r;

        if (!item && ref->config_optional)
                return 1;
        if (!o)
                return not_found(ref->config_secret, ref->config_name, err);
        if (!item)
                return err_set(err, ENOENT, "couldn't find key %s in %s %s/%s", ref->config_key,
                               config_kind_name(o->kind), o->namespace, o->name);
        r = check_text(o, item, err);
        if (r == 0)
                *ret = xstrndup(item->data, item->len);
        return r;
}

static void set(struct strv *env, const char *prefix, const struct config_item *item)
{
        char *entry CLEANUP_FREE = xasprintf("%s%s=%s", prefix, item->key, item->data);
        size_t len = strlen(prefix) + strlen(item->key) + 1;

        for (size_t i = 0; i < env->len; i++) {
                if (strncmp(env->items[i], entry, len) != 0)
                        continue;
                strv_remove(env, i);
                strv_insert(env, i, entry);
                return;
        }
        strv_add(env, entry);
}

int config_env_from(const struct host *host, const struct pod *pod, const struct pod_container *container,
                    struct strv *env, struct err *err)
{
        for (size_t i = 0; i < container->env_from_count; i++) {
                const struct pod_env_from *from = &container->env_from[i];
                const struct config_object *o = find(host, pod, from->secret, from->name);

                if (!o && from->optional)
                        continue;
                if (!o)
                        return not_found(from->secret, from->name, err);
                for (size_t k = 0; k < o->count; k++) {
                        int r = check_text(o, &o->items[k], err);

                        if (r < 0)
                                return r;
                        set(env, from->prefix, &o->items[k]);
                }
        }
        return 0;
}

static void add_file(struct volume_file **files, size_t *count, const char *path, const struct config_item *item,
                     int mode)
{
        struct volume_file file = {.path = path, .data = item->data, .len = item->len, .mode = (mode_t)mode};

        for (size_t i = 0; i < *count; i++) {
                if (!str_eq((*files)[i].path, path))
                        continue;
                (*files)[i] = file;
                return;
        }
        *files = xrealloc(*files, *count + 1, sizeof(**files));
        (*files)[(*count)++] = file;
}

static int add_source(const struct config_object *o, const struct pod_config_source *source, int default_mode,
                      struct volume_file **files, size_t *count, struct err *err)
{
        for (size_t i = 0; source->item_count == 0 && i < o->count; i++)
                add_file(files, count, o->items[i].key, &o->items[i], default_mode);
        for (size_t i = 0; i < source->item_count; i++) {
                const struct pod_config_item *want = &source->items[i];
                const struct config_item *item = config_object_item(o, want->key);

                if (item)
                        add_file(files, count, want->path, item, want->mode < 0 ? default_mode : want->mode);
                else if (!source->optional)
                        return err_set(err, ENOENT, "references non-existent %s key: %s",
                                       source->secret ? "secret" : "config", want->key);
        }
        return 0;
}

int config_files(const struct host *host, const struct pod *pod, const struct pod_volume *volume,
                 struct volume_file **files, size_t *count, struct err *err)
{
        for (size_t i = 0; i < volume->source_count; i++) {
                const struct pod_config_source *source = &volume->sources[i];
                const struct config_object *o = find(host, pod, source->secret, source->name);
                int r;

                if (!o && source->optional)
                        continue;
                if (!o)
                        return not_found(source->secret, source->name, err);
                r = add_source(o, source, volume->default_mode, files, count, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

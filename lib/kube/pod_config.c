/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/config_object.h"
#include "kube/field.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_config.h"
#include "kube/pod_decode.h"

#define FILE_MODE_MAX 0777

struct check {
        const struct pod_source *source;
        const char *namespace;
        struct pod_findings *findings;
};

static const char *const container_lists[] = {"initContainers", "containers"};

/* --- served? ------------------------------------------------------------------------------------------------------ */

/* words: what the kubelet says of this kind of reference. */
static void check_served(const struct check *c, const struct field_path *path, enum config_kind kind,
                         const struct field_path *name, const char *words)
{
        const char *text = value_string(name->value, "");

        if (c->source->any_config)
                return;
        if (!c->source->configs) {
                field_forbidden(c->findings, path, "%s", words);
                return;
        }
        if (field_bool(path->value, "optional", false) ||
            config_objects_find(c->source->configs, kind, c->namespace, text))
                return;
        field_forbidden(c->findings, path, "%s: no document in the manifest directory serves %s %s/%s", words,
                        config_kind_name(kind), c->namespace, text);
}

static void check_name(const struct check *c, const struct field_path *name)
{
        if (!name->value || str_eq(value_string(name->value, NULL), ""))
                field_required(c->findings, name, NULL);
        else
                (void)field_check(c->findings, name, meta_dns1123_subdomain);
}

static void check_env(const struct check *c, const struct field_path *container)
{
        static const struct {
                const char *field;
                enum config_kind kind;
                const char *words;
        } refs[] = {{"configMapKeyRef", CONFIG_MAP, "static pods may not reference configmaps"},
                    {"secretKeyRef", CONFIG_SECRET, "static pods may not reference secrets"}};
        struct field_path list = field_child(container, "env");

        for (size_t i = 0; i < field_count(list.value); i++) {
                struct field_path env = field_index(&list, i), from = field_child(&env, "valueFrom");

                for (size_t k = 0; k < ARRAY_SIZE(refs); k++) {
                        struct field_path ref = field_child(&from, refs[k].field);
                        struct field_path name = field_child(&ref, "name"), key = field_child(&ref, "key");

                        if (!value_is(ref.value, VALUE_MAP))
                                continue;
                        check_served(c, &ref, refs[k].kind, &name, refs[k].words);
                        if (!c->source->configs)
                                continue;
                        check_name(c, &name);
                        if (!key.value || str_eq(value_string(key.value, NULL), ""))
                                field_required(c->findings, &key, NULL);
                }
        }
}

static void check_env_from(const struct check *c, const struct field_path *container)
{
        static const char words[] = "static pods may not reference configmaps or secrets";
        struct field_path list = field_child(container, "envFrom");

        if (field_count(list.value) > 0 && !c->source->configs && !c->source->any_config) {
                field_forbidden(c->findings, &list, "%s", words);
                return;
        }
        for (size_t i = 0; i < field_count(list.value); i++) {
                struct field_path one = field_index(&list, i), map = field_child(&one, "configMapRef");
                struct field_path secret = field_child(&one, "secretRef"), prefix = field_child(&one, "prefix");
                const struct field_path *ref = map.value ? &map : &secret;
                struct field_path name = field_child(ref, "name");

                if (!map.value == !secret.value) {
                        field_invalid(c->findings, &one, "must specify one of: `configMapRef` or `secretRef`");
                        continue;
                }
                if (prefix.value && !str_eq(value_string(prefix.value, ""), ""))
                        (void)field_check(c->findings, &prefix, meta_env_var_name);
                if (!value_is(ref->value, VALUE_MAP))
                        continue;
                check_name(c, &name);
                check_served(c, ref, map.value ? CONFIG_MAP : CONFIG_SECRET, &name, words);
        }
}

static void check_mode(const struct check *c, const struct field_path *parent, const char *name)
{
        struct field_path mode = field_child(parent, name);
        int64_t n = field_int(parent->value, name, 0);

        if (n < 0 || n > FILE_MODE_MAX)
                field_invalid(c->findings, &mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

static void check_items(const struct check *c, const struct field_path *source)
{
        struct field_path items = field_child(source, "items");

        for (size_t i = 0; i < field_count(items.value); i++) {
                struct field_path item = field_index(&items, i), key = field_child(&item, "key");
                struct field_path path = field_child(&item, "path");
                const char *text = value_string(path.value, NULL);

                if (!value_is(item.value, VALUE_MAP))
                        continue;
                if (!key.value || str_eq(value_string(key.value, NULL), ""))
                        field_required(c->findings, &key, NULL);
                if (!path.value || str_eq(text, ""))
                        field_required(c->findings, &path, NULL);
                else if (text && field_check(c->findings, &path, meta_path_descending) && str_starts(text, ".."))
                        field_invalid(c->findings, &path, "must not start with '..'");
                check_mode(c, &item, "mode");
        }
}

static void check_source(const struct check *c, const struct field_path *parent, const char *field,
                         enum config_kind kind, const char *name_field, const char *words)
{
        struct field_path source = field_child(parent, field), name = field_child(&source, name_field);

        if (!value_is(source.value, VALUE_MAP))
                return;
        check_served(c, &source, kind, &name, words);
        if (!c->source->configs)
                return;
        check_name(c, &name);
        check_mode(c, &source, "defaultMode");
        check_items(c, &source);
}

static void check_volume(const struct check *c, const struct field_path *volume)
{
        struct field_path projected = field_child(volume, "projected"), sources = field_child(&projected, "sources");

        check_source(c, volume, "secret", CONFIG_SECRET, "secretName",
                     "static pods may not reference secrets (via secret volumes)");
        check_source(c, volume, "configMap", CONFIG_MAP, "name",
                     "static pods may not reference configmaps (via configmap volumes)");
        for (size_t i = 0; i < field_count(sources.value); i++) {
                struct field_path one = field_index(&sources, i);

                check_source(c, &one, "secret", CONFIG_SECRET, "name",
                             "static pods may not reference secrets (via projected volumes)");
                check_source(c, &one, "configMap", CONFIG_MAP, "name",
                             "static pods may not reference configmaps (via projected volumes)");
        }
}

void pod_config_check(const struct value *document, const struct pod_source *source, struct pod_findings *findings)
{
        struct field_path root = field_root(document), spec = field_child(&root, "spec");
        struct field_path volumes = field_child(&spec, "volumes");
        struct check c = {
                .source = source,
                .namespace = field_string(value_map_get(document, "metadata"), "namespace", "default"),
                .findings = findings,
        };

        for (size_t l = 0; l < ARRAY_SIZE(container_lists); l++) {
                struct field_path list = field_child(&spec, container_lists[l]);

                for (size_t i = 0; i < field_count(list.value); i++) {
                        struct field_path container = field_index(&list, i);

                        check_env(&c, &container);
                        check_env_from(&c, &container);
                }
        }
        for (size_t i = 0; i < field_count(volumes.value); i++) {
                struct field_path volume = field_index(&volumes, i);

                check_volume(&c, &volume);
        }
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

void pod_config_decode_env(const struct value *value_from, struct pod_env *env)
{
        const struct value *map = value_map_get(value_from, "configMapKeyRef");
        const struct value *secret = value_map_get(value_from, "secretKeyRef"), *ref = map ? map : secret;

        if (!ref)
                return;
        env->config_name = xstrdup(field_string(ref, "name", ""));
        env->config_key = xstrdup(field_string(ref, "key", ""));
        env->config_secret = !map;
        env->config_optional = field_bool(ref, "optional", false);
}

void pod_config_decode_env_from(const struct value *list, struct pod_container *container)
{
        container->env_from = xcalloc(field_count(list), sizeof(*container->env_from));
        for (size_t i = 0; i < field_count(list); i++) {
                const struct value *one = list->list.items[i], *map = value_map_get(one, "configMapRef");
                const struct value *ref = map ? map : value_map_get(one, "secretRef");

                container->env_from[container->env_from_count++] = (struct pod_env_from){
                        .name = xstrdup(field_string(ref, "name", "")),
                        .prefix = xstrdup(field_string(one, "prefix", "")),
                        .secret = !map,
                        .optional = field_bool(ref, "optional", false),
                };
        }
}

static void decode_source(const struct value *source, bool secret, const char *name_field, struct pod_volume *ret)
{
        const struct value *items = value_map_get(source, "items");
        struct pod_config_source *to;

        if (!source)
                return;
        ret->sources = xrealloc(ret->sources, ret->source_count + 1, sizeof(*ret->sources));
        to = &ret->sources[ret->source_count++];
        *to = (struct pod_config_source){
                .name = xstrdup(field_string(source, name_field, "")),
                .secret = secret,
                .optional = field_bool(source, "optional", false),
                .items = xcalloc(field_count(items), sizeof(*to->items)),
        };
        for (size_t i = 0; i < field_count(items); i++)
                to->items[to->item_count++] = (struct pod_config_item){
                        .key = xstrdup(field_string(items->list.items[i], "key", "")),
                        .path = xstrdup(field_string(items->list.items[i], "path", "")),
                        .mode = (int)field_int(items->list.items[i], "mode", -1),
                };
}

bool pod_config_decode_volume(const struct value *volume, struct pod_volume *ret)
{
        const struct value *secret = value_map_get(volume, "secret"), *map = value_map_get(volume, "configMap");
        const struct value *sources = value_get(volume, "projected", "sources", NULL);

        for (size_t i = 0; i < field_count(sources); i++) {
                decode_source(value_map_get(sources->list.items[i], "secret"), true, "name", ret);
                decode_source(value_map_get(sources->list.items[i], "configMap"), false, "name", ret);
        }
        if (!secret && !map)
                return false;
        ret->type = secret ? POD_VOLUME_SECRET : POD_VOLUME_CONFIG_MAP;
        ret->default_mode = (int)field_int(secret ? secret : map, "defaultMode", 0);
        decode_source(secret, true, "secretName", ret);
        decode_source(map, false, "name", ret);
        return true;
}

/* --- without ------------------------------------------------------------------------------------------------------ */

static bool is_config_env(const struct value *env)
{
        return value_get(env, "valueFrom", "configMapKeyRef", NULL) ||
               value_get(env, "valueFrom", "secretKeyRef", NULL);
}

/* Takes out the sources; true: nothing is left of the volume. */
static bool strip_volume(struct value *volume, bool *ret_changed)
{
        struct value *sources = value_get(volume, "projected", "sources", NULL);
        bool had = field_count(sources) > 0;

        if (value_map_get(volume, "configMap") || value_map_get(volume, "secret")) {
                *ret_changed = true;
                return true;
        }
        for (size_t i = field_count(sources); i-- > 0;) {
                const struct value *one = sources->list.items[i];

                if (!value_map_get(one, "configMap") && !value_map_get(one, "secret"))
                        continue;
                value_list_remove(sources, i);
                *ret_changed = true;
        }
        return had && field_count(sources) == 0;
}

static void strip_mounts(struct value *spec, const char *volume)
{
        for (size_t l = 0; l < ARRAY_SIZE(container_lists); l++) {
                struct value *list = value_map_get(spec, container_lists[l]);

                for (size_t i = 0; i < field_count(list); i++) {
                        struct value *mounts = value_map_get(list->list.items[i], "volumeMounts");

                        for (size_t k = field_count(mounts); k-- > 0;)
                                if (str_eq(field_string(mounts->list.items[k], "name", NULL), volume))
                                        value_list_remove(mounts, k);
                        if (mounts && field_count(mounts) == 0)
                                (void)value_map_remove(list->list.items[i], "volumeMounts");
                }
        }
}

static bool strip_container(struct value *container)
{
        struct value *env = value_map_get(container, "env");
        bool changed = value_map_remove(container, "envFrom");

        for (size_t i = field_count(env); i-- > 0;) {
                if (!is_config_env(env->list.items[i]))
                        continue;
                value_list_remove(env, i);
                changed = true;
        }
        if (env && field_count(env) == 0)
                (void)value_map_remove(container, "env");
        return changed;
}

struct value *pod_config_strip(const struct value *document)
{
        struct value *copy CLEANUP_VALUE = value_copy(document);
        struct value *spec = value_map_get(copy, "spec"), *volumes = value_map_get(spec, "volumes");
        bool changed = false;

        for (size_t i = field_count(volumes); i-- > 0;) {
                if (!strip_volume(volumes->list.items[i], &changed))
                        continue;
                strip_mounts(spec, field_string(volumes->list.items[i], "name", NULL));
                value_list_remove(volumes, i);
        }
        if (volumes && field_count(volumes) == 0)
                (void)value_map_remove(spec, "volumes");
        for (size_t l = 0; l < ARRAY_SIZE(container_lists); l++) {
                struct value *list = value_map_get(spec, container_lists[l]);

                for (size_t i = 0; i < field_count(list); i++)
                        changed |= strip_container(list->list.items[i]);
        }
        return changed ? TAKE_PTR(copy) : NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd/kubeadm/app/phases/addons/{dns,proxy}: the objects of phase/addon.h, applied.
 */
#include "cluster/addon.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/coredns.h"
#include "cluster/object.h"
#include "codec/value.h"
#include "phase/addon.h"
#include "phase/component_parts.h"
#include "phase/phase.h"
#include "pki/seal.h"

#define HASH_ANNOTATION "kubeadm.kubernetes.io/component-config.hash"
#define HASH_TEXT_MAX 80

struct addon_def {
        const char *name, *group, *applied;
        /* What kubeadm changes in an object before it is applied. */
        int (*adapt)(struct cluster *cluster, struct value *object, struct err *err); /* NULL: as it is */
        int (*write)(struct cluster *cluster, const struct value *object, struct coredns *coredns, struct err *err);
};

/* Replicas that somebody chose stay. */
static int deployed_replicas(struct cluster *cluster, int *ret, struct err *err)
{
        struct value *deployment CLEANUP_VALUE = NULL;
        int64_t replicas;

        *ret = ADDON_COREDNS_REPLICAS;
        if (cluster->dry_run)
                return 0;
        int r = coredns_deployment(cluster, &deployment, err);
        if (r < 0)
                return r;
        if (value_int(value_get(deployment, "spec", "replicas", NULL), &replicas) == 0)
                *ret = (int)replicas;
        return 0;
}

/* SHA-256 over the data in order of its keys (componentconfigs.SignConfigMap). */
static int sign(struct value *config_map, struct err *err)
{
        struct buf all CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *data CLEANUP_VALUE = value_copy(value_map_get(config_map, "data"));
        struct value *metadata = value_map_get(config_map, "metadata");
        char hash[HASH_TEXT_MAX] = "sha256:";

        value_sort_keys(data);
        for (size_t i = 0; i < data->map.count; i++)
                buf_addstr(&all, value_string(data->map.entries[i].value, ""));
        int r = buf_check(&all, "the data of a ConfigMap", err);
        if (r < 0)
                return r;
        pki_sha256_text(buf_str(&all), all.len, hash + strlen(hash));
        if (!value_is(value_map_get(metadata, "annotations"), VALUE_MAP))
                value_map_set(metadata, "annotations", value_new_map());
        value_map_set(value_map_get(metadata, "annotations"), HASH_ANNOTATION, value_new_string(hash));
        return 0;
}

static int adapt_proxy(struct cluster *cluster, struct value *object, struct err *err)
{
        static const struct config_envs none = {0};
        const char *kind = value_string(value_map_get(object, "kind"), "");
        struct phase *phase = cluster->phase;

        if (str_eq(kind, "ConfigMap") && !phase->config->kube_proxy)
                return sign(object, err);
        if (!str_eq(kind, "DaemonSet"))
                return 0;
        struct value *containers = value_get(object, "spec", "template", "spec", "containers", NULL);
        if (value_is(containers, VALUE_LIST) && containers->list.count > 0) {
                struct value *container = containers->list.items[0];
                struct value *own CLEANUP_VALUE = value_copy(value_map_get(container, "env"));

                component_merge_environment(phase, container, true, &none);
                struct value *proxies CLEANUP_VALUE = value_copy(value_map_get(container, "env"));
                for (size_t i = 0;
                     value_is(proxies, VALUE_LIST) && !value_equal(proxies, own) && i < proxies->list.count; i++)
                        value_list_add(own, value_copy(proxies->list.items[i]));
                value_map_set(container, "env", TAKE_PTR(own));
        }
        return 0;
}

static int write_proxy(struct cluster *cluster, const struct value *object, struct coredns *coredns, struct err *err)
{
        (void)coredns;
        return object_create_or_update(cluster, object, err);
}

static const struct addon_def addons[] = {
        {"coredns", "addon-coredns", "[addons] Applied essential addon: CoreDNS", NULL, coredns_write},
        {"kube-proxy", "addon-kube-proxy", "[addons] Applied essential addon: kube-proxy", adapt_proxy, write_proxy},
};

static int write_object(struct cluster *cluster, const struct addon_def *addon, const struct addon_object *item,
                        struct coredns *coredns, struct err *err)
{
        const struct value *errors = era_value(cluster->phase->era, addon->group, "errors");
        const char *context = value_string(value_map_get(errors, item->name), NULL);
        struct value *object CLEANUP_VALUE = NULL;
        int r = addon_object_value(item, &object, err);

        if (r == 0 && addon->adapt)
                r = addon->adapt(cluster, object, err);
        if (r < 0)
                return r;
        r = addon->write(cluster, object, coredns, err);
        return r < 0 && context ? err_wrap(err, "%s", context) : r;
}

/* Row applied: the order, which is not that of printing. */
static int write_all(struct cluster *cluster, const struct addon_def *addon, const struct addon_objects *objects,
                     struct err *err)
{
        const struct value *names = era_value(cluster->phase->era, addon->group, "applied");
        struct coredns coredns = {0};
        int r = 0;

        if (!value_is(names, VALUE_LIST))
                return err_set(err, ERR_INVALID, "%s: no row \"applied\"", addon->group);
        for (size_t i = 0; i < names->list.count && r == 0; i++)
                for (size_t k = 0; k < objects->count && r == 0; k++)
                        if (str_eq(objects->items[k].name, value_string(names->list.items[i], "")))
                                r = write_object(cluster, addon, &objects->items[k], &coredns, err);
        return r;
}

static int apply(struct cluster *cluster, const struct addon_def *addon, struct err *err)
{
        struct addon_objects objects CLEANUP_ADDON_OBJECTS = {0};
        int replicas = 0;
        int r = str_eq(addon->name, "coredns") ? deployed_replicas(cluster, &replicas, err) : 0;

        if (r == 0)
                r = addon_render(cluster->phase, addon->name, replicas, &objects, err);
        if (r == 0)
                r = write_all(cluster, addon, &objects, err);
        if (r == 0)
                phase_say(cluster->phase, "%s", addon->applied);
        return r;
}

int cluster_addon(struct cluster *cluster, const char *name, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(addons); i++)
                if (str_eq(addons[i].name, name))
                        return apply(cluster, &addons[i], err);
        return err_set(err, ERR_UNSUPPORTED, "no addon \"%s\"", name);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/config_values.h"
#include "node/container_env.h"
#include "node/container_resources.h"
#include "node/env_file.h"
#include "node/host.h"

static const char *env_find(const struct strv *env, const char *name, size_t len)
{
        const char *entry;

        STRV_FOREACH (entry, env) {
                if (strncmp(entry, name, len) == 0 && entry[len] == '=')
                        return entry + len + 1;
        }
        return NULL;
}

static void env_set(struct strv *env, const char *name, const char *value)
{
        size_t len = strlen(name);

        for (size_t i = 0; i < env->len; i++) {
                if (strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '=') {
                        strv_remove(env, i);
                        char *entry CLEANUP_FREE = xasprintf("%s=%s", name, value);
                        strv_insert(env, i, entry);
                        return;
                }
        }
        strv_addf(env, "%s=%s", name, value);
}

char *container_env_expand(const char *text, const struct strv *env)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        for (const char *p = text; *p;) {
                const char *end = p[0] == '$' && p[1] == '(' ? strchr(p + 2, ')') : NULL;

                if (p[0] == '$' && p[1] == '$') { /* an escaped $ */
                        buf_addch(&out, '$');
                        p += 2;
                } else if (end) {
                        const char *value = env_find(env, p + 2, (size_t)(end - p - 2));

                        if (value)
                                buf_addstr(&out, value);
                        else
                                buf_add(&out, p, (size_t)(end - p + 1));
                        p = end + 1;
                } else {
                        buf_addch(&out, *p++);
                }
        }
        /* Repeated references can grow without end; what does not fit is cut where the ceiling stands. */
        return buf_steal(&out, NULL);
}

/* metadata.labels['k'] and metadata.annotations['k']: the value ("" without), or NULL where path is neither. */
static const char *map_field(const struct pod *pod, const char *path)
{
        const struct pod_map *map = &pod->labels;
        const char *key = str_after(path, "metadata.labels['");

        if (!key) {
                map = &pod->annotations;
                key = str_after(path, "metadata.annotations['");
        }
        if (!key || !str_ends(key, "']"))
                return NULL;
        char *name CLEANUP_FREE = xstrndup(key, strlen(key) - 2);
        const char *value = pod_map_get(map, name);
        return value ? value : "";
}

static int field_value(const struct host *host, const struct pod *pod, const char *pod_ip, const char *path,
                       const char **ret, struct err *err)
{
        const struct {
                const char *path, *value;
        } fields[] = {
                {"metadata.name", pod->name},
                {"metadata.namespace", pod->namespace},
                {"metadata.uid", pod->uid},
                {"spec.nodeName", host->node_name},
                {"spec.serviceAccountName", pod->service_account_name ? pod->service_account_name : ""},
                {"status.hostIP", host->node_ip},
                {"status.hostIPs", host->node_ip},
                {"status.podIP", pod_ip},
                {"status.podIPs", pod_ip},
        };

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                if (str_eq(path, fields[i].path)) {
                        *ret = fields[i].value ? fields[i].value : "";
                        return 0;
                }
        }
        *ret = map_field(pod, path);
        if (!*ret)
                return err_set(err, ERR_UNSUPPORTED, "fieldRef %s is not known", path);
        return 0;
}

static int64_t divide_up(int64_t value, int64_t divisor)
{
        if (divisor <= 0)
                divisor = 1;
        return value / divisor + (value % divisor > 0);
}

/* Of the node where a container has no limit. */
static int64_t known(int64_t allocatable)
{
        return allocatable < 0 ? 0 : allocatable;
}

static int resource_value(const struct host *host, const struct pod_container *c, const struct pod_env *env,
                          int64_t *ret, struct err *err)
{
        const struct pod_resources *r = &c->resources;
        struct quantity one = {.nano = 1000000000};
        const struct quantity *divisor = env->divisor.nano ? &env->divisor : &one;
        bool limits = str_starts(env->resource, "limits.");
        const char *name = str_after(env->resource, limits ? "limits." : "requests.");

        if (str_eq(name, "cpu")) {
                int64_t milli = limits ? container_cpu_limit_milli(c) : 0;

                if (!limits && r->has_request[POD_RESOURCE_CPU])
                        milli = quantity_milli(&r->request[POD_RESOURCE_CPU]);
                if (limits && !r->has_limit[POD_RESOURCE_CPU])
                        milli = known(host->allocatable[POD_RESOURCE_CPU]);
                *ret = divide_up(milli, quantity_milli(divisor));
                return 0;
        }
        if (str_eq(name, "memory") || str_eq(name, "ephemeral-storage")) {
                enum pod_resource kind = str_eq(name, "memory") ? POD_RESOURCE_MEMORY : POD_RESOURCE_EPHEMERAL_STORAGE;
                int64_t bytes = 0;

                if (limits && r->has_limit[kind])
                        bytes = quantity_value(&r->limit[kind]);
                else if (limits)
                        bytes = known(host->allocatable[kind]);
                else if (r->has_request[kind])
                        bytes = quantity_value(&r->request[kind]);
                *ret = divide_up(bytes, quantity_value(divisor));
                return 0;
        }
        return err_set(err, ERR_UNSUPPORTED, "resourceFieldRef %s is not known", env->resource);
}

/* As fieldpath.FormatMap: a line for each key, the value as Go quotes it (%q). */
static char *map_text(const struct pod_map *map)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        for (size_t i = 0; i < map->count; i++) {
                buf_addf(&out, "%s%s=", i ? "\n" : "", map->items[i].key);
                go_quote(map->items[i].value, &out);
        }
        return buf_steal(&out, NULL);
}

static int resource_text(const struct host *host, const struct pod *pod, const struct pod_container *container,
                         const struct pod_env *ref, char **ret, struct err *err)
{
        const struct pod_container *of = container;
        int64_t number = 0;
        int r;

        if (!str_empty(ref->resource_container))
                of = pod_find_container(pod, ref->resource_container);
        if (!of)
                return err_set(err, ERR_INVALID, "the pod has no container %s",
                               ref->resource_container ? ref->resource_container : "");
        r = resource_value(host, of, ref, &number, err);
        if (r < 0)
                return r;
        *ret = xasprintf("%" PRId64, number);
        return 0;
}

int container_env_ref(const struct host *host, const struct pod *pod, const struct pod_container *container,
                      const char *pod_ip, const struct pod_env *ref, char **ret, struct err *err)
{
        const char *value;
        int r;

        if (ref->resource)
                return resource_text(host, pod, container, ref, ret, err);
        if (str_eq(ref->field_path, "metadata.labels") || str_eq(ref->field_path, "metadata.annotations")) {
                *ret = map_text(str_eq(ref->field_path, "metadata.labels") ? &pod->labels : &pod->annotations);
                return 0;
        }
        r = field_value(host, pod, pod_ip, ref->field_path, &value, err);
        if (r < 0)
                return r;
        *ret = xstrdup(value);
        return 0;
}

static int add_one(const struct host *host, const struct pod *pod, const struct pod_container *container,
                   const char *pod_ip, const struct pod_env *item, struct strv *env, struct err *err)
{
        char *value CLEANUP_FREE = NULL;

        if (item->config_name) {
                int r = config_value(host, pod, item, &value, err);
                if (r != 0)
                        return r < 0 ? err_wrap(err, "env %s", item->name) : 0;
        } else if (item->file_volume) {
                int r = env_file_value(host, pod, item, &value, err);
                if (r != 0)
                        return r < 0 ? err_wrap(err, "env %s", item->name) : 0;
        } else if (item->field_path || item->resource) {
                int r = container_env_ref(host, pod, container, pod_ip, item, &value, err);
                if (r < 0)
                        return err_wrap(err, "env %s", item->name);
        } else {
                value = container_env_expand(item->value ? item->value : "", env);
        }
        env_set(env, item->name, value);
        return 0;
}

/* What env says counts over what envFrom brings; references in values see env alone, as in the kubelet. */
static int add_env_from(const struct host *host, const struct pod *pod, const struct pod_container *container,
                        const struct strv *env, struct strv *ret, struct err *err)
{
        struct strv all CLEANUP_STRV = STRV_INIT;
        int r = config_env_from(host, pod, container, &all, err);

        if (r < 0)
                return err_wrap(err, "envFrom");
        for (size_t i = 0; i < env->len; i++) {
                char *name CLEANUP_FREE = xstrndup(env->items[i], strcspn(env->items[i], "="));

                env_set(&all, name, env->items[i] + strlen(name) + 1);
        }
        *ret = all;
        all = STRV_INIT;
        return 0;
}

int container_env(const struct host *host, const struct pod *pod, const struct pod_container *container,
                  const char *pod_ip, struct strv *ret_env, struct err *err)
{
        struct strv env CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < container->env_count; i++) {
                int r = add_one(host, pod, container, pod_ip, &container->env[i], &env, err);
                if (r < 0)
                        return r;
        }
        return add_env_from(host, pod, container, &env, ret_env, err);
}

bool container_env_needs_pod_ip(const struct pod_container *container)
{
        for (size_t i = 0; i < container->env_count; i++)
                if (str_starts(container->env[i].field_path ? container->env[i].field_path : "", "status.podIP"))
                        return true;
        return false;
}

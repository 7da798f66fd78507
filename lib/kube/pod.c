/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "kube/field.h"
#include "kube/pod.h"
#include "kube/pod_config.h"
#include "kube/pod_decode.h"
#include "kube/pod_defaults.h"
#include "kube/pod_identity.h"
#include "kube/pod_schema.h"
#include "kube/pod_validate.h"

static void release_map(struct pod_map *map)
{
        for (size_t i = 0; i < map->count; i++) {
                free(map->items[i].key);
                free(map->items[i].value);
        }
        free(map->items);
}

static void release_handler(struct pod_handler *handler)
{
        strv_release(&handler->command);
        free(handler->host);
        free(handler->path);
        free(handler->port_name);
        release_map(&handler->headers);
        free(handler->service);
}

static void release_security(struct pod_security *security)
{
        free(security->seccomp_localhost);
        free(security->app_armor_localhost);
        for (int i = 0; i < POD_SELINUX_MAX; i++)
                free(security->selinux[i]);
        strv_release(&security->cap_add);
        strv_release(&security->cap_drop);
        free(security->supplemental_groups);
        release_map(&security->sysctls);
}

static void release_env(struct pod_env *env)
{
        free(env->name);
        free(env->value);
        free(env->field_path);
        free(env->resource);
        free(env->resource_container);
        free(env->config_name);
        free(env->config_key);
        free(env->file_volume);
        free(env->file_path);
        free(env->file_key);
}

static void release_source(struct pod_config_source *source)
{
        for (size_t i = 0; i < source->item_count; i++) {
                free(source->items[i].key);
                free(source->items[i].path);
        }
        free(source->items);
        free(source->name);
}

static void release_volume(struct pod_volume *volume)
{
        for (size_t i = 0; i < volume->source_count; i++)
                release_source(&volume->sources[i]);
        free(volume->sources);
        for (size_t i = 0; i < volume->file_count; i++) {
                free(volume->files[i].path);
                release_env(&volume->files[i].source);
        }
        free(volume->files);
        free(volume->name);
        free(volume->host_path);
}

static void release_container(struct pod_container *c)
{
        free(c->name);
        free(c->image);
        strv_release(&c->command);
        strv_release(&c->args);
        free(c->working_dir);
        for (size_t i = 0; i < c->port_count; i++) {
                free(c->ports[i].name);
                free(c->ports[i].host_ip);
        }
        free(c->ports);
        for (size_t i = 0; i < c->env_count; i++) {
                release_env(&c->env[i]);
        }
        free(c->env);
        for (size_t i = 0; i < c->env_from_count; i++) {
                free(c->env_from[i].name);
                free(c->env_from[i].prefix);
        }
        free(c->env_from);
        for (size_t i = 0; i < c->mount_count; i++) {
                free(c->mounts[i].name);
                free(c->mounts[i].mount_path);
                free(c->mounts[i].sub_path);
                free(c->mounts[i].sub_path_expr);
        }
        free(c->mounts);
        for (size_t i = 0; i < POD_PROBE_KIND_MAX; i++)
                release_handler(&c->probes[i].handler);
        release_handler(&c->post_start);
        release_handler(&c->pre_stop);
        release_security(&c->security);
        free(c->termination_message_path);
}

static void pod_free(struct pod *pod)
{
        free(pod->name);
        free(pod->namespace);
        free(pod->uid);
        release_map(&pod->labels);
        release_map(&pod->annotations);
        for (size_t i = 0; i < pod->container_count; i++)
                release_container(&pod->containers[i]);
        free(pod->containers);
        for (size_t i = 0; i < pod->volume_count; i++) {
                release_volume(&pod->volumes[i]);
        }
        free(pod->volumes);
        strv_release(&pod->dns_nameservers);
        strv_release(&pod->dns_searches);
        release_map(&pod->dns_options);
        free(pod->hostname);
        free(pod->subdomain);
        for (size_t i = 0; i < pod->host_alias_count; i++) {
                free(pod->host_aliases[i].ip);
                strv_release(&pod->host_aliases[i].hostnames);
        }
        free(pod->host_aliases);
        release_security(&pod->security);
        free(pod->priority_class_name);
        free(pod->node_name);
        free(pod->service_account_name);
        free(pod->json);
        free(pod->mirror_json);
        free(pod);
}

struct pod *pod_ref(struct pod *pod)
{
        pod->refs++;
        return pod;
}

struct pod *pod_unref(struct pod *pod)
{
        assert(!pod || pod->refs > 0);
        if (pod && --pod->refs == 0)
                pod_free(pod);
        return NULL;
}

bool pod_same_name(const struct pod *a, const struct pod *b)
{
        return str_eq(a->name, b->name) && str_eq(a->namespace, b->namespace);
}

bool pod_same_version(const struct pod *a, const struct pod *b)
{
        return str_eq(a->uid, b->uid) && str_eq(a->spec_hash, b->spec_hash);
}

const char *pod_map_get(const struct pod_map *map, const char *key)
{
        for (size_t i = 0; i < map->count; i++) {
                if (str_eq(map->items[i].key, key))
                        return map->items[i].value;
        }
        return NULL;
}

const struct pod_container *pod_find_container(const struct pod *pod, const char *name)
{
        for (size_t i = 0; i < pod->container_count; i++) {
                if (str_eq(pod->containers[i].name, name))
                        return &pod->containers[i];
        }
        return NULL;
}

int pod_handler_port(const struct pod_container *container, const struct pod_handler *handler)
{
        if (!handler->port_name)
                return handler->port;
        for (size_t i = 0; i < container->port_count; i++) {
                if (str_eq(container->ports[i].name, handler->port_name))
                        return container->ports[i].container_port;
        }
        return 0;
}

struct pod_security pod_container_security(const struct pod *pod, const struct pod_container *container)
{
        struct pod_security s = container->security;

        if (!s.has_run_as_user) {
                s.has_run_as_user = pod->security.has_run_as_user;
                s.run_as_user = pod->security.run_as_user;
        }
        if (!s.has_run_as_group) {
                s.has_run_as_group = pod->security.has_run_as_group;
                s.run_as_group = pod->security.run_as_group;
        }
        if (!s.has_run_as_non_root) {
                s.has_run_as_non_root = pod->security.has_run_as_non_root;
                s.run_as_non_root = pod->security.run_as_non_root;
        }
        if (s.seccomp == POD_SECCOMP_UNSET) {
                s.seccomp = pod->security.seccomp;
                s.seccomp_localhost = pod->security.seccomp_localhost;
        }
        if (s.app_armor == POD_APP_ARMOR_UNSET) {
                s.app_armor = pod->security.app_armor;
                s.app_armor_localhost = pod->security.app_armor_localhost;
        }
        if (!s.has_selinux) {
                s.has_selinux = pod->security.has_selinux;
                for (int i = 0; i < POD_SELINUX_MAX; i++)
                        s.selinux[i] = pod->security.selinux[i];
        }
        s.has_fs_group = pod->security.has_fs_group;
        s.fs_group = pod->security.fs_group;
        s.supplemental_groups = pod->security.supplemental_groups;
        s.supplemental_group_count = pod->security.supplemental_group_count;
        s.sysctls = pod->security.sysctls;
        return s;
}

/* The first fatal finding becomes the error. */
static int fatal_to_err(const struct pod_findings *findings, struct err *err)
{
        for (size_t i = 0; i < findings->count; i++) {
                if (findings->items[i].fatal)
                        return err_set(err, ERR_INVALID, "%s", findings->items[i].text);
        }
        return 0;
}

/* Whether this is a pod at all; of something else no field is worth a word. */
static bool check_kind(const struct value *v, struct pod_findings *findings)
{
        size_t before = findings->count;
        struct field_path root = field_root(v), kind = field_child(&root, "kind");
        struct field_path version = field_child(&root, "apiVersion");

        if (!version.value)
                field_required(findings, &version, "must be v1");
        else if (!str_eq(value_string(version.value, NULL), "v1"))
                field_not_supported(findings, &version, (const char *const[]){"v1"}, 1);
        if (!kind.value)
                field_required(findings, &kind, "must be Pod");
        else if (!str_eq(value_string(kind.value, NULL), "Pod"))
                field_not_supported(findings, &kind, (const char *const[]){"Pod"}, 1);
        return findings->count == before;
}

/* Makes the struct from a value that was found fine. */
static int decode(struct value *v, struct pod **ret, struct err *err)
{
        struct buf json CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct pod *pod CLEANUP_POD = xcalloc(1, sizeof(*pod));
        struct value *stripped CLEANUP_VALUE = NULL;
        int r;

        pod->refs = 1;
        r = pod_identity_spec_hash(v, pod->spec_hash, err);
        if (r < 0)
                return r;
        json_write(v, JSON_SORT_KEYS, &json);
        r = buf_check(&json, "pod as JSON", err);
        if (r < 0)
                return r;
        pod_decode(v, pod);
        pod->json = buf_steal(&json, &pod->json_len);
        stripped = pod_config_strip(v);
        if (stripped) {
                json_write(stripped, JSON_SORT_KEYS, &json);
                pod->mirror_json = buf_steal(&json, NULL);
        }
        *ret = TAKE_PTR(pod);
        return 0;
}

/* false: no pod, and nothing more to look at. */
static bool check_schema(struct value *v, bool strict, struct pod_findings *findings)
{
        struct schema_check check CLEANUP(schema_check_release) = {
                .findings = findings,
                .strict = strict,
                .refused_text = POD_UNSUPPORTED,
                .no_effect_text = "has no effect here",
        };
        struct field_path root = field_root(v);

        if (!value_is(v, VALUE_MAP)) {
                field_finding(findings, true, &root, "a pod is a map, not a %s", value_kind_name(v->kind));
                return false;
        }
        if (!check_kind(v, findings))
                return false;
        schema_check_object(&check, &pod_schema, &root, v);
        return true;
}

int pod_from_value(struct value *v, const struct pod_source *source, bool strict, struct pod **ret,
                   struct pod_findings *findings, struct err *err)
{
        char uid[POD_UID_HASH_MAX];
        int r;

        r = pod_identity_uid(v, source, uid, err);
        if (r < 0)
                return r;
        if (check_schema(v, strict, findings)) {
                pod_identity_apply(v, source, uid, findings);
                pod_defaults_apply(v);
                pod_validate(v, findings);
                pod_config_check(v, source, findings);
        }
        r = fatal_to_err(findings, err);
        return r < 0 ? r : decode(v, ret, err);
}

int pod_from_manifest(const char *data, size_t len, const struct pod_source *source, bool strict, struct pod **ret,
                      struct pod_findings *findings, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        struct err local = ERR_INIT;
        int r = yaml_load_one(source->file, data, len, 0, &v, &local);

        if (r < 0) {
                pod_findings_add(findings, true, "%s", local.msg);
                return err_set(err, local.code, "%s", local.msg);
        }
        return pod_from_value(v, source, strict, ret, findings, err);
}

int pod_from_json(const char *data, size_t len, struct pod **ret, struct err *err)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct value *v CLEANUP_VALUE = NULL;
        int r = json_load("pod", data, len, &v, err);

        if (r < 0)
                return r;
        if (check_schema(v, false, &findings))
                pod_validate(v, &findings);
        r = fatal_to_err(&findings, err);
        return r < 0 ? r : decode(v, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "codec/quantity.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_validate.h"

static const char *const field_paths[] = {
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs",
};
static const char *const volume_field_paths[] = {
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
};
static const char *const resources[] = {
        "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
        "requests.cpu", "requests.ephemeral-storage", "requests.memory",
};
static const char *const size_divisors[] = {
        "0", "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
};
static const char *const cpu_divisors[] = {"0", "1", "1m"};

static bool one_of(const char *text, const char *const *list, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (str_eq(text, list[i]))
                        return true;
        }
        return false;
}

/* metadata.labels['KEY'] and metadata.annotations['KEY'] */
static bool validate_subscript(struct pod_findings *findings, const struct field_path *path, const char *text)
{
        const char *bracket = strstr(text, "['");
        struct strv msgs CLEANUP_STRV = STRV_INIT;
        char *what CLEANUP_FREE = NULL, *key CLEANUP_FREE = NULL;

        if (!bracket || bracket == text || !str_ends(text, "']") || strlen(bracket) < strlen("['']"))
                return false;
        what = xstrndup(text, (size_t)(bracket - text));
        key = xstrndup(bracket + 2, strlen(bracket) - strlen("['']"));
        if (str_eq(what, "metadata.annotations"))
                (void)meta_annotation_key(key, &msgs);
        else if (str_eq(what, "metadata.labels"))
                (void)meta_label_key(key, &msgs);
        else
                field_invalid(findings, path,
                              "error converting fieldPath: field label does not support subscript: %.128s", text);
        field_invalid_each(findings, path, &msgs);
        return true;
}

void pod_validate_field_ref(struct pod_findings *findings, const struct field_path *ref, bool volume)
{
        const char *const *known = volume ? volume_field_paths : field_paths;
        size_t known_count = volume ? ARRAY_SIZE(volume_field_paths) : ARRAY_SIZE(field_paths);
        struct field_path version = field_child(ref, "apiVersion"), path = field_child(ref, "fieldPath");
        const char *text = value_string(path.value, NULL);

        if (!str_eq(value_string(version.value, "v1"), "v1"))
                field_invalid(findings, &version, "must be v1");
        if (!path.value || str_eq(text, ""))
                field_required(findings, &path, NULL);
        else if (text && !validate_subscript(findings, &path, text) && !one_of(text, known, known_count))
                field_not_supported(findings, &path, known, known_count);
}

static bool container_exists(const struct value *spec, const char *name)
{
        static const char *const lists[] = {"containers", "initContainers"};

        for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
                const struct value *list = value_map_get(spec, lists[l]);

                for (size_t i = 0; i < field_count(list); i++) {
                        if (str_eq(field_string(list->list.items[i], "name", NULL), name))
                                return true;
                }
        }
        return false;
}

static void validate_divisor(struct pod_findings *findings, const struct field_path *path, const char *resource)
{
        bool cpu = str_ends(resource, ".cpu");
        const char *text = value_string(path->value, "0");

        if (cpu && !one_of(text, cpu_divisors, ARRAY_SIZE(cpu_divisors)))
                field_invalid(findings, path, "only divisor's values 1m and 1 are supported with the cpu resource");
        if (!cpu && !one_of(text, size_divisors, ARRAY_SIZE(size_divisors)))
                field_invalid(findings, path,
                              "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are "
                              "supported with the %s resource",
                              str_ends(resource, ".memory") ? "memory" : "local ephemeral storage");
}

void pod_validate_resource_ref(const struct pod_validation *pod, const struct field_path *ref, bool volume)
{
        struct field_path name = field_child(ref, "resource"), container = field_child(ref, "containerName");
        struct field_path divisor = field_child(ref, "divisor");
        const char *text = value_string(name.value, NULL), *other = value_string(container.value, NULL);

        if (volume && str_empty(other))
                field_required(pod->findings, &container, NULL);
        if (!name.value || str_eq(text, ""))
                field_required(pod->findings, &name, NULL);
        else if (text && !one_of(text, resources, ARRAY_SIZE(resources)))
                field_not_supported(pod->findings, &name, resources, ARRAY_SIZE(resources));
        else if (text)
                validate_divisor(pod->findings, &divisor, text);
        if (other && !container_exists(pod->spec, other))
                field_not_found(pod->findings, &container);
}

/* Required, and of this form. */
static void validate_text(const struct pod_validation *pod, const struct field_path *ref, const char *name,
                          size_t (*check)(const char *value, struct strv *msgs))
{
        struct field_path field = field_child(ref, name);

        if (str_empty(value_string(field.value, "")))
                field_required(pod->findings, &field, NULL);
        else
                (void)field_check(pod->findings, &field, check);
}

/* As validateFileKeySelector and validateFileKeyRefVolumes of pkg/apis/core/validation. */
static void validate_file_key(const struct pod_validation *pod, const struct field_path *ref)
{
        struct field_path name = field_child(ref, "volumeName");
        const struct value *volumes = value_map_get(pod->spec, "volumes"), *volume = NULL;

        validate_text(pod, ref, "key", meta_env_var_name);
        validate_text(pod, ref, "volumeName", meta_dns1123_label);
        validate_text(pod, ref, "path", meta_path_no_backsteps);
        for (size_t i = 0; i < field_count(volumes); i++)
                if (str_eq(field_string(volumes->list.items[i], "name", NULL), value_string(name.value, "")))
                        volume = volumes->list.items[i];
        if (!volume)
                field_not_found(pod->findings, &name);
        else if (!value_map_get(volume, "emptyDir"))
                field_invalid(pod->findings, &name, "referenced volume must be of type emptyDir");
}

static void validate_value_from(const struct pod_validation *pod, const struct field_path *env,
                                const struct field_path *from)
{
        struct field_path field = field_child(from, "fieldRef"), resource = field_child(from, "resourceFieldRef");
        struct field_path file = field_child(from, "fileKeyRef");

        if (from->value->map.count == 0)
                field_invalid_shown(pod->findings, from, "\"\"",
                                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                                    "`secretKeyRef` or `fileKeyRef`");
        else if (value_map_get(env->value, "value"))
                field_invalid_shown(pod->findings, from, "\"\"", "may not be specified when `value` is not empty");
        else if (from->value->map.count > 1)
                field_invalid_shown(pod->findings, from, "\"\"",
                                    "may not have more than one field specified at a time");
        if (value_is(field.value, VALUE_MAP))
                pod_validate_field_ref(pod->findings, &field, false);
        if (value_is(resource.value, VALUE_MAP))
                pod_validate_resource_ref(pod, &resource, false);
        if (value_is(file.value, VALUE_MAP))
                validate_file_key(pod, &file);
}

void pod_validate_env(const struct pod_validation *pod, const struct field_path *container)
{
        struct field_path list = field_child(container, "env");

        for (size_t i = 0; i < field_count(list.value); i++) {
                struct field_path env = field_index(&list, i), name = field_child(&env, "name");
                struct field_path from = field_child(&env, "valueFrom");

                if (!value_is(env.value, VALUE_MAP))
                        continue;
                if (!name.value || str_eq(value_string(name.value, NULL), ""))
                        field_required(pod->findings, &name, NULL);
                else
                        (void)field_check(pod->findings, &name, meta_env_var_name);
                if (value_is(from.value, VALUE_MAP))
                        validate_value_from(pod, &env, &from);
        }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "codec/quantity.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_names.h"
#include "kube/pod_validate.h"

static void validate_empty_dir(struct pod_findings *findings, const struct field_path *source)
{
        struct field_path medium = field_child(source, "medium"), limit = field_child(source, "sizeLimit");
        const char *text = value_string(medium.value, "");
        struct quantity q;

        if (str_starts(text, "HugePages"))
                field_forbidden(findings, &medium, POD_UNSUPPORTED);
        else if (*text && !str_eq(text, "Memory"))
                field_not_supported(findings, &medium, (const char *const[]){"", "Memory"}, 2);
        if (value_is(limit.value, VALUE_STRING) && quantity_parse(limit.value->text, &q, NULL) == 0 && q.nano < 0)
                field_forbidden(findings, &limit, "SizeLimit field must be a valid resource quantity");
}

static void validate_host_path(struct pod_findings *findings, const struct field_path *source)
{
        struct field_path path = field_child(source, "path"), type = field_child(source, "type");
        const char *text = value_string(path.value, "");

        if (!path.value || (value_is(path.value, VALUE_STRING) && *text == '\0')) {
                field_required(findings, &path, NULL);
                return;
        }
        if (*text && *text != '/')
                field_invalid(findings, &path, "must be an absolute path");
        (void)field_check(findings, &path, meta_path_no_backsteps);
        if (value_is(type.value, VALUE_STRING) && pod_names_find(&pod_host_path_type_names, type.value->text) < 0)
                field_not_supported(findings, &type, pod_host_path_type_names.names, pod_host_path_type_names.count);
}

/* Exactly one source: every field but the name is one. */
static void validate_source(const struct pod_validation *pod, const struct field_path *volume)
{
        struct pod_findings *findings = pod->findings;
        size_t sources = 0;

        for (size_t i = 0; i < volume->value->map.count; i++) {
                const struct value_entry *entry = &volume->value->map.entries[i];
                struct field_path source = field_child_value(volume, entry->key, entry->value);

                if (str_eq(entry->key, "name"))
                        continue;
                if (sources++ > 0) {
                        field_forbidden(findings, &source, "may not specify more than 1 volume type");
                        continue;
                }
                if (str_eq(entry->key, "emptyDir") && value_is(entry->value, VALUE_MAP))
                        validate_empty_dir(findings, &source);
                if (str_eq(entry->key, "hostPath") && value_is(entry->value, VALUE_MAP))
                        validate_host_path(findings, &source);
                if (str_eq(entry->key, "downwardAPI") && value_is(entry->value, VALUE_MAP))
                        pod_validate_downward_api(pod, &source);
                if (str_eq(entry->key, "projected") && value_is(entry->value, VALUE_MAP))
                        pod_validate_projected(pod, &source);
        }
}

static bool name_taken(const struct value *volumes, size_t before, const char *name)
{
        for (size_t i = 0; i < before; i++) {
                if (str_eq(field_string(volumes->list.items[i], "name", NULL), name))
                        return true;
        }
        return false;
}

void pod_validate_volumes(const struct pod_validation *pod, const struct field_path *spec)
{
        struct field_path volumes = field_child(spec, "volumes");

        for (size_t i = 0; i < field_count(volumes.value); i++) {
                struct field_path volume = field_index(&volumes, i), name = field_child(&volume, "name");

                if (!value_is(volume.value, VALUE_MAP))
                        continue;
                if (!name.value || str_eq(value_string(name.value, NULL), ""))
                        field_required(pod->findings, &name, NULL);
                else if (field_check(pod->findings, &name, meta_dns1123_label) &&
                         name_taken(volumes.value, i, value_string(name.value, "")))
                        field_duplicate(pod->findings, &name, NULL);
                validate_source(pod, &volume);
        }
}

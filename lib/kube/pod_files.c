/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes that are files made from the pod itself: downwardAPI, and projected ones with such sources.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_decode.h"
#include "kube/pod_validate.h"

#define FILE_MODE_MAX 0777

/* --- reading -------------------------------------------------------------------------------------------------- */

static void decode_items(const struct value *source, struct pod_volume *volume)
{
        const struct value *items = value_map_get(source, "items");

        volume->files = xrealloc(volume->files, volume->file_count + field_count(items) + 1, sizeof(*volume->files));
        for (size_t i = 0; i < field_count(items); i++) {
                const struct value *item = items->list.items[i];
                struct pod_volume_file *file = &volume->files[volume->file_count++];

                *file = (struct pod_volume_file){
                        .path = xstrdup(field_string(item, "path", "")),
                        .mode = (int)field_int(item, "mode", -1),
                };
                pod_decode_ref(item, &file->source);
        }
}

bool pod_decode_files(const struct value *value, struct pod_volume *volume)
{
        const struct value *downward = value_map_get(value, "downwardAPI"),
                           *projected = value_map_get(value, "projected");
        const struct value *sources = value_map_get(projected, "sources");

        if (!downward && !projected)
                return false;
        volume->type = downward ? POD_VOLUME_DOWNWARD_API : POD_VOLUME_PROJECTED;
        volume->default_mode = (int)field_int(downward ? downward : projected, "defaultMode", 0);
        decode_items(downward, volume);
        for (size_t i = 0; i < field_count(sources); i++)
                decode_items(value_map_get(sources->list.items[i], "downwardAPI"), volume);
        return true;
}

/* --- checking ------------------------------------------------------------------------------------------------- */

static void validate_mode(struct pod_findings *findings, const struct field_path *parent, const char *name)
{
        struct field_path mode = field_child(parent, name);
        int64_t n = field_int(parent->value, name, 0);

        if (n < 0 || n > FILE_MODE_MAX)
                field_invalid(findings, &mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

static void validate_file(const struct pod_validation *pod, const struct field_path *file)
{
        struct field_path path = field_child(file, "path"), field = field_child(file, "fieldRef");
        struct field_path resource = field_child(file, "resourceFieldRef");
        const char *text = value_string(path.value, NULL);

        if (!path.value || str_eq(text, ""))
                field_required(pod->findings, &path, NULL);
        else if (text && field_check(pod->findings, &path, meta_path_descending) && str_starts(text, ".."))
                field_invalid(pod->findings, &path, "must not start with '..'");
        if (field.value && resource.value)
                field_invalid_shown(pod->findings, file, "\"resource\"",
                                    "fieldRef and resourceFieldRef can not be specified simultaneously");
        else if (!field.value && !resource.value)
                field_required(pod->findings, file, "one of fieldRef and resourceFieldRef is required");
        if (value_is(field.value, VALUE_MAP))
                pod_validate_field_ref(pod->findings, &field, true);
        else if (value_is(resource.value, VALUE_MAP))
                pod_validate_resource_ref(pod, &resource, true);
        validate_mode(pod->findings, file, "mode");
}

static void validate_items(const struct pod_validation *pod, const struct field_path *source, struct strv *paths)
{
        struct field_path items = field_child(source, "items");

        for (size_t i = 0; i < field_count(items.value); i++) {
                struct field_path file = field_index(&items, i), path = field_child(&file, "path");
                const char *text = value_string(path.value, "");

                if (!value_is(file.value, VALUE_MAP))
                        continue;
                validate_file(pod, &file);
                if (*text && strv_contains(paths, text))
                        field_invalid(pod->findings, &path, "conflicting duplicate paths");
                else if (*text)
                        strv_add(paths, text);
        }
}

void pod_validate_downward_api(const struct pod_validation *pod, const struct field_path *source)
{
        struct strv paths CLEANUP_STRV = STRV_INIT;

        validate_mode(pod->findings, source, "defaultMode");
        validate_items(pod, source, &paths);
}

void pod_validate_projected(const struct pod_validation *pod, const struct field_path *source)
{
        struct field_path sources = field_child(source, "sources");
        struct strv paths CLEANUP_STRV = STRV_INIT;

        validate_mode(pod->findings, source, "defaultMode");
        for (size_t i = 0; i < field_count(sources.value); i++) {
                struct field_path one = field_index(&sources, i), downward = field_child(&one, "downwardAPI");

                if (value_is(one.value, VALUE_MAP) && one.value->map.count > 1)
                        field_forbidden(pod->findings, &one, "may not specify more than 1 volume type per source");
                if (value_is(downward.value, VALUE_MAP))
                        validate_items(pod, &downward, &paths);
        }
}

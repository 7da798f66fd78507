/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/strv.h"
#include "codec/quantity.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_names.h"
#include "kube/pod_validate.h"

/* A resource that this node can give, else why not. */
static bool validate_name(struct pod_findings *findings, const struct field_path *path)
{
        struct strv msgs CLEANUP_STRV = STRV_INIT;
        struct value name = {.kind = VALUE_STRING, .place = path->value->place, .text = (char *)path->name};
        struct field_path at = *path;

        if (pod_names_find(&pod_resource_names, path->name) >= 0)
                return true;
        name.len = strlen(path->name);
        at.value = &name;
        if (meta_label_key(path->name, &msgs) > 0)
                field_invalid_each(findings, &at, &msgs);
        else if (str_starts(path->name, "hugepages-") || strchr(path->name, '/'))
                field_forbidden(findings, &at, POD_UNSUPPORTED);
        else
                field_invalid(findings, &at, "must be a standard resource for containers");
        return false;
}

static bool get_quantity(const struct value *v, struct quantity *ret)
{
        return value_is(v, VALUE_STRING) && quantity_parse(v->text, ret, NULL) == 0;
}

static void validate_list(struct pod_findings *findings, const struct field_path *list)
{
        for (size_t i = 0; value_is(list->value, VALUE_MAP) && i < list->value->map.count; i++) {
                const struct value_entry *entry = &list->value->map.entries[i];
                struct field_path path = field_key(list, entry->key, entry->value);
                struct quantity q;

                if (entry->value->place.origin) /* a limit that became the request: judged as the limit */
                        continue;
                if (validate_name(findings, &path) && get_quantity(entry->value, &q) && q.nano < 0)
                        field_invalid(findings, &path, "must be greater than or equal to 0");
        }
}

static bool policy_repeated(const struct value *list, size_t before, const char *resource)
{
        for (size_t i = 0; i < before; i++) {
                if (str_eq(field_string(list->list.items[i], "resourceName", NULL), resource))
                        return true;
        }
        return false;
}

/* Of no effect on a static pod, which is never resized, but the mirror must be a pod that the API server takes. */
static void validate_resize_policy(const struct pod_validation *pod, const struct field_path *container)
{
        static const char *const resources[] = {"cpu", "memory"};
        static const char *const policies[] = {"NotRequired", "RestartContainer"};
        struct field_path list = field_child(container, "resizePolicy");
        bool never = str_eq(field_string(pod->spec, "restartPolicy", ""), "Never");

        for (size_t i = 0; i < field_count(list.value); i++) {
                struct field_path item = field_index(&list, i), name = field_child(&item, "resourceName");
                struct field_path policy = field_child(&item, "restartPolicy");
                const char *resource = value_string(name.value, ""), *text = value_string(policy.value, "");

                if (!value_is(item.value, VALUE_MAP))
                        continue;
                if (policy_repeated(list.value, i, resource))
                        field_duplicate(pod->findings, &name, NULL);
                if (!str_eq(resource, resources[0]) && !str_eq(resource, resources[1]))
                        field_not_supported(pod->findings, &name, resources, 2);
                if (!str_eq(text, policies[0]) && !str_eq(text, policies[1]))
                        field_not_supported(pod->findings, &policy, policies, 2);
                else if (never && !str_eq(text, policies[0]))
                        field_invalid(pod->findings, &policy,
                                      "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
        }
}

void pod_validate_resources(const struct pod_validation *pod, const struct field_path *container)
{
        struct field_path resources = field_child(container, "resources");
        struct field_path limits = field_child(&resources, "limits"), requests = field_child(&resources, "requests");

        validate_resize_policy(pod, container);
        validate_list(pod->findings, &limits);
        validate_list(pod->findings, &requests);
        for (size_t i = 0; i < pod_resource_names.count; i++) {
                const char *name = pod_resource_names.names[i];
                const struct value *wanted = value_map_get(requests.value, name);
                const struct value *allowed = value_map_get(limits.value, name);
                struct field_path path = field_key(&requests, name, wanted);
                struct quantity request, limit;

                if (get_quantity(wanted, &request) && get_quantity(allowed, &limit) &&
                    quantity_compare(&request, &limit) > 0)
                        field_invalid(pod->findings, &path, "must be less than or equal to %s limit of %s", name,
                                      allowed->text);
        }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/pod_config.h"
#include "kube/pod_decode.h"
#include "kube/pod_names.h"
#include "kube/pod_own.h"

char *pod_decode_string(const struct value *map, const char *name)
{
        const char *text = field_string(map, name, NULL);

        return str_empty(text) ? NULL : xstrdup(text);
}

void pod_decode_strings(const struct value *list, struct strv *strings)
{
        for (size_t i = 0; i < field_count(list); i++)
                strv_add(strings, value_string(list->list.items[i], ""));
}

static int compare_keys(const void *a, const void *b)
{
        const struct pod_key_value *x = a, *y = b;

        return strcmp(x->key, y->key);
}

void pod_decode_map(const struct value *value, struct pod_map *map)
{
        if (!value_is(value, VALUE_MAP) || value->map.count == 0)
                return;
        map->items = xcalloc(value->map.count, sizeof(*map->items));
        for (size_t i = 0; i < value->map.count; i++) {
                const struct value_entry *entry = &value->map.entries[i];

                map->items[map->count].key = xstrdup(entry->key);
                map->items[map->count++].value = xstrdup(value_string(entry->value, ""));
        }
        qsort(map->items, map->count, sizeof(*map->items), compare_keys);
}

static void decode_dns(const struct value *spec, struct pod *pod)
{
        const struct value *config = value_map_get(spec, "dnsConfig"), *options = value_map_get(config, "options");
        int policy = pod_names_find(&pod_dns_policy_names, field_string(spec, "dnsPolicy", NULL));

        pod->dns_policy = policy < 0 ? POD_DNS_CLUSTER_FIRST : (enum pod_dns_policy)policy;
        pod_decode_strings(value_map_get(config, "nameservers"), &pod->dns_nameservers);
        pod_decode_strings(value_map_get(config, "searches"), &pod->dns_searches);
        pod->dns_options.items = xcalloc(field_count(options), sizeof(*pod->dns_options.items));
        for (size_t i = 0; i < field_count(options); i++) {
                const struct value *option = options->list.items[i];
                struct pod_key_value *item = &pod->dns_options.items[pod->dns_options.count++];

                item->key = xstrdup(field_string(option, "name", ""));
                item->value = xstrdup(field_string(option, "value", ""));
        }
}

static void decode_host_aliases(const struct value *spec, struct pod *pod)
{
        const struct value *list = value_map_get(spec, "hostAliases");

        pod->host_aliases = xcalloc(field_count(list), sizeof(*pod->host_aliases));
        for (size_t i = 0; i < field_count(list); i++) {
                struct pod_host_alias *alias = &pod->host_aliases[pod->host_alias_count++];

                alias->ip = xstrdup(field_string(list->list.items[i], "ip", ""));
                pod_decode_strings(value_map_get(list->list.items[i], "hostnames"), &alias->hostnames);
        }
}

static void decode_volume(const struct value *value, struct pod_volume *volume)
{
        const struct value *host_path = value_map_get(value, "hostPath");
        const struct value *empty_dir = value_map_get(value, "emptyDir");
        const char *limit = field_string(empty_dir, "sizeLimit", NULL);
        int type = pod_names_find(&pod_host_path_type_names, field_string(host_path, "type", NULL));

        volume->name = xstrdup(field_string(value, "name", ""));
        if (host_path) {
                volume->type = POD_VOLUME_HOST_PATH;
                volume->host_path = xstrdup(field_string(host_path, "path", ""));
                volume->host_path_type = type < 0 ? POD_HOST_PATH_UNSET : (enum pod_host_path_type)type;
                return;
        }
        if (pod_config_decode_volume(value, volume) || pod_decode_files(value, volume))
                return;
        volume->type = POD_VOLUME_EMPTY_DIR;
        volume->memory = str_eq(field_string(empty_dir, "medium", NULL), "Memory");
        volume->has_size_limit = limit && quantity_parse(limit, &volume->size_limit, NULL) == 0;
}

static void decode_volumes(const struct value *spec, struct pod *pod)
{
        const struct value *list = value_map_get(spec, "volumes");

        pod->volumes = xcalloc(field_count(list), sizeof(*pod->volumes));
        for (size_t i = 0; i < field_count(list); i++)
                decode_volume(list->list.items[i], &pod->volumes[pod->volume_count++]);
}

static void decode_containers(const struct value *spec, struct pod *pod)
{
        const struct value *init = value_map_get(spec, "initContainers"), *app = value_map_get(spec, "containers");

        pod->containers = xcalloc(field_count(init) + field_count(app), sizeof(*pod->containers));
        for (size_t i = 0; i < field_count(init); i++)
                pod_decode_container(init->list.items[i], true, &pod->containers[pod->container_count++]);
        pod->init_count = pod->container_count;
        for (size_t i = 0; i < field_count(app); i++)
                pod_decode_container(app->list.items[i], false, &pod->containers[pod->container_count++]);
}

static void decode_metadata(const struct value *metadata, struct pod *pod)
{
        pod->name = xstrdup(field_string(metadata, "name", ""));
        pod->namespace = xstrdup(field_string(metadata, "namespace", ""));
        pod->uid = xstrdup(field_string(metadata, "uid", ""));
        pod_decode_map(value_map_get(metadata, "labels"), &pod->labels);
        pod_decode_map(value_map_get(metadata, "annotations"), &pod->annotations);
}

static void decode_pod_security(const struct value *context, struct pod_security *security)
{
        const struct value *groups = value_map_get(context, "supplementalGroups");
        const struct value *sysctls = value_map_get(context, "sysctls");

        pod_decode_security(context, security);
        security->has_fs_group = value_map_get(context, "fsGroup") != NULL;
        security->fs_group = field_int(context, "fsGroup", 0);
        security->supplemental_groups = xcalloc(field_count(groups), sizeof(*security->supplemental_groups));
        for (size_t i = 0; i < field_count(groups); i++)
                (void)value_int(groups->list.items[i],
                                &security->supplemental_groups[security->supplemental_group_count++]);
        security->sysctls.items = xcalloc(field_count(sysctls), sizeof(*security->sysctls.items));
        for (size_t i = 0; i < field_count(sysctls); i++) {
                struct pod_key_value *item = &security->sysctls.items[security->sysctls.count++];

                item->key = xstrdup(field_string(sysctls->list.items[i], "name", ""));
                item->value = xstrdup(field_string(sysctls->list.items[i], "value", ""));
        }
}

void pod_decode(const struct value *value, struct pod *pod)
{
        const struct value *spec = value_map_get(value, "spec");
        int restart = pod_names_find(&pod_restart_policy_names, field_string(spec, "restartPolicy", NULL));
        int64_t grace = field_int(spec, "terminationGracePeriodSeconds", 0);

        decode_metadata(value_map_get(value, "metadata"), pod);
        decode_containers(spec, pod);
        decode_volumes(spec, pod);
        decode_dns(spec, pod);
        decode_host_aliases(spec, pod);
        decode_pod_security(value_map_get(spec, "securityContext"), &pod->security);
        pod->restart_policy = restart < 0 ? POD_RESTART_ALWAYS : (enum pod_restart_policy)restart;
        pod->termination_grace_seconds = grace < 0 ? 1 : grace; /* as the API server has it */
        pod->active_deadline_seconds = field_int(spec, "activeDeadlineSeconds", 0);
        pod->host_network = field_bool(spec, "hostNetwork", false);
        pod->host_pid = field_bool(spec, "hostPID", false);
        pod->host_ipc = field_bool(spec, "hostIPC", false);
        pod->share_process_namespace = field_bool(spec, "shareProcessNamespace", false);
        pod->hostname = pod_decode_string(spec, "hostname");
        pod->subdomain = pod_decode_string(spec, "subdomain");
        pod->set_hostname_as_fqdn = field_bool(spec, "setHostnameAsFQDN", false);
        pod->enable_service_links = field_bool(spec, "enableServiceLinks", true);
        pod->has_priority = value_map_get(spec, "priority") != NULL;
        pod->priority = (int32_t)field_int(spec, "priority", 0);
        pod->priority_class_name = pod_decode_string(spec, "priorityClassName");
        pod->node_name = pod_decode_string(spec, "nodeName");
        pod->service_account_name = pod_decode_string(spec, "serviceAccountName");
        if (pod_map_get(&pod->annotations, POD_OWN_REVERT_AFTER))
                (void)pod_own_seconds(pod_map_get(&pod->annotations, POD_OWN_REVERT_AFTER), &pod->revert_seconds, NULL);
        pod->qos = pod_qos_compute(pod);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "codec/quantity.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/image_ref.h"
#include "kube/pod.h"
#include "kube/pod_defaults.h"
#include "kube/pod_names.h"

#define ORIGIN "default"
#define DEFAULT_FILE_MODE 0644
/* Of what holds a Secret; Kubernetes has 0644 there too, which any user of the container may read. */
#define SECRET_FILE_MODE 0400
#define NANO_PER_MILLI 1000000

/* Takes item; sets key unless the map has it. */
static void set_default(struct value *map, const char *key, struct value *item)
{
        if (value_map_get(map, key)) {
                (void)value_free(item);
                return;
        }
        item->place.origin = ORIGIN;
        (void)value_map_append(map, key, item);
}

static void set_default_string(struct value *map, const char *key, const char *text)
{
        set_default(map, key, value_new_string(text));
}

/* Where zero means the default too (the schema keeps no zero of these fields). */
static void set_default_int(struct value *map, const char *key, int64_t n)
{
        set_default(map, key, value_new_int(n));
}

static struct value *map_at(struct value *map, const char *key)
{
        struct value *v = value_map_get(map, key);

        return value_is(v, VALUE_MAP) ? v : NULL;
}

static struct value *item_at(struct value *list, size_t i)
{
        struct value *v = list->list.items[i];

        return value_is(v, VALUE_MAP) ? v : NULL;
}

/* Quantities finer than a thousandth are rounded up to it. */
static void default_resource_list(struct value *list)
{
        for (size_t i = 0; list && i < list->map.count; i++) {
                struct value *v = list->map.entries[i].value, *rounded;
                char text[QUANTITY_TEXT_MAX];
                struct quantity q;

                if (!value_is(v, VALUE_STRING) || quantity_parse(v->text, &q, NULL) < 0 || q.nano % NANO_PER_MILLI == 0)
                        continue;
                q.nano += (q.nano > 0 ? NANO_PER_MILLI : 0) - q.nano % NANO_PER_MILLI;
                q.kept[0] = '\0';
                quantity_text(&q, text);
                rounded = value_new_string(text);
                rounded->place = v->place;
                (void)value_free(v);
                list->map.entries[i].value = rounded;
        }
}

/* A limit without a request is the request. */
static void default_resources(struct value *container)
{
        struct value *resources, *limits, *requests;

        set_default(container, "resources", value_new_map());
        resources = map_at(container, "resources");
        if (!resources)
                return;
        limits = map_at(resources, "limits");
        default_resource_list(limits);
        if (limits && !value_map_get(resources, "requests"))
                set_default(resources, "requests", value_new_map());
        requests = map_at(resources, "requests");
        default_resource_list(requests);
        for (size_t i = 0; limits && requests && i < limits->map.count; i++) {
                const struct value_entry *limit = &limits->map.entries[i];

                set_default(requests, limit->key, value_copy(limit->value));
        }
}

static void default_ports(struct value *container, bool host_network)
{
        struct value *ports = value_map_get(container, "ports");

        for (size_t i = 0; i < field_count(ports); i++) {
                struct value *port = item_at(ports, i);
                int64_t number = field_int(port, "containerPort", 0);

                if (!port)
                        continue;
                set_default_string(port, "protocol", pod_protocol_name(POD_PROTOCOL_TCP));
                if (host_network && number != 0)
                        set_default_int(port, "hostPort", number);
        }
}

static void default_ref(struct value *from)
{
        struct value *field = map_at(from, "fieldRef"), *resource = map_at(from, "resourceFieldRef");

        if (field)
                set_default_string(field, "apiVersion", "v1");
        if (resource)
                set_default_string(resource, "divisor", "0");
}

static void default_env(struct value *container)
{
        struct value *env = value_map_get(container, "env");

        for (size_t i = 0; i < field_count(env); i++)
                default_ref(map_at(item_at(env, i), "valueFrom"));
}

/* downwardAPI, as a volume or a source of a projected one. */
static void default_downward_items(struct value *source)
{
        struct value *items = value_map_get(source, "items");

        for (size_t i = 0; i < field_count(items); i++)
                default_ref(item_at(items, i));
}

static bool has_secret(const struct value *sources)
{
        for (size_t i = 0; i < field_count(sources); i++)
                if (value_map_get(sources->list.items[i], "secret"))
                        return true;
        return false;
}

static void default_files(struct value *volume)
{
        struct value *downward = map_at(volume, "downwardAPI"), *projected = map_at(volume, "projected");
        struct value *sources = value_map_get(projected, "sources");

        if (downward)
                set_default_int(downward, "defaultMode", DEFAULT_FILE_MODE);
        default_downward_items(downward);
        if (map_at(volume, "configMap"))
                set_default_int(map_at(volume, "configMap"), "defaultMode", DEFAULT_FILE_MODE);
        if (map_at(volume, "secret"))
                set_default_int(map_at(volume, "secret"), "defaultMode", SECRET_FILE_MODE);
        if (projected)
                set_default_int(projected, "defaultMode", has_secret(sources) ? SECRET_FILE_MODE : DEFAULT_FILE_MODE);
        for (size_t i = 0; i < field_count(sources); i++)
                default_downward_items(map_at(item_at(sources, i), "downwardAPI"));
}

static void default_handler(struct value *handler)
{
        struct value *http = map_at(handler, "httpGet"), *grpc = map_at(handler, "grpc");

        if (http) {
                struct value *headers = value_map_get(http, "httpHeaders");

                set_default_string(http, "path", "/");
                set_default_string(http, "scheme", "HTTP");
                for (size_t i = 0; i < field_count(headers); i++) {
                        if (item_at(headers, i))
                                set_default_string(item_at(headers, i), "value", "");
                }
        }
        if (grpc)
                set_default_string(grpc, "service", "");
}

static void default_probe(struct value *probe)
{
        if (!probe)
                return;
        default_handler(probe);
        set_default_int(probe, "timeoutSeconds", 1);
        set_default_int(probe, "periodSeconds", 10);
        set_default_int(probe, "successThreshold", 1);
        set_default_int(probe, "failureThreshold", 3);
}

static void default_pull_policy(struct value *container)
{
        const char *image = field_string(container, "image", "");
        struct image_ref ref = {0};
        bool latest = image_ref_parse(image, &ref, NULL) == 0 && str_eq(ref.tag, "latest");

        set_default_string(container, "imagePullPolicy",
                           pod_pull_policy_names.names[latest ? POD_PULL_ALWAYS : POD_PULL_IF_NOT_PRESENT]);
}

static void default_container(struct value *container, bool host_network)
{
        struct value *lifecycle = map_at(container, "lifecycle");

        default_pull_policy(container);
        set_default_string(container, "terminationMessagePath", "/dev/termination-log");
        set_default_string(container, "terminationMessagePolicy", "File");
        default_resources(container);
        default_ports(container, host_network);
        default_env(container);
        for (size_t kind = 0; kind < POD_PROBE_KIND_MAX; kind++)
                default_probe(map_at(container, pod_probe_field_names.names[kind]));
        default_handler(map_at(lifecycle, "postStart"));
        default_handler(map_at(lifecycle, "preStop"));
}

static void default_volume(struct value *volume)
{
        struct value *host_path = map_at(volume, "hostPath");

        /* Nothing but a name: an empty directory. */
        if (volume->map.count == (value_map_get(volume, "name") ? 1 : 0))
                set_default(volume, "emptyDir", value_new_map());
        if (host_path)
                set_default_string(host_path, "type", "");
        default_files(volume);
}

static void default_each(struct value *list, bool host_network, bool containers)
{
        for (size_t i = 0; i < field_count(list); i++) {
                struct value *item = item_at(list, i);

                if (item && containers)
                        default_container(item, host_network);
                else if (item)
                        default_volume(item);
        }
}

void pod_defaults_apply(struct value *pod)
{
        struct value *spec = map_at(pod, "spec");
        bool host_network = field_bool(spec, "hostNetwork", false);

        if (!spec)
                return;
        default_each(value_map_get(spec, "volumes"), host_network, false);
        default_each(value_map_get(spec, "initContainers"), host_network, true);
        default_each(value_map_get(spec, "containers"), host_network, true);
        set_default(spec, "enableServiceLinks", value_new_bool(true));
        set_default_string(spec, "dnsPolicy", pod_dns_policy_names.names[POD_DNS_CLUSTER_FIRST]);
        set_default_string(spec, "restartPolicy", pod_restart_policy_name(POD_RESTART_ALWAYS));
        set_default(spec, "securityContext", value_new_map());
        set_default_int(spec, "terminationGracePeriodSeconds", 30);
        set_default_string(spec, "schedulerName", "default-scheduler");
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The Node object as this machine makes it: pure.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

#include "api/node.h"
#include "base/alloc.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "kube/kubelet_config.h"

/* One row a condition: what it says when true and when false. */
struct condition_row {
        const char *type, *true_reason, *true_message, *false_reason, *false_message;
};

static const struct condition_row condition_rows[] = {
        {"MemoryPressure", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available",
         "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
        {"DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure", "KubeletHasNoDiskPressure",
         "kubelet has no disk pressure"},
        {"PIDPressure", "KubeletHasInsufficientPID", "kubelet has insufficient PID available",
         "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
        {"Ready", "KubeletReady", "podwatch is posting ready status", "KubeletNotReady", NULL},
};

static void add_quantities(struct cJSON *status, const char *name, int64_t cpu_milli, int64_t memory, int64_t ephemeral,
                           int pods)
{
        struct cJSON *list = cJSON_AddObjectToObject(status, name);
        char text[32];

        if (cpu_milli % 1000 == 0)
                (void)snprintf(text, sizeof(text), "%" PRId64, cpu_milli / 1000);
        else
                (void)snprintf(text, sizeof(text), "%" PRId64 "m", cpu_milli);
        cJSON_AddStringToObject(list, "cpu", text);
        (void)snprintf(text, sizeof(text), "%" PRId64 "Ki", ephemeral / 1024);
        cJSON_AddStringToObject(list, "ephemeral-storage", text);
        (void)snprintf(text, sizeof(text), "%" PRId64 "Ki", memory / 1024);
        cJSON_AddStringToObject(list, "memory", text);
        (void)snprintf(text, sizeof(text), "%d", pods);
        cJSON_AddStringToObject(list, "pods", text);
}

static void add_address(struct cJSON *list, const char *type, const char *address)
{
        if (str_empty(address))
                return;
        struct cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "type", type);
        cJSON_AddStringToObject(entry, "address", address);
        cJSON_AddItemToArray(list, entry);
}

static void add_info(struct cJSON *status, const struct node_facts *facts)
{
        struct cJSON *info = cJSON_AddObjectToObject(status, "nodeInfo");
        const struct {
                const char *name, *value;
        } rows[] = {
                {"machineID", facts->machine_id},
                {"systemUUID", facts->system_uuid},
                {"bootID", facts->boot_id},
                {"kernelVersion", facts->kernel_version},
                {"osImage", facts->os_image},
                {"containerRuntimeVersion", facts->runtime_version},
                {"kubeletVersion", facts->kubelet_version},
                {"kubeProxyVersion", ""},
                {"operatingSystem", "linux"},
                {"architecture", facts->architecture},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                cJSON_AddStringToObject(info, rows[i].name, rows[i].value ? rows[i].value : "");
}

static const struct cJSON *observed_condition(const struct cJSON *observed, const char *type)
{
        const struct cJSON *condition;

        cJSON_ArrayForEach (condition, cjson_get(observed, "conditions", NULL)) {
                if (str_eq(cjson_text(condition, "type", ""), type))
                        return condition;
        }
        return NULL;
}

static void add_condition(struct cJSON *list, const struct condition_row *row, bool is_true, const char *message,
                          const struct cJSON *observed, const char *now)
{
        const struct cJSON *before = observed_condition(observed, row->type);
        const char *status = is_true ? "True" : "False";
        struct cJSON *entry = cJSON_CreateObject();

        cJSON_AddStringToObject(entry, "type", row->type);
        cJSON_AddStringToObject(entry, "status", status);
        cJSON_AddStringToObject(entry, "lastHeartbeatTime", now);
        cJSON_AddStringToObject(
                entry, "lastTransitionTime",
                str_eq(cjson_text(before, "status", ""), status) ? cjson_text(before, "lastTransitionTime", now) : now);
        cJSON_AddStringToObject(entry, "reason", is_true ? row->true_reason : row->false_reason);
        cJSON_AddStringToObject(entry, "message", message ? message : is_true ? row->true_message : row->false_message);
        cJSON_AddItemToArray(list, entry);
}

struct cJSON *node_status(const struct node_facts *facts, const struct cJSON *observed, usec_t now_wall)
{
        struct cJSON *status = cJSON_CreateObject(), *list;
        bool ready = str_empty(facts->not_ready);
        const bool states[] = {facts->memory_pressure, facts->disk_pressure, facts->pid_pressure, ready};
        char now[TIMEFMT_MAX];

        timefmt_seconds(now_wall, now);
        add_quantities(status, "capacity", facts->cpu_milli, facts->memory_bytes, facts->ephemeral_bytes,
                       facts->max_pods);
        add_quantities(status, "allocatable", facts->allocatable_cpu_milli, facts->allocatable_memory_bytes,
                       facts->allocatable_ephemeral_bytes, facts->max_pods);
        list = cJSON_AddArrayToObject(status, "conditions");
        for (size_t i = 0; i < ARRAY_SIZE(condition_rows); i++) {
                bool is_ready_row = i + 1 == ARRAY_SIZE(condition_rows);
                add_condition(list, &condition_rows[i], states[i], is_ready_row && !ready ? facts->not_ready : NULL,
                              observed, now);
        }
        list = cJSON_AddArrayToObject(status, "addresses");
        add_address(list, "InternalIP", facts->internal_ip);
        add_address(list, "Hostname", facts->hostname);
        if (facts->kubelet_port > 0) {
                struct cJSON *endpoints = cJSON_AddObjectToObject(status, "daemonEndpoints");
                cJSON_AddNumberToObject(cJSON_AddObjectToObject(endpoints, "kubeletEndpoint"), "Port",
                                        facts->kubelet_port);
        }
        add_info(status, facts);
        return status;
}

static void add_labels(struct cJSON *metadata, const struct node_options *options, const struct node_facts *facts)
{
        struct cJSON *labels = cJSON_AddObjectToObject(metadata, "labels");

        cJSON_AddStringToObject(labels, "kubernetes.io/hostname", facts->hostname);
        cJSON_AddStringToObject(labels, "kubernetes.io/os", "linux");
        cJSON_AddStringToObject(labels, "kubernetes.io/arch", facts->architecture);
        cJSON_AddStringToObject(labels, "beta.kubernetes.io/os", "linux");
        cJSON_AddStringToObject(labels, "beta.kubernetes.io/arch", facts->architecture);
        for (size_t i = 0; options->labels && options->labels[i]; i++) {
                const char *equals = strchr(options->labels[i], '=');
                char *key CLEANUP_FREE = equals ? xstrndup(options->labels[i], (size_t)(equals - options->labels[i]))
                                                : xstrdup(options->labels[i]);
                cJSON_DeleteItemFromObjectCaseSensitive(labels, key);
                cJSON_AddStringToObject(labels, key, equals ? equals + 1 : "");
        }
}

static void add_taint(struct cJSON *spec, const char *key, const char *value, const char *effect)
{
        struct cJSON *taints = cJSON_GetObjectItemCaseSensitive(spec, "taints"), *taint = cJSON_CreateObject();

        cJSON_AddStringToObject(taint, "key", key);
        if (!str_empty(value))
                cJSON_AddStringToObject(taint, "value", value);
        cJSON_AddStringToObject(taint, "effect", effect);
        cJSON_AddItemToArray(taints ? taints : cJSON_AddArrayToObject(spec, "taints"), taint);
}

static void add_taints(struct cJSON *spec, const struct node_options *options, const struct node_facts *facts)
{
        for (size_t i = 0; i < options->taint_count; i++)
                add_taint(spec, options->taints[i].key, options->taints[i].value, options->taints[i].effect);
        /* As the kubelet registers with registerSchedulable false: the controller that adds it may not run yet. */
        if (facts->unschedulable)
                add_taint(spec, "node.kubernetes.io/unschedulable", NULL, "NoSchedule");
}

struct cJSON *node_body(const struct node_options *options, const struct node_facts *facts, usec_t now_wall)
{
        struct cJSON *body = cJSON_CreateObject();

        cJSON_AddStringToObject(body, "apiVersion", "v1");
        cJSON_AddStringToObject(body, "kind", "Node");
        struct cJSON *metadata = cJSON_AddObjectToObject(body, "metadata");
        cJSON_AddStringToObject(metadata, "name", options->node_name);
        add_labels(metadata, options, facts);
        struct cJSON *annotations = cJSON_AddObjectToObject(metadata, "annotations");
        cJSON_AddStringToObject(annotations, "volumes.kubernetes.io/controller-managed-attach-detach", "true");
        struct cJSON *spec = cJSON_AddObjectToObject(body, "spec");
        if (!str_empty(options->pod_cidr)) {
                cJSON_AddStringToObject(spec, "podCIDR", options->pod_cidr);
                cJSON_AddItemToArray(cJSON_AddArrayToObject(spec, "podCIDRs"), cJSON_CreateString(options->pod_cidr));
        }
        if (!str_empty(options->provider_id))
                cJSON_AddStringToObject(spec, "providerID", options->provider_id);
        if (facts->unschedulable)
                cJSON_AddTrueToObject(spec, "unschedulable");
        add_taints(spec, options, facts);
        cJSON_AddItemToObject(body, "status", node_status(facts, NULL, now_wall));
        return body;
}

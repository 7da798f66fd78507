/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/kubelet_decode.h"
#include "kube/pod_decode.h"
#include "kube/pod_names.h"

#define NSEC_PER_USEC 1000
/* The kubelet's defaults. */
#define FILE_CHECK (20 * USEC_PER_SEC)
#define STATUS_UPDATE (10 * USEC_PER_SEC)
#define STATUS_REPORT (300 * USEC_PER_SEC)
#define RESTART_PERIOD_MAX (300 * USEC_PER_SEC)
#define LEASE_SECONDS 40
#define KUBELET_PORT 10250
#define HEALTHZ_PORT 10248
#define PODS_MAX 110
#define TOKEN_TTL (120 * USEC_PER_SEC)
#define AUTHORIZED_TTL (300 * USEC_PER_SEC)
#define UNAUTHORIZED_TTL (30 * USEC_PER_SEC)
/* And ours. */
#define JOURNAL_BYTES ((int64_t)64 * 1024 * 1024)
#define REVISIONS 20
#define REMOVED_KEPT 100

const char *const kubelet_eviction_signals[] = {
        "memory.available",      "allocatableMemory.available", "nodefs.available",
        "nodefs.inodesFree",     "imagefs.available",           "imagefs.inodesFree",
        "containerfs.available", "containerfs.inodesFree",      "pid.available",
};
const size_t kubelet_eviction_signal_count = ARRAY_SIZE(kubelet_eviction_signals);

static const struct {
        const char *signal, *value;
} eviction_defaults[] = {
        {"memory.available", "100Mi"}, {"nodefs.available", "10%"},  {"nodefs.inodesFree", "5%"},
        {"imagefs.available", "15%"},  {"imagefs.inodesFree", "5%"},
};

/* The text of a field, or the fallback (NULL: none) where it is not there or empty. */
static char *decode_text(const struct value *map, const char *name, const char *fallback)
{
        char *text = pod_decode_string(map, name);

        return text ? text : fallback ? xstrdup(fallback) : NULL;
}

/* A duration; zero and not there mean the fallback. */
static usec_t decode_duration(const struct value *map, const char *name, usec_t fallback)
{
        int64_t nsec = 0;

        (void)duration_parse(field_string(map, name, "0s"), &nsec, NULL);
        if (nsec <= 0)
                return fallback;
        return nsec < NSEC_PER_USEC ? 1 : (usec_t)(nsec / NSEC_PER_USEC);
}

int kubelet_parse_threshold(const char *text, struct kubelet_threshold *ret)
{
        struct kubelet_threshold t = {.percent = str_ends(text, "%")};
        char *number CLEANUP_FREE = xstrndup(text, strlen(text) - (t.percent ? 1 : 0));

        if (quantity_parse(number, &t.quantity, NULL) < 0 || t.quantity.nano < 0)
                return -EINVAL;
        if (t.percent) {
                t.milli_percent = quantity_milli(&t.quantity);
                if (t.milli_percent > 100000)
                        return -EINVAL;
        }
        t.signal = ret->signal;
        *ret = t;
        return 0;
}

static void add_threshold(struct kubelet_config *config, const char *signal, const char *text)
{
        struct kubelet_threshold t = {0};

        /* These two switch a signal off, in these very words (pkg/kubelet/eviction/helpers.go). */
        if (str_eq(text, "0%") || str_eq(text, "100%") || kubelet_parse_threshold(text, &t) < 0)
                return;
        t.signal = xstrdup(signal);
        config->eviction_hard =
                xrealloc(config->eviction_hard, config->eviction_hard_count + 1, sizeof(*config->eviction_hard));
        config->eviction_hard[config->eviction_hard_count++] = t;
}

/* What the file gives replaces all defaults, unless it asks for them beside its own. */
static void decode_eviction(const struct value *kubelet, struct kubelet_config *config)
{
        const struct value *hard = value_map_get(kubelet, "evictionHard");
        bool merge = !hard || field_bool(kubelet, "mergeDefaultEvictionSettings", false);

        for (size_t i = 0; value_is(hard, VALUE_MAP) && i < hard->map.count; i++)
                add_threshold(config, hard->map.entries[i].key, value_string(hard->map.entries[i].value, "0"));
        for (size_t i = 0; merge && i < ARRAY_SIZE(eviction_defaults); i++) {
                if (!value_map_get(hard, eviction_defaults[i].signal))
                        add_threshold(config, eviction_defaults[i].signal, eviction_defaults[i].value);
        }
}

static void decode_reserved(const struct value *map, struct kubelet_reserved *reserved)
{
        for (size_t i = 0; i < POD_RESOURCE_MAX; i++)
                (void)quantity_parse(field_string(map, pod_resource_names.names[i], "0"), &reserved->resources[i],
                                     NULL);
        (void)str_to_i64(field_string(map, "pid", "0"), &reserved->pids);
}

static void decode_taints(const struct value *list, struct kubelet_config *config)
{
        config->register_with_taints = xcalloc(field_count(list), sizeof(*config->register_with_taints));
        for (size_t i = 0; i < field_count(list); i++) {
                struct kubelet_taint *taint = &config->register_with_taints[config->register_with_taint_count++];

                taint->key = xstrdup(field_string(list->list.items[i], "key", ""));
                taint->value = xstrdup(field_string(list->list.items[i], "value", ""));
                taint->effect = xstrdup(field_string(list->list.items[i], "effect", ""));
        }
}

static void decode_node(const struct value *kubelet, struct kubelet_config *config)
{
        usec_t update = decode_duration(kubelet, "nodeStatusUpdateFrequency", 0);

        config->provider_id = decode_text(kubelet, "providerID", NULL);
        config->register_node = field_bool(kubelet, "registerNode", true);
        config->rotate_certificates = field_bool(kubelet, "rotateCertificates", false);
        decode_taints(value_map_get(kubelet, "registerWithTaints"), config);
        /* An update frequency that is given is the report frequency too, as the kubelet has it. */
        config->node_status_update_frequency = update ? update : STATUS_UPDATE;
        config->node_status_report_frequency =
                decode_duration(kubelet, "nodeStatusReportFrequency", update ? update : STATUS_REPORT);
        config->node_lease_duration_seconds = (int)field_int(kubelet, "nodeLeaseDurationSeconds", LEASE_SECONDS);
        decode_reserved(value_map_get(kubelet, "kubeReserved"), &config->kube_reserved);
        decode_reserved(value_map_get(kubelet, "systemReserved"), &config->system_reserved);
        decode_eviction(kubelet, config);
}

static void decode_pods(const struct value *kubelet, struct kubelet_config *config)
{
        const struct value *resolv_conf = value_map_get(kubelet, "resolvConf");
        int64_t pids = field_int(kubelet, "podPidsLimit", -1);

        pod_decode_strings(value_map_get(kubelet, "clusterDNS"), &config->cluster_dns);
        pod_decode_strings(value_map_get(kubelet, "allowedUnsafeSysctls"), &config->allowed_unsafe_sysctls);
        config->cluster_domain = decode_text(kubelet, "clusterDomain", NULL);
        config->resolv_conf = decode_text(kubelet, "resolvConf", resolv_conf ? NULL : "/etc/resolv.conf");
        config->max_pods = (int)field_int(kubelet, "maxPods", PODS_MAX);
        config->pod_pids_limit = pids < 0 ? -1 : pids;
        config->cgroup_root = decode_text(kubelet, "cgroupRoot", NULL);
        config->cgroup_driver = decode_text(kubelet, "cgroupDriver", NULL);
        config->max_container_restart_period = decode_duration(value_map_get(kubelet, "crashLoopBackOff"),
                                                               "maxContainerRestartPeriod", RESTART_PERIOD_MAX);
        config->image_gc_high_percent = (int)field_int(kubelet, "imageGCHighThresholdPercent", KUBELET_IMAGE_GC_HIGH);
        config->image_gc_low_percent = (int)field_int(kubelet, "imageGCLowThresholdPercent", KUBELET_IMAGE_GC_LOW);
        config->image_minimum_gc_age = decode_duration(kubelet, "imageMinimumGCAge", KUBELET_IMAGE_GC_AGE);
        config->image_maximum_gc_age = decode_duration(kubelet, "imageMaximumGCAge", 0);
}

static void decode_server(const struct value *kubelet, struct kubelet_config *config)
{
        const struct value *authentication = value_map_get(kubelet, "authentication");
        const struct value *authorization = value_map_get(kubelet, "authorization");
        const struct value *token = value_map_get(authentication, "webhook");
        const struct value *review = value_map_get(authorization, "webhook");

        config->healthz_bind_address = decode_text(kubelet, "healthzBindAddress", "127.0.0.1");
        config->healthz_port = (int)field_int(kubelet, "healthzPort", HEALTHZ_PORT);
        config->address = decode_text(kubelet, "address", "0.0.0.0");
        config->port = (int)field_int(kubelet, "port", KUBELET_PORT);
        config->read_only_port = (int)field_int(kubelet, "readOnlyPort", 0);
        config->enable_server = field_bool(kubelet, "enableServer", true);
        config->enable_debugging_handlers = field_bool(kubelet, "enableDebuggingHandlers", true);
        config->tls_cert_file = decode_text(kubelet, "tlsCertFile", NULL);
        config->tls_private_key_file = decode_text(kubelet, "tlsPrivateKeyFile", NULL);
        config->tls_1_3 = str_eq(field_string(kubelet, "tlsMinVersion", NULL), "VersionTLS13");
        config->client_ca_file = decode_text(value_map_get(authentication, "x509"), "clientCAFile", NULL);
        config->anonymous_auth = field_bool(value_map_get(authentication, "anonymous"), "enabled", false);
        config->token_webhook = field_bool(token, "enabled", true);
        config->token_ttl = decode_duration(token, "cacheTTL", TOKEN_TTL);
        config->always_allow = str_eq(field_string(authorization, "mode", NULL), KUBELET_ALWAYS_ALLOW);
        config->authorized_ttl = decode_duration(review, "cacheAuthorizedTTL", AUTHORIZED_TTL);
        config->unauthorized_ttl = decode_duration(review, "cacheUnauthorizedTTL", UNAUTHORIZED_TTL);
}

void kubelet_decode(const struct value *kubelet, struct kubelet_config *config)
{
        const struct value *logging = value_map_get(kubelet, "logging");

        config->static_pod_path = decode_text(kubelet, "staticPodPath", NULL);
        config->file_check_frequency = decode_duration(kubelet, "fileCheckFrequency", FILE_CHECK);
        config->pod_logs_dir = decode_text(kubelet, "podLogsDir", "/var/log/pods");
        config->log_json = str_eq(field_string(logging, "format", NULL), "json");
        config->verbosity = (int)field_int(logging, "verbosity", 0);
        decode_server(kubelet, config);
        decode_pods(kubelet, config);
        decode_node(kubelet, config);
}

void kubelet_decode_own(const struct value *podwatch, const struct value *own, struct kubelet_config *config)
{
        const char *labels = field_string(own, "node-labels", "");
        struct quantity journal;

        config->strict = field_bool(podwatch, "strict", false);
        config->state_directory = decode_text(podwatch, "stateDirectory", "/var/lib/podwatch");
        config->run_directory = decode_text(podwatch, "runDirectory", "/run/podwatch");
        config->socket_group = decode_text(podwatch, "socketGroup", NULL);
        config->docker_endpoint = decode_text(podwatch, "dockerEndpoint", NULL);
        config->sandbox_image = decode_text(own, "pod-infra-container-image", NULL);
        if (!config->sandbox_image)
                config->sandbox_image = decode_text(podwatch, "sandboxImage", NULL);
        config->journal_bytes = quantity_parse(field_string(podwatch, "journalSize", ""), &journal, NULL) == 0
                                        ? quantity_value(&journal)
                                        : JOURNAL_BYTES;
        config->each_removal_counts = field_bool(podwatch, "eachRemovalCounts", false);
        config->revert_after = decode_duration(podwatch, "revertAfter", 0);
        config->revision_history_limit = (int)field_int(podwatch, "revisionHistoryLimit", REVISIONS);
        config->removed_history_limit = (int)field_int(podwatch, "removedHistoryLimit", REMOVED_KEPT);
        config->root_dir = decode_text(own, "root-dir", "/var/lib/kubelet");
        config->cert_dir = decode_text(own, "cert-dir", NULL);
        if (!config->cert_dir)
                config->cert_dir = xasprintf("%s/pki", config->root_dir);
        config->kubeconfig = decode_text(own, "kubeconfig", NULL);
        config->node_ip = decode_text(own, "node-ip", NULL);
        config->hostname_override = decode_text(own, "hostname-override", NULL);
        if (config->hostname_override)
                str_lower(config->hostname_override);
        if (*labels)
                strv_split(&config->node_labels, labels, ',');
}

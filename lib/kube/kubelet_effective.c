/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_effective.h"
#include "kube/kubelet_schema.h"

#define NSEC_PER_USEC 1000

/* The map under a name, made where it is missing. */
static struct value *map_in(struct value *map, const char *name)
{
        struct value *found = value_map_get(map, name);

        return value_is(found, VALUE_MAP) ? found : value_map_set(map, name, value_new_map());
}

static void set_text(struct value *map, const char *name, const char *text)
{
        if (!str_empty(text))
                (void)value_map_set(map, name, value_new_string(text));
}

static void set_int(struct value *map, const char *name, int64_t n)
{
        (void)value_map_set(map, name, value_new_int(n));
}

static void set_bool(struct value *map, const char *name, bool b)
{
        (void)value_map_set(map, name, value_new_bool(b));
}

static void set_duration(struct value *map, const char *name, usec_t usec)
{
        char text[TIMEFMT_MAX];

        duration_text((int64_t)usec * NSEC_PER_USEC, text);
        (void)value_map_set(map, name, value_new_string(text));
}

/* Fields that change nothing here and were not given: what is done is their harmless value. */
static void set_harmless(struct value *map)
{
        const struct schema *schema = &kubelet_configuration_schema;

        for (size_t i = 0; i < schema->count; i++) {
                const struct schema_field *field = &schema->fields[i];

                if (field->status != SCHEMA_INERT || str_empty(field->harmless) || value_map_get(map, field->name))
                        continue;
                if (field->type == SCHEMA_BOOL)
                        set_bool(map, field->name, str_eq(field->harmless, "true"));
                else if (field->type == SCHEMA_STRING)
                        set_text(map, field->name, field->harmless);
        }
}

static void set_servers(struct value *map, const struct kubelet_config *config)
{
        struct value *authentication = map_in(map, "authentication"), *token = map_in(authentication, "webhook");
        struct value *authorization = map_in(map, "authorization"), *review = map_in(authorization, "webhook");

        set_bool(map, "enableServer", config->enable_server);
        set_bool(map, "enableDebuggingHandlers", config->enable_debugging_handlers);
        set_text(map, "address", config->address);
        set_int(map, "port", config->port);
        set_int(map, "readOnlyPort", config->read_only_port);
        set_text(map, "healthzBindAddress", config->healthz_bind_address);
        set_int(map, "healthzPort", config->healthz_port);
        set_text(map, "tlsMinVersion", config->tls_1_3 ? "VersionTLS13" : "VersionTLS12");
        set_text(map_in(authentication, "x509"), "clientCAFile", config->client_ca_file);
        set_bool(map_in(authentication, "anonymous"), "enabled", config->anonymous_auth);
        set_bool(token, "enabled", config->token_webhook);
        set_duration(token, "cacheTTL", config->token_ttl);
        set_text(authorization, "mode", config->always_allow ? KUBELET_ALWAYS_ALLOW : "Webhook");
        set_duration(review, "cacheAuthorizedTTL", config->authorized_ttl);
        set_duration(review, "cacheUnauthorizedTTL", config->unauthorized_ttl);
}

static void set_evictions(struct value *map, const struct kubelet_config *config)
{
        struct value *hard = map_in(map, "evictionHard");

        for (size_t i = 0; i < config->eviction_hard_count; i++) {
                const struct kubelet_threshold *t = &config->eviction_hard[i];
                struct quantity percent = {.nano = (__int128)t->milli_percent * 1000000};
                char text[QUANTITY_TEXT_MAX];

                if (value_map_get(hard, t->signal))
                        continue;
                quantity_text(t->percent ? &percent : &t->quantity, text);
                (void)value_map_set(hard, t->signal, value_new_stringf("%s%s", text, t->percent ? "%" : ""));
        }
}

static void set_pods(struct value *map, const struct kubelet_config *config)
{
        set_text(map, "staticPodPath", config->static_pod_path);
        set_duration(map, "fileCheckFrequency", config->file_check_frequency);
        set_text(map, "podLogsDir", config->pod_logs_dir);
        (void)value_map_set(map, "resolvConf", value_new_string(config->resolv_conf ? config->resolv_conf : ""));
        set_int(map, "maxPods", config->max_pods);
        set_int(map, "podPidsLimit", config->pod_pids_limit);
        set_duration(map_in(map, "crashLoopBackOff"), "maxContainerRestartPeriod",
                     config->max_container_restart_period);
        set_int(map, "imageGCHighThresholdPercent", config->image_gc_high_percent);
        set_int(map, "imageGCLowThresholdPercent", config->image_gc_low_percent);
        set_duration(map, "imageMinimumGCAge", config->image_minimum_gc_age);
        set_duration(map, "imageMaximumGCAge", config->image_maximum_gc_age);
        /* Left out, these are 0s: the unit's ExecStop empties the node when the machine goes down, whatever they say.
         */
        (void)value_map_remove(map, "shutdownGracePeriod");
        (void)value_map_remove(map, "shutdownGracePeriodCriticalPods");
}

static void set_node(struct value *map, const struct kubelet_config *config)
{
        struct value *logging = map_in(map, "logging");

        set_bool(map, "registerNode", config->register_node);
        set_duration(map, "nodeStatusUpdateFrequency", config->node_status_update_frequency);
        set_duration(map, "nodeStatusReportFrequency", config->node_status_report_frequency);
        set_int(map, "nodeLeaseDurationSeconds", config->node_lease_duration_seconds);
        set_text(logging, "format", config->log_json ? "json" : "text");
        set_int(logging, "verbosity", config->verbosity);
        set_evictions(map, config);
}

static void mask_headers(struct value *map)
{
        struct value *headers = value_map_get(map, "staticPodURLHeader");

        for (size_t i = 0; value_is(headers, VALUE_MAP) && i < headers->map.count; i++) {
                struct value *masked = value_new_list();

                value_list_add(masked, value_new_string("<masked>"));
                (void)value_free(headers->map.entries[i].value);
                headers->map.entries[i].value = masked;
        }
}

char *kubelet_effective(const struct value *kubelet, const struct kubelet_config *config)
{
        struct value *map CLEANUP_VALUE = value_copy(kubelet);
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        set_text(map, "kind", "KubeletConfiguration");
        set_text(map, "apiVersion", KUBELET_CONFIG_API_VERSION);
        set_harmless(map);
        set_servers(map, config);
        set_pods(map, config);
        set_node(map, config);
        mask_headers(map);
        json_write(map, JSON_SORT_KEYS, &out);
        return buf_steal(&out, NULL);
}

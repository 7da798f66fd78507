/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "kube/field.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_decode.h"
#include "kube/kubelet_effective.h"
#include "kube/kubelet_flags.h"
#include "kube/kubelet_schema.h"

static void release_thresholds(struct kubelet_config *config)
{
        for (size_t i = 0; i < config->eviction_hard_count; i++)
                free(config->eviction_hard[i].signal);
        free(config->eviction_hard);
}

void kubelet_config_release(struct kubelet_config *config)
{
        char *const strings[] = {
                config->static_pod_path,
                config->pod_logs_dir,
                config->root_dir,
                config->kubeconfig,
                config->bootstrap_kubeconfig,
                config->healthz_bind_address,
                config->address,
                config->cluster_domain,
                config->resolv_conf,
                config->cgroup_root,
                config->cgroup_driver,
                config->hostname_override,
                config->node_ip,
                config->provider_id,
                config->state_directory,
                config->run_directory,
                config->socket_group,
                config->docker_endpoint,
                config->sandbox_image,
                config->cert_dir,
                config->tls_cert_file,
                config->tls_private_key_file,
                config->client_ca_file,
                config->effective_json,
        };

        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                free(strings[i]);
        strv_release(&config->cluster_dns);
        strv_release(&config->allowed_unsafe_sysctls);
        strv_release(&config->node_labels);
        for (size_t i = 0; i < config->register_with_taint_count; i++) {
                free(config->register_with_taints[i].key);
                free(config->register_with_taints[i].value);
                free(config->register_with_taints[i].effect);
        }
        free(config->register_with_taints);
        release_thresholds(config);
        *config = (struct kubelet_config){0};
}

/* One of the kinds of document that the file may hold, at most once each. */
struct document_kind {
        const char *kind, *api_version;
        const struct schema *schema;
        struct value **slot;
};

static void take_document(struct value **document, const struct document_kind *kinds, size_t count,
                          struct pod_findings *findings)
{
        struct field_path root = field_root(*document), kind = field_child(&root, "kind");
        struct field_path version = field_child(&root, "apiVersion");

        for (size_t i = 0; i < count; i++) {
                if (!str_eq(value_string(kind.value, NULL), kinds[i].kind))
                        continue;
                if (!str_eq(value_string(version.value, NULL), kinds[i].api_version))
                        field_not_supported(findings, &version, &kinds[i].api_version, 1);
                else if (*kinds[i].slot)
                        field_finding(findings, true, &kind, "a second %s; one may be there", kinds[i].kind);
                else
                        *kinds[i].slot = TAKE_PTR(*document);
                return;
        }
        if (!value_is(*document, VALUE_MAP))
                field_finding(findings, true, &root, "a configuration is a map, not a %s",
                              value_kind_name((*document)->kind));
        else if (!kind.value)
                field_required(findings, &kind, "must be KubeletConfiguration or PodwatchConfiguration");
        else
                field_not_supported(findings, &kind, (const char *const[]){kinds[0].kind, kinds[1].kind}, 2);
}

static void check_schema(struct value *v, const struct schema *schema, struct pod_findings *findings)
{
        struct schema_check check CLEANUP(schema_check_release) = {
                .findings = findings,
                .strict = true,
                .refused_text = "not supported by podwatch",
                .no_effect_text = "has no effect in podwatch",
        };
        struct field_path root = field_root(v);

        schema_check_object(&check, schema, &root, v);
}

static int first_fatal(const struct pod_findings *findings, struct err *err)
{
        for (size_t i = 0; i < findings->count; i++) {
                if (findings->items[i].fatal)
                        return err_set(err, ERR_INVALID, "%s", findings->items[i].text);
        }
        return 0;
}

int kubelet_config_load(const char *file_name, const char *data, size_t len, const struct strv *flags,
                        struct kubelet_config *ret, struct pod_findings *findings, struct err *err)
{
        struct value *kubelet CLEANUP_VALUE = NULL, *podwatch CLEANUP_VALUE = NULL,
                              *own CLEANUP_VALUE = value_new_map();
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct kubelet_config config CLEANUP_KUBELET_CONFIG = {0};
        const struct document_kind kinds[] = {
                {"KubeletConfiguration", KUBELET_CONFIG_API_VERSION, &kubelet_configuration_schema, &kubelet},
                {"PodwatchConfiguration", PODWATCH_CONFIG_API_VERSION, &podwatch_configuration_schema, &podwatch},
        };
        int r;

        r = data ? yaml_load(file_name, data, len, 0, &documents, err) : 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < documents.count; i++)
                take_document(&documents.items[i], kinds, ARRAY_SIZE(kinds), findings);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                if (!*kinds[i].slot)
                        *kinds[i].slot = value_new_map();
        }
        if (flags)
                kubelet_flags_apply(flags, kubelet, own, findings);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                check_schema(*kinds[i].slot, kinds[i].schema, findings);
        kubelet_validate(kubelet, podwatch, own, findings);
        r = first_fatal(findings, err);
        if (r < 0)
                return r;
        kubelet_decode(kubelet, &config);
        kubelet_decode_own(podwatch, own, &config);
        config.effective_json = kubelet_effective(kubelet, &config);
        *ret = config;
        config = (struct kubelet_config){0};
        return 0;
}

static void subtract(__int128 *left, const struct quantity *q)
{
        *left = *left > q->nano ? *left - q->nano : 0;
}

struct quantity kubelet_config_allocatable(const struct kubelet_config *config, enum pod_resource resource,
                                           const struct quantity *capacity)
{
        static const char *const signals[POD_RESOURCE_MAX] = {
                [POD_RESOURCE_MEMORY] = "memory.available",
                [POD_RESOURCE_EPHEMERAL_STORAGE] = "nodefs.available",
        };
        struct quantity left = {.nano = capacity->nano, .format = capacity->format};

        subtract(&left.nano, &config->kube_reserved.resources[resource]);
        subtract(&left.nano, &config->system_reserved.resources[resource]);
        for (size_t i = 0; signals[resource] && i < config->eviction_hard_count; i++) {
                const struct kubelet_threshold *t = &config->eviction_hard[i];
                struct quantity held = t->quantity;

                if (!str_eq(t->signal, signals[resource]))
                        continue;
                if (t->percent)
                        held.nano = capacity->nano / 100000 * t->milli_percent;
                subtract(&left.nano, &held);
        }
        return left;
}

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
#include "kube/kubelet_env.h"
#include "kube/kubelet_flags.h"
#include "kube/kubelet_schema.h"
#include "kube/pod_names.h"

#define NANO_PER_UNIT 1000000000
#define NANO_PER_MILLI 1000000

static void release_thresholds(struct kubelet_config *config)
{
        for (size_t i = 0; i < config->eviction_hard_count; i++)
                free(config->eviction_hard[i].signal);
        free(config->eviction_hard);
}

void kubelet_config_release(struct kubelet_config *config)
{
        char *const strings[] = {
                config->static_pod_path,      config->pod_logs_dir,    config->root_dir,          config->kubeconfig,
                config->healthz_bind_address, config->address,         config->cluster_domain,    config->resolv_conf,
                config->cgroup_root,          config->cgroup_driver,   config->hostname_override, config->node_ip,
                config->provider_id,          config->state_directory, config->run_directory,     config->socket_group,
                config->docker_endpoint,      config->sandbox_image,   config->cert_dir,          config->tls_cert_file,
                config->tls_private_key_file, config->client_ca_file,  config->effective_json,
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

/* One of the kinds of document that a file may hold, at most once each. */
struct document_kind {
        const char *kind, *api_version;
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

/* RFC 7396; both are maps. */
static void merge(struct value *into, const struct value *over)
{
        for (size_t i = 0; i < over->map.count; i++) {
                const struct value_entry *entry = &over->map.entries[i];
                struct value *before = value_map_get(into, entry->key);

                if (value_is(entry->value, VALUE_MAP) && value_is(before, VALUE_MAP)) {
                        merge(before, entry->value);
                        continue;
                }
                (void)value_map_remove(into, entry->key);
                if (!value_is(entry->value, VALUE_NULL))
                        value_map_append(into, entry->key, value_copy(entry->value))->place = entry->place;
        }
}

/* The documents of a file, over those of the files before it. */
static int take_file(const struct kubelet_config_file *file, struct value **kubelet, struct value **podwatch,
                     struct pod_findings *findings, struct err *err)
{
        struct value *given[2] = {NULL, NULL}, **const all[] = {kubelet, podwatch};
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        const struct document_kind kinds[] = {
                {"KubeletConfiguration", KUBELET_CONFIG_API_VERSION, &given[0]},
                {"PodwatchConfiguration", PODWATCH_CONFIG_API_VERSION, &given[1]},
        };
        int r = yaml_load(file->name, file->data, file->len, 0, &documents, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < documents.count; i++)
                take_document(&documents.items[i], kinds, ARRAY_SIZE(kinds), findings);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                if (given[i] && *all[i])
                        merge(*all[i], given[i]);
                else if (given[i])
                        *all[i] = TAKE_PTR(given[i]);
                given[i] = value_free(given[i]);
        }
        return 0;
}

static void apply_flags(const struct kubelet_config_sources *sources, struct value *kubelet, struct value *own,
                        struct pod_findings *findings)
{
        if (sources->env) {
                const struct strv *words = sources->env->words;

                kubelet_flags_apply(&words[KUBELET_ENV_KUBEADM_ARGS], false, kubelet, own, findings);
                /* Up to 1.34 kubeadm names an image there whether or not anybody asked, for a kubelet whose runtime has
                 * its own; podwatch has its own too, and must start pods where no registry answers. */
                (void)value_map_remove(own, "pod-infra-container-image");
                kubelet_flags_apply(&words[KUBELET_ENV_EXTRA_ARGS], false, kubelet, own, findings);
        }
        if (sources->flags)
                kubelet_flags_apply(sources->flags, true, kubelet, own, findings);
}

int kubelet_config_load(const struct kubelet_config_sources *sources, struct kubelet_config *ret,
                        struct pod_findings *findings, struct err *err)
{
        struct value *kubelet CLEANUP_VALUE = NULL, *podwatch CLEANUP_VALUE = NULL,
                              *own CLEANUP_VALUE = value_new_map();
        struct kubelet_config config CLEANUP_KUBELET_CONFIG = {0};
        int r = 0;

        for (size_t i = 0; r == 0 && i < sources->file_count; i++)
                r = take_file(&sources->files[i], &kubelet, &podwatch, findings, err);
        if (r < 0)
                return r;
        kubelet = kubelet ? kubelet : value_new_map();
        podwatch = podwatch ? podwatch : value_new_map();
        apply_flags(sources, kubelet, own, findings);
        check_schema(kubelet, &kubelet_configuration_schema, findings);
        check_schema(podwatch, &podwatch_configuration_schema, findings);
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

/* NULL: none for this signal. */
static const struct kubelet_threshold *find_threshold(const struct kubelet_config *config, const char *signal)
{
        for (size_t i = 0; i < config->eviction_hard_count; i++) {
                if (str_eq(config->eviction_hard[i].signal, signal))
                        return &config->eviction_hard[i];
        }
        return NULL;
}

static __int128 threshold_nano(const struct kubelet_threshold *t, __int128 capacity)
{
        return t->percent ? capacity / 100000 * t->milli_percent : t->quantity.nano;
}

static __int128 at_least_zero(__int128 n)
{
        return n > 0 ? n : 0;
}

/* Billionths of what one is. */
static __int128 nano_of(enum pod_resource resource, int64_t n)
{
        return (__int128)n * (resource == POD_RESOURCE_CPU ? NANO_PER_MILLI : NANO_PER_UNIT);
}

static int64_t in_units(enum pod_resource resource, __int128 nano)
{
        struct quantity q = {.nano = nano};

        return resource == POD_RESOURCE_CPU ? quantity_milli(&q) : quantity_value(&q);
}

/* By evictionHard, of a capacity. */
static __int128 evictions_keep(const struct kubelet_config *config, enum pod_resource resource, __int128 capacity)
{
        static const char *const signals[POD_RESOURCE_MAX] = {
                [POD_RESOURCE_MEMORY] = "memory.available",
                [POD_RESOURCE_EPHEMERAL_STORAGE] = "nodefs.available",
        };
        const struct kubelet_threshold *t = signals[resource] ? find_threshold(config, signals[resource]) : NULL;

        return t ? threshold_nano(t, capacity) : 0;
}

int64_t kubelet_config_allocatable(const struct kubelet_config *config, enum pod_resource resource, int64_t capacity)
{
        __int128 all = nano_of(resource, capacity), left = all;

        left = at_least_zero(left - config->kube_reserved.resources[resource].nano);
        left = at_least_zero(left - config->system_reserved.resources[resource].nano);
        return in_units(resource, at_least_zero(left - evictions_keep(config, resource, all)));
}

int kubelet_config_check_reserved(const struct kubelet_config *config, enum pod_resource resource, int64_t capacity,
                                  struct err *err)
{
        const char *name = pod_resource_names.names[resource];
        __int128 kube = config->kube_reserved.resources[resource].nano;
        __int128 system = config->system_reserved.resources[resource].nano;

        if (nano_of(resource, capacity) >= kube + system)
                return 0;
        return err_set(err, ERR_INVALID,
                       "kubeReserved.%s (%lld) and systemReserved.%s (%lld) are more than the node's %s (%lld%s)", name,
                       (long long)in_units(resource, kube), name, (long long)in_units(resource, system), name,
                       (long long)capacity, resource == POD_RESOURCE_CPU ? " thousandths" : " bytes");
}

bool kubelet_config_has_threshold(const struct kubelet_config *config, const char *signal)
{
        return find_threshold(config, signal);
}

bool kubelet_config_under_threshold(const struct kubelet_config *config, const char *signal, int64_t available,
                                    int64_t capacity)
{
        const struct kubelet_threshold *t = find_threshold(config, signal);

        return t && capacity > 0 &&
               (__int128)available * NANO_PER_UNIT < threshold_nano(t, (__int128)capacity * NANO_PER_UNIT);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "phase/config.h"
#include "phase/config_schema.h"

/* clang-format off */
#define FIELD(name, type, strukt, member) {(name), (type), offsetof(struct strukt, member), NULL, 0}
#define STRUCT(name, strukt, member, sub) {(name), CONFIG_STRUCT, offsetof(struct strukt, member), &(sub), 0}
#define LIST(name, strukt, member, sub, item) \
        {(name), CONFIG_LIST, offsetof(struct strukt, member), &(sub), sizeof(struct item)}
#define IGNORED(name) {(name), CONFIG_IGNORED, 0, NULL, 0}
#define END {0}
#define PLAIN(table) {(table), CONFIG_NO_OFFSET, CONFIG_NO_OFFSET}

static const struct config_field volume_fields[] = {
        FIELD("name", CONFIG_TEXT, config_volume, name),
        FIELD("hostPath", CONFIG_TEXT, config_volume, host_path),
        FIELD("mountPath", CONFIG_TEXT, config_volume, mount_path),
        FIELD("readOnly", CONFIG_BOOL, config_volume, read_only),
        FIELD("pathType", CONFIG_TEXT, config_volume, path_type),
        END
};
static const struct config_schema volume = {
        volume_fields, CONFIG_NO_OFFSET, offsetof(struct config_volume, place)};

static const struct config_field taint_fields[] = {
        FIELD("key", CONFIG_TEXT, config_taint, key),
        FIELD("value", CONFIG_TEXT, config_taint, value),
        FIELD("effect", CONFIG_TEXT, config_taint, effect),
        IGNORED("timeAdded"),
        END
};
static const struct config_schema taint = {
        taint_fields, CONFIG_NO_OFFSET, offsetof(struct config_taint, place)};

static const struct config_field token_fields[] = {
        FIELD("token", CONFIG_TOKEN, config_token, token),
        FIELD("description", CONFIG_TEXT, config_token, description),
        FIELD("ttl", CONFIG_DURATION, config_token, ttl),
        FIELD("expires", CONFIG_TEXT, config_token, expires),
        FIELD("usages", CONFIG_TEXTS, config_token, usages),
        FIELD("groups", CONFIG_TEXTS, config_token, groups),
        END
};
static const struct config_schema token = {
        token_fields, CONFIG_NO_OFFSET, offsetof(struct config_token, place)};

static const struct config_field endpoint_fields[] = {
        FIELD("advertiseAddress", CONFIG_TEXT, config_endpoint, advertise_address),
        FIELD("bindPort", CONFIG_NUMBER, config_endpoint, bind_port),
        END
};
static const struct config_schema endpoint = PLAIN(endpoint_fields);

static const struct config_field networking_fields[] = {
        FIELD("serviceSubnet", CONFIG_TEXT, config_networking, service_subnet),
        FIELD("podSubnet", CONFIG_TEXT, config_networking, pod_subnet),
        FIELD("dnsDomain", CONFIG_TEXT, config_networking, dns_domain),
        END
};
static const struct config_schema networking = PLAIN(networking_fields);

static const struct config_field patches_fields[] = {
        FIELD("directory", CONFIG_TEXT, config_init, patches_directory),
        END
};
static const struct config_schema patches = {
        patches_fields, offsetof(struct config_init, patches_set), CONFIG_NO_OFFSET};

static const struct config_field timeouts_fields[] = {
        FIELD("controlPlaneComponentHealthCheck", CONFIG_DURATION, config_timeouts, control_plane_component_health_check),
        FIELD("kubeletHealthCheck", CONFIG_DURATION, config_timeouts, kubelet_health_check),
        FIELD("kubernetesAPICall", CONFIG_DURATION, config_timeouts, kubernetes_api_call),
        FIELD("etcdAPICall", CONFIG_DURATION, config_timeouts, etcd_api_call),
        FIELD("tlsBootstrap", CONFIG_DURATION, config_timeouts, tls_bootstrap),
        FIELD("discovery", CONFIG_DURATION, config_timeouts, discovery),
        FIELD("upgradeManifests", CONFIG_DURATION, config_timeouts, upgrade_manifests),
        END
};
static const struct config_schema timeouts = PLAIN(timeouts_fields);

static const struct config_field local_etcd_fields[] = {
        FIELD("imageRepository", CONFIG_TEXT, config_etcd_local, image_repository),
        FIELD("imageTag", CONFIG_TEXT, config_etcd_local, image_tag),
        FIELD("dataDir", CONFIG_TEXT, config_etcd_local, data_dir),
        FIELD("extraArgs", CONFIG_ARGS, config_etcd_local, extra_args),
        FIELD("extraEnvs", CONFIG_ENVS, config_etcd_local, extra_envs),
        FIELD("serverCertSANs", CONFIG_TEXTS, config_etcd_local, server_cert_sans),
        FIELD("peerCertSANs", CONFIG_TEXTS, config_etcd_local, peer_cert_sans),
        END
};
static const struct config_schema local_etcd = {
        local_etcd_fields, offsetof(struct config_etcd_local, set), offsetof(struct config_etcd_local, place)};

static const struct config_field external_etcd_fields[] = {
        FIELD("endpoints", CONFIG_TEXTS, config_etcd_external, endpoints),
        FIELD("httpEndpoints", CONFIG_TEXTS, config_etcd_external, http_endpoints),
        FIELD("caFile", CONFIG_TEXT, config_etcd_external, ca_file),
        FIELD("certFile", CONFIG_TEXT, config_etcd_external, cert_file),
        FIELD("keyFile", CONFIG_TEXT, config_etcd_external, key_file),
        END
};
static const struct config_schema external_etcd = {
        external_etcd_fields, offsetof(struct config_etcd_external, set), offsetof(struct config_etcd_external, place)};

static const struct config_field etcd_fields[] = {
        STRUCT("local", config_etcd, local, local_etcd),
        STRUCT("external", config_etcd, external, external_etcd),
        END
};
static const struct config_schema etcd = PLAIN(etcd_fields);

static const struct config_field component_fields[] = {
        FIELD("extraArgs", CONFIG_ARGS, config_component, extra_args),
        LIST("extraVolumes", config_component, extra_volumes, volume, config_volume),
        FIELD("extraEnvs", CONFIG_ENVS, config_component, extra_envs),
        END
};
static const struct config_schema component = PLAIN(component_fields);

static const struct config_field api_server_fields[] = {
        FIELD("extraArgs", CONFIG_ARGS, config_api_server, component.extra_args),
        LIST("extraVolumes", config_api_server, component.extra_volumes, volume, config_volume),
        FIELD("extraEnvs", CONFIG_ENVS, config_api_server, component.extra_envs),
        FIELD("certSANs", CONFIG_TEXTS, config_api_server, cert_sans),
        FIELD("timeoutForControlPlane", CONFIG_DURATION, config_api_server, timeout_for_control_plane),
        END
};
static const struct config_schema api_server = PLAIN(api_server_fields);

static const struct config_field node_registration_fields[] = {
        FIELD("name", CONFIG_TEXT, config_node_registration, name),
        FIELD("criSocket", CONFIG_TEXT, config_node_registration, cri_socket),
        LIST("taints", config_node_registration, taints, taint, config_taint),
        FIELD("kubeletExtraArgs", CONFIG_ARGS, config_node_registration, kubelet_extra_args),
        FIELD("ignorePreflightErrors", CONFIG_TEXTS, config_node_registration, ignore_preflight_errors),
        FIELD("imagePullPolicy", CONFIG_TEXT, config_node_registration, image_pull_policy),
        FIELD("imagePullSerial", CONFIG_BOOL, config_node_registration, image_pull_serial),
        END
};
static const struct config_schema node_registration = PLAIN(node_registration_fields);

static const struct config_field dns_fields[] = {
        FIELD("type", CONFIG_TEXT, config_dns, type),
        FIELD("imageRepository", CONFIG_TEXT, config_dns, image_repository),
        FIELD("imageTag", CONFIG_TEXT, config_dns, image_tag),
        FIELD("disabled", CONFIG_BOOL, config_dns, disabled),
        END
};
static const struct config_schema dns = PLAIN(dns_fields);

static const struct config_field proxy_fields[] = {
        FIELD("disabled", CONFIG_BOOL, config_cluster, proxy_disabled),
        END
};
static const struct config_schema proxy = PLAIN(proxy_fields);

static const struct config_field init_fields[] = {
        IGNORED("apiVersion"),
        IGNORED("kind"),
        LIST("bootstrapTokens", config_init, bootstrap_tokens, token, config_token),
        FIELD("dryRun", CONFIG_BOOL, config_init, dry_run),
        STRUCT("nodeRegistration", config_init, node_registration, node_registration),
        STRUCT("localAPIEndpoint", config_init, local_api_endpoint, endpoint),
        FIELD("certificateKey", CONFIG_TEXT, config_init, certificate_key),
        FIELD("skipPhases", CONFIG_TEXTS, config_init, skip_phases),
        {"patches", CONFIG_STRUCT, 0, &patches, 0},
        STRUCT("timeouts", config_init, timeouts, timeouts),
        END
};
static const struct config_schema init = PLAIN(init_fields);

static const struct config_field cluster_fields[] = {
        IGNORED("apiVersion"),
        IGNORED("kind"),
        STRUCT("etcd", config_cluster, etcd, etcd),
        STRUCT("networking", config_cluster, networking, networking),
        FIELD("kubernetesVersion", CONFIG_TEXT, config_cluster, kubernetes_version),
        FIELD("controlPlaneEndpoint", CONFIG_TEXT, config_cluster, control_plane_endpoint),
        STRUCT("apiServer", config_cluster, api_server, api_server),
        STRUCT("controllerManager", config_cluster, controller_manager, component),
        STRUCT("scheduler", config_cluster, scheduler, component),
        STRUCT("dns", config_cluster, dns, dns),
        {"proxy", CONFIG_STRUCT, 0, &proxy, 0},
        FIELD("certificatesDir", CONFIG_TEXT, config_cluster, certificates_dir),
        FIELD("imageRepository", CONFIG_TEXT, config_cluster, image_repository),
        FIELD("useHyperKubeImage", CONFIG_BOOL, config_cluster, use_hyper_kube_image),
        FIELD("featureGates", CONFIG_GATES, config_cluster, feature_gates),
        FIELD("clusterName", CONFIG_TEXT, config_cluster, cluster_name),
        FIELD("encryptionAlgorithm", CONFIG_TEXT, config_cluster, encryption_algorithm),
        FIELD("certificateValidityPeriod", CONFIG_DURATION, config_cluster, certificate_validity_period),
        FIELD("caCertificateValidityPeriod", CONFIG_DURATION, config_cluster, ca_certificate_validity_period),
        END
};
static const struct config_schema cluster = PLAIN(cluster_fields);
/* clang-format on */

const struct config_schema *config_schema(const char *kind)
{
        if (strcmp(kind, "InitConfiguration") == 0)
                return &init;
        return strcmp(kind, "ClusterConfiguration") == 0 ? &cluster : NULL;
}

enum api_shape config_field_shape(const struct era *era, const char *type, const char *version, const char *field)
{
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        char *name CLEANUP_FREE = xasprintf("%s.%s", type, version);
        const struct api_type *found = NULL;
        const struct api_field *row;

        if (api_types_get(types, name, &found, NULL) < 0)
                return API_SHAPE_MAX;
        row = api_type_field(found, field);
        return row ? row->ref.shape : API_SHAPE_MAX;
}

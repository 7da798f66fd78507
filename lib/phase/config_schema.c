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
#define COMMA ,
#define PLAIN(go, table) {(go), (table), CONFIG_NO_OFFSET, CONFIG_NO_OFFSET}

/* Structs that all versions share */

static const struct config_field volume_fields[] = {
        FIELD("name", CONFIG_TEXT, config_volume, name),
        FIELD("hostPath", CONFIG_TEXT, config_volume, host_path),
        FIELD("mountPath", CONFIG_TEXT, config_volume, mount_path),
        FIELD("readOnly", CONFIG_BOOL, config_volume, read_only),
        FIELD("pathType", CONFIG_TEXT, config_volume, path_type),
        END
};
static const struct config_schema volume = {
        "HostPathMount", volume_fields, CONFIG_NO_OFFSET, offsetof(struct config_volume, place)};

static const struct config_field taint_fields[] = {
        FIELD("key", CONFIG_TEXT, config_taint, key),
        FIELD("value", CONFIG_TEXT, config_taint, value),
        FIELD("effect", CONFIG_TEXT, config_taint, effect),
        IGNORED("timeAdded"),
        END
};
static const struct config_schema taint = {
        "Taint", taint_fields, CONFIG_NO_OFFSET, offsetof(struct config_taint, place)};

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
        "BootstrapToken", token_fields, CONFIG_NO_OFFSET, offsetof(struct config_token, place)};

static const struct config_field endpoint_fields[] = {
        FIELD("advertiseAddress", CONFIG_TEXT, config_endpoint, advertise_address),
        FIELD("bindPort", CONFIG_NUMBER, config_endpoint, bind_port),
        END
};
static const struct config_schema endpoint = PLAIN("APIEndpoint", endpoint_fields);

static const struct config_field networking_fields[] = {
        FIELD("serviceSubnet", CONFIG_TEXT, config_networking, service_subnet),
        FIELD("podSubnet", CONFIG_TEXT, config_networking, pod_subnet),
        FIELD("dnsDomain", CONFIG_TEXT, config_networking, dns_domain),
        END
};
static const struct config_schema networking = PLAIN("Networking", networking_fields);

static const struct config_field patches_fields[] = {
        FIELD("directory", CONFIG_TEXT, config_init, patches_directory),
        END
};
static const struct config_schema patches = {
        "Patches", patches_fields, offsetof(struct config_init, patches_set), CONFIG_NO_OFFSET};

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
static const struct config_schema timeouts = PLAIN("Timeouts", timeouts_fields);

/* What the versions differ in: arguments as map or list, environment, and fields that came and went */

#define LOCAL_ETCD(version, args, ...) \
        static const struct config_field local_etcd_fields_##version[] = { \
                FIELD("imageRepository", CONFIG_TEXT, config_etcd_local, image_repository), \
                FIELD("imageTag", CONFIG_TEXT, config_etcd_local, image_tag), \
                FIELD("dataDir", CONFIG_TEXT, config_etcd_local, data_dir), \
                FIELD("extraArgs", args, config_etcd_local, extra_args), \
                FIELD("serverCertSANs", CONFIG_TEXTS, config_etcd_local, server_cert_sans), \
                FIELD("peerCertSANs", CONFIG_TEXTS, config_etcd_local, peer_cert_sans), \
                __VA_ARGS__ \
                END \
        }; \
        static const struct config_schema local_etcd_##version = { \
                "LocalEtcd", local_etcd_fields_##version, offsetof(struct config_etcd_local, set), \
                offsetof(struct config_etcd_local, place)};

#define EXTERNAL_ETCD(version, ...) \
        static const struct config_field external_etcd_fields_##version[] = { \
                FIELD("endpoints", CONFIG_TEXTS, config_etcd_external, endpoints), \
                FIELD("caFile", CONFIG_TEXT, config_etcd_external, ca_file), \
                FIELD("certFile", CONFIG_TEXT, config_etcd_external, cert_file), \
                FIELD("keyFile", CONFIG_TEXT, config_etcd_external, key_file), \
                __VA_ARGS__ \
                END \
        }; \
        static const struct config_schema external_etcd_##version = { \
                "ExternalEtcd", external_etcd_fields_##version, offsetof(struct config_etcd_external, set), \
                offsetof(struct config_etcd_external, place)}; \
        static const struct config_field etcd_fields_##version[] = { \
                STRUCT("local", config_etcd, local, local_etcd_##version), \
                STRUCT("external", config_etcd, external, external_etcd_##version), \
                END \
        }; \
        static const struct config_schema etcd_##version = PLAIN("Etcd", etcd_fields_##version);

#define COMPONENTS(version, args, api_server_extra, ...) \
        static const struct config_field component_fields_##version[] = { \
                FIELD("extraArgs", args, config_component, extra_args), \
                LIST("extraVolumes", config_component, extra_volumes, volume, config_volume), \
                __VA_ARGS__ \
                END \
        }; \
        static const struct config_schema component_##version = PLAIN("ControlPlaneComponent", component_fields_##version); \
        static const struct config_field api_server_fields_##version[] = { \
                FIELD("extraArgs", args, config_api_server, component.extra_args), \
                LIST("extraVolumes", config_api_server, component.extra_volumes, volume, config_volume), \
                FIELD("certSANs", CONFIG_TEXTS, config_api_server, cert_sans), \
                api_server_extra \
                END \
        }; \
        static const struct config_schema api_server_##version = PLAIN("APIServer", api_server_fields_##version);

#define NODE_REGISTRATION(version, args, ...) \
        static const struct config_field node_registration_fields_##version[] = { \
                FIELD("name", CONFIG_TEXT, config_node_registration, name), \
                FIELD("criSocket", CONFIG_TEXT, config_node_registration, cri_socket), \
                LIST("taints", config_node_registration, taints, taint, config_taint), \
                FIELD("kubeletExtraArgs", args, config_node_registration, kubelet_extra_args), \
                FIELD("ignorePreflightErrors", CONFIG_TEXTS, config_node_registration, ignore_preflight_errors), \
                __VA_ARGS__ \
                END \
        }; \
        static const struct config_schema node_registration_##version = \
                PLAIN("NodeRegistrationOptions", node_registration_fields_##version);

#define DNS(version, ...) \
        static const struct config_field dns_fields_##version[] = { \
                FIELD("imageRepository", CONFIG_TEXT, config_dns, image_repository), \
                FIELD("imageTag", CONFIG_TEXT, config_dns, image_tag), \
                __VA_ARGS__ \
                END \
        }; \
        static const struct config_schema dns_##version = PLAIN("DNS", dns_fields_##version);

#define TYPE_META IGNORED("apiVersion"), IGNORED("kind")

#define INIT(version, ...) \
        static const struct config_field init_fields_##version[] = { \
                TYPE_META, \
                LIST("bootstrapTokens", config_init, bootstrap_tokens, token, config_token), \
                STRUCT("nodeRegistration", config_init, node_registration, node_registration_##version), \
                STRUCT("localAPIEndpoint", config_init, local_api_endpoint, endpoint), \
                FIELD("certificateKey", CONFIG_TEXT, config_init, certificate_key), \
                __VA_ARGS__ \
                END \
        }; \
        static const struct config_schema init_##version = PLAIN("InitConfiguration", init_fields_##version);

#define CLUSTER(version, ...) \
        static const struct config_field cluster_fields_##version[] = { \
                TYPE_META, \
                STRUCT("etcd", config_cluster, etcd, etcd_##version), \
                STRUCT("networking", config_cluster, networking, networking), \
                FIELD("kubernetesVersion", CONFIG_TEXT, config_cluster, kubernetes_version), \
                FIELD("controlPlaneEndpoint", CONFIG_TEXT, config_cluster, control_plane_endpoint), \
                STRUCT("apiServer", config_cluster, api_server, api_server_##version), \
                STRUCT("controllerManager", config_cluster, controller_manager, component_##version), \
                STRUCT("scheduler", config_cluster, scheduler, component_##version), \
                STRUCT("dns", config_cluster, dns, dns_##version), \
                FIELD("certificatesDir", CONFIG_TEXT, config_cluster, certificates_dir), \
                FIELD("imageRepository", CONFIG_TEXT, config_cluster, image_repository), \
                FIELD("featureGates", CONFIG_GATES, config_cluster, feature_gates), \
                FIELD("clusterName", CONFIG_TEXT, config_cluster, cluster_name), \
                __VA_ARGS__ \
                END \
        }; \
        static const struct config_schema cluster_##version = PLAIN("ClusterConfiguration", cluster_fields_##version);

/* v1beta2 */

LOCAL_ETCD(v1beta2, CONFIG_ARG_MAP, )
EXTERNAL_ETCD(v1beta2, )
COMPONENTS(v1beta2, CONFIG_ARG_MAP,
        FIELD("timeoutForControlPlane", CONFIG_DURATION, config_api_server, timeout_for_control_plane) COMMA, )
NODE_REGISTRATION(v1beta2, CONFIG_ARG_MAP, )
DNS(v1beta2, FIELD("type", CONFIG_TEXT, config_dns, type),)
INIT(v1beta2, )
CLUSTER(v1beta2, FIELD("useHyperKubeImage", CONFIG_BOOL, config_cluster, use_hyper_kube_image),)

/* v1beta3 */

LOCAL_ETCD(v1beta3, CONFIG_ARG_MAP, )
EXTERNAL_ETCD(v1beta3, )
COMPONENTS(v1beta3, CONFIG_ARG_MAP,
        FIELD("timeoutForControlPlane", CONFIG_DURATION, config_api_server, timeout_for_control_plane) COMMA, )
NODE_REGISTRATION(v1beta3, CONFIG_ARG_MAP,
        FIELD("imagePullPolicy", CONFIG_TEXT, config_node_registration, image_pull_policy),)
DNS(v1beta3, )
INIT(v1beta3,
        FIELD("skipPhases", CONFIG_TEXTS, config_init, skip_phases),
        {"patches", CONFIG_STRUCT, 0, &patches, 0},)
CLUSTER(v1beta3, )

/* v1beta4 */

LOCAL_ETCD(v1beta4, CONFIG_ARG_LIST, FIELD("extraEnvs", CONFIG_ENVS, config_etcd_local, extra_envs),)
EXTERNAL_ETCD(v1beta4, FIELD("httpEndpoints", CONFIG_TEXTS, config_etcd_external, http_endpoints),)
COMPONENTS(v1beta4, CONFIG_ARG_LIST,
        FIELD("extraEnvs", CONFIG_ENVS, config_api_server, component.extra_envs) COMMA,
        FIELD("extraEnvs", CONFIG_ENVS, config_component, extra_envs),)
NODE_REGISTRATION(v1beta4, CONFIG_ARG_LIST,
        FIELD("imagePullPolicy", CONFIG_TEXT, config_node_registration, image_pull_policy),
        FIELD("imagePullSerial", CONFIG_BOOL, config_node_registration, image_pull_serial),)
DNS(v1beta4, FIELD("disabled", CONFIG_BOOL, config_dns, disabled),)
INIT(v1beta4,
        FIELD("dryRun", CONFIG_BOOL, config_init, dry_run),
        FIELD("skipPhases", CONFIG_TEXTS, config_init, skip_phases),
        {"patches", CONFIG_STRUCT, 0, &patches, 0},
        STRUCT("timeouts", config_init, timeouts, timeouts),)

static const struct config_field proxy_fields[] = {
        FIELD("disabled", CONFIG_BOOL, config_cluster, proxy_disabled),
        END
};
static const struct config_schema proxy = PLAIN("Proxy", proxy_fields);

CLUSTER(v1beta4,
        {"proxy", CONFIG_STRUCT, 0, &proxy, 0},
        FIELD("encryptionAlgorithm", CONFIG_TEXT, config_cluster, encryption_algorithm),
        FIELD("certificateValidityPeriod", CONFIG_DURATION, config_cluster, certificate_validity_period),
        FIELD("caCertificateValidityPeriod", CONFIG_DURATION, config_cluster, ca_certificate_validity_period),)
/* clang-format on */

static const struct {
        const char *version;
        const struct config_schema *init, *cluster;
} versions[] = {
        /* What v1beta1 lacks stands in the rows `absentFields`. */
        {"v1beta1", &init_v1beta2, &cluster_v1beta2},
        {"v1beta2", &init_v1beta2, &cluster_v1beta2},
        {"v1beta3", &init_v1beta3, &cluster_v1beta3},
        {"v1beta4", &init_v1beta4, &cluster_v1beta4},
        /* What an argument has more stands in config-types.yaml. */
        {"v1", &init_v1beta4, &cluster_v1beta4},
};

const struct config_schema *config_schema(const char *version, const char *kind)
{
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                if (strcmp(versions[i].version, version) != 0)
                        continue;
                if (strcmp(kind, versions[i].init->name) == 0)
                        return versions[i].init;
                if (strcmp(kind, versions[i].cluster->name) == 0)
                        return versions[i].cluster;
        }
        return NULL;
}

bool config_has_argument_lists(const char *version)
{
        const struct config_schema *init = config_schema(version, "InitConfiguration");

        return !init || init == &init_v1beta4;
}

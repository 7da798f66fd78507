#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * kubeadm's InitConfiguration and ClusterConfiguration as one typed struct, whatever API version they were written in,
 * and the component configurations beside them as values. Each setting remembers where it came from, so that an error
 * can name file:line:column and `explain` can name the line: a place with a file came from the configuration, one with
 * an origin alone is "default", "host", an era row or a flag ("--pod-network-cidr").
 *
 * A configuration is loaded by phase_open (phase.h), which decodes (config_decode.h), defaults (config_default.h) and
 * validates (config_validate.h) it. Everything in it lives as long as the configuration itself: nothing is freed
 * piecemeal, so pointers into it may be kept.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/value.h"

/* All lists have the same layout: items, count, set (written down, perhaps empty), place. */

struct config_text {
        const char *text; /* never NULL; "" where unset */
        struct value_place place;
};

struct config_number {
        int64_t value;
        struct value_place place;
};

struct config_bool {
        bool value;
        bool set; /* written in the configuration (or defaulted) */
        struct value_place place;
};

struct config_duration {
        int64_t nsec;
        bool set;
        struct value_place place;
};

struct config_texts {
        struct config_text *items;
        size_t count;
        bool set;
        struct value_place place;
};

/* One argument of a component. In the API versions that have a map they are sorted by name, as kubeadm converts them.
 */
struct config_arg {
        const char *name;
        const char *value;
        struct value_place place;
        const char *merge_method; /* of API version v1; NULL: none */
};

struct config_args {
        struct config_arg *items;
        size_t count;
        bool set;
        struct value_place place;
};

struct config_env {
        const char *name;
        const struct value *item; /* the whole EnvVar as written, a map: name, value, valueFrom */
        struct value_place place;
};

struct config_envs {
        struct config_env *items;
        size_t count;
        bool set;
        struct value_place place;
};

/* HostPathMount */
struct config_volume {
        struct config_text name, host_path, mount_path, path_type;
        struct config_bool read_only;
        struct value_place place;
};

struct config_volumes {
        struct config_volume *items;
        size_t count;
        bool set;
        struct value_place place;
};

struct config_gate {
        const char *name;
        bool enabled;
        struct value_place place;
};

struct config_gates {
        struct config_gate *items; /* sorted by name */
        size_t count;
        bool set;
        struct value_place place;
};

struct config_taint {
        struct config_text key, value, effect;
        struct value_place place;
};

struct config_taints {
        struct config_taint *items;
        size_t count;
        bool set; /* an empty list written down means no taint */
        struct value_place place;
};

/* BootstrapToken */
struct config_token {
        struct config_text token; /* "" until one is needed and made */
        struct config_text description;
        struct config_duration ttl;
        struct config_text expires;
        struct config_texts usages;
        struct config_texts groups;
        struct value_place place;
};

struct config_tokens {
        struct config_token *items;
        size_t count;
        bool set;
        struct value_place place;
};

struct config_component {
        struct config_args extra_args;
        struct config_volumes extra_volumes;
        struct config_envs extra_envs;
};

struct config_api_server {
        struct config_component component;
        struct config_texts cert_sans;
        struct config_duration timeout_for_control_plane; /* up to v1beta3 */
};

struct config_endpoint {
        struct config_text advertise_address;
        struct config_number bind_port;
};

struct config_node_registration {
        struct config_text name;
        struct config_text cri_socket;
        struct config_taints taints;
        struct config_args kubelet_extra_args;
        struct config_texts ignore_preflight_errors;
        struct config_text image_pull_policy;
        struct config_bool image_pull_serial;
};

struct config_etcd_local {
        bool set;
        struct value_place place;
        struct config_text image_repository;
        struct config_text image_tag;
        struct config_text data_dir;
        struct config_args extra_args;
        struct config_envs extra_envs;
        struct config_texts server_cert_sans;
        struct config_texts peer_cert_sans;
};

struct config_etcd_external {
        bool set;
        struct value_place place;
        struct config_texts endpoints;
        struct config_texts http_endpoints;
        struct config_text ca_file;
        struct config_text cert_file;
        struct config_text key_file;
};

struct config_etcd {
        struct config_etcd_local local;
        struct config_etcd_external external;
};

struct config_timeouts {
        struct config_duration control_plane_component_health_check;
        struct config_duration kubelet_health_check;
        struct config_duration kubernetes_api_call;
        struct config_duration etcd_api_call;
        struct config_duration tls_bootstrap;
        struct config_duration discovery;
        struct config_duration upgrade_manifests;
};

/* InitConfiguration */
struct config_init {
        struct config_text api_version; /* "kubeadm.k8s.io/v1beta4"; "" where the document was not there */
        struct config_tokens bootstrap_tokens;
        struct config_bool dry_run;
        struct config_node_registration node_registration;
        struct config_endpoint local_api_endpoint;
        struct config_text certificate_key;
        struct config_texts skip_phases;
        struct config_text patches_directory;
        bool patches_set; /* patches was written, though it be empty */
        struct config_timeouts timeouts;
};

struct config_dns {
        struct config_text type; /* v1beta2 */
        struct config_text image_repository;
        struct config_text image_tag;
        struct config_bool disabled;
};

struct config_networking {
        struct config_text service_subnet; /* as written, commas kept */
        struct config_text pod_subnet;
        struct config_text dns_domain;
};

/* ClusterConfiguration */
struct config_cluster {
        struct config_text api_version;
        struct config_etcd etcd;
        struct config_networking networking;
        struct config_text kubernetes_version;     /* normalised: "v1.36.3" */
        struct config_text control_plane_endpoint; /* "" or host:port, port filled in */
        struct config_api_server api_server;
        struct config_component controller_manager;
        struct config_component scheduler;
        struct config_dns dns;
        struct config_bool proxy_disabled;
        struct config_text certificates_dir;
        struct config_text image_repository;
        struct config_text ci_image_repository; /* of Kubernetes' own images where kubernetesVersion is ci/...; or "" */
        struct config_bool use_hyper_kube_image; /* v1beta2 */
        struct config_gates feature_gates;
        struct config_text cluster_name;
        struct config_text encryption_algorithm; /* RSA-2048, RSA-3072, RSA-4096, ECDSA-P256, ECDSA-P384 */
        struct config_duration certificate_validity_period;
        struct config_duration ca_certificate_validity_period;
};

/* A JoinConfiguration, ResetConfiguration or UpgradeConfiguration as written. */
struct config_node_document {
        const char *kind, *version; /* "JoinConfiguration", "v1beta4" */
        const struct value *value;
};

#define CONFIG_NODE_DOCUMENTS_MAX 3

struct phase_config {
        struct config_init init;
        struct config_cluster cluster;
        const struct value *kube_proxy; /* KubeProxyConfiguration as written, NULL where there was none */
        const struct value *kubelet;    /* KubeletConfiguration as written, NULL where there was none */
        const struct value *arguments;  /* ArgumentsConfiguration as written (arguments.h), NULL where there was none */
        struct config_node_document nodes[CONFIG_NODE_DOCUMENTS_MAX]; /* with CONFIG_DECODE_NODE_KINDS */
        size_t node_count;
        struct config_memory *memory; /* owns all of the above */
};

struct phase_config *phase_config_new(void);
struct phase_config *phase_config_free(struct phase_config *config);
static inline void cleanup_phase_config(struct phase_config **config)
{
        *config = phase_config_free(*config);
}
#define CLEANUP_PHASE_CONFIG __attribute__((cleanup(cleanup_phase_config)))

/* Text, memory and values that live as long as the configuration. config_keep takes ownership of s. */
const char *config_keep(struct phase_config *config, char *s);
const char *config_keepf(struct phase_config *config, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void *config_alloc(struct phase_config *config, size_t count, size_t size);
struct value *config_keep_value(struct phase_config *config, struct value *v);

/* Look-ups as kubeadm's GetArgValue: the last argument of that name, NULL where there is none. */
const struct config_arg *config_args_last(const struct config_args *args, const char *name);
bool config_gate_enabled(const struct phase_config *config, const char *name);

/* certificatesDir joined with name and cleaned (filepath.Join): "/etc/kubernetes/pki/etcd/ca.crt". Free it. */
char *config_certificate_path(const struct phase_config *config, const char *name);
/* https://HOST:PORT of this node's API server (IPv6 in brackets), and of the control plane as a whole: the same unless
 * controlPlaneEndpoint is set. Free them. */
char *config_local_endpoint(const struct phase_config *config);
char *config_control_plane_endpoint(const struct phase_config *config);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A pod: immutable once decoded, defaulted and validated, shared by reference count. It holds the typed fields that the
 * node needs and the canonical JSON bytes of the whole object (for /pods, the mirror, and the revision on disk).
 *
 * Fields have the names of core/v1, in C's spelling. A pointer that is NULL and a `has_` that is false mean "not set".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strv.h"
#include "codec/quantity.h"

struct buf;
struct config_objects;
struct err;
struct value;

enum pod_restart_policy { POD_RESTART_ALWAYS, POD_RESTART_ON_FAILURE, POD_RESTART_NEVER, POD_RESTART_MAX };
enum pod_pull_policy { POD_PULL_ALWAYS, POD_PULL_IF_NOT_PRESENT, POD_PULL_NEVER, POD_PULL_MAX };
enum pod_protocol { POD_PROTOCOL_TCP, POD_PROTOCOL_UDP, POD_PROTOCOL_SCTP, POD_PROTOCOL_MAX };
enum pod_qos { POD_QOS_GUARANTEED, POD_QOS_BURSTABLE, POD_QOS_BEST_EFFORT, POD_QOS_MAX };
enum pod_dns_policy {
        POD_DNS_CLUSTER_FIRST,
        POD_DNS_CLUSTER_FIRST_WITH_HOST_NET,
        POD_DNS_DEFAULT,
        POD_DNS_NONE,
        POD_DNS_MAX
};

struct pod_key_value {
        char *key, *value;
};

struct pod_map { /* labels, annotations: bytewise sorted by key */
        struct pod_key_value *items;
        size_t count;
};

struct pod_env {
        char *name;
        char *value;      /* literal, with $(VAR) unexpanded; NULL when field_path is set */
        char *field_path; /* valueFrom.fieldRef.fieldPath */
        char *resource;   /* valueFrom.resourceFieldRef.resource; container and divisor beside it */
        char *resource_container;
        struct quantity divisor;        /* nano 0: 1 */
        char *config_name, *config_key; /* valueFrom.configMapKeyRef or secretKeyRef */
        bool config_secret, config_optional;
        char *file_volume, *file_path, *file_key; /* valueFrom.fileKeyRef */
        bool file_optional;
};

struct pod_env_from {
        char *name, *prefix; /* prefix "" without */
        bool secret, optional;
};

struct pod_port {
        char *name; /* NULL without */
        int container_port;
        int host_port; /* 0 without; equals container_port with hostNetwork */
        char *host_ip; /* NULL without */
        enum pod_protocol protocol;
};

enum pod_resource { POD_RESOURCE_CPU, POD_RESOURCE_MEMORY, POD_RESOURCE_EPHEMERAL_STORAGE, POD_RESOURCE_MAX };

struct pod_resources {
        bool has_request[POD_RESOURCE_MAX], has_limit[POD_RESOURCE_MAX];
        struct quantity request[POD_RESOURCE_MAX], limit[POD_RESOURCE_MAX];
};

enum pod_propagation {
        POD_PROPAGATION_NONE,
        POD_PROPAGATION_HOST_TO_CONTAINER,
        POD_PROPAGATION_BIDIRECTIONAL,
        POD_PROPAGATION_MAX
};

struct pod_mount {
        char *name; /* of the volume */
        char *mount_path;
        char *sub_path;      /* NULL without */
        char *sub_path_expr; /* NULL without */
        bool read_only;
        enum pod_propagation propagation;
};

enum pod_handler_type {
        POD_HANDLER_NONE,
        POD_HANDLER_EXEC,
        POD_HANDLER_HTTP_GET,
        POD_HANDLER_TCP_SOCKET,
        POD_HANDLER_GRPC,
        POD_HANDLER_SLEEP,
        POD_HANDLER_MAX
};

struct pod_handler { /* of a probe or a lifecycle hook */
        enum pod_handler_type type;
        struct strv command;    /* exec */
        char *host;             /* http, tcp; NULL: the pod's address */
        char *path;             /* http, with "/" in front as given */
        bool https;             /* http: scheme */
        int port;               /* number, or 0 where port_name is set */
        char *port_name;        /* looked up among the container's ports */
        struct pod_map headers; /* http; order kept, repeats allowed */
        char *service;          /* grpc; NULL or "" default */
        int64_t sleep_seconds;
};

struct pod_probe {
        struct pod_handler handler; /* type NONE: no such probe */
        int initial_delay_seconds, timeout_seconds, period_seconds, success_threshold, failure_threshold;
        int64_t termination_grace_seconds; /* -1: the pod's */
};

enum pod_probe_kind { POD_PROBE_STARTUP, POD_PROBE_LIVENESS, POD_PROBE_READINESS, POD_PROBE_KIND_MAX };

enum pod_seccomp {
        POD_SECCOMP_UNSET,
        POD_SECCOMP_UNCONFINED,
        POD_SECCOMP_RUNTIME_DEFAULT,
        POD_SECCOMP_LOCALHOST,
        POD_SECCOMP_MAX
};

enum pod_app_armor {
        POD_APP_ARMOR_UNSET,
        POD_APP_ARMOR_UNCONFINED,
        POD_APP_ARMOR_RUNTIME_DEFAULT,
        POD_APP_ARMOR_LOCALHOST,
        POD_APP_ARMOR_MAX
};

enum pod_selinux { POD_SELINUX_USER, POD_SELINUX_ROLE, POD_SELINUX_TYPE, POD_SELINUX_LEVEL, POD_SELINUX_MAX };

struct pod_security { /* pod level and container level; the effective one is pod_container_security() */
        bool has_run_as_user, has_run_as_group;
        int64_t run_as_user, run_as_group;
        bool has_run_as_non_root, run_as_non_root;
        enum pod_seccomp seccomp;
        char *seccomp_localhost;
        enum pod_app_armor app_armor;
        char *app_armor_localhost;
        bool has_selinux;
        char *selinux[POD_SELINUX_MAX]; /* NULL: not given */
        /* container only */
        bool privileged;
        bool has_allow_privilege_escalation, allow_privilege_escalation;
        bool read_only_root_filesystem;
        struct strv cap_add, cap_drop;
        /* pod only */
        bool has_fs_group;
        int64_t fs_group;
        int64_t *supplemental_groups;
        size_t supplemental_group_count;
        struct pod_map sysctls;
};

/* restartPolicyRules as what they come to: the exit codes after which the container is restarted whatever its policy
 * says, one bit each of 0..255 as 64 hex digits (code 0 is the lowest bit of the first digit). */
#define POD_RESTART_CODES_MAX 65

struct pod_container {
        char *name;
        char *image;
        struct strv command, args; /* with $(VAR) unexpanded */
        char *working_dir;         /* NULL without */
        struct pod_port *ports;
        size_t port_count;
        struct pod_env *env;
        size_t env_count;
        struct pod_env_from *env_from;
        size_t env_from_count;
        struct pod_resources resources;
        struct pod_mount *mounts;
        size_t mount_count;
        struct pod_probe probes[POD_PROBE_KIND_MAX];
        struct pod_handler post_start, pre_stop;
        enum pod_pull_policy pull_policy;
        struct pod_security security;
        char *termination_message_path;
        bool termination_message_fallback; /* FallbackToLogsOnError */
        bool stdin, stdin_once, tty;
        bool init;               /* stands in initContainers */
        bool sidecar;            /* an init container with restartPolicy Always */
        bool has_restart_policy; /* its own, over the pod's */
        enum pod_restart_policy restart_policy;
        char restart_codes[POD_RESTART_CODES_MAX]; /* restartPolicyRules, see there; "" without */
};

enum pod_volume_type {
        POD_VOLUME_EMPTY_DIR,
        POD_VOLUME_HOST_PATH,
        POD_VOLUME_DOWNWARD_API, /* files; so are all that follow */
        POD_VOLUME_PROJECTED,
        POD_VOLUME_CONFIG_MAP,
        POD_VOLUME_SECRET,
        POD_VOLUME_MAX
};
enum pod_host_path_type {
        POD_HOST_PATH_UNSET,
        POD_HOST_PATH_DIRECTORY_OR_CREATE,
        POD_HOST_PATH_DIRECTORY,
        POD_HOST_PATH_FILE_OR_CREATE,
        POD_HOST_PATH_FILE,
        POD_HOST_PATH_SOCKET,
        POD_HOST_PATH_CHAR_DEVICE,
        POD_HOST_PATH_BLOCK_DEVICE,
        POD_HOST_PATH_MAX
};

struct pod_volume_file { /* of a downwardAPI volume or source */
        char *path;
        int mode;              /* -1: the default_mode of the volume */
        struct pod_env source; /* field_path or resource; no name */
};

struct pod_config_item {
        char *key, *path;
        int mode; /* -1: the default_mode of the volume */
};

struct pod_config_source { /* a ConfigMap or Secret, as a volume or a source of a projected one */
        char *name;
        bool secret, optional;
        struct pod_config_item *items; /* none: every key is a file */
        size_t item_count;
};

struct pod_volume {
        char *name;
        enum pod_volume_type type;
        char *host_path;
        enum pod_host_path_type host_path_type;
        bool memory; /* emptyDir.medium Memory */
        bool has_size_limit;
        struct quantity size_limit;
        /* files */
        struct pod_volume_file *files;
        size_t file_count;
        int default_mode;
        struct pod_config_source *sources;
        size_t source_count;
};

struct pod_host_alias {
        char *ip;
        struct strv hostnames;
};

struct pod {
        unsigned refs;

        /* metadata, as the node sees it: name already has its "-NODE" suffix */
        char *name, *namespace, *uid;
        struct pod_map labels, annotations;

        /* spec */
        struct pod_container *containers; /* init containers first (spec order), then app containers (spec order) */
        size_t container_count, init_count;
        struct pod_volume *volumes;
        size_t volume_count;
        enum pod_restart_policy restart_policy;
        int64_t termination_grace_seconds;
        int64_t active_deadline_seconds; /* 0: none */
        enum pod_dns_policy dns_policy;
        struct strv dns_nameservers, dns_searches;
        struct pod_map dns_options; /* value "" without one; order kept */
        bool host_network, host_pid, host_ipc, share_process_namespace;
        char *hostname, *subdomain; /* NULL without */
        bool set_hostname_as_fqdn;
        struct pod_host_alias *host_aliases;
        size_t host_alias_count;
        struct pod_security security;
        bool enable_service_links;
        bool has_priority;
        int32_t priority;
        char *priority_class_name;
        char *node_name, *service_account_name; /* NULL without */

        enum pod_qos qos;       /* computed */
        int64_t revert_seconds; /* podwatch.io/revert-after (pod_own.h); 0: not set, -1: never */

        /* Whole object after defaulting and identity, canonical JSON (keys sorted, no status). */
        char *json;
        size_t json_len;
        char *mirror_json; /* the same without references to ConfigMaps and Secrets; NULL: it has none */
        /* 32 hex digits over the canonical JSON less the annotations that differ from run to run (config.seen): two
         * pods with the same UID and another spec_hash are an edit. Its first field is the version of the algorithm. */
        char spec_hash[40];
};

/* Where a static pod comes from: what identity and defaulting need. */
struct pod_source {
        const char *node_name;                /* lower case */
        const char *file;                     /* path of the manifest; part of the UID */
        usec_t seen;                          /* wall clock, for kubernetes.io/config.seen */
        const struct config_objects *configs; /* what serves references (config_object.h), NULL: nothing does, and
                                               * each is refused in the kubelet's words */
        bool any_config;                      /* references are taken as served, without a look */
};

/* One thing found in a manifest. */
struct pod_finding {
        bool fatal; /* the pod cannot run; else a warning */
        char *text; /* FILE:LINE:COLUMN: field path: what (suggestion) */
};

struct pod_findings {
        struct pod_finding *items;
        size_t count;
};
void pod_findings_release(struct pod_findings *findings);
void pod_findings_add(struct pod_findings *findings, bool fatal, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* Decodes, defaults, validates and identifies one pod. The value is consumed in the sense that defaults are written
 * into it. Every finding is reported, not the first alone. Unknown fields are warnings, or fatal with strict. Fields
 * that core/v1 knows and this node does not do yet are fatal, with their path. 0 and a new reference; -ERR_INVALID when
 * a fatal finding exists, err then holds the first one. */
int pod_from_value(struct value *v, const struct pod_source *source, bool strict, struct pod **ret,
                   struct pod_findings *findings, struct err *err);
/* The same from bytes of a manifest. Exactly one document. */
int pod_from_manifest(const char *data, size_t len, const struct pod_source *source, bool strict, struct pod **ret,
                      struct pod_findings *findings, struct err *err);
/* Reads back pod->json as it was stored (already defaulted and identified). */
int pod_from_json(const char *data, size_t len, struct pod **ret, struct err *err);

struct pod *pod_ref(struct pod *pod);
struct pod *pod_unref(struct pod *pod); /* takes NULL, returns NULL */
static inline void cleanup_pod(struct pod **pod)
{
        *pod = pod_unref(*pod);
}
#define CLEANUP_POD __attribute__((cleanup(cleanup_pod)))

/* The same namespace and name. */
bool pod_same_name(const struct pod *a, const struct pod *b);
/* The same UID and spec hash: one version of a manifest, whichever file gave it. */
bool pod_same_version(const struct pod *a, const struct pod *b);
const char *pod_map_get(const struct pod_map *map, const char *key); /* NULL without */
const struct pod_container *pod_find_container(const struct pod *pod, const char *name);
/* Whether a container that ended with this code is run again: its rules, its own policy, the pod's (podutil
 * ContainerShouldRestart). A code below 0: its policy alone, of a run that is ended before its code is known. */
bool pod_container_restarts(const struct pod *pod, const struct pod_container *container, int exit_code);
/* Whether there is any code after which it is. */
bool pod_container_may_restart(const struct pod *pod, const struct pod_container *container);
/* Port number of a handler: its number, or the named port of the container; 0 where there is none. */
int pod_handler_port(const struct pod_container *container, const struct pod_handler *handler);
/* runAsUser, runAsGroup, runAsNonRoot, seccomp of the container over those of the pod. */
struct pod_security pod_container_security(const struct pod *pod, const struct pod_container *container); /* borrows */
/* The kubelet's container hash label (reference: kuberuntime HashContainer since 1.31): hex of FNV-1a 32 over
 * {"image":...,"name":...} in spew form. ret_text at least 9 bytes. */
void pod_container_hash(const struct pod_container *container, char ret_text[9]);

const char *pod_restart_policy_name(enum pod_restart_policy policy);
const char *pod_qos_name(enum pod_qos qos);
const char *pod_protocol_name(enum pod_protocol protocol);
const char *pod_probe_kind_name(enum pod_probe_kind kind); /* "Startup", "Liveness", "Readiness" */

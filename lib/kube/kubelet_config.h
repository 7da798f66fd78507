#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration of the node agent: KubeletConfiguration (kubelet.config.k8s.io/v1beta1), an optional second
 * document PodwatchConfiguration (podwatch.io/v1alpha1) with settings of our own, and the kubelet's flags, which
 * override the files (kube/kubelet_env.h, then the command line). Of several files a later one is merged over those
 * before it as a JSON merge patch (RFC 7396), as the kubelet does with those of --config-dir. Defaults are the
 * kubelet's (pkg/kubelet/apis/config/v1beta1/defaults.go); a zero duration means the default, as there.
 *
 * Every key is known by table (kube/kubelet_schema.h, kube/kubelet_flags.h): an unknown one is an error with the
 * nearest name, one that has no effect a warning, once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strv.h"
#include "codec/quantity.h"
#include "kube/pod.h"

struct err;
struct kubelet_env;

#define KUBELET_CONFIG_API_VERSION "kubelet.config.k8s.io/v1beta1"
#define PODWATCH_CONFIG_API_VERSION "podwatch.io/v1alpha1"
/* authorization.mode that asks nobody. */
#define KUBELET_ALWAYS_ALLOW "AlwaysAllow"

struct kubelet_taint {
        char *key, *value; /* value "" without */
        char *effect;      /* NoSchedule, PreferNoSchedule, NoExecute */
};

struct kubelet_reserved { /* kubeReserved, systemReserved: zero where not given */
        struct quantity resources[POD_RESOURCE_MAX];
        int64_t pids;
};

struct kubelet_threshold { /* of evictionHard */
        char *signal;      /* memory.available, nodefs.available, ... */
        bool percent;      /* of the capacity, in `milli_percent` thousandths of one per cent; else `quantity` */
        int64_t milli_percent;
        struct quantity quantity;
};

struct kubelet_config {
        /* files */
        char *static_pod_path; /* directory or file; NULL: none */
        usec_t file_check_frequency;
        char *pod_logs_dir;
        char *root_dir;   /* --root-dir */
        char *kubeconfig; /* --kubeconfig; NULL: standalone */

        /* local servers; port 0: none */
        char *healthz_bind_address;
        int healthz_port;
        char *address;
        int port;
        int read_only_port;

        /* the HTTPS port */
        bool enable_server;
        bool enable_debugging_handlers;             /* logs and what shows pods */
        char *cert_dir;                             /* --cert-dir: where certificates of our own are */
        char *tls_cert_file, *tls_private_key_file; /* both, or NULL: of our own */
        bool tls_1_3;                               /* nothing older */
        char *client_ca_file;                       /* NULL: client certificates do not count */
        bool anonymous_auth;
        bool token_webhook; /* bearer tokens are asked of the API server (TokenReview) */
        usec_t token_ttl;
        bool always_allow; /* authorization.mode; else the API server is asked (SubjectAccessReview) */
        usec_t authorized_ttl, unauthorized_ttl;

        /* pods */
        struct strv cluster_dns;
        struct strv allowed_unsafe_sysctls;
        char *cluster_domain; /* NULL without */
        char *resolv_conf;    /* NULL: the empty string was given, pods get no file of the node's */
        int max_pods;
        int64_t pod_pids_limit; /* -1: none */
        char *cgroup_root;      /* NULL: the root */
        char *cgroup_driver;    /* cgroupfs or systemd; NULL: not given, as Docker has it */
        usec_t max_container_restart_period;
        int image_gc_high_percent, image_gc_low_percent;   /* of the disk of images */
        usec_t image_minimum_gc_age, image_maximum_gc_age; /* maximum 0: none */

        /* node */
        char *hostname_override; /* NULL without; lower case */
        char *node_ip;           /* NULL without; "a" or "a,b" */
        char *provider_id;       /* NULL without */
        struct strv node_labels; /* --node-labels, "key=value" */
        bool register_node;
        bool rotate_certificates; /* the client certificate is renewed, in cert_dir */
        struct kubelet_taint *register_with_taints;
        size_t register_with_taint_count;
        usec_t node_status_update_frequency, node_status_report_frequency;
        int node_lease_duration_seconds;
        struct kubelet_reserved kube_reserved, system_reserved;
        struct kubelet_threshold *eviction_hard;
        size_t eviction_hard_count;

        /* log */
        bool log_json;
        int verbosity;

        /* PodwatchConfiguration */
        bool strict;              /* an unknown field refuses a manifest */
        bool each_removal_counts; /* also of a manifest that is there again at once */
        char *state_directory;    /* revisions, backoff, journal */
        char *run_directory;      /* unix socket */
        char *socket_group;       /* who beside root may use the socket; NULL: nobody */
        char *docker_endpoint;    /* unix:///var/run/docker.sock; NULL: DOCKER_HOST or that */
        char *sandbox_image;      /* also --pod-infra-container-image; NULL: our own */
        int64_t journal_bytes;    /* all segments together */
        int revision_history_limit;
        int removed_history_limit; /* pods that are gone of which versions are kept */
        usec_t revert_after;       /* trial of new versions of every pod; 0: of those that ask for it alone */

        char *effective_json; /* KubeletConfiguration as it is in force: what /configz shows */
};

void kubelet_config_release(struct kubelet_config *config);
#define CLEANUP_KUBELET_CONFIG __attribute__((cleanup(kubelet_config_release)))

struct kubelet_config_file {
        const char *name; /* for messages */
        const char *data;
        size_t len;
};

/* What a configuration is made of, all borrowed for the call; zeroed: the defaults alone. */
struct kubelet_config_sources {
        const struct kubelet_config_file *files; /* later ones win; one document of each kind in each at most */
        size_t file_count;
        const struct kubelet_env *env; /* flags from files, which win over the former; NULL: none */
        const struct strv *flags;      /* "--name=value", "--name value": they win over all; NULL: none */
};

/* Reads the sources into a zeroed config. 0 with warnings in findings; -ERR_INVALID when something is fatal, err then
 * holds the first one and the config is empty. */
int kubelet_config_load(const struct kubelet_config_sources *sources, struct kubelet_config *ret,
                        struct pod_findings *findings, struct err *err);

/* What is left of a capacity for pods: less kubeReserved, systemReserved and the evictionHard threshold of its signal
 * (memory.available, nodefs.available); never below zero. Thousandths of a CPU, bytes of the rest. */
int64_t kubelet_config_allocatable(const struct kubelet_config *config, enum pod_resource resource, int64_t capacity);
/* -ERR_INVALID where kubeReserved and systemReserved are more than the capacity, for which the kubelet refuses to start
 * (pkg/kubelet/cm/node_container_manager_linux.go validateNodeAllocatable). */
int kubelet_config_check_reserved(const struct kubelet_config *config, enum pod_resource resource, int64_t capacity,
                                  struct err *err);
/* Whether less is available than evictionHard says for this signal, with a capacity that percentages are of. false too
 * where nothing is said, and where nothing is known (capacity <= 0). */
bool kubelet_config_under_threshold(const struct kubelet_config *config, const char *signal, int64_t available,
                                    int64_t capacity);
/* Whether evictionHard says anything for this signal. */
bool kubelet_config_has_threshold(const struct kubelet_config *config, const char *signal);

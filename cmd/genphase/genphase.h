#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * genphase's command line: what the options fill in, and one function a verb (verb_*.c).
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/cli.h"
#include "base/strv.h"
#include "online.h"
#include "phase/kubeconfig_phase.h"
#include "phase/phase.h"
#include "phase/reset.h"

struct err;
struct host_facts;

struct genphase {
        struct phase_options options;
        struct phase_flags flags;
        struct cli_seen seen;
        const char *verbosity; /* -v */
        bool strict, strict_given;
        const char *facts_file;                    /* --host-facts */
        struct host_facts *facts;                  /* of it */
        bool allow_deprecated, allow_experimental; /* config validate */
        const char *new_config;                    /* config migrate */
        struct strv component_configs;             /* config print */
        const char *kubeconfig_dir;                /* NULL: the usual one */
        const char *version_output;                /* version */
        const char *unused;                        /* options of kubeadm that are taken and have no effect */
        const char *certs_dir;                     /* --cert-dir of the verbs that are no phases; NULL: not given */
        const char *csr_dir;                       /* certs renew --csr-dir */
        bool csr_only;
        struct reset_options reset;             /* preflight takes its `ignored` too */
        struct kubeconfig_user kubeconfig_user; /* kubeconfig user */
        const char *images_from;                /* images build --from */
        const char *docker_host;                /* NULL: DOCKER_HOST, else the usual socket */
        const char *from_config, *from_kubernetes_version, *from_kubeadm_version, *from_patches; /* diff */
        const char *write_patches;
        bool argument_patches;
        struct online_options online;
        const struct cli_verb *verb; /* that is run */
        char command[128];           /* its words, "config validate" */
        char **argv;                 /* main's */
};

extern const struct cli_program genphase_program;

/* Options that several verbs have, as rows for their tables. */
#define OPTION_TEXT(name, member, arg, help)                                            \
        {                                                                               \
                (name), 0, CLI_STRING, offsetof(struct genphase, member), (arg), (help) \
        }
#define OPTION_ARGS(name, member, arg, help)                                           \
        {                                                                              \
                (name), 0, CLI_ARRAY, offsetof(struct genphase, member), (arg), (help) \
        }
#define OPTION_CONFIG OPTION_TEXT("config", options.config_file, "FILE", "kubeadm configuration to read")
#define OPTION_KUBERNETES_VERSION                                              \
        OPTION_TEXT("kubernetes-version", flags.kubernetes_version, "VERSION", \
                    "Kubernetes version of the control plane")
#define OPTION_CERT_DIR \
        OPTION_TEXT("cert-dir", flags.cert_dir, "DIR", "where certificates are (default /etc/kubernetes/pki)")
#define OPTION_IMAGE_REPOSITORY \
        OPTION_TEXT("image-repository", flags.image_repository, "REPOSITORY", "registry that images come from")
/* How an object is printed (phase/printer.h). --experimental-output is what kubeadm called it up to 1.30. */
#define OPTION_PRINTER(called, short, field, said, unseen)                                                           \
        {                                                                                                            \
                .name = (called), .letter = (short), .type = CLI_STRING, .offset = offsetof(struct genphase, field), \
                .arg = "FORMAT", .help = (said), .choice = "text|json|yaml", .any_choice = true, .hidden = (unseen)  \
        }
#define OPTIONS_PRINTER(field)                                             \
        OPTION_PRINTER("output", 'o', field, "text, json or yaml", false), \
                OPTION_PRINTER("experimental-output", 0, field, "the same", true)
/* --experimental-patches is what kubeadm called it up to 1.21. */
#define OPTION_PATCHES                                                                                      \
        OPTION_TEXT("patches", options.patches_dir, "DIR", "directory with patches for the manifests"),     \
        {                                                                                                   \
                .name = "experimental-patches", .type = CLI_STRING,                                         \
                .offset = offsetof(struct genphase, options.patches_dir), .arg = "DIR", .help = "the same", \
                .hidden = true                                                                              \
        }
#define OPTION_ADVERTISE_ADDRESS                                                            \
        OPTION_TEXT("apiserver-advertise-address", flags.apiserver_advertise_address, "IP", \
                    "address that the API server advertises (default: of the default route)")
#define OPTION_BIND_PORT \
        OPTION_TEXT("apiserver-bind-port", flags.apiserver_bind_port, "PORT", "port of the API server (default 6443)")
#define OPTION_CONTROL_PLANE_ENDPOINT                                                      \
        OPTION_TEXT("control-plane-endpoint", flags.control_plane_endpoint, "HOST[:PORT]", \
                    "stable address or name of the control plane")
#define OPTION_SERVICE_CIDR \
        OPTION_TEXT("service-cidr", flags.service_cidr, "CIDR", "addresses of services (default 10.96.0.0/12)")
#define OPTION_POD_NETWORK_CIDR OPTION_TEXT("pod-network-cidr", flags.pod_network_cidr, "CIDR", "addresses of pods")
#define OPTION_FEATURE_GATES OPTION_TEXT("feature-gates", flags.feature_gates, "K=BOOL,...", "feature gates of kubeadm")
#define OPTION_SERVICE_DNS_DOMAIN                                             \
        OPTION_TEXT("service-dns-domain", flags.service_dns_domain, "DOMAIN", \
                    "DNS domain of services (default cluster.local)")
#define OPTION_DRY_RUN                                                                    \
        {                                                                                 \
                "dry-run", 0, CLI_FLAG, offsetof(struct genphase, options.dry_run), NULL, \
                        "change nothing, print what would be done"                        \
        }
#define OPTION_CRI_SOCKET \
        OPTION_TEXT("cri-socket", flags.cri_socket, "SOCKET", "socket of the container runtime that the kubelet uses")
/* What becomes of the files. */
#define OPTION_ACTS(help, choice)                                                                                 \
        {                                                                                                         \
                "output", 'o', CLI_STRING, offsetof(struct genphase, options.output), "FORMAT", (help), (choice), \
                        offsetof(struct genphase, options.acts)                                                   \
        }
#define OPTION_MANIFEST_OUTPUT                                                                                     \
        OPTION_ACTS("yaml: print the manifests instead of writing them; json: tell each action, an object a line", \
                    "yaml|json")
#define OPTION_ACTIONS_OUTPUT OPTION_ACTS("json: tell each action, an object a line", "json")
/* Options of kubeadm that are read and not used. */
#define OPTION_IGNORED(name_, arg_, why)                                                                         \
        {                                                                                                        \
                .name = (name_), .type = CLI_STRING, .offset = offsetof(struct genphase, unused), .arg = (arg_), \
                .help = (why), .hidden = true                                                                    \
        }
/* Other names that kubeadm has for a verb. */
#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define OPTION_NODE_NAME OPTION_TEXT("node-name", flags.node_name, "NAME", "name of this node (default: host name)")

#define OPTION_KUBECONFIG                                    \
        OPTION_TEXT("kubeconfig", online.kubeconfig, "FILE", \
                    "kubeconfig to talk to the cluster by (default admin.conf)")
#define OPTION_CERTIFICATE_KEY                                        \
        OPTION_TEXT("certificate-key", online.certificate_key, "KEY", \
                    "AES key, in hex, that the certificates in Secret kubeadm-certs are sealed with")
#define OPTION_FLAG(name, member, help)                                              \
        {                                                                            \
                (name), 0, CLI_FLAG, offsetof(struct genphase, member), NULL, (help) \
        }
#define OPTION_UPLOAD_CERTS                              \
        OPTION_FLAG("upload-certs", online.upload_certs, \
                    "upload the control plane's certificates to Secret kubeadm-certs")
#define OPTION_SKIP_CERTIFICATE_KEY_PRINT \
        OPTION_FLAG("skip-certificate-key-print", online.skip_certificate_key_print, "do not print the certificate key")
#define OPTION_SKIP_TOKEN_PRINT \
        OPTION_FLAG("skip-token-print", online.skip_token_print, "do not print the bootstrap token")

/* Opens the phase, runs fn, reports an error as kubeadm does. The exit code. */
int genphase_run(struct genphase *g, int (*fn)(struct phase *phase, struct err *err));
/* The same; `doing` goes before an error in the configuration, whose exit code then is 1 in every era, as in kubeadm.
 */
int genphase_run_named(struct genphase *g, const char *doing, int (*fn)(struct phase *phase, struct err *err));
/* The same for the phases of `init phase`: kubeadm looks at an external CA before each of them. */
int genphase_run_init(struct genphase *g, int (*fn)(struct phase *phase, struct err *err));
/* Prints "error: ..." and returns code. */
int genphase_fail(const struct err *err, int code);

/* Replaces the process by a program of genphase's own, with the same arguments; looked for beside the running program
 * (a build directory), in ../libexec/genphase from there, and where it was configured to be installed. Comes back only
 * where it failed. */
int genphase_replace(const struct genphase *g, const char *program, struct err *err);

extern const struct cli_verb kubelet_finalize_verbs[]; /* verb_kubelet.c */
extern const struct cli_verb reset_verbs[];            /* verb_reset.c */
extern const struct cli_option reset_options[];
extern const struct cli_verb token_verbs[];                     /* verb_token.c */
extern const struct cli_verb certs_verbs[], kubeconfig_verbs[]; /* verb_pki.c */
extern const struct cli_verb addon_verbs[];                     /* verb_addon.c */
extern const struct cli_verb config_verbs[];                    /* verb_config.c */
extern const struct cli_option config_options[], token_options[];
extern const struct cli_verb images_verbs[], config_images_verbs[]; /* verb_images.c */

int verb_control_plane_all(void *userdata, const struct strv *args);
int verb_control_plane_apiserver(void *userdata, const struct strv *args);
int verb_control_plane_controller_manager(void *userdata, const struct strv *args);
int verb_control_plane_scheduler(void *userdata, const struct strv *args);
int verb_etcd_local(void *userdata, const struct strv *args);
int verb_completion(void *userdata, const struct strv *args);
int verb_certificate_key(void *userdata, const struct strv *args);
int verb_kubelet_start(void *userdata, const struct strv *args);
#define DIFF_TROUBLE 2 /* exit code: 1 says that something differs */
int verb_diff(void *userdata, const struct strv *args);
int verb_explain(void *userdata, const struct strv *args);
int verb_proxy(void *userdata, const struct strv *args);
/* reset, with the containers that run tells of (NULL: none). The exit code. */
int reset_with(struct genphase *g, const struct reset_runtime *run);
struct preflight_runtime;
/* Images are this machine's: another root has none, and a dry run pulls none. */
bool preflight_needs_runtime(const struct genphase *g);
/* preflight of an open phase, with a client of Docker (NULL: none). */
int preflight_phase(struct genphase *g, struct phase *phase, const struct preflight_runtime *runtime, struct err *err);
/* The same with a phase of its own. The exit code. */
int preflight_with(struct genphase *g, const struct preflight_runtime *runtime);
int verb_preflight(void *userdata, const struct strv *args);
int verb_reset(void *userdata, const struct strv *args);
int verb_host_facts(void *userdata, const struct strv *args);
int verb_version(void *userdata, const struct strv *args);

/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of verbs. Phases stand at the top and, for kubeadm's habits and scripts, below `init phase` as well.
 */
#include <stddef.h>

#include "genphase.h"

/* clang-format off */
static const struct cli_option global_options[] = {
        OPTION_TEXT("rootfs", options.rootfs, "DIR", "read and write below DIR; a prefix, not a chroot"),
        OPTION_TEXT("kubeadm-version", options.kubeadm_version, "VERSION",
                    "behave as that kubeadm, its leniency included (default: the newest known of the Kubernetes minor)"),
        OPTION_TEXT("templates", options.templates_dir, "DIR", "files that replace the built-in templates and era tables"),
        {"strict", 0, CLI_FLAG, offsetof(struct genphase, strict), NULL,
         "unknown fields of the configuration are errors (default unless --kubeadm-version is given)", NULL,
         offsetof(struct genphase, strict_given), 0, 0, true, false},
        OPTION_TEXT("host-facts", facts_file, "FILE", "take what the host would be asked for from FILE, made by host-facts"),
        {"quiet", 'q', CLI_FLAG, offsetof(struct genphase, options.quiet), NULL, "neither messages nor warnings, only errors and results"},
        {"v", 'v', CLI_STRING, offsetof(struct genphase, verbosity), "N", "how much detail to log: each file read and written is 1-2"},
        {0}
};

#define OPTIONS_APISERVER \
        OPTION_ADVERTISE_ADDRESS, OPTION_BIND_PORT, OPTION_CONTROL_PLANE_ENDPOINT, OPTION_SERVICE_CIDR, OPTION_FEATURE_GATES, \
        OPTION_ARGS("apiserver-extra-args", flags.apiserver_extra_args, "K=V,...", "more arguments of kube-apiserver")
#define OPTIONS_CONTROLLER_MANAGER \
        OPTION_POD_NETWORK_CIDR, \
        OPTION_ARGS("controller-manager-extra-args", flags.controller_manager_extra_args, "K=V,...", \
                    "more arguments of kube-controller-manager")
#define OPTIONS_SCHEDULER \
        OPTION_ARGS("scheduler-extra-args", flags.scheduler_extra_args, "K=V,...", "more arguments of kube-scheduler")
#define OPTIONS_CONTROL_PLANE \
        OPTION_CONFIG, OPTION_CERT_DIR, OPTION_KUBERNETES_VERSION, OPTION_IMAGE_REPOSITORY, OPTION_PATCHES, OPTION_DRY_RUN, \
        OPTION_MANIFEST_OUTPUT

static const struct cli_option control_plane_all_options[] = {
        OPTIONS_CONTROL_PLANE, OPTIONS_APISERVER, OPTIONS_CONTROLLER_MANAGER, OPTIONS_SCHEDULER, {0}
};
static const struct cli_option apiserver_options[] = {OPTIONS_CONTROL_PLANE, OPTIONS_APISERVER, {0}};
static const struct cli_option controller_manager_options[] = {OPTIONS_CONTROL_PLANE, OPTIONS_CONTROLLER_MANAGER, {0}};
static const struct cli_option scheduler_options[] = {OPTIONS_CONTROL_PLANE, OPTIONS_SCHEDULER, {0}};

static const struct cli_verb control_plane_verbs[] = {
        {.name = "all", .help = "Generate all static Pod manifest files", .options = control_plane_all_options,
         .run = verb_control_plane_all},
        {.name = "apiserver", .help = "Generate the kube-apiserver static Pod manifest", .options = apiserver_options,
         .run = verb_control_plane_apiserver},
        {.name = "controller-manager", .help = "Generate the kube-controller-manager static Pod manifest",
         .options = controller_manager_options, .run = verb_control_plane_controller_manager},
        {.name = "scheduler", .help = "Generate the kube-scheduler static Pod manifest", .options = scheduler_options,
         .run = verb_control_plane_scheduler},
        {0}
};

static const struct cli_option etcd_options[] = {
        OPTION_CONFIG, OPTION_CERT_DIR, OPTION_IMAGE_REPOSITORY, OPTION_PATCHES, OPTION_DRY_RUN, OPTION_MANIFEST_OUTPUT, {0}
};
static const struct cli_verb etcd_verbs[] = {
        {.name = "local", .help = "Generate the static Pod manifest file for a local, single-node etcd", .options = etcd_options,
         .run = verb_etcd_local},
        {0}
};

static const struct cli_option proxy_options[] = {
        OPTION_CONFIG, OPTION_KUBERNETES_VERSION, OPTION_IMAGE_REPOSITORY, OPTION_ADVERTISE_ADDRESS, OPTION_BIND_PORT,
        OPTION_CONTROL_PLANE_ENDPOINT, OPTION_POD_NETWORK_CIDR, OPTION_NODE_NAME, OPTION_DRY_RUN, OPTION_MANIFEST_OUTPUT, {0}
};

static const struct cli_option kubelet_start_options[] = {
        OPTION_CONFIG, OPTION_CRI_SOCKET, OPTION_NODE_NAME, OPTION_IMAGE_REPOSITORY, OPTION_PATCHES, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}
};

/* The options of a configuration, as `control-plane all` and `etcd local` take them together. */
#define OPTIONS_CONFIGURATION \
        OPTION_CONFIG, OPTION_CERT_DIR, OPTION_IMAGE_REPOSITORY, OPTION_PATCHES, OPTION_NODE_NAME, \
        OPTIONS_APISERVER, OPTIONS_CONTROLLER_MANAGER, OPTIONS_SCHEDULER
#define COMPONENTS_USAGE "[etcd|apiserver|controller-manager|scheduler|proxy|all]..."

static const struct cli_option explain_options[] = {
        OPTIONS_CONFIGURATION, OPTION_KUBERNETES_VERSION,
        {"output", 'o', CLI_STRING, offsetof(struct genphase, options.output), "FORMAT", "text, or one JSON object a line", "text|json"},
        {0}
};

static const struct cli_option diff_options[] = {
        OPTIONS_CONFIGURATION,
        OPTION_TEXT("kubernetes-version", options.kubernetes_version, "VERSION",
                    "Kubernetes version, also in place of the configuration's"),
        OPTION_TEXT("from-config", from_config, "FILE", "compare with what this configuration gives, not with the disk"),
        OPTION_TEXT("from-kubernetes-version", from_kubernetes_version, "VERSION", "compare with this Kubernetes version"),
        OPTION_TEXT("from-kubeadm-version", from_kubeadm_version, "VERSION", "compare with what this kubeadm does"),
        OPTION_TEXT("from-patches", from_patches, "DIR", "compare with these patches"),
        OPTION_TEXT("write-patches", write_patches, "DIR", "write patches that keep what was edited on disk"),
        {"argument-patches", 0, CLI_FLAG, offsetof(struct genphase, argument_patches), NULL,
         "of arguments by name, which genphase alone can use (kubeadm: the whole command line)"},
        OPTION_ACTS("text, or one JSON object a component, behind one for each patch that was written", "text|json"),
        {0}
};

#define VERBS_ONLINE \
        {.name = "wait-control-plane", .help = "Wait for the control plane to start", .options = wait_control_plane_options, \
         .run = verb_wait_control_plane}, \
        {.name = "upload-config", .aliases = ALIASES("uploadconfig"), .help = "Upload the kubeadm and kubelet configuration to a ConfigMap", \
         .verbs = upload_config_verbs}, \
        {.name = "upload-certs", .help = "Upload certificates to kubeadm-certs", .options = upload_certs_options, \
         .run = verb_upload_certs}, \
        {.name = "mark-control-plane", .help = "Mark a node as a control-plane", .options = mark_control_plane_options, \
         .run = verb_mark_control_plane}, \
        {.name = "bootstrap-token", .aliases = ALIASES("bootstraptoken"), .help = "Generate bootstrap tokens used to join a node to a cluster", \
         .options = bootstrap_token_options, .run = verb_bootstrap_token}, \
        {.name = "show-join-command", .help = "Show the join command for control-plane and worker node", \
         .options = upload_certs_options, .run = verb_show_join_command}
static const struct cli_option preflight_options[] = {
        OPTION_CONFIG, OPTION_CRI_SOCKET, OPTION_IMAGE_REPOSITORY,
        OPTION_TEXT("docker-host", docker_host, "URL", "the Docker daemon (default $DOCKER_HOST, else its usual socket)"),
        {"ignore-preflight-errors", 0, CLI_LIST, offsetof(struct genphase, reset.ignored), "CHECK,...",
         "checks whose errors are shown as warnings; all: of every check"},
        OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}
};

#define VERBS_PHASES \
        {.name = "preflight", .help = "Run pre-flight checks", .options = preflight_options, .run = verb_preflight, \
         .text = "kubeadm's checks of the host, then the images are pulled. Without a kubelet in PATH podwatch and Docker are looked " \
                 "for. With --rootfs only what is in that tree is checked and nothing is pulled."}, \
        {.name = "certs", .aliases = ALIASES("certificates"), .help = "Generate certificates", .verbs = certs_verbs}, \
        {.name = "kubeconfig", .help = "Generate the kubeconfig files of the control plane, the admin and this node's kubelet", \
         .verbs = kubeconfig_verbs}, \
        {.name = "control-plane", .help = "Generate the static Pod manifests of the control plane", .verbs = control_plane_verbs}, \
        {.name = "kubelet-start", .help = "Write kubelet settings and (re)start the kubelet", .options = kubelet_start_options, \
         .run = verb_kubelet_start, \
         .text = "Writes /var/lib/kubelet/config.yaml, kubeadm-flags.env and, for kubeadm 1.34 on, instance-config.yaml. podwatch " \
                 "reads the same files. Without --rootfs the service kubelet, else podwatch, is stopped before and started after."}, \
        {.name = "kubelet-finalize", .help = "Update settings relevant to the kubelet after TLS bootstrap", \
         .verbs = kubelet_finalize_verbs}, \
        {.name = "etcd", .help = "Generate the static Pod manifest of a local etcd", .verbs = etcd_verbs}, \
        {.name = "addon", .help = "Install the addons that a cluster needs: CoreDNS and kube-proxy", .verbs = addon_verbs}, \
        {.name = "proxy", .help = "Generate kube-proxy as a static Pod: manifest and configuration file", \
         .options = proxy_options, .run = verb_proxy}, \
        VERBS_ONLINE

static const struct cli_option version_options[] = {
        {"output", 'o', CLI_STRING, offsetof(struct genphase, version_output), "FORMAT", "short, json or yaml", "short|json|yaml",
         .any_choice = true},
        {0}
};

static const struct cli_verb phase_verbs[] = {VERBS_PHASES, {0}};
static const struct cli_verb init_verbs[] = {
        {.name = "phase", .help = "One phase, as kubeadm init phase", .verbs = phase_verbs, .hidden = true},
        {0}
};
static const struct cli_verb verbs[] = {
        VERBS_PHASES,
        {.name = "images", .help = "The images of the control plane: list, pull, build, load", .verbs = images_verbs},
        {.name = "config", .help = "Work with configuration files", .verbs = config_verbs, .options = config_options},
        {.name = "diff", .help = "Say what would change on disk, or between two configurations or versions", .usage = COMPONENTS_USAGE,
         .max_args = -1, .options = diff_options, .run = verb_diff,
         .text = "Exit status: 0 nothing changes by meaning, 1 something does, 2 trouble.", .trouble = DIFF_TROUBLE},
        {.name = "explain", .help = "Say for each line of a manifest where it comes from", .usage = COMPONENTS_USAGE, .max_args = -1,
         .options = explain_options, .run = verb_explain},
        {.name = "reset", .help = "Take away what the phases made on this node", .options = reset_options, .verbs = reset_verbs,
         .own_options = true, .run = verb_reset,
         .text = "With podwatch the manifests go first, and the rest when their containers are gone. What is left to be done by hand "
                 "is printed. --config names a file with a ResetConfiguration."},
        {.name = "token", .help = "Manage bootstrap tokens", .verbs = token_verbs, .options = token_options},
        {.name = "init", .help = "Set up the control plane: all phases in order", .verbs = init_verbs, .options = init_options,
         .own_options = true, .run = verb_init,
         .text = "Also kubeadm's spelling of one phase: init phase PHASE. What an earlier run has made is found and kept; preflight "
                 "would stop at it, so --skip-phases preflight goes on with one that was broken off."},
        {.name = "completion", .help = "Print a completion script, or the manual page", .usage = "bash|zsh|fish|man", .min_args = 1, .max_args = 1,
         .run = verb_completion},
        {.name = "host-facts", .help = "Print what rendering reads of this host, for --host-facts on another", .run = verb_host_facts},
        {.name = "version", .help = "Print the version, and which kubeadm versions are known", .options = version_options, .run = verb_version,
         .text = "With -o, what `kubeadm version -o` prints of the kubeadm that genphase behaves as: that of --kubeadm-version, else the newest "
                 "known one."},
        {0}
};
/* clang-format on */

const struct cli_program genphase_program = {
        .name = "genphase",
        .version = GENPHASE_PROJECT_VERSION,
        .help = "Render a Kubernetes control plane as static pods, one phase at a time, as kubeadm would",
        .options = global_options,
        .verbs = verbs,
        .seen_offset = offsetof(struct genphase, seen),
};

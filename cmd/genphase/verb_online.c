/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs that talk to an API server.
 */
#include "online.h"

#include <stddef.h>

#include "genphase.h"

/* clang-format off */
#define VERB(name, symbol)                                          \
        int name(void *userdata, const struct strv *args)           \
        {                                                           \
                return online_run(userdata, ONLINE_##symbol, args); \
        }
VERB(verb_wait_control_plane, WAIT_CONTROL_PLANE)
VERB(verb_upload_certs, UPLOAD_CERTS)
VERB(verb_mark_control_plane, MARK_CONTROL_PLANE)
VERB(verb_bootstrap_token, BOOTSTRAP_TOKEN)
VERB(verb_show_join_command, SHOW_JOIN_COMMAND)
VERB(verb_init, INIT)
VERB(verb_token_create, TOKEN_CREATE)
VERB(verb_token_list, TOKEN_LIST)
VERB(verb_token_delete, TOKEN_DELETE)
static VERB(upload_all, UPLOAD_ALL)
static VERB(upload_kubeadm, UPLOAD_KUBEADM)
static VERB(upload_kubelet, UPLOAD_KUBELET)

const struct cli_option wait_control_plane_options[] = {OPTION_CONFIG, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}};

static const struct cli_option upload_config_options[] = {
        OPTION_CONFIG, OPTION_CRI_SOCKET, OPTION_KUBECONFIG, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}
};
const struct cli_verb upload_config_verbs[] = {
        {.name = "all", .help = "Upload all configuration to a config map", .options = upload_config_options, .run = upload_all},
        {.name = "kubeadm", .help = "Upload the kubeadm ClusterConfiguration to a ConfigMap", .options = upload_config_options,
         .run = upload_kubeadm},
        {.name = "kubelet", .help = "Upload the kubelet component config to a ConfigMap", .options = upload_config_options,
         .run = upload_kubelet},
        {0}
};

const struct cli_option upload_certs_options[] = {
        OPTION_CONFIG, OPTION_KUBECONFIG, OPTION_UPLOAD_CERTS, OPTION_CERTIFICATE_KEY, OPTION_SKIP_CERTIFICATE_KEY_PRINT,
        OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}
};
const struct cli_option mark_control_plane_options[] = {
        OPTION_CONFIG, OPTION_NODE_NAME, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}
};
const struct cli_option bootstrap_token_options[] = {
        OPTION_CONFIG, OPTION_KUBECONFIG, OPTION_SKIP_TOKEN_PRINT, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}
};

const struct cli_option init_options[] = {
        OPTION_CONFIG, OPTION_DRY_RUN, OPTION_KUBERNETES_VERSION, OPTION_CERT_DIR, OPTION_IMAGE_REPOSITORY, OPTION_PATCHES,
        OPTION_ADVERTISE_ADDRESS, OPTION_BIND_PORT, OPTION_CONTROL_PLANE_ENDPOINT, OPTION_SERVICE_CIDR, OPTION_POD_NETWORK_CIDR,
        OPTION_SERVICE_DNS_DOMAIN, OPTION_FEATURE_GATES, OPTION_NODE_NAME, OPTION_CRI_SOCKET, OPTION_UPLOAD_CERTS,
        OPTION_CERTIFICATE_KEY, OPTION_SKIP_CERTIFICATE_KEY_PRINT, OPTION_SKIP_TOKEN_PRINT,
        {"apiserver-cert-extra-sans", 0, CLI_LIST, offsetof(struct genphase, flags.apiserver_cert_extra_sans), "NAME,...",
         "more names and addresses for the certificate of the API server"},
        {"ignore-preflight-errors", 0, CLI_LIST, offsetof(struct genphase, reset.ignored), "CHECK,...",
         "checks whose errors are shown as warnings; all: of every check"},
        {"skip-phases", 0, CLI_LIST, offsetof(struct genphase, reset.skipped), "PHASE,...", "phases that are left out"},
        OPTION_TEXT("token", online.token, "TOKEN", "the bootstrap token (default: a random one)"),
        OPTION_TEXT("token-ttl", online.token_ttl, "DURATION", "how long the token lives (default 24h0m0s, 0: for ever)"),
        OPTION_ACTIONS_OUTPUT,
        {0}
};

const struct cli_option token_options[] = {OPTION_KUBECONFIG, OPTION_DRY_RUN, {0}};
const struct cli_option token_create_options[] = {
        OPTION_CONFIG, OPTION_CERTIFICATE_KEY,
        {"print-join-command", 0, CLI_FLAG, offsetof(struct genphase, online.print_join_command), NULL,
         "print the whole kubeadm join line, not the token alone"},
        OPTION_TEXT("ttl", online.token_ttl, "DURATION", "how long the token lives (default 24h0m0s, 0: for ever)"),
        OPTION_TEXT("description", online.token_description, "TEXT", "what the token is for"),
        {"usages", 0, CLI_LIST, offsetof(struct genphase, online.token_usages), "USAGE,...", "signing, authentication (default: both)"},
        {"groups", 0, CLI_LIST, offsetof(struct genphase, online.token_groups), "GROUP,...",
         "groups that the token authenticates as (default system:bootstrappers:kubeadm:default-node-token)"},
        OPTION_ACTIONS_OUTPUT,
        {0}
};
const struct cli_option token_delete_options[] = {OPTION_ACTIONS_OUTPUT, {0}};
const struct cli_option token_list_options[] = {
        OPTIONS_PRINTER(online.output),
        {0}
};
/* clang-format on */

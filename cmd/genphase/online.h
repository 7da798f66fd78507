#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What talks to an API server: as with pki.h it is linked into a program of its own, genphase-api (online_here.c); in
 * genphase online_run replaces the process by it (online_exec.c).
 */
#include <stdbool.h>

#include "base/cli.h"
#include "base/strv.h"

struct err;
struct genphase;

/* What the options of these verbs fill in (a member of struct genphase). */
struct online_options {
        const char *kubeconfig; /* NULL: admin.conf, or for `token` what kubectl would take */
        bool upload_certs, skip_certificate_key_print, skip_token_print;
        const char *certificate_key;
        const char *token;  /* --token, or the argument of `token create` */
        const char *output; /* token list */
        /* token */
        const char *token_ttl, *token_description;
        struct strv token_usages, token_groups;
        bool print_join_command;
};

/* X(symbol, function of online_here.c) */
#define ONLINE_VERBS(X)                           \
        X(WAIT_CONTROL_PLANE, wait_control_plane) \
        X(UPLOAD_KUBEADM, upload_kubeadm)         \
        X(UPLOAD_KUBELET, upload_kubelet)         \
        X(UPLOAD_ALL, upload_all)                 \
        X(UPLOAD_CERTS, upload_certs)             \
        X(MARK_CONTROL_PLANE, mark_control_plane) \
        X(BOOTSTRAP_TOKEN, bootstrap_token)       \
        X(ADDON_ALL, addon_all)                   \
        X(ADDON_COREDNS, addon_coredns)           \
        X(ADDON_KUBE_PROXY, addon_kube_proxy)     \
        X(SHOW_JOIN_COMMAND, show_join_command)   \
        X(TOKEN_CREATE, token_create_verb)        \
        X(TOKEN_LIST, token_list_verb)            \
        X(TOKEN_DELETE, token_delete_verb)        \
        X(INIT, online_init)

enum online_verb {
#define X(symbol, function) ONLINE_##symbol,
        ONLINE_VERBS(X)
#undef X
                ONLINE_MAX
};

/* The exit code. */
int online_run(struct genphase *g, enum online_verb verb, const struct strv *args);

/* What messages call the text of online_cluster_config. */
#define ONLINE_CLUSTER_CONFIG "ConfigMap kube-system/kubeadm-config"
/* The ClusterConfiguration of the cluster that --kubeconfig (or admin.conf) leads to; prefix as for fetch_config. 0; 1:
 * no such kubeconfig can be used. Free *ret_text. Outside of genphase-api the process is replaced by it where there is
 * a kubeconfig, so it comes before anything is said. */
int online_cluster_config(struct genphase *g, const char *prefix, char **ret_text, struct err *err);
/* The first half of it alone, for what says something before: replaces the process by genphase-api where there is a
 * kubeconfig. 0: there is none, or this is genphase-api. */
int online_if_kubeconfig(const struct genphase *g, struct err *err);

/* Rows for the tree of verbs (verb_online.c). */
extern const struct cli_verb upload_config_verbs[];
extern const struct cli_option upload_certs_options[], mark_control_plane_options[], bootstrap_token_options[],
        wait_control_plane_options[], token_create_options[], token_delete_options[], token_list_options[],
        init_options[];
int verb_wait_control_plane(void *userdata, const struct strv *args);
int verb_upload_certs(void *userdata, const struct strv *args);
int verb_mark_control_plane(void *userdata, const struct strv *args);
int verb_bootstrap_token(void *userdata, const struct strv *args);
int verb_show_join_command(void *userdata, const struct strv *args);
int verb_init(void *userdata, const struct strv *args);
int verb_token_create(void *userdata, const struct strv *args);
int verb_token_list(void *userdata, const struct strv *args);
int verb_token_delete(void *userdata, const struct strv *args);

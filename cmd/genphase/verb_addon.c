/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs below addon.
 */
#include <stdio.h>

#include "base/err.h"
#include "genphase.h"
#include "phase/addon.h"

static int print_all(struct phase *phase, struct err *err)
{
        return phase_addon_print(phase, NULL, err);
}

static int print_coredns(struct phase *phase, struct err *err)
{
        return phase_addon_print(phase, "coredns", err);
}

static int print_kube_proxy(struct phase *phase, struct err *err)
{
        return phase_addon_print(phase, "kube-proxy", err);
}

static int run(struct genphase *g, const char *command, enum online_verb verb,
               int (*print)(struct phase *phase, struct err *err), const struct strv *args)
{
        struct err err = ERR_INIT;

        if (!g->options.print_manifest)
                return online_run(g, verb, args);
        if (g->options.acts) {
                (void)err_set(&err, ERR_USAGE, "--print-manifest installs nothing that -o json could tell of");
                return genphase_fail(&err, 1);
        }
        g->options.command = command;
        return genphase_run_init(g, print);
}

static int run_all(void *userdata, const struct strv *args)
{
        return run(userdata, "addon all --print-manifest", ONLINE_ADDON_ALL, print_all, args);
}

static int run_coredns(void *userdata, const struct strv *args)
{
        return run(userdata, "addon coredns --print-manifest", ONLINE_ADDON_COREDNS, print_coredns, args);
}

static int run_kube_proxy(void *userdata, const struct strv *args)
{
        return run(userdata, "addon kube-proxy --print-manifest", ONLINE_ADDON_KUBE_PROXY, print_kube_proxy, args);
}

/* clang-format off */
#define OPTIONS_ADDON \
        OPTION_CONFIG, OPTION_KUBECONFIG, OPTION_KUBERNETES_VERSION, OPTION_IMAGE_REPOSITORY, OPTION_DRY_RUN, OPTION_PATCHES, \
        OPTION_ACTIONS_OUTPUT, \
        {"print-manifest", 0, CLI_FLAG, offsetof(struct genphase, options.print_manifest), NULL, \
         "print the objects instead of installing them"}
#define OPTIONS_KUBE_PROXY \
        OPTION_ADVERTISE_ADDRESS, OPTION_BIND_PORT, OPTION_CONTROL_PLANE_ENDPOINT, OPTION_POD_NETWORK_CIDR
#define OPTIONS_COREDNS OPTION_FEATURE_GATES, OPTION_SERVICE_DNS_DOMAIN, OPTION_SERVICE_CIDR

static const struct cli_option all_options[] = {OPTIONS_ADDON, OPTIONS_KUBE_PROXY, OPTIONS_COREDNS, {0}};
static const struct cli_option coredns_options[] = {OPTIONS_ADDON, OPTIONS_COREDNS, {0}};
static const struct cli_option kube_proxy_options[] = {OPTIONS_ADDON, OPTIONS_KUBE_PROXY, {0}};

const struct cli_verb addon_verbs[] = {
        {.name = "all", .help = "Install all the addons", .options = all_options, .run = run_all},
        {.name = "coredns", .help = "Install the CoreDNS addon", .options = coredns_options, .run = run_coredns},
        {.name = "kube-proxy", .help = "Install the kube-proxy addon", .options = kube_proxy_options, .run = run_kube_proxy},
        {0}
};
/* clang-format on */

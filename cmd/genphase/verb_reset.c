/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "genphase.h"
#include "images.h"
#include "phase/reset.h"

static int fetch(void *userdata, char **ret, struct err *err)
{
        return online_cluster_config(userdata, "reset", ret, err);
}

int reset_with(struct genphase *g, const struct reset_runtime *run)
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct reset_options *options = &g->reset;
        const char *config = g->options.config_file;
        struct err err = ERR_INIT;

        /* The file of reset has a kind of its own. */
        options->config_file = config;
        options->in = stdin;
        options->wait_sec = RESET_WAIT_SEC;
        options->fetch = fetch;
        options->fetch_userdata = g;
        if (run)
                options->run = *run;
        g->options.config_file = NULL;
        g->options.no_config = true;
        int r = phase_open(&g->options, &phase, &err);
        options->podwatch = r == 0 && reset_host_has_podwatch(phase);
        if (r == 0)
                r = phase_reset(phase, options, &err);
        return r < 0 ? genphase_fail(&err, phase->exit_code) : 0;
}

static int reset(struct genphase *g, const char *only)
{
        struct err err = ERR_INIT;

        g->reset.only = only;
        if (online_if_kubeconfig(g, &err) < 0)
                return genphase_fail(&err, 1);
        /* Containers are those of this machine; a dry run and another root have none. */
        return g->options.dry_run || !str_empty(g->options.rootfs) ? reset_with(g, NULL) : images_reset(g);
}

int verb_reset(void *userdata, const struct strv *args)
{
        (void)args;
        return reset(userdata, NULL);
}

static int run_one(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        return reset(g, g->verb->name);
}

/* clang-format off */
#define OPTION_IGNORE_PREFLIGHT \
        {"ignore-preflight-errors", 0, CLI_LIST, offsetof(struct genphase, reset.ignored), "CHECK,...", \
         "checks whose errors are shown as warnings; all: of every check"}

#define OPTION_FORCE {"force", 'f', CLI_FLAG, offsetof(struct genphase, reset.force), NULL, "do not ask"}
#define OPTIONS_CLEANUP \
        OPTION_TEXT("cert-dir", reset.cert_dir, "DIR", "where certificates are (default /etc/kubernetes/pki); it is cleaned"), \
        {"cleanup-tmp-dir", 0, CLI_FLAG, offsetof(struct genphase, reset.cleanup_tmp_dir), NULL, "clean /etc/kubernetes/tmp as well"}, \
        /* kubeadm's: the runtime is Docker here. */ \
        {.name = "cri-socket", .type = CLI_STRING, .offset = offsetof(struct genphase, reset.cri_socket), .arg = "SOCKET", \
         .help = "taken and not used", .hidden = true}
#define OPTION_DOCKER OPTION_TEXT("docker-host", docker_host, "URL", "the Docker daemon (default $DOCKER_HOST, else its usual socket)")

const struct cli_option reset_options[] = {
        OPTION_CONFIG, OPTION_FORCE, OPTIONS_CLEANUP,
        {"skip-phases", 0, CLI_LIST, offsetof(struct genphase, reset.skipped), "PHASE,...", "phases that are left out"},
        OPTION_DOCKER, OPTION_IGNORE_PREFLIGHT, OPTION_DRY_RUN, OPTION_KUBECONFIG, OPTION_ACTIONS_OUTPUT, {0}
};

static const struct cli_option preflight_options[] = {OPTION_FORCE, OPTION_DOCKER, OPTION_IGNORE_PREFLIGHT, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}};
static const struct cli_option member_options[] = {OPTION_DOCKER, OPTION_DRY_RUN, OPTION_KUBECONFIG, OPTION_ACTIONS_OUTPUT, {0}};
static const struct cli_option cleanup_options[] = {OPTIONS_CLEANUP, OPTION_DOCKER, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}};

static const struct cli_verb reset_phases[] = {
        {.name = "preflight", .aliases = ALIASES("pre-flight"), .help = "Ask, and check that reset can work", .options = preflight_options, .run = run_one},
        {.name = "remove-etcd-member", .help = "Take a local etcd out of its cluster and delete its data", .options = member_options, .run = run_one},
        {.name = "cleanup-node", .aliases = ALIASES("cleanupnode"), .help = "Stop the pods, delete manifests, certificates and kubeconfig files",
         .options = cleanup_options, .run = run_one},
        {0}
};

const struct cli_verb reset_verbs[] = {
        {.name = "phase", .help = "One phase of reset", .verbs = reset_phases},
        {0}
};

/* clang-format on */

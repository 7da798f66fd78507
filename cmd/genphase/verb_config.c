/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs below config, but for images.
 */
#include <stdio.h>

#include "base/err.h"
#include "genphase.h"
#include "phase/config_decode.h"
#include "phase/config_migrate.h"
#include "phase/config_print.h"
#include "phase/config_verbs.h"

static int mandatory(const char *flag)
{
        struct err err = ERR_INIT;

        (void)err_set(&err, ERR_USAGE, "the --%s flag is mandatory", flag);
        return genphase_fail(&err, 1);
}

static int validate(struct phase *phase, struct err *err)
{
        int r = phase_config_check_nodes(phase, err);

        return r < 0 ? r : phase_config_validate(phase, err);
}

static int run_validate(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        if (!g->options.config_file)
                return mandatory("config");
        g->options.strict = true;
        g->options.decode = CONFIG_DECODE_NODE_KINDS | (g->allow_deprecated ? CONFIG_DECODE_ALLOW_DEPRECATED : 0) |
                            (g->allow_experimental ? CONFIG_DECODE_ALLOW_EXPERIMENTAL : 0);
        return genphase_run(g, validate);
}

static int run_migrate(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        (void)args;
        if (!g->options.config_file)
                return mandatory("old-config");
        g->options.decode = CONFIG_DECODE_NODE_KINDS | CONFIG_DECODE_ALLOW_DEPRECATED |
                            (g->allow_experimental ? CONFIG_DECODE_ALLOW_EXPERIMENTAL : 0);
        int r = phase_open(&g->options, &phase, &err);
        if (r == 0)
                r = phase_config_migrate(phase, g->new_config, &err);
        return r < 0 ? genphase_fail(&err, phase->exit_code) : 0;
}

static int print_defaults(struct genphase *g, const char *action)
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;
        char command[96];

        (void)snprintf(command, sizeof(command), "config print %s-defaults%s", action,
                       g->component_configs.len > 0 ? " --component-configs" : "");
        g->options.command = command;
        g->options.no_config = true;
        int r = phase_open(&g->options, &phase, &err);
        if (r == 0)
                r = phase_config_print(phase, action, &g->component_configs, &err);
        return r < 0 ? genphase_fail(&err, phase->exit_code) : 0;
}

static int run_print_init(void *userdata, const struct strv *args)
{
        (void)args;
        return print_defaults(userdata, "init");
}

static int run_print_join(void *userdata, const struct strv *args)
{
        (void)args;
        return print_defaults(userdata, "join");
}

static int run_print_reset(void *userdata, const struct strv *args)
{
        (void)args;
        return print_defaults(userdata, "reset");
}

static int run_print_upgrade(void *userdata, const struct strv *args)
{
        (void)args;
        return print_defaults(userdata, "upgrade");
}

/* clang-format off */
static const struct cli_option component_options[] = {
        {"component-configs", 0, CLI_LIST, offsetof(struct genphase, component_configs), "KIND,...",
         "print the defaults of these component configurations too: KubeProxyConfiguration, KubeletConfiguration"},
        {0}
};
static const struct cli_verb print_verbs[] = {
        {.name = "init-defaults", .help = "Print the default configuration of kubeadm init", .options = component_options,
         .run = run_print_init},
        {.name = "join-defaults", .help = "Print the default configuration of kubeadm join", .options = component_options,
         .run = run_print_join},
        {.name = "reset-defaults", .help = "Print the default configuration of kubeadm reset", .options = component_options,
         .run = run_print_reset},
        {.name = "upgrade-defaults", .help = "Print the default configuration of kubeadm upgrade",
         .options = component_options, .run = run_print_upgrade},
        {0}
};

#define OPTION_EXPERIMENTAL \
        {"allow-experimental-api", 0, CLI_FLAG, offsetof(struct genphase, allow_experimental), NULL, \
         "take experimental API versions"}

static const struct cli_option migrate_options[] = {
        OPTION_TEXT("old-config", options.config_file, "FILE", "configuration to read, of any API version"),
        OPTION_TEXT("new-config", new_config, "FILE", "where to write the result (default: standard output)"),
        OPTION_ACTIONS_OUTPUT,
        OPTION_EXPERIMENTAL,
        {0}
};
static const struct cli_option validate_options[] = {
        OPTION_CONFIG,
        {"allow-deprecated-api", 0, CLI_FLAG, offsetof(struct genphase, allow_deprecated), NULL,
         "no warning about a deprecated API version"},
        OPTION_EXPERIMENTAL,
        {0}
};

const struct cli_option config_options[] = {
        OPTION_IGNORED("kubeconfig", "FILE", "taken and not used: no configuration verb asks the cluster"), {0}
};

const struct cli_verb config_verbs[] = {
        {.name = "images", .help = "Images of a configuration", .verbs = config_images_verbs},
        {.name = "migrate", .help = "Rewrite a configuration in the newest API version", .options = migrate_options,
         .run = run_migrate,
         .text = "The result is the whole configuration as kubeadm holds it: every default is written down. Documents of components "
                 "are left out."},
        {.name = "print", .help = "Print default configurations", .verbs = print_verbs},
        {.name = "validate", .help = "Check a configuration: every mistake with its place", .options = validate_options,
         .run = run_validate},
        {0}
};
/* clang-format on */

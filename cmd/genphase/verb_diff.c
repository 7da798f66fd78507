/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "genphase.h"
#include "phase/diff.h"

/* Exit codes, as diff(1). */
enum { EXIT_SAME, EXIT_DIFFERENT };

static int open_phase(const struct phase_options *options, struct phase **ret, struct err *err)
{
        struct phase_options with_version = *options;
        struct phase_flags flags = *options->flags;

        /* Without a file it is a flag like the others. */
        if (!options->config_file && options->kubernetes_version)
                flags.kubernetes_version = options->kubernetes_version;
        with_version.flags = &flags;
        int r = phase_open(&with_version, ret, err);
        (*ret)->options.flags = options->flags;
        return r;
}

/* The side before: the same, but for what was given. */
static struct phase_options options_before(const struct genphase *g)
{
        struct phase_options options = g->options;

        if (g->from_config)
                options.config_file = g->from_config;
        if (g->from_kubernetes_version)
                options.kubernetes_version = g->from_kubernetes_version;
        if (g->from_kubeadm_version)
                options.kubeadm_version = g->from_kubeadm_version;
        if (g->from_patches)
                options.patches_dir = g->from_patches;
        return options;
}

int verb_diff(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;
        bool rendered = g->from_config || g->from_kubernetes_version || g->from_kubeadm_version || g->from_patches;
        struct phase *phase CLEANUP_PHASE = NULL, *from CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;
        bool differs;

        g->options.patches_with_config = true;
        const struct phase_options before = options_before(g);
        int r = open_phase(&g->options, &phase, &err);
        if (r == 0 && rendered) {
                r = open_phase(&before, &from, &err);
                if (r < 0)
                        (void)err_wrap(&err, "the side before");
        }
        const struct diff_options options = {from, g->write_patches, g->argument_patches};
        if (r == 0)
                r = phase_diff(phase, args, &options, &differs, &err);
        if (r < 0)
                return genphase_fail(&err, DIFF_TROUBLE);
        return differs ? EXIT_DIFFERENT : EXIT_SAME;
}

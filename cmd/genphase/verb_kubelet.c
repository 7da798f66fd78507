/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "genphase.h"
#include "phase/kubelet_finalize.h"
#include "phase/kubelet_start.h"

int verb_kubelet_start(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, phase_kubelet_start);
}

static int run_finalize(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, phase_kubelet_finalize);
}

/* clang-format off */
static const struct cli_option finalize_options[] = {OPTION_CONFIG, OPTION_CERT_DIR, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, {0}};

#define FINALIZE_TEXT \
        "Where /var/lib/kubelet/pki/kubelet-client-current.pem is there, kubelet.conf is made to point to it."
/* kubeadm calls the one thing that is to be done experimental-cert-rotation up to 1.31. */
const struct cli_verb kubelet_finalize_verbs[] = {
        {.name = "all", .help = "Run all kubelet-finalize phases", .options = finalize_options, .run = run_finalize,
         .text = FINALIZE_TEXT},
        {.name = "enable-client-cert-rotation", .help = "Enable kubelet client certificate rotation",
         .options = finalize_options, .run = run_finalize, .text = FINALIZE_TEXT},
        {.name = "experimental-cert-rotation", .help = "Enable kubelet client certificate rotation",
         .options = finalize_options, .run = run_finalize, .hidden = true},
        {0}
};
/* clang-format on */

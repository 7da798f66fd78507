/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "genphase.h"
#include "phase/proxy.h"
#include "pki.h"

int verb_proxy(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        /* With -o the manifest is printed and nothing is written: no certificate is needed. */
        return str_eq(g->options.output, "yaml") ? genphase_run(g, phase_proxy) : pki_proxy(g);
}

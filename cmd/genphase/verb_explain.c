/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "genphase.h"
#include "phase/explain.h"

int verb_explain(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        int r = phase_open(&g->options, &phase, &err);
        if (r < 0)
                return genphase_fail(&err, phase->exit_code);
        r = phase_explain(phase, args, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

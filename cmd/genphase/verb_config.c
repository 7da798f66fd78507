/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "genphase.h"
#include "phase/config_decode.h"
#include "phase/config_verbs.h"

int verb_config_validate(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;
        struct err err = ERR_INIT;

        (void)args;
        if (!g->options.config_file) {
                (void)err_set(&err, ERR_USAGE, "the --config flag is mandatory");
                return genphase_fail(&err, 1);
        }
        g->options.strict = true;
        g->options.decode = CONFIG_DECODE_KNOWN_ONLY | (g->allow_deprecated ? CONFIG_DECODE_ALLOW_DEPRECATED : 0) |
                            (g->allow_experimental ? CONFIG_DECODE_ALLOW_EXPERIMENTAL : 0);
        return genphase_run(g, phase_config_validate);
}

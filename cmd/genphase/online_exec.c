/* SPDX-License-Identifier: Apache-2.0
 *
 * online.h in genphase.
 */
#include "base/err.h"
#include "genphase.h"
#include "online.h"

int online_run(struct genphase *g, enum online_verb verb, const struct strv *args)
{
        struct err err = ERR_INIT;

        (void)verb;
        (void)args;
        (void)genphase_replace(g, "genphase-api", &err);
        return genphase_fail(&err, 1);
}

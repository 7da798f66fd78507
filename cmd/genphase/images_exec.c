/* SPDX-License-Identifier: Apache-2.0
 *
 * images.h in genphase.
 */
#include "images.h"
#include "base/err.h"
#include "genphase.h"

static int replace(const struct genphase *g)
{
        struct err err = ERR_INIT;

        (void)genphase_replace(g, "genphase-images", &err);
        return genphase_fail(&err, 1);
}

int images_pull(struct genphase *g, const struct strv *args)
{
        (void)args;
        return replace(g);
}

int images_build(struct genphase *g, const struct strv *args)
{
        (void)args;
        return replace(g);
}

int images_load(struct genphase *g, const struct strv *args)
{
        (void)args;
        return replace(g);
}

int images_reset(struct genphase *g)
{
        return replace(g);
}

int images_preflight(struct genphase *g)
{
        return replace(g);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "genphase.h"
#include "phase/host_facts.h"

static int print_facts(struct phase *phase, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        int r = host_facts_write(phase, &out, err);

        if (r == 0)
                (void)fputs(buf_str(&out), phase->options.out);
        return r;
}

int verb_host_facts(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        g->options.no_config = true;
        return genphase_run(g, print_facts);
}

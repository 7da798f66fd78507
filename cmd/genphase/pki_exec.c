/* SPDX-License-Identifier: Apache-2.0
 *
 * pki.h in genphase.
 */
#include "base/err.h"
#include "genphase.h"
#include "pki.h"

#define PROGRAM "genphase-pki"

const bool pki_is_here = false;

static int replace_or_fail(const struct genphase *g)
{
        struct err err = ERR_INIT;

        (void)genphase_replace(g, PROGRAM, &err);
        return genphase_fail(&err, 1);
}

int pki_certs(struct genphase *g, const char *name)
{
        (void)name;
        return replace_or_fail(g);
}

int pki_kubeconfig(struct genphase *g, const char *name)
{
        (void)name;
        return replace_or_fail(g);
}

int pki_certs_expiration(struct genphase *g)
{
        return replace_or_fail(g);
}

int pki_certs_renew(struct genphase *g, const char *name)
{
        (void)name;
        return replace_or_fail(g);
}

int pki_certs_csr(struct genphase *g)
{
        return replace_or_fail(g);
}

int pki_kubeconfig_user(struct genphase *g)
{
        return replace_or_fail(g);
}

int pki_proxy(struct genphase *g)
{
        return replace_or_fail(g);
}

int pki_external_ca(struct genphase *g, struct phase *phase, struct err *err)
{
        (void)phase;
        return genphase_replace(g, PROGRAM, err);
}

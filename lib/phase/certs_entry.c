/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "phase/certs.h"
#include "phase/certs_entry.h"
#include "phase/phase.h"

#define USAGE_NONE 0
#define USAGE_SERVER PKI_USAGE_SERVER
#define USAGE_CLIENT PKI_USAGE_CLIENT
#define USAGE_BOTH (PKI_USAGE_SERVER | PKI_USAGE_CLIENT)
#define NAMES_NONE NULL
#define NAMES_APISERVER cert_names_apiserver
#define NAMES_ETCD_SERVER cert_names_etcd_server
#define NAMES_ETCD_PEER cert_names_etcd_peer

const struct certs_entry certs_entries[] = {
#define X(name, long_name, base_name, ca, common_name, organization_row, usage, names) \
        {name, long_name, base_name, ca, common_name, organization_row, USAGE_##usage, NAMES_##names},
        CERTS_LIST(X)
#undef X
                {0}};

_Static_assert(ARRAY_SIZE(certs_entries) - 1 == CERTS_ENTRIES_MAX, "CERTS_ENTRIES_MAX is the number of rows");

const struct certs_entry *certs_entry_find(const char *name)
{
        for (const struct certs_entry *e = certs_entries; e->name; e++)
                if (str_eq(e->name, name))
                        return e;
        return NULL;
}

bool certs_entry_is_etcd(const struct certs_entry *e)
{
        return str_eq(e->name, "etcd-ca") || str_eq(e->ca, "etcd-ca");
}

void certs_entry_lists_release(struct certs_entry_lists *lists)
{
        strv_release(&lists->organizations);
        strv_release(&lists->dns);
}

void certs_entry_spec(const struct phase *phase, const struct certs_entry *e, const struct cert_names *names,
                      struct certs_entry_lists *ret_lists, struct pki_cert_spec *ret)
{
        const char *cn = e->common_name ? e->common_name : phase->config->init.node_registration.name.text;
        const char *group =
                e->organization_row ? era_text(phase->era, "certificates", e->organization_row, NULL) : NULL;

        if (!str_empty(group))
                strv_add(&ret_lists->organizations, group);
        if (!e->ca && era_flag(phase->era, "certificates", "caDNSName"))
                strv_add(&ret_lists->dns, cn);
        *ret = (struct pki_cert_spec){.common_name = cn,
                                      .organizations = &ret_lists->organizations,
                                      .dns_names = names ? &names->dns : &ret_lists->dns,
                                      .addresses = names ? &names->addresses : NULL,
                                      .usages = e->usages,
                                      .ca = !e->ca};
}

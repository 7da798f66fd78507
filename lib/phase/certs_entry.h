#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificates that kubeadm knows, as rows (CERTS_LIST of certs.h), and what each is made of. Shared by what makes
 * them (certs.c), requests them (certs_csr.c) and renews them (certs_renew.c).
 */
#include <stdbool.h>

#include "phase/cert_names.h"
#include "pki/cert.h"

struct err;
struct phase;

struct certs_entry {
        const char *name;             /* of the command and in messages: "etcd-server" */
        const char *long_name;        /* "certificate for serving etcd" */
        const char *base_name;        /* "etcd/server": certificatesDir/etcd/server.crt and .key */
        const char *ca;               /* name of the entry that signs it; NULL: it is a CA */
        const char *common_name;      /* NULL: the node's name */
        const char *organization_row; /* path of the era row that holds its O; NULL: none */
        unsigned usages;              /* enum pki_usage */
        int (*names)(struct phase *phase, struct cert_names *ret, struct err *err); /* NULL: none */
};

extern const struct certs_entry certs_entries[]; /* ended by one without a name */
#define CERTS_ENTRIES_MAX 10

/* NULL: there is none. */
const struct certs_entry *certs_entry_find(const char *name);
bool certs_entry_is_etcd(const struct certs_entry *e);

/* Subject and names of an entry. ret_lists keeps what *ret borrows. names may be NULL. */
struct certs_entry_lists {
        struct strv organizations, dns;
};
void certs_entry_lists_release(struct certs_entry_lists *lists);
void certs_entry_spec(const struct phase *phase, const struct certs_entry *e, const struct cert_names *names,
                      struct certs_entry_lists *ret_lists, struct pki_cert_spec *ret);

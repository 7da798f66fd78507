#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificates that `certs check-expiration` and `certs renew` know (cmd/kubeadm/app/phases/certs/renewal): those
 * below certificatesDir that a CA has signed, and those inside the kubeconfig files; not the kubelet's, which renews
 * its own.
 */
#include <stdbool.h>
#include <stddef.h>

#include "phase/pki_files.h"

struct err;
struct value;

#define CERTS_MANAGED_MAX 16

struct certs_managed {
        const char *name;         /* "apiserver", "admin.conf" */
        const char *long_name;    /* "certificate for serving the Kubernetes API" */
        const char *base_name;    /* below certificatesDir; NULL: it is inside the kubeconfig file `name` */
        const char *ca;           /* name of the CA that signs it: "etcd-ca"; NULL: it is a CA itself */
        const char *ca_base_name; /* "etcd/ca" */
};

/* In order of name; their number. What an external etcd makes needless is left out. */
size_t certs_managed_list(const struct phase *phase, struct certs_managed ret[CERTS_MANAGED_MAX]);
/* The CAs behind them, the same way. */
size_t certs_managed_cas(const struct phase *phase, struct certs_managed ret[CERTS_MANAGED_MAX]);

/* The file is there and no directory. */
bool certs_managed_exists(const struct pki_files *files, const struct certs_managed *m);
/* external_ca_is with kubeadm's words. */
int certs_managed_external(struct pki_files *files, const char *ca_base_name, bool *ret, struct err *err);
/* The certificate; of a kubeconfig file *ret_tree is the file's tree (free it), else NULL. */
int certs_managed_read(struct pki_files *files, const struct certs_managed *m, struct pki_certs *ret,
                       struct value **ret_tree, struct err *err);
/* The two maps of the current context of such a tree, which certs_managed_read has checked to be there. */
struct value *certs_managed_cluster(const struct value *tree);
struct value *certs_managed_user(const struct value *tree);
/* Where a kubeconfig file is. Free it. */
char *certs_managed_path(const struct pki_files *files, const struct certs_managed *m);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The subject alternative names of serving certificates (cmd/kubeadm/app/util/pkiutil/pki_helpers.go,
 * GetAPIServerAltNames and getAltNames), sorted and de-duplicated as there.
 */
#include "base/strv.h"

struct err;
struct phase;

struct cert_names {
        struct strv dns;
        struct strv addresses;
};
void cert_names_release(struct cert_names *names);
#define CLEANUP_CERT_NAMES __attribute__((cleanup(cert_names_release)))

/* Names that are neither an address nor a DNS name are warned about and left out. */
int cert_names_apiserver(struct phase *phase, struct cert_names *ret, struct err *err);
int cert_names_etcd_server(struct phase *phase, struct cert_names *ret, struct err *err);
int cert_names_etcd_peer(struct phase *phase, struct cert_names *ret, struct err *err);

/* "DNS names [a b] and IPs [1.2.3.4]", as Go prints the two lists. Free it. */
char *cert_names_text(const struct strv *dns, const struct strv *addresses);

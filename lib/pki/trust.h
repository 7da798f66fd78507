#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is behind a client certificate: the chain that a TLS client sent, verified against a file of CAs, and the user
 * that its subject names (k8s.io/apiserver/pkg/authentication/request/x509: the last common name is the user, the
 * organizations are its groups).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"

struct err;
struct pki_trust;

/* CAs of a PEM text; what is between certificates is skipped. -ERR_INVALID where there is none. */
int pki_trust_load(const char *text, size_t len, struct pki_trust **ret, struct err *err);
struct pki_trust *pki_trust_free(struct pki_trust *trust); /* takes NULL, returns NULL */
static inline void cleanup_pki_trust(struct pki_trust **trust)
{
        *trust = pki_trust_free(*trust);
}
#define CLEANUP_PKI_TRUST __attribute__((cleanup(cleanup_pki_trust)))

struct pki_der { /* one certificate, borrowed */
        const void *data;
        size_t len;
};

struct pki_client {
        char *common_name; /* "" where the subject has none: it names no user */
        struct strv organizations;
        char sha256[65]; /* of the certificate: lower-case hex */
};
void pki_client_release(struct pki_client *client);
#define CLEANUP_PKI_CLIENT __attribute__((cleanup(pki_client_release)))

/* chain: the client's own certificate first, then intermediates. It must lead to a CA of trust, be in its time now, and
 * be good for TLS clients. 0, or -ERR_INVALID with what is wrong. */
int pki_trust_client(const struct pki_trust *trust, const struct pki_der *chain, size_t count, struct pki_client *ret,
                     struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of certificates that are already there, with the outcomes and texts of Go's crypto/x509, which kubeadm prints.
 * `now` is in seconds since 1970 and comes from the caller.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pki_cert;
struct pki_key;

/* As pkiutil.VerifyCertChain: cert leads to root, perhaps over intermediates; all are in their validity period, and who
 * signs is a CA. Extended key usages do not count. 0, or -ERR_INVALID. */
int pki_verify_chain(const struct pki_cert *cert, struct pki_cert *const *intermediates, size_t count,
                     const struct pki_cert *root, int64_t now, struct err *err);

/* As pkiutil.ValidateCertPeriod. 0, or -ERR_INVALID. */
int pki_verify_period(const struct pki_cert *cert, int64_t now, struct err *err);

/* As Certificate.VerifyHostname: name is a DNS name or an IP address. 0, or -ERR_INVALID. */
int pki_verify_name(const struct pki_cert *cert, const char *name, struct err *err);

/* The certificate is that key's. 0, or -ERR_INVALID. */
int pki_verify_key(const struct pki_cert *cert, const struct pki_key *key, struct err *err);

/* The same bytes. */
bool pki_cert_equal(const struct pki_cert *a, const struct pki_cert *b);

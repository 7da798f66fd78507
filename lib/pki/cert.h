#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates as kubeadm makes them (cmd/kubeadm/app/util/pkiutil/pki_helpers.go on Go's crypto/x509): the same
 * fields, extensions, order and encodings. What differs between kubeadm versions is a field of struct pki_cert_spec;
 * the rows that fill it in are in the era tables of lib/phase. How an existing one is checked is in pki/verify.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"

struct buf;
struct err;
struct pki_key;

enum pki_usage {
        PKI_USAGE_SERVER = 1 << 0, /* TLS Web Server Authentication */
        PKI_USAGE_CLIENT = 1 << 1,
};

/* How the subject key identifier of a CA is made of its public key: Go changed it with 1.25. */
enum pki_key_id {
        PKI_KEY_ID_SHA1,   /* RFC 5280 4.2.1.2 method 1 */
        PKI_KEY_ID_SHA256, /* RFC 7093 section 2 method 1: the first 160 bits */
        PKI_KEY_ID_MAX
};

/* Names are written as they come (sort and de-duplicate them before: pki_names_tidy). */
struct pki_cert_spec {
        const char *common_name;
        const struct strv *organizations; /* in one RDN; NULL for none */
        const struct strv *dns_names;     /* NULL for none */
        const struct strv *addresses;     /* IPv4 or IPv6 as text; NULL for none */
        unsigned usages;                  /* enum pki_usage; 0 for a CA */
        bool ca;
        bool basic_constraints; /* written for leaves too, as CA:FALSE (kubeadm 1.21 on) */
        enum pki_key_id key_id;
        int64_t not_before, not_after; /* seconds since 1970 */
};

struct pki_cert;

struct pki_cert *pki_cert_free(struct pki_cert *cert);
static inline void cleanup_pki_cert(struct pki_cert **cert)
{
        *cert = pki_cert_free(*cert);
}
#define CLEANUP_PKI_CERT __attribute__((cleanup(cleanup_pki_cert)))

/* Makes a certificate for key, signed by ca and ca_key, or by itself where both are NULL. The serial number is random
 * in [1, 2^63). -ERR_INVALID where ca_key is not ca's, with Go's text. */
int pki_cert_create(const struct pki_cert_spec *spec, const struct pki_key *key, const struct pki_cert *ca,
                    const struct pki_key *ca_key, struct pki_cert **ret, struct err *err);

/* DNS names: bytewise order, each once. Addresses: canonical text, each once, order kept; one that is none is an
 * error. */
int pki_names_tidy(struct strv *dns_names, struct strv *addresses, struct err *err);

/* Appends the certificate as PEM. */
int pki_cert_write(const struct pki_cert *cert, struct buf *out, struct err *err);

struct pki_cert_facts {
        char *subject; /* "CN=kubernetes-admin,O=kubeadm:cluster-admins" (RFC 4514) */
        char *issuer;
        char *common_name; /* "" where there is none */
        struct strv organizations;
        struct strv dns_names;
        struct strv addresses; /* canonical text */
        int64_t not_before, not_after;
        int version;
        bool has_constraints; /* basic constraints are there */
        bool is_ca;
        bool has_key_usage;
        bool may_sign_certs;
        unsigned usages; /* enum pki_usage */
};

/* Borrowed from cert. */
const struct pki_cert_facts *pki_cert_facts(const struct pki_cert *cert);

/* Certificates of one file, in its order: the first is the one meant, the others are intermediates. */
struct pki_certs {
        struct pki_cert **items;
        size_t count;
};
void pki_certs_release(struct pki_certs *certs);
#define CLEANUP_PKI_CERTS __attribute__((cleanup(pki_certs_release)))

/* Reads the CERTIFICATE blocks of a PEM text. -ERR_INVALID where there is none or one cannot be parsed, with the text
 * of client-go's cert.ParseCertsPEM. */
int pki_certs_load(const char *text, size_t len, struct pki_certs *ret, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this directory share: the structs behind the opaque types.
 */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "pki/cert.h"
#include "pki/key.h"

struct buf;
struct err;
struct strv;

struct pki_key {
        gnutls_x509_privkey_t key;
};

struct pki_cert {
        gnutls_x509_crt_t crt;
        struct pki_cert_facts facts;
};

/* err_set with the text of a GnuTLS result; returns -EIO. */
int pki_error(int result, struct err *err, const char *doing);

/* SubjectPublicKeyInfo of a key, of a certificate, as DER. */
int pki_key_spki(const struct pki_key *key, struct buf *out, struct err *err);
int pki_cert_spki(const struct pki_cert *cert, struct buf *out, struct err *err);

/* What a key signs with, as Go chooses for its own keys: SHA-384 for P-384, SHA-256 else. */
gnutls_digest_algorithm_t pki_key_digest(const struct pki_key *key);

/* Appends the alternative names of spec (GeneralNames), nothing where there are none. */
int pki_names_der(const struct pki_cert_spec *spec, struct buf *out, struct err *err);

/* Appends the texts of one kind of attribute (GNUTLS_OID_X520_...) in the order of the subject, as they are: GnuTLS'
 * own functions escape them for RFC 4514, so that a+b would come out as a\+b. -ERR_INVALID where one is no plain text.
 */
int pki_subject_texts(gnutls_x509_crt_t crt, const char *oid, struct strv *ret, struct err *err);

/* Wraps crt, which it takes, and reads its facts. */
int pki_cert_wrap(gnutls_x509_crt_t crt, struct pki_cert **ret, struct err *err);

/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "pki/der.h"
#include "pki/internal.h"
#include "pki/verify.h"

/* 4 or 16 bytes of an address, or 0. An IPv4 address mapped into IPv6 is IPv4, as Go has it. */
static size_t parse_address(const char *text, uint8_t ret[16])
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

        if (inet_pton(AF_INET, text, ret) == 1)
                return 4;
        if (inet_pton(AF_INET6, text, ret) != 1)
                return 0;
        if (memcmp(ret, mapped, sizeof(mapped)) != 0)
                return 16;
        memmove(ret, ret + 12, 4);
        return 4;
}

int pki_names_tidy(struct strv *dns_names, struct strv *addresses, struct err *err)
{
        strv_sort(dns_names);
        for (size_t i = dns_names->len; i-- > 1;)
                if (str_eq(dns_names->items[i], dns_names->items[i - 1]))
                        strv_remove(dns_names, i);

        struct strv tidy CLEANUP_STRV = STRV_INIT;
        char *address;
        STRV_FOREACH (address, addresses) {
                uint8_t bytes[16];
                char text[INET6_ADDRSTRLEN];
                size_t n = parse_address(address, bytes);
                if (n == 0)
                        return err_set(err, ERR_INVALID, "\"%s\" is not an IP address", address);
                (void)inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
                if (!strv_contains(&tidy, text))
                        strv_add(&tidy, text);
        }
        strv_release(addresses);
        strv_copy(addresses, &tidy);
        return 0;
}

/* The bits of the public key, behind the algorithm: what key identifiers are hashed of. */
static bool public_bits(const struct buf *spki, struct der *ret)
{
        struct der at = {.data = (const uint8_t *)spki->data, .len = spki->len}, content, skipped;
        uint8_t tag;

        if (!der_next(&at, &tag, &content) || tag != DER_SEQUENCE || !der_next(&content, &tag, &skipped) ||
            !der_next(&content, &tag, ret) || tag != DER_BIT_STRING || ret->len < 1)
                return false;
        ret->data++; /* how many bits are unused: none */
        ret->len--;
        return true;
}

static int set_extension(gnutls_x509_crt_t crt, const char *oid, const void *data, size_t len, bool critical,
                         struct err *err)
{
        int r = gnutls_x509_crt_set_extension_by_oid(crt, oid, data, len, critical);

        return r < 0 ? pki_error(r, err, "cannot set a certificate extension") : 0;
}

static int set_usages(gnutls_x509_crt_t crt, const struct pki_cert_spec *spec, struct err *err)
{
        /* BIT STRINGs: digitalSignature, keyEncipherment, and keyCertSign for a CA */
        static const uint8_t ca[] = {0x03, 0x02, 0x02, 0xa4}, leaf[] = {0x03, 0x02, 0x05, 0xa0};
        static const uint8_t server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01},
                             client[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
        struct buf list CLEANUP_BUF = BUF_INIT(64), all CLEANUP_BUF = BUF_INIT(64);
        int r = set_extension(crt, "2.5.29.15", spec->ca ? ca : leaf, sizeof(leaf), true, err);

        if (r < 0 || spec->usages == 0)
                return r;
        if (spec->usages & PKI_USAGE_SERVER)
                der_add(&list, DER_OID, server, sizeof(server));
        if (spec->usages & PKI_USAGE_CLIENT)
                der_add(&list, DER_OID, client, sizeof(client));
        der_add(&all, DER_SEQUENCE, list.data, list.len);
        return set_extension(crt, "2.5.29.37", all.data, all.len, false, err);
}

static int set_key_id(gnutls_x509_crt_t crt, const struct pki_cert_spec *spec, const struct buf *spki, struct err *err)
{
        struct buf id CLEANUP_BUF = BUF_INIT(64);
        uint8_t hash[32];
        struct der bits;

        if (!public_bits(spki, &bits))
                return err_set(err, EIO, "cannot read the public key");
        int r = gnutls_hash_fast(spec->key_id == PKI_KEY_ID_SHA1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256, bits.data,
                                 bits.len, hash);
        if (r < 0)
                return pki_error(r, err, "cannot hash the public key");
        der_add(&id, DER_OCTET_STRING, hash, 20);
        return set_extension(crt, "2.5.29.14", id.data, id.len, false, err);
}

/* Go leaves it out where the issuer has no identifier. */
static int set_authority(gnutls_x509_crt_t crt, const struct pki_cert *ca, struct err *err)
{
        struct buf id CLEANUP_BUF = BUF_INIT(256), all CLEANUP_BUF = BUF_INIT(256);
        uint8_t bytes[128];
        size_t len = sizeof(bytes);
        int r = gnutls_x509_crt_get_subject_key_id(ca->crt, bytes, &len, NULL);

        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
                return 0;
        if (r < 0)
                return pki_error(r, err, "cannot read the key identifier of the CA");
        der_add(&id, DER_CONTEXT_0_PRIMITIVE, bytes, len);
        der_add(&all, DER_SEQUENCE, id.data, id.len);
        return set_extension(crt, "2.5.29.35", all.data, all.len, false, err);
}

int pki_names_der(const struct pki_cert_spec *spec, struct buf *out, struct err *err)
{
        struct buf list CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *name;

        if (spec->dns_names)
                STRV_FOREACH (name, spec->dns_names)
                        der_add(&list, DER_CONTEXT_2_PRIMITIVE, name, strlen(name));
        if (spec->addresses) {
                STRV_FOREACH (name, spec->addresses) {
                        uint8_t bytes[16];
                        size_t n = parse_address(name, bytes);
                        if (n == 0)
                                return err_set(err, ERR_INVALID, "\"%s\" is not an IP address", name);
                        der_add(&list, DER_CONTEXT_7_PRIMITIVE, bytes, n);
                }
        }
        if (list.len == 0)
                return 0;
        der_add(out, DER_SEQUENCE, list.data, list.len);
        return buf_check(&list, "subject alternative names", err);
}

static int set_names(gnutls_x509_crt_t crt, const struct pki_cert_spec *spec, struct err *err)
{
        struct buf names CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE + 16);
        int r = pki_names_der(spec, &names, err);

        return r < 0 || names.len == 0 ? r : set_extension(crt, "2.5.29.17", names.data, names.len, false, err);
}

/* The order is that of Go's buildCertExtensions. */
static int set_extensions(gnutls_x509_crt_t crt, const struct pki_cert_spec *spec, const struct buf *spki,
                          const struct pki_cert *ca, struct err *err)
{
        static const uint8_t is_ca[] = {0x30, 0x03, 0x01, 0x01, 0xff}, is_not[] = {0x30, 0x00};
        int r = set_usages(crt, spec, err);

        if (r == 0 && (spec->ca || spec->basic_constraints))
                r = set_extension(crt, "2.5.29.19", spec->ca ? is_ca : is_not,
                                  spec->ca ? sizeof(is_ca) : sizeof(is_not), true, err);
        if (r == 0 && spec->ca)
                r = set_key_id(crt, spec, spki, err);
        if (r == 0 && ca)
                r = set_authority(crt, ca, err);
        return r < 0 ? r : set_names(crt, spec, err);
}

static int set_serial(gnutls_x509_crt_t crt, struct err *err)
{
        uint8_t serial[9];
        size_t skip = 1;

        do {
                int r = gnutls_rnd(GNUTLS_RND_NONCE, serial + 1, 8);
                if (r < 0)
                        return pki_error(r, err, "cannot make a serial number");
                serial[0] = 0;
                serial[1] &= 0x7f;
        } while (memcmp(serial, (uint8_t[9]){0}, 9) == 0);
        while (serial[skip] == 0)
                skip++;
        /* DER integers are signed: keep a zero in front of a high bit. */
        if (serial[skip] & 0x80)
                skip--;
        int r = gnutls_x509_crt_set_serial(crt, serial + skip, sizeof(serial) - skip);
        return r < 0 ? pki_error(r, err, "cannot set the serial number") : 0;
}

static int set_subject(gnutls_x509_crt_t crt, const struct pki_cert_spec *spec, struct err *err)
{
        char *name;
        int r = 0;

        if (str_empty(spec->common_name))
                return err_set(err, ERR_INVALID, "must specify a CommonName");
        if (spec->organizations)
                STRV_FOREACH (name, spec->organizations)
                        if (r >= 0)
                                r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, name,
                                                                  (unsigned)strlen(name));
        if (r >= 0)
                r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, spec->common_name,
                                                  (unsigned)strlen(spec->common_name));
        return r < 0 ? pki_error(r, err, "cannot set the subject") : 0;
}

static int set_body(gnutls_x509_crt_t crt, const struct pki_cert_spec *spec, const struct pki_key *key, struct err *err)
{
        int r = gnutls_x509_crt_set_version(crt, 3);

        if (r >= 0)
                r = gnutls_x509_crt_set_key(crt, key->key);
        if (r >= 0)
                r = gnutls_x509_crt_set_activation_time(crt, (time_t)spec->not_before);
        if (r >= 0)
                r = gnutls_x509_crt_set_expiration_time(crt, (time_t)spec->not_after);
        if (r < 0)
                return pki_error(r, err, "cannot make a certificate");
        r = set_serial(crt, err);
        return r < 0 ? r : set_subject(crt, spec, err);
}

gnutls_digest_algorithm_t pki_key_digest(const struct pki_key *key)
{
        unsigned bits = 0;
        int pk = gnutls_x509_privkey_get_pk_algorithm2(key->key, &bits);

        if (pk == GNUTLS_PK_ECDSA && bits == 384)
                return GNUTLS_DIG_SHA384;
        return pk == GNUTLS_PK_ECDSA && bits > 384 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256;
}

/* GnuTLS keeps parts of what it parsed beside the DER, and extensions set by OID are not among them: parse it anew. */
static int read_back(gnutls_x509_crt_t made, struct pki_cert **ret, struct err *err)
{
        gnutls_x509_crt_t crt = NULL;
        gnutls_datum_t der = {0};
        int r = gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_DER, &der);

        if (r >= 0)
                r = gnutls_x509_crt_init(&crt);
        if (r >= 0)
                r = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
        gnutls_free(der.data);
        if (r >= 0)
                return pki_cert_wrap(crt, ret, err);
        if (crt)
                gnutls_x509_crt_deinit(crt);
        return pki_error(r, err, "cannot read the certificate back");
}

int pki_cert_create(const struct pki_cert_spec *spec, const struct pki_key *key, const struct pki_cert *ca,
                    const struct pki_key *ca_key, struct pki_cert **ret, struct err *err)
{
        struct buf spki CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        gnutls_x509_crt_t crt = NULL;
        int r = pki_key_spki(key, &spki, err);

        if (r < 0)
                return r;
        if (ca && pki_verify_key(ca, ca_key, NULL) < 0)
                return err_set(err, ERR_INVALID, "x509: provided PrivateKey doesn't match parent's PublicKey");
        r = gnutls_x509_crt_init(&crt);
        if (r < 0)
                return pki_error(r, err, "cannot make a certificate");
        r = set_body(crt, spec, key, err);
        if (r == 0)
                r = set_extensions(crt, spec, &spki, ca, err);
        if (r == 0) {
                const struct pki_key *signer = ca ? ca_key : key;
                r = gnutls_x509_crt_sign2(crt, ca ? ca->crt : crt, signer->key, pki_key_digest(signer), 0);
                r = r < 0 ? pki_error(r, err, "cannot sign the certificate") : 0;
        }
        if (r == 0)
                r = read_back(crt, ret, err);
        gnutls_x509_crt_deinit(crt);
        return r;
}

int pki_cert_write(const struct pki_cert *cert, struct buf *out, struct err *err)
{
        gnutls_datum_t text = {0};
        int r = gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_PEM, &text);

        if (r < 0)
                return pki_error(r, err, "cannot write the certificate");
        buf_add(out, text.data, text.size);
        gnutls_free(text.data);
        return buf_check(out, "certificate", err);
}

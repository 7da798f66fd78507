/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "pki/csr.h"
#include "pki/der.h"
#include "pki/internal.h"
#include "pki/pem.h"

static const uint8_t common_name_oid[] = {0x55, 0x04, 0x03}, organization_oid[] = {0x55, 0x04, 0x0a};
static const uint8_t extension_request_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t alternative_names_oid[] = {0x55, 0x1d, 0x11};

/* As Go's encoding/asn1 chooses between the two string types. */
static bool is_printable(const char *s)
{
        for (; *s; s++)
                if (!isalnum((unsigned char)*s) && !strchr(" '()+,-./:=?", *s))
                        return false;
        return true;
}

/* AttributeTypeAndValue */
static void add_attribute(struct buf *out, const uint8_t *oid, size_t oid_len, const char *value)
{
        struct buf pair CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);

        der_add(&pair, DER_OID, oid, oid_len);
        der_add(&pair, is_printable(value) ? DER_PRINTABLE_STRING : DER_UTF8_STRING, value, strlen(value));
        der_add(out, DER_SEQUENCE, pair.data, pair.len);
        out->failed |= pair.failed;
}

struct encoded {
        char *data;
        size_t len;
};

static int compare_encoded(const void *a, const void *b)
{
        const struct encoded *x = a, *y = b;
        int c = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

        return c ? c : (x->len > y->len) - (x->len < y->len);
}

/* All organizations are in one set, whose members DER sorts by their bytes. */
static void add_organizations(struct buf *rdns, const struct strv *organizations)
{
        struct buf set CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);

        if (!organizations || organizations->len == 0)
                return;
        struct encoded *items CLEANUP_FREE = xcalloc(organizations->len, sizeof(*items));
        for (size_t i = 0; i < organizations->len; i++) {
                struct buf one CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
                add_attribute(&one, organization_oid, sizeof(organization_oid), organizations->items[i]);
                items[i].data = buf_steal(&one, &items[i].len);
        }
        qsort(items, organizations->len, sizeof(*items), compare_encoded);
        for (size_t i = 0; i < organizations->len; i++) {
                buf_add(&set, items[i].data, items[i].len);
                free(items[i].data);
        }
        der_add(rdns, DER_SET, set.data, set.len);
        rdns->failed |= set.failed;
}

static void add_subject(struct buf *out, const struct pki_cert_spec *spec)
{
        struct buf rdns CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), name CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);

        add_organizations(&rdns, spec->organizations);
        add_attribute(&name, common_name_oid, sizeof(common_name_oid), spec->common_name);
        der_add(&rdns, DER_SET, name.data, name.len);
        der_add(out, DER_SEQUENCE, rdns.data, rdns.len);
        out->failed |= rdns.failed || name.failed;
}

/* attributes [0]: the extension with the names, or nothing. */
static int add_attributes(struct buf *out, const struct pki_cert_spec *spec, struct err *err)
{
        struct buf names CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), a CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                         b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = pki_names_der(spec, &names, err);

        if (r < 0)
                return r;
        if (names.len > 0) {
                der_add(&a, DER_OID, alternative_names_oid, sizeof(alternative_names_oid));
                der_add(&a, DER_OCTET_STRING, names.data, names.len);
                der_add(&b, DER_SEQUENCE, a.data, a.len); /* Extension */
                buf_clear(&a);
                der_add(&a, DER_SEQUENCE, b.data, b.len); /* Extensions */
                buf_clear(&b);
                der_add(&b, DER_SET, a.data, a.len);
                buf_clear(&a);
                der_add(&a, DER_OID, extension_request_oid, sizeof(extension_request_oid));
                buf_add(&a, b.data, b.len);
                buf_clear(&b);
                der_add(&b, DER_SEQUENCE, a.data, a.len); /* Attribute */
        }
        der_add(out, DER_CONTEXT_0, b.data, b.len);
        out->failed |= a.failed || b.failed;
        return 0;
}

/* AlgorithmIdentifier of the signature that digest and key give. */
static void add_algorithm(struct buf *out, const struct pki_key *key, gnutls_digest_algorithm_t digest)
{
        static const uint8_t rsa_sha256[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
        static const uint8_t ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
        struct buf id CLEANUP_BUF = BUF_INIT(64);
        uint8_t oid[sizeof(ecdsa_sha256)];

        if (gnutls_x509_privkey_get_pk_algorithm(key->key) == GNUTLS_PK_RSA) {
                der_add(&id, DER_OID, rsa_sha256, sizeof(rsa_sha256));
                der_add(&id, DER_NULL, NULL, 0);
        } else {
                memcpy(oid, ecdsa_sha256, sizeof(oid));
                /* ecdsa-with-SHA256, -SHA384 and -SHA512 differ in the last number. */
                oid[sizeof(oid) - 1] = digest == GNUTLS_DIG_SHA384 ? 3 : (digest == GNUTLS_DIG_SHA512 ? 4 : 2);
                der_add(&id, DER_OID, oid, sizeof(oid));
        }
        der_add(out, DER_SEQUENCE, id.data, id.len);
}

static int add_signature(struct buf *out, const struct buf *info, const struct pki_key *key,
                         gnutls_digest_algorithm_t digest, struct err *err)
{
        gnutls_datum_t data = {.data = (unsigned char *)info->data, .size = (unsigned)info->len}, signature = {0};
        struct buf bits CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        gnutls_privkey_t private = NULL;
        int r = gnutls_privkey_init(&private);

        if (r >= 0)
                r = gnutls_privkey_import_x509(private, key->key, 0);
        if (r >= 0)
                r = gnutls_privkey_sign_data(private, digest, 0, &data, &signature);
        if (private)
                gnutls_privkey_deinit(private);
        if (r < 0)
                return pki_error(r, err, "cannot sign the request");
        buf_addch(&bits, 0);
        buf_add(&bits, signature.data, signature.size);
        gnutls_free(signature.data);
        der_add(out, DER_BIT_STRING, bits.data, bits.len);
        return 0;
}

int pki_csr_write(const struct pki_cert_spec *spec, const struct pki_key *key, struct buf *out, struct err *err)
{
        struct buf fields CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), info CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                          parts CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), all CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        gnutls_digest_algorithm_t digest = pki_key_digest(key);
        static const uint8_t version = 0;

        if (str_empty(spec->common_name))
                return err_set(err, ERR_INVALID, "must specify a CommonName");
        der_add(&fields, DER_INTEGER, &version, 1);
        add_subject(&fields, spec);
        int r = pki_key_spki(key, &fields, err);
        if (r == 0)
                r = add_attributes(&fields, spec, err);
        if (r < 0)
                return r;
        der_add(&info, DER_SEQUENCE, fields.data, fields.len);
        buf_add(&parts, info.data, info.len);
        add_algorithm(&parts, key, digest);
        r = buf_check(&info, "certificate request", err);
        if (r == 0)
                r = add_signature(&parts, &info, key, digest, err);
        if (r < 0)
                return r;
        der_add(&all, DER_SEQUENCE, parts.data, parts.len);
        r = buf_check(fields.failed ? &fields : &all, "certificate request", err);
        return r < 0 ? r : pki_pem_write("CERTIFICATE REQUEST", all.data, all.len, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "pki/der.h"
#include "pki/internal.h"
#include "pki/pem.h"

static const struct {
        const char *name;
        gnutls_pk_algorithm_t pk;
        unsigned bits;
} algorithms[PKI_ALGORITHM_MAX] = {
        [PKI_ALGORITHM_RSA_2048] = {"RSA-2048", GNUTLS_PK_RSA, 2048},
        [PKI_ALGORITHM_RSA_3072] = {"RSA-3072", GNUTLS_PK_RSA, 3072},
        [PKI_ALGORITHM_RSA_4096] = {"RSA-4096", GNUTLS_PK_RSA, 4096},
        [PKI_ALGORITHM_ECDSA_P256] = {"ECDSA-P256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
        [PKI_ALGORITHM_ECDSA_P384] = {"ECDSA-P384", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
};

int pki_error(int result, struct err *err, const char *doing)
{
        return err_set(err, EIO, "%s: %s", doing, gnutls_strerror(result));
}

const char *pki_algorithm_name(enum pki_algorithm algorithm)
{
        return algorithm < PKI_ALGORITHM_MAX ? algorithms[algorithm].name : "";
}

int pki_algorithm_parse(const char *name, enum pki_algorithm *ret, struct err *err)
{
        if (str_empty(name))
                name = algorithms[PKI_ALGORITHM_RSA_2048].name;
        for (unsigned i = 0; i < PKI_ALGORITHM_MAX; i++) {
                if (str_eq(algorithms[i].name, name)) {
                        *ret = (enum pki_algorithm)i;
                        return 0;
                }
        }
        return err_set(err, ERR_INVALID, "cannot obtain key size from unknown RSA algorithm: \"%s\"", name);
}

struct pki_key *pki_key_free(struct pki_key *key)
{
        if (key) {
                gnutls_x509_privkey_deinit(key->key);
                free(key);
        }
        return NULL;
}

static int key_new(struct pki_key **ret, struct err *err)
{
        struct pki_key *key = xcalloc(1, sizeof(*key));
        int r = gnutls_x509_privkey_init(&key->key);

        if (r < 0) {
                free(key);
                return pki_error(r, err, "cannot make a private key");
        }
        *ret = key;
        return 0;
}

int pki_key_generate(enum pki_algorithm algorithm, struct pki_key **ret, struct err *err)
{
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        int r = key_new(&key, err);

        if (r < 0)
                return r;
        r = gnutls_x509_privkey_generate(key->key, algorithms[algorithm].pk, algorithms[algorithm].bits, 0);
        if (r < 0)
                return pki_error(r, err, "cannot generate a private key");
        *ret = TAKE_PTR(key);
        return 0;
}

static int key_from_der(const struct pki_pem_block *block, struct pki_key **ret)
{
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        gnutls_datum_t der = {.data = block->data, .size = (unsigned)block->len};
        int r = key_new(&key, NULL);

        if (r < 0)
                return r;
        if (str_eq(block->type, "RSA PRIVATE KEY") || str_eq(block->type, "EC PRIVATE KEY"))
                r = gnutls_x509_privkey_import(key->key, &der, GNUTLS_X509_FMT_DER);
        else
                r = gnutls_x509_privkey_import_pkcs8(key->key, &der, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
        if (r < 0)
                return -EINVAL;
        *ret = TAKE_PTR(key);
        return 0;
}

static bool is_private(const char *type)
{
        return str_eq(type, "RSA PRIVATE KEY") || str_eq(type, "EC PRIVATE KEY") || str_eq(type, "PRIVATE KEY");
}

int pki_key_load(const char *text, size_t len, struct pki_key **ret, struct err *err)
{
        struct pki_pem_block block CLEANUP_PEM_BLOCK = {.data = NULL};

        while (pki_pem_next(&text, &len, &block)) {
                struct pki_key *key CLEANUP_PKI_KEY = NULL;
                if (!is_private(block.type) || key_from_der(&block, &key) < 0)
                        continue;
                int pk = gnutls_x509_privkey_get_pk_algorithm(key->key);
                if (pk != GNUTLS_PK_RSA && pk != GNUTLS_PK_ECDSA)
                        return err_set(err, ERR_UNSUPPORTED, "is neither in RSA nor ECDSA format");
                *ret = TAKE_PTR(key);
                return 0;
        }
        return err_set(err, ERR_INVALID, "data does not contain a valid RSA or ECDSA private key");
}

static const struct curve {
        gnutls_ecc_curve_t id;
        size_t width; /* bytes of a number */
        const uint8_t *oid;
        size_t oid_len;
} curves[] = {
        {GNUTLS_ECC_CURVE_SECP256R1, 32, (const uint8_t[]){0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}, 8},
        {GNUTLS_ECC_CURVE_SECP384R1, 48, (const uint8_t[]){0x2b, 0x81, 0x04, 0x00, 0x22}, 5},
        {GNUTLS_ECC_CURVE_SECP521R1, 66, (const uint8_t[]){0x2b, 0x81, 0x04, 0x00, 0x23}, 5},
};

/* The number at its full width, as RFC 5915 and SEC 1 want it. */
static void add_number(struct buf *out, const gnutls_datum_t *number, size_t width)
{
        const unsigned char *p = number->data;
        size_t n = number->size;

        for (; n > width && *p == 0; n--)
                p++;
        for (size_t i = n; i < width; i++)
                buf_addch(out, 0);
        buf_add(out, p, n);
}

/* ECPrivateKey (RFC 5915) with parameters and public key. */
static void add_ec(const struct curve *curve, const gnutls_datum_t *x, const gnutls_datum_t *y, const gnutls_datum_t *k,
                   struct buf *out)
{
        static const uint8_t version[] = {1};
        struct buf content CLEANUP_BUF = BUF_INIT(1024), part CLEANUP_BUF = BUF_INIT(256),
                           number CLEANUP_BUF = BUF_INIT(256);

        der_add(&content, DER_INTEGER, version, sizeof(version));
        add_number(&number, k, curve->width);
        der_add(&content, DER_OCTET_STRING, number.data, number.len);
        gnutls_memset(number.data, 0, number.len);
        der_add(&part, DER_OID, curve->oid, curve->oid_len);
        der_add(&content, DER_CONTEXT_0, part.data, part.len);
        buf_clear(&part);
        buf_clear(&number);
        buf_add(&number, "\0\x04", 2); /* no unused bits; an uncompressed point */
        add_number(&number, x, curve->width);
        add_number(&number, y, curve->width);
        der_add(&part, DER_BIT_STRING, number.data, number.len);
        der_add(&content, DER_CONTEXT_1, part.data, part.len);
        der_add(out, DER_SEQUENCE, content.data, content.len);
        out->failed = out->failed || content.failed || part.failed || number.failed;
        gnutls_memset(content.data, 0, content.len);
}

static int ec_der(const struct pki_key *key, struct buf *out, struct err *err)
{
        gnutls_datum_t x = {0}, y = {0}, k = {0};
        const struct curve *curve = NULL;
        gnutls_ecc_curve_t id;
        int r = gnutls_x509_privkey_export_ecc_raw(key->key, &id, &x, &y, &k);

        if (r < 0)
                return pki_error(r, err, "cannot write the private key");
        for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
                if (curves[i].id == id)
                        curve = &curves[i];
        if (curve)
                add_ec(curve, &x, &y, &k, out);
        gnutls_memset(k.data, 0, k.size);
        gnutls_free(x.data);
        gnutls_free(y.data);
        gnutls_free(k.data);
        return curve ? buf_check(out, "private key", err)
                     : err_set(err, ERR_UNSUPPORTED, "cannot write a key on curve %s", gnutls_ecc_curve_get_name(id));
}

int pki_key_write_private(const struct pki_key *key, struct buf *out, struct err *err)
{
        struct buf der CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        gnutls_datum_t data = {0};
        int r;

        if (gnutls_x509_privkey_get_pk_algorithm(key->key) == GNUTLS_PK_ECDSA) {
                r = ec_der(key, &der, err);
                if (r == 0)
                        r = pki_pem_write("EC PRIVATE KEY", der.data, der.len, out, err);
                gnutls_memset(der.data, 0, der.len);
                return r;
        }
        r = gnutls_x509_privkey_export2(key->key, GNUTLS_X509_FMT_DER, &data);
        if (r < 0)
                return pki_error(r, err, "cannot write the private key");
        r = pki_pem_write("RSA PRIVATE KEY", data.data, data.size, out, err);
        gnutls_memset(data.data, 0, data.size);
        gnutls_free(data.data);
        return r;
}

static int spki_of(gnutls_pubkey_t public, struct buf *out, struct err *err)
{
        gnutls_datum_t der = {0};
        int r = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der);

        if (r < 0)
                return pki_error(r, err, "cannot write the public key");
        buf_add(out, der.data, der.size);
        gnutls_free(der.data);
        return buf_check(out, "public key", err);
}

int pki_key_spki(const struct pki_key *key, struct buf *out, struct err *err)
{
        gnutls_privkey_t private = NULL;
        gnutls_pubkey_t public = NULL;
        int r = gnutls_privkey_init(&private);

        if (r >= 0)
                r = gnutls_pubkey_init(&public);
        if (r >= 0)
                r = gnutls_privkey_import_x509(private, key->key, 0);
        if (r >= 0)
                r = gnutls_pubkey_import_privkey(public, private, 0, 0);
        r = r < 0 ? pki_error(r, err, "cannot read the public key") : spki_of(public, out, err);
        if (public)
                gnutls_pubkey_deinit(public);
        if (private)
                gnutls_privkey_deinit(private);
        return r;
}

int pki_key_write_public(const struct pki_key *key, struct buf *out, struct err *err)
{
        struct buf der CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = pki_key_spki(key, &der, err);

        return r < 0 ? r : pki_pem_write("PUBLIC KEY", der.data, der.len, out, err);
}

bool pki_key_equal(const struct pki_key *a, const struct pki_key *b)
{
        struct buf x CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), y CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);

        return pki_key_spki(a, &x, NULL) == 0 && pki_key_spki(b, &y, NULL) == 0 && x.len == y.len &&
               memcmp(x.data, y.data, x.len) == 0;
}

/* SubjectPublicKeyInfo of a block of any kind that has a public half. */
static int block_spki(const struct pki_pem_block *block, struct buf *out)
{
        gnutls_datum_t der = {.data = block->data, .size = (unsigned)block->len};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        gnutls_pubkey_t public = NULL;

        if (is_private(block->type))
                return key_from_der(block, &key) < 0 ? -EINVAL : pki_key_spki(key, out, NULL);
        if (gnutls_pubkey_init(&public) < 0)
                return -EIO;
        int r = gnutls_pubkey_import(public, &der, GNUTLS_X509_FMT_DER);
        if (r < 0) {
                gnutls_x509_crt_t crt = NULL;
                r = gnutls_x509_crt_init(&crt);
                if (r >= 0)
                        r = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
                if (r >= 0)
                        r = gnutls_pubkey_import_x509(public, crt, 0);
                if (crt)
                        gnutls_x509_crt_deinit(crt);
        }
        if (r >= 0)
                r = spki_of(public, out, NULL);
        gnutls_pubkey_deinit(public);
        return r < 0 ? -EINVAL : 0;
}

int pki_key_check_public(const struct pki_key *key, const char *text, size_t len, struct err *err)
{
        struct buf ours CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct pki_pem_block block CLEANUP_PEM_BLOCK = {.data = NULL};
        int r = pki_key_spki(key, &ours, err);

        if (r < 0)
                return r;
        while (pki_pem_next(&text, &len, &block)) {
                struct buf theirs CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
                if (block_spki(&block, &theirs) < 0)
                        continue;
                if (theirs.len == ours.len && memcmp(theirs.data, ours.data, ours.len) == 0)
                        return 0;
                return err_set(err, ERR_INVALID, "it is the public half of another key");
        }
        return err_set(err, ERR_INVALID, "data does not contain any valid RSA or ECDSA public keys");
}

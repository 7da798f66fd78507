/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading certificates: PEM to struct pki_cert, and its facts.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "pki/internal.h"
#include "pki/pem.h"

/* A file of LIMIT_PKI_FILE holds more than this only if somebody means harm. */
#define NAMES_MAX 10000

struct pki_cert *pki_cert_free(struct pki_cert *cert)
{
        if (!cert)
                return NULL;
        if (cert->crt)
                gnutls_x509_crt_deinit(cert->crt);
        free(cert->facts.subject);
        free(cert->facts.issuer);
        free(cert->facts.common_name);
        strv_release(&cert->facts.organizations);
        strv_release(&cert->facts.dns_names);
        strv_release(&cert->facts.addresses);
        free(cert);
        return NULL;
}

const struct pki_cert_facts *pki_cert_facts(const struct pki_cert *cert)
{
        return &cert->facts;
}

int pki_cert_spki(const struct pki_cert *cert, struct buf *out, struct err *err)
{
        gnutls_pubkey_t public = NULL;
        gnutls_datum_t der = {0};
        int r = gnutls_pubkey_init(&public);

        if (r >= 0)
                r = gnutls_pubkey_import_x509(public, cert->crt, 0);
        if (r >= 0)
                r = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der);
        if (public)
                gnutls_pubkey_deinit(public);
        if (r < 0)
                return pki_error(r, err, "cannot read the public key of the certificate");
        buf_add(out, der.data, der.size);
        gnutls_free(der.data);
        return buf_check(out, "public key", err);
}

static char *datum_text(int r, gnutls_datum_t *datum)
{
        char *s = r < 0 ? xstrdup("") : xstrndup((const char *)datum->data, datum->size);

        if (r >= 0)
                gnutls_free(datum->data);
        return s;
}

static void read_subject(struct pki_cert *cert)
{
        gnutls_datum_t text = {0};

        cert->facts.subject = datum_text(gnutls_x509_crt_get_dn3(cert->crt, &text, 0), &text);
        cert->facts.issuer = datum_text(gnutls_x509_crt_get_issuer_dn3(cert->crt, &text, 0), &text);
        /* A subject that is no plain text names nobody. */
        struct strv names CLEANUP_STRV = STRV_INIT;
        (void)pki_subject_texts(cert->crt, GNUTLS_OID_X520_ORGANIZATION_NAME, &cert->facts.organizations, NULL);
        (void)pki_subject_texts(cert->crt, GNUTLS_OID_X520_COMMON_NAME, &names, NULL);
        /* Of several the last, as Go's pkix.Name has it. */
        cert->facts.common_name = xstrdup(names.len > 0 ? names.items[names.len - 1] : "");
}

static void read_names(struct pki_cert *cert)
{
        for (unsigned i = 0; i < NAMES_MAX; i++) {
                char value[1024], text[INET6_ADDRSTRLEN];
                size_t len = sizeof(value) - 1;
                int type = gnutls_x509_crt_get_subject_alt_name(cert->crt, i, value, &len, NULL);
                if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
                        continue;
                if (type < 0)
                        break;
                value[len] = '\0';
                if (type == GNUTLS_SAN_DNSNAME)
                        strv_add(&cert->facts.dns_names, value);
                else if (type == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16) &&
                         inet_ntop(len == 4 ? AF_INET : AF_INET6, value, text, sizeof(text)))
                        strv_add(&cert->facts.addresses, text);
        }
}

static void read_usages(struct pki_cert *cert)
{
        unsigned usage = 0, ca = 0;
        int r = gnutls_x509_crt_get_key_usage(cert->crt, &usage, NULL);

        cert->facts.has_key_usage = r >= 0;
        cert->facts.may_sign_certs = r >= 0 && (usage & GNUTLS_KEY_KEY_CERT_SIGN);
        r = gnutls_x509_crt_get_basic_constraints(cert->crt, NULL, &ca, NULL);
        cert->facts.has_constraints = r >= 0;
        cert->facts.is_ca = r >= 0 && ca;
        for (unsigned i = 0; i < NAMES_MAX; i++) {
                char oid[128];
                size_t len = sizeof(oid);
                r = gnutls_x509_crt_get_key_purpose_oid(cert->crt, i, oid, &len, NULL);
                if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
                        continue;
                if (r < 0)
                        break;
                if (str_eq(oid, GNUTLS_KP_TLS_WWW_SERVER))
                        cert->facts.usages |= PKI_USAGE_SERVER;
                else if (str_eq(oid, GNUTLS_KP_TLS_WWW_CLIENT))
                        cert->facts.usages |= PKI_USAGE_CLIENT;
        }
}

int pki_cert_wrap(gnutls_x509_crt_t crt, struct pki_cert **ret, struct err *err)
{
        struct pki_cert *cert CLEANUP_PKI_CERT = xcalloc(1, sizeof(*cert));

        cert->crt = crt;
        cert->facts.version = gnutls_x509_crt_get_version(crt);
        cert->facts.not_before = gnutls_x509_crt_get_activation_time(crt);
        cert->facts.not_after = gnutls_x509_crt_get_expiration_time(crt);
        if (cert->facts.not_before == -1 || cert->facts.not_after == -1)
                return err_set(err, ERR_INVALID, "x509: malformed validity");
        read_subject(cert);
        read_names(cert);
        read_usages(cert);
        *ret = TAKE_PTR(cert);
        return 0;
}

void pki_certs_release(struct pki_certs *certs)
{
        for (size_t i = 0; i < certs->count; i++)
                (void)pki_cert_free(certs->items[i]);
        free(certs->items);
        *certs = (struct pki_certs){.items = NULL};
}

static int cert_from_der(const struct pki_pem_block *block, struct pki_cert **ret, struct err *err)
{
        gnutls_datum_t der = {.data = block->data, .size = (unsigned)block->len};
        gnutls_x509_crt_t crt = NULL;
        int r = gnutls_x509_crt_init(&crt);

        if (r < 0)
                return pki_error(r, err, "cannot read a certificate");
        r = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
        if (r < 0) {
                gnutls_x509_crt_deinit(crt);
                return err_set(err, ERR_INVALID, "x509: malformed certificate (%s)", gnutls_strerror(r));
        }
        return pki_cert_wrap(crt, ret, err);
}

int pki_certs_load(const char *text, size_t len, struct pki_certs *ret, struct err *err)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {.items = NULL};
        struct pki_pem_block block CLEANUP_PEM_BLOCK = {.data = NULL};

        while (pki_pem_next(&text, &len, &block)) {
                struct pki_cert *cert = NULL;
                if (!str_eq(block.type, "CERTIFICATE") || block.headers)
                        continue;
                int r = cert_from_der(&block, &cert, err);
                if (r < 0)
                        return r;
                certs.items = xrealloc(certs.items, certs.count + 1, sizeof(struct pki_cert *));
                certs.items[certs.count++] = cert;
        }
        if (certs.count == 0)
                return err_set(err, ERR_INVALID, "data does not contain any valid RSA or ECDSA certificates");
        *ret = certs;
        certs = (struct pki_certs){.items = NULL};
        return 0;
}

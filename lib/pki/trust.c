/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "pki/internal.h"
#include "pki/seal.h"
#include "pki/trust.h"

/* A client sends one to three; GnuTLS itself goes no deeper than this. */
#define CHAIN_MAX 16

struct pki_trust {
        gnutls_x509_trust_list_t list;
};

int pki_trust_load(const char *text, size_t len, struct pki_trust **ret, struct err *err)
{
        struct pki_trust *trust CLEANUP_PKI_TRUST = xcalloc(1, sizeof(*trust));
        gnutls_datum_t pem = {(unsigned char *)(uintptr_t)text, (unsigned)len};
        int r = gnutls_x509_trust_list_init(&trust->list, 0);

        if (r < 0)
                return pki_error(r, err, "cannot make a list of CAs");
        r = gnutls_x509_trust_list_add_trust_mem(trust->list, &pem, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
        if (r <= 0)
                return err_set(err, ERR_INVALID, "data does not contain any valid RSA or ECDSA certificates");
        *ret = TAKE_PTR(trust);
        return 0;
}

struct pki_trust *pki_trust_free(struct pki_trust *trust)
{
        if (!trust)
                return NULL;
        if (trust->list)
                gnutls_x509_trust_list_deinit(trust->list, 1);
        free(trust);
        return NULL;
}

void pki_client_release(struct pki_client *client)
{
        free(client->common_name);
        strv_release(&client->organizations);
        *client = (struct pki_client){0};
}

static void free_chain(gnutls_x509_crt_t *chain, size_t count)
{
        for (size_t i = 0; i < count; i++)
                gnutls_x509_crt_deinit(chain[i]);
}

static int read_chain(const struct pki_der *ders, size_t count, gnutls_x509_crt_t *chain, struct err *err)
{
        for (size_t i = 0; i < count; i++) {
                gnutls_datum_t der = {(unsigned char *)(uintptr_t)ders[i].data, (unsigned)ders[i].len};
                int r = gnutls_x509_crt_init(&chain[i]);

                if (r < 0) {
                        free_chain(chain, i);
                        return pki_error(r, err, "cannot read a certificate");
                }
                r = gnutls_x509_crt_import(chain[i], &der, GNUTLS_X509_FMT_DER);
                if (r < 0) {
                        free_chain(chain, i + 1);
                        return err_set(err, ERR_INVALID, "certificate %zu cannot be read: %s", i, gnutls_strerror(r));
                }
        }
        return 0;
}

static int refuse(unsigned status, struct err *err)
{
        gnutls_datum_t text = {0};

        if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0)
                return err_set(err, ERR_INVALID, "the certificate is not trusted");
        (void)err_set(err, ERR_INVALID, "%s", (const char *)text.data);
        gnutls_free(text.data);
        return -ERR_INVALID;
}

static int verify(const struct pki_trust *trust, gnutls_x509_crt_t *chain, size_t count, struct err *err)
{
        gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                         .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
        unsigned status = 0;
        int r = gnutls_x509_trust_list_verify_crt2(trust->list, chain, (unsigned)count, &purpose, 1, 0, &status, NULL);

        if (r < 0)
                return pki_error(r, err, "cannot verify a client certificate");
        return status == 0 ? 0 : refuse(status, err);
}

static int read_client(gnutls_x509_crt_t crt, const struct pki_der *der, struct pki_client *ret, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        struct pki_client client CLEANUP_PKI_CLIENT = {0};
        int r = pki_subject_texts(crt, GNUTLS_OID_X520_COMMON_NAME, &names, err);

        if (r == 0)
                r = pki_subject_texts(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, &client.organizations, err);
        if (r < 0)
                return r;
        client.common_name = xstrdup(names.len > 0 ? names.items[names.len - 1] : "");
        pki_sha256_text(der->data, der->len, client.sha256);
        *ret = client;
        client = (struct pki_client){0};
        return 0;
}

int pki_trust_client(const struct pki_trust *trust, const struct pki_der *chain, size_t count, struct pki_client *ret,
                     struct err *err)
{
        gnutls_x509_crt_t crts[CHAIN_MAX];

        if (count == 0 || count > CHAIN_MAX)
                return err_set(err, ERR_INVALID, "a chain of %zu certificates; 1 to %d are taken", count, CHAIN_MAX);
        int r = read_chain(chain, count, crts, err);
        if (r < 0)
                return r;
        r = verify(trust, crts, count, err);
        if (r == 0)
                r = read_client(crts[0], &chain[0], ret, err);
        free_chain(crts, count);
        return r;
}

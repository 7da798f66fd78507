/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "net/http_tls_private.h"

/* A serving certificate and its intermediates. */
#define CHAIN_MAX 8

/* Forward secrecy only; what is left of NORMAL are AEAD ciphers, and CBC for old TLS 1.2 clients. */
#define PRIORITIES_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE"
#define PRIORITIES_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3:%SERVER_PRECEDENCE"

struct certificate {
        gnutls_pcert_st chain[CHAIN_MAX];
        unsigned count;
        gnutls_privkey_t key;
};

struct http_tls {
        bool only_1_3;
        struct certificate *now, *before;
};

/* The server that runs: one thread, and no handshake goes on outside of it. */
static const struct http_tls *current;

static struct certificate *certificate_free(struct certificate *c)
{
        if (!c)
                return NULL;
        for (unsigned i = 0; i < c->count; i++)
                gnutls_pcert_deinit(&c->chain[i]);
        if (c->key)
                gnutls_privkey_deinit(c->key);
        free(c);
        return NULL;
}

static int certificate_read(struct certificate *c, const char *cert_pem, const char *key_pem)
{
        gnutls_datum_t cert = {(unsigned char *)(uintptr_t)cert_pem, (unsigned)strlen(cert_pem)};
        gnutls_datum_t key = {(unsigned char *)(uintptr_t)key_pem, (unsigned)strlen(key_pem)};
        unsigned count = CHAIN_MAX;
        int r = gnutls_pcert_list_import_x509_raw(c->chain, &count, &cert, GNUTLS_X509_FMT_PEM, 0);

        if (r < 0)
                return r;
        c->count = count;
        r = gnutls_privkey_init(&c->key);
        return r < 0 ? r : gnutls_privkey_import_x509_raw(c->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
}

/* The key is the certificate's: what it signs, the certificate verifies. */
static int certificate_check(const struct certificate *c)
{
        const gnutls_datum_t text = {(unsigned char *)(uintptr_t) "serving certificate", 19};
        gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
        gnutls_datum_t signature = {0};
        int r = gnutls_pubkey_get_preferred_hash_algorithm(c->chain[0].pubkey, &digest, NULL);

        if (r >= 0)
                r = gnutls_privkey_sign_data(c->key, digest, 0, &text, &signature);
        if (r >= 0)
                r = gnutls_pubkey_verify_data2(
                        c->chain[0].pubkey,
                        gnutls_pk_to_sign(gnutls_pubkey_get_pk_algorithm(c->chain[0].pubkey, NULL), digest), 0, &text,
                        &signature);
        gnutls_free(signature.data);
        return r;
}

static int certificate_new(const char *cert_pem, const char *key_pem, struct certificate **ret, struct err *err)
{
        struct certificate *c = xcalloc(1, sizeof(*c));
        int r = certificate_read(c, cert_pem, key_pem);

        if (r < 0)
                (void)err_set(err, ERR_INVALID, "the serving certificate and its key cannot be read: %s",
                              gnutls_strerror(r));
        else if ((r = certificate_check(c)) < 0)
                (void)err_set(err, ERR_INVALID, "the key does not belong to the serving certificate: %s",
                              gnutls_strerror(r));
        if (r < 0) {
                (void)certificate_free(c);
                return -ERR_INVALID;
        }
        *ret = c;
        return 0;
}

int http_tls_new(const char *cert_pem, const char *key_pem, bool only_1_3, struct http_tls **ret, struct err *err)
{
        struct certificate *c;
        int r = certificate_new(cert_pem, key_pem, &c, err);

        if (r < 0)
                return r;
        *ret = xcalloc(1, sizeof(**ret));
        (*ret)->only_1_3 = only_1_3;
        (*ret)->now = c;
        return 0;
}

struct http_tls *http_tls_free(struct http_tls *tls)
{
        if (!tls)
                return NULL;
        (void)certificate_free(tls->now);
        (void)certificate_free(tls->before);
        if (current == tls)
                current = NULL;
        free(tls);
        return NULL;
}

int http_tls_replace(struct http_tls *tls, const char *cert_pem, const char *key_pem, struct err *err)
{
        struct certificate *c;
        int r = certificate_new(cert_pem, key_pem, &c, err);

        if (r < 0)
                return r;
        (void)certificate_free(tls->before);
        tls->before = tls->now;
        tls->now = c;
        return 0;
}

const char *http_tls_priorities(const struct http_tls *tls)
{
        return tls->only_1_3 ? PRIORITIES_1_3 : PRIORITIES_1_2;
}

void http_tls_enter(const struct http_tls *tls)
{
        current = tls;
}

int http_tls_retrieve(gnutls_session_t session, const gnutls_datum_t *req_ca_rdn, int nreqs,
                      const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert,
                      unsigned *pcert_length, gnutls_privkey_t *privkey)
{
        (void)req_ca_rdn;
        (void)nreqs;
        (void)pk_algos;
        (void)pk_algos_length;
        if (!current)
                return -1;
        /* The server's certificate is chosen before its CertificateRequest is written. No names of CAs go into that:
         * the client shows what it has. */
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
        *pcert = current->now->chain;
        *pcert_length = current->now->count;
        *privkey = current->now->key;
        return 0;
}

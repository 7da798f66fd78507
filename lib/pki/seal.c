/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/seal.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/internal.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define SHA256_BYTES 32

void pki_random(void *data, size_t len)
{
        char *p = data;

        while (len > 0) {
                ssize_t n = getrandom(p, len, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        abort();
                p += n;
                len -= (size_t)n;
        }
}

static int open_cipher(const void *key, size_t key_len, gnutls_aead_cipher_hd_t *ret, struct err *err)
{
        gnutls_datum_t datum = {.data = (unsigned char *)key, .size = (unsigned)key_len};
        gnutls_cipher_algorithm_t algorithm = key_len == 16   ? GNUTLS_CIPHER_AES_128_GCM
                                              : key_len == 24 ? GNUTLS_CIPHER_AES_192_GCM
                                              : key_len == 32 ? GNUTLS_CIPHER_AES_256_GCM
                                                              : GNUTLS_CIPHER_UNKNOWN;

        if (algorithm == GNUTLS_CIPHER_UNKNOWN)
                return err_set(err, ERR_INVALID, "crypto/aes: invalid key size %zu", key_len);
        int r = gnutls_aead_cipher_init(ret, algorithm, &datum);
        return r < 0 ? err_set(err, ERR_INVALID, "AES-GCM: %s", gnutls_strerror(r)) : 0;
}

int pki_seal(const void *key, size_t key_len, const void *data, size_t len, struct buf *out, struct err *err)
{
        gnutls_aead_cipher_hd_t cipher;
        unsigned char nonce[NONCE_BYTES];
        size_t sealed = len + TAG_BYTES, at = out->len;
        int r = open_cipher(key, key_len, &cipher, err);

        if (r < 0)
                return r;
        pki_random(nonce, sizeof(nonce));
        buf_add(out, nonce, sizeof(nonce));
        if (buf_reserve(out, sealed)) {
                buf_add(out, data, len);
                for (size_t i = 0; i < TAG_BYTES; i++)
                        buf_addch(out, 0);
                r = gnutls_aead_cipher_encrypt(cipher, nonce, sizeof(nonce), NULL, 0, TAG_BYTES, data, len,
                                               out->data + at + NONCE_BYTES, &sealed);
        }
        gnutls_aead_cipher_deinit(cipher);
        if (r < 0)
                return err_set(err, ERR_INVALID, "AES-GCM: %s", gnutls_strerror(r));
        return buf_check(out, "sealed data", err);
}

int pki_unseal(const void *key, size_t key_len, const void *data, size_t len, struct buf *out, struct err *err)
{
        gnutls_aead_cipher_hd_t cipher;
        size_t room = len;

        if (len < NONCE_BYTES + TAG_BYTES)
                return err_set(err, ERR_INVALID, "size of data is less than the nonce");
        unsigned char *plain = malloc(room);
        if (!plain)
                return err_set_errno(err, ENOMEM, "unsealing %zu bytes", len);
        int r = open_cipher(key, key_len, &cipher, err);
        if (r == 0) {
                r = gnutls_aead_cipher_decrypt(cipher, data, NONCE_BYTES, NULL, 0, TAG_BYTES,
                                               (const char *)data + NONCE_BYTES, len - NONCE_BYTES, plain, &room);
                gnutls_aead_cipher_deinit(cipher);
                if (r < 0)
                        r = err_set(err, ERR_INVALID, "cipher: message authentication failed");
                else
                        buf_add(out, plain, room);
        }
        explicit_bzero(plain, len);
        free(plain);
        return r < 0 ? r : buf_check(out, "unsealed data", err);
}

static void hex(const unsigned char *data, size_t len, char *ret)
{
        for (size_t i = 0; i < len; i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", data[i]);
}

int pki_cert_pin(const struct pki_cert *cert, char ret_text[PKI_PIN_MAX], struct err *err)
{
        unsigned char id[SHA256_BYTES];
        size_t size = sizeof(id);
        int r = gnutls_x509_crt_get_key_id(cert->crt, GNUTLS_KEYID_USE_SHA256, id, &size);

        if (r < 0)
                return err_set(err, ERR_INVALID, "the certificate's public key: %s", gnutls_strerror(r));
        (void)snprintf(ret_text, PKI_PIN_MAX, "sha256:");
        hex(id, size, ret_text + strlen(ret_text));
        return 0;
}

void pki_sha256_text(const void *data, size_t len, char ret_text[65])
{
        unsigned char digest[SHA256_BYTES];

        if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest) < 0)
                abort();
        hex(digest, sizeof(digest), ret_text);
}

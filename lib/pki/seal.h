#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bytes, and AES-GCM as kubeadm seals certificates with (cmd/kubeadm/app/util/crypto/crypto.go): a random nonce
 * of 12 bytes, the ciphertext, the tag of 16.
 */
#include <stddef.h>

struct buf;
struct err;
struct pki_cert;

/* Bytes of the kernel's generator, good for keys. Aborts where there are none. */
void pki_random(void *data, size_t len);

/* key has 16, 24 or 32 bytes; another length is -ERR_INVALID with Go's text. Appends to out. */
int pki_seal(const void *key, size_t key_len, const void *data, size_t len, struct buf *out, struct err *err);
/* -ERR_INVALID where it is too short, or was not sealed with that key. */
int pki_unseal(const void *key, size_t key_len, const void *data, size_t len, struct buf *out, struct err *err);

#define PKI_PIN_MAX 72
/* "sha256:" and the digest of the public key (pubkeypin.Hash): what `kubeadm join` trusts a CA by. */
int pki_cert_pin(const struct pki_cert *cert, char ret_text[PKI_PIN_MAX], struct err *err);

/* SHA-256 as 64 lower-case hex digits and NUL. */
void pki_sha256_text(const void *data, size_t len, char ret_text[65]);

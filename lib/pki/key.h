#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Private keys: RSA and ECDSA, as kubeadm generates, writes and reads them (cmd/kubeadm/app/util/pkiutil and
 * client-go/util/keyutil). Written in PKCS#1 ("RSA PRIVATE KEY") and SEC 1 ("EC PRIVATE KEY"), read in PKCS#8 as well.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* ClusterConfiguration.encryptionAlgorithm */
#define PKI_ALGORITHMS(X)           \
        X(RSA_2048, "RSA-2048")     \
        X(RSA_3072, "RSA-3072")     \
        X(RSA_4096, "RSA-4096")     \
        X(ECDSA_P256, "ECDSA-P256") \
        X(ECDSA_P384, "ECDSA-P384")

enum pki_algorithm {
#define X(symbol, name) PKI_ALGORITHM_##symbol,
        PKI_ALGORITHMS(X)
#undef X
                PKI_ALGORITHM_MAX
};

const char *pki_algorithm_name(enum pki_algorithm algorithm);
/* "" is RSA-2048. 0, or -ERR_INVALID with kubeadm's text. */
int pki_algorithm_parse(const char *name, enum pki_algorithm *ret, struct err *err);

struct pki_key;

struct pki_key *pki_key_free(struct pki_key *key);
static inline void cleanup_pki_key(struct pki_key **key)
{
        *key = pki_key_free(*key);
}
#define CLEANUP_PKI_KEY __attribute__((cleanup(cleanup_pki_key)))

/* Blocks for 10 ms to some seconds (RSA). */
int pki_key_generate(enum pki_algorithm algorithm, struct pki_key **ret, struct err *err);
/* Generates `count` keys into ret_keys[0..count-1], on all the processors that this process may use: finding RSA primes
 * is what `certs all` takes its time for. All or none. */
int pki_key_generate_many(enum pki_algorithm algorithm, size_t count, struct pki_key **ret_keys, struct err *err);

/* The first RSA or ECDSA key in the PEM text; other blocks are skipped. -ERR_INVALID with Go's text where there is
 * none, -ERR_UNSUPPORTED for a key of another kind (Ed25519). */
int pki_key_load(const char *text, size_t len, struct pki_key **ret, struct err *err);

/* Append the private key (as Go's keyutil.MarshalPrivateKeyToPEM), the public one ("PUBLIC KEY"). */
int pki_key_write_private(const struct pki_key *key, struct buf *out, struct err *err);
int pki_key_write_public(const struct pki_key *key, struct buf *out, struct err *err);

/* The same public half. */
bool pki_key_equal(const struct pki_key *a, const struct pki_key *b);
/* text holds this key's public half: a "PUBLIC KEY", a certificate, or a private key. 0, or -ERR_INVALID. */
int pki_key_check_public(const struct pki_key *key, const char *text, size_t len, struct err *err);

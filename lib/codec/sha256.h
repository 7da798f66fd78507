#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 (FIPS 180-4), for digests that are shown: GnuTLS has it too, but is not loaded by what only renders.
 */
#include <stddef.h>
#include <stdint.h>

#define SHA256_TEXT_MAX 65

/* A digest of what comes in parts. Nothing to be released. */
struct sha256 {
        uint32_t state[8];
        uint8_t block[64]; /* what of the data is no whole block yet */
        uint64_t len;      /* so far, in bytes */
};
void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t len);
/* As sha256_text; the hash is used up. */
void sha256_end(struct sha256 *hash, char ret_text[SHA256_TEXT_MAX]);

/* The digest of data in lower-case hex, and NUL. */
void sha256_text(const void *data, size_t len, char ret_text[SHA256_TEXT_MAX]);

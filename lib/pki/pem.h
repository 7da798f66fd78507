#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM (RFC 7468) as Go's encoding/pem reads and writes it: blocks one after the other, whatever stands between them is
 * skipped, and so is a block that is damaged.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

struct pki_pem_block {
        char type[64]; /* "RSA PRIVATE KEY" */
        bool headers;  /* it has lines like "DEK-Info: ..." (an encrypted key) */
        uint8_t *data; /* DER; owned */
        size_t len;
};
void pki_pem_block_release(struct pki_pem_block *block);
#define CLEANUP_PEM_BLOCK __attribute__((cleanup(pki_pem_block_release)))

/* Takes the next block off text; false where there is none. *ret may hold an earlier block, which is released. */
bool pki_pem_next(const char **text, size_t *len, struct pki_pem_block *ret);

/* Appends a block, base64 in lines of 64. */
int pki_pem_write(const char *type, const void *data, size_t len, struct buf *out, struct err *err);

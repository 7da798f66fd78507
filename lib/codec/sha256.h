#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 (FIPS 180-4), for digests that are shown: GnuTLS has it too, but is not loaded by what only renders.
 */
#include <stddef.h>

#define SHA256_TEXT_MAX 65

/* The digest of data in lower-case hex, and NUL. */
void sha256_text(const void *data, size_t len, char ret_text[SHA256_TEXT_MAX]);

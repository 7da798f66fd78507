#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes that are identities, not protection: FNV-1a with 32 bits (container hash labels, as the kubelet) and with 128
 * (pod UIDs, spec hashes).
 */
#include <stddef.h>
#include <stdint.h>

uint32_t hash_fnv32a(const void *data, size_t len);

struct hash128 {
        unsigned __int128 state;
};
void hash128_init(struct hash128 *h);
void hash128_add(struct hash128 *h, const void *data, size_t len);
/* 32 lower-case hex digits and NUL. */
void hash128_text(const struct hash128 *h, char ret_text[33]);

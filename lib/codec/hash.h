#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes that are identities, not protection: FNV-1a with 32 bits (container hash labels, as the kubelet) and with 128
 * (pod UIDs, spec hashes); and one of 64 bits that goes by words, to see within one process whether something is as it
 * was (it depends on the byte order: nothing to be stored or sent).
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

uint32_t hash_fnv32a(const void *data, size_t len);
/* Goes on from the hash of what stands before. */
uint32_t hash_fnv32a_more(uint32_t h, const void *data, size_t len);

struct hash128 {
        unsigned __int128 state;
};
void hash128_init(struct hash128 *h);
void hash128_add(struct hash128 *h, const void *data, size_t len);
/* 32 lower-case hex digits and NUL. */
void hash128_text(const struct hash128 *h, char ret_text[33]);

static inline uint64_t hash64_add(uint64_t h, uint64_t n)
{
        h = (h ^ n ^ 0xcbf29ce484222325ULL) * 0x9e3779b97f4a7c15ULL; /* so that zeros count too */
        return h ^ h >> 32;
}

/* The length counts too, so that what follows cannot be taken for a part of it. */
static inline uint64_t hash64_bytes(uint64_t h, const void *data, size_t len)
{
        const unsigned char *p = data;
        uint64_t word;

        h = hash64_add(h, len);
        for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
                memcpy(&word, p, sizeof(word));
                h = hash64_add(h, word);
        }
        if (len == 0)
                return h;
        word = 0;
        memcpy(&word, p, len);
        return hash64_add(h, word);
}

static inline uint64_t hash64_text(uint64_t h, const char *s)
{
        return hash64_bytes(h, s, strlen(s));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hash.h"

uint32_t hash_fnv32a(const void *data, size_t len)
{
        return hash_fnv32a_more(0x811c9dc5U, data, len);
}

uint32_t hash_fnv32a_more(uint32_t h, const void *data, size_t len)
{
        const unsigned char *p = data;

        for (size_t i = 0; i < len; i++)
                h = (h ^ p[i]) * 0x01000193U;
        return h;
}

static const unsigned __int128 fnv128_offset = (unsigned __int128)0x6c62272e07bb0142ULL << 64 | 0x62b821756295c58dULL;
static const unsigned __int128 fnv128_prime = (unsigned __int128)0x0000000001000000ULL << 64 | 0x000000000000013bULL;

void hash128_init(struct hash128 *h)
{
        h->state = fnv128_offset;
}

void hash128_add(struct hash128 *h, const void *data, size_t len)
{
        const unsigned char *p = data;

        for (size_t i = 0; i < len; i++)
                h->state = (h->state ^ p[i]) * fnv128_prime;
}

void hash128_text(const struct hash128 *h, char ret_text[33])
{
        static const char digits[] = "0123456789abcdef";

        for (int i = 0; i < 32; i++)
                ret_text[i] = digits[(unsigned)(h->state >> (124 - 4 * i)) & 0xf];
        ret_text[32] = '\0';
}

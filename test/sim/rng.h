#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers from a seed, the same on every machine (splitmix64).
 */
#include <stdbool.h>
#include <stdint.h>

struct rng {
        uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
        uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
}

/* In [0, n). */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
        return n ? rng_next(r) % n : 0;
}

/* In [low, high]. */
static inline uint64_t rng_between(struct rng *r, uint64_t low, uint64_t high)
{
        return low + rng_below(r, high - low + 1);
}

/* True `permille` times in a thousand. */
static inline bool rng_chance(struct rng *r, unsigned permille)
{
        return rng_below(r, 1000) < permille;
}

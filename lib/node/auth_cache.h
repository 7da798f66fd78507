#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the API server about callers of the HTTPS port, kept for a time each: what a token stands for, what a user
 * may do. A fixed number of them; the oldest makes room. Keys are kept as digests, so that no token stays in memory.
 */
#include <stddef.h>

#include "base/clock.h"

struct auth_cache;

struct auth_cache *auth_cache_new(size_t max);
struct auth_cache *auth_cache_free(struct auth_cache *cache); /* takes NULL, returns NULL */

/* The answer to key, while it is good; NULL where there is none. Valid until the next call. */
const char *auth_cache_get(struct auth_cache *cache, const char *key, usec_t now);
/* Copies value. until: absolute, on the clock of `now`. */
void auth_cache_put(struct auth_cache *cache, const char *key, const char *value, usec_t until);
size_t auth_cache_count(const struct auth_cache *cache);

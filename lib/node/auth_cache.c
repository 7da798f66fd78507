/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/alloc.h"
#include "codec/sha256.h"
#include "node/auth_cache.h"

struct answer {
        char key[SHA256_TEXT_MAX];
        char *value;
        usec_t until;
        UT_hash_handle hh; /* in the order in which they were put */
};

struct auth_cache {
        struct answer *answers;
        size_t max;
};

static void drop(struct auth_cache *cache, struct answer *answer)
{
        HASH_DEL(cache->answers, answer);
        free(answer->value);
        free(answer);
}

struct auth_cache *auth_cache_new(size_t max)
{
        struct auth_cache *cache = xcalloc(1, sizeof(*cache));

        cache->max = max;
        return cache;
}

struct auth_cache *auth_cache_free(struct auth_cache *cache)
{
        if (!cache)
                return NULL;
        while (cache->answers)
                drop(cache, cache->answers);
        free(cache);
        return NULL;
}

static struct answer *find(struct auth_cache *cache, const char *key, char ret_digest[SHA256_TEXT_MAX])
{
        struct answer *found;

        sha256_text(key, strlen(key), ret_digest);
        HASH_FIND_STR(cache->answers, ret_digest, found);
        return found;
}

const char *auth_cache_get(struct auth_cache *cache, const char *key, usec_t now)
{
        char digest[SHA256_TEXT_MAX];
        struct answer *found = find(cache, key, digest);

        if (found && found->until <= now) {
                drop(cache, found);
                return NULL;
        }
        return found ? found->value : NULL;
}

void auth_cache_put(struct auth_cache *cache, const char *key, const char *value, usec_t until)
{
        char digest[SHA256_TEXT_MAX];
        struct answer *answer = find(cache, key, digest);

        if (answer)
                drop(cache, answer);
        if (HASH_COUNT(cache->answers) >= cache->max)
                drop(cache, cache->answers);
        answer = xcalloc(1, sizeof(*answer));
        memcpy(answer->key, digest, sizeof(digest));
        answer->value = xstrdup(value);
        answer->until = until;
        HASH_ADD_STR(cache->answers, key, answer);
}

size_t auth_cache_count(const struct auth_cache *cache)
{
        return HASH_COUNT(cache->answers);
}

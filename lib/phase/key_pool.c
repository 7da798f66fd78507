/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "phase/key_pool.h"

int key_pool_init(struct key_pool *pool, enum pki_algorithm algorithm, size_t count, struct err *err)
{
        *pool = (struct key_pool){.algorithm = algorithm, .keys = xcalloc(count, sizeof(*pool->keys))};
        int r = pki_key_generate_many(algorithm, count, pool->keys, err);

        if (r == 0)
                pool->count = count;
        return r;
}

void key_pool_release(struct key_pool *pool)
{
        for (size_t i = 0; i < pool->count; i++)
                (void)pki_key_free(pool->keys[i]);
        free(pool->keys);
        *pool = (struct key_pool){.keys = NULL};
}

int key_pool_take(struct key_pool *pool, struct pki_key **ret, struct err *err)
{
        if (pool->count == 0)
                return pki_key_generate(pool->algorithm, ret, err);
        *ret = pool->keys[--pool->count];
        return 0;
}

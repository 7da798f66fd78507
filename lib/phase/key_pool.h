#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Private keys made ahead, on all processors at once; what is asked for beyond them is made then.
 */
#include <stddef.h>

#include "pki/key.h"

struct err;

struct key_pool {
        enum pki_algorithm algorithm;
        struct pki_key **keys;
        size_t count; /* not yet taken */
};

int key_pool_init(struct key_pool *pool, enum pki_algorithm algorithm, size_t count, struct err *err);
void key_pool_release(struct key_pool *pool);
/* The caller owns *ret. */
int key_pool_take(struct key_pool *pool, struct pki_key **ret, struct err *err);

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "node/auth_cache.h"

static void test_time(void **state)
{
        struct auth_cache *cache = auth_cache_new(10);

        (void)state;
        assert_null(auth_cache_get(cache, "a", 0));
        auth_cache_put(cache, "a", "one", 100);
        auth_cache_put(cache, "b", "", 50);
        assert_string_equal(auth_cache_get(cache, "a", 99), "one");
        assert_string_equal(auth_cache_get(cache, "b", 49), "");
        assert_null(auth_cache_get(cache, "b", 50));
        assert_null(auth_cache_get(cache, "a", 100));
        assert_int_equal(auth_cache_count(cache), 0);
        auth_cache_put(cache, "a", "two", 200);
        auth_cache_put(cache, "a", "three", 300);
        assert_string_equal(auth_cache_get(cache, "a", 250), "three");
        assert_int_equal(auth_cache_count(cache), 1);
        cache = auth_cache_free(cache);
}

/* It holds what it may, and the newest of it. */
static void test_bound(void **state)
{
        struct auth_cache *cache = auth_cache_new(4);
        char key[16];

        (void)state;
        for (int i = 0; i < 1000; i++) {
                (void)snprintf(key, sizeof(key), "key %d", i);
                auth_cache_put(cache, key, key, 1000);
                assert_true(auth_cache_count(cache) <= 4);
        }
        assert_null(auth_cache_get(cache, "key 995", 0));
        assert_string_equal(auth_cache_get(cache, "key 996", 0), "key 996");
        assert_string_equal(auth_cache_get(cache, "key 999", 0), "key 999");
        cache = auth_cache_free(cache);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_bound),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/hash.h"

/* Test vectors of the FNV authors. */
static void test_fnv32a(void **state)
{
        (void)state;
        assert_true(hash_fnv32a("", 0) == 0x811c9dc5);
        assert_true(hash_fnv32a("a", 1) == 0xe40c292c);
        assert_true(hash_fnv32a("foobar", 6) == 0xbf9cf968);
}

static void expect128(const char *s, const char *text)
{
        struct hash128 h;
        char got[33];

        hash128_init(&h);
        for (const char *p = s; *p; p++)
                hash128_add(&h, p, 1);
        hash128_text(&h, got);
        assert_string_equal(got, text);
        hash128_init(&h);
        hash128_add(&h, s, strlen(s));
        hash128_text(&h, got);
        assert_string_equal(got, text);
}

static void test_fnv128a(void **state)
{
        (void)state;
        expect128("", "6c62272e07bb014262b821756295c58d");
        expect128("a", "d228cb696f1a8caf78912b704e4a8964");
        expect128("foobar", "343e1662793c64bf6f0d3597ba446f18");
}

static void test_words(void **state)
{
        (void)state;
        assert_true(hash64_add(0, 0) != 0);
        assert_true(hash64_text(1, "") != hash64_text(2, ""));
        assert_true(hash64_text(1, "") != 1);
        assert_true(hash64_text(1, "12345678") != hash64_text(1, "12345679"));
        assert_true(hash64_text(1, "123456789") != hash64_text(1, "12345678"));
        assert_true(hash64_bytes(1, "a\0", 2) != hash64_bytes(1, "a", 1));
        assert_true(hash64_text(hash64_text(1, "ab"), "c") != hash64_text(hash64_text(1, "a"), "bc"));
        assert_true(hash64_text(1, "the same") == hash64_text(1, "the same"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fnv32a),
                cmocka_unit_test(test_fnv128a),
                cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

static void test_compare(void **state)
{
        (void)state;
        assert_true(str_eq("a", "a"));
        assert_true(str_eq(NULL, NULL));
        assert_false(str_eq("a", NULL));
        assert_false(str_eq(NULL, ""));
        assert_true(str_starts("abc", "ab"));
        assert_true(str_starts("abc", ""));
        assert_false(str_starts("a", "ab"));
        assert_false(str_starts(NULL, "a"));
        assert_true(str_ends("abc", "bc"));
        assert_true(str_ends("abc", ""));
        assert_false(str_ends("c", "bc"));
        assert_string_equal(str_after("--name", "--"), "name");
        assert_null(str_after("-n", "--"));
        assert_true(str_empty(NULL) && str_empty("") && !str_empty(" "));
}

static void test_numbers(void **state)
{
        (void)state;
        static const char *const bad[] = {"", " 1", "1 ", "+1", "-", "--1", "0x10", "1.0", "1e3", "a", "1_000"};
        int64_t i = 42;
        uint64_t u = 42;
        int n = 42;

        for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
                assert_int_equal(str_to_i64(bad[k], &i), -EINVAL);
                assert_int_equal(str_to_u64(bad[k], &u), -EINVAL);
                assert_int_equal(str_to_int(bad[k], 0, 10, &n), -EINVAL);
        }
        assert_int_equal(str_to_i64(NULL, &i), -EINVAL);
        assert_int_equal(str_to_u64(NULL, &u), -EINVAL);
        assert_int_equal(str_to_u64("-1", &u), -EINVAL);
        assert_int_equal(str_to_i64("9223372036854775808", &i), -ERANGE);
        assert_int_equal(str_to_i64("-9223372036854775809", &i), -ERANGE);
        assert_int_equal(str_to_u64("18446744073709551616", &u), -ERANGE);
        assert_int_equal(str_to_int("11", 0, 10, &n), -ERANGE);
        assert_int_equal(str_to_int("-1", 0, 10, &n), -ERANGE);
        assert_true(i == 42 && u == 42 && n == 42);
        assert_int_equal(str_to_i64("-9223372036854775808", &i), 0);
        assert_true(i == INT64_MIN);
        assert_int_equal(str_to_i64("9223372036854775807", &i), 0);
        assert_true(i == INT64_MAX);
        assert_int_equal(str_to_u64("18446744073709551615", &u), 0);
        assert_true(u == UINT64_MAX);
        assert_int_equal(str_to_int("007", 0, 10, &n), 0); /* decimal, not octal */
        assert_int_equal(n, 7);
}

static void test_utf8(void **state)
{
        (void)state;
        static const struct {
                const char *s;
                size_t len, sequence;
        } rows[] = {
                {"", 0, 0},
                {"a", 1, 1},
                {"\xc3\xa4", 2, 2},
                {"\xe2\x82\xac", 3, 3},
                {"\xf0\x9f\x98\x80", 4, 4},
                {"\xf4\x8f\xbf\xbf", 4, 4},
                {"\xc3", 1, 0},             /* cut */
                {"\x80", 1, 0},             /* continuation alone */
                {"\xc0\x80", 2, 0},         /* overlong NUL */
                {"\xe0\x80\x80", 3, 0},     /* overlong */
                {"\xf0\x80\x80\x80", 4, 0}, /* overlong */
                {"\xed\xa0\x80", 3, 0},     /* surrogate */
                {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
                {"\xf8\x88\x80\x80", 4, 0},
                {"\xc3(", 2, 0},
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(utf8_sequence_length(rows[i].s, rows[i].len), rows[i].sequence);
        assert_int_equal(utf8_valid_prefix("ab\xc3\xa4\xff", 5), 4);
        assert_int_equal(utf8_valid_prefix("ab", 2), 2);
        assert_int_equal(utf8_valid_prefix("ab\xc3", 3), 2);
}

static void mends(const char *text, const char *expected)
{
        char *s CLEANUP_FREE = xstrdup(text);

        utf8_mend(s);
        assert_string_equal(s, expected);
}

static void test_mend(void **state)
{
        (void)state;
        mends("", "");
        mends("plain", "plain");
        mends("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
        /* cut in front and at the end */
        mends("\xa4 b", " b");
        mends("\x9f\x98\x80 b", " b");
        mends("a \xc3", "a ");
        mends("a \xf0\x9f\x98", "a ");
        mends("\xa4", "");
        /* not UTF-8 */
        mends("a\xff"
              "b\xc3"
              "c",
              "a?b?c");
        mends("\x80\x80\x80\x80x", "?x");
        mends("a\xc0", "a?");
        mends("a\xed\xa0\x80", "a???");
        mends("a\xe2\x28", "a?(");
}

static void test_copy(void **state)
{
        char to[5];

        (void)state;
        str_copy(to, sizeof(to), "abc");
        assert_string_equal(to, "abc");
        str_copy(to, sizeof(to), "abcdef");
        assert_string_equal(to, "abcd");
        str_copy(to, sizeof(to), "abc\xc3\xa9");
        assert_string_equal(to, "abc");
        str_copy(to, sizeof(to), "");
        assert_string_equal(to, "");
}

static void test_did_you_mean(void **state)
{
        (void)state;
        static const char *const words[] = {"apiServer", "controllerManager", "scheduler", "etcd", "dns"};
        char long_word[101];

        assert_string_equal(str_did_you_mean("apiserver", words, ARRAY_SIZE(words)), "apiServer");
        assert_string_equal(str_did_you_mean("controlerManger", words, ARRAY_SIZE(words)), "controllerManager");
        assert_string_equal(str_did_you_mean("ectd", words, 5) ?: "none", "none"); /* two edits in four letters */
        assert_string_equal(str_did_you_mean("etc", words, ARRAY_SIZE(words)), "etcd");
        assert_null(str_did_you_mean("networking", words, ARRAY_SIZE(words)));
        assert_null(str_did_you_mean("etcd", words, 0));
        assert_null(str_did_you_mean("", words, ARRAY_SIZE(words)));
        memset(long_word, 'a', 100);
        long_word[100] = '\0';
        assert_null(str_did_you_mean(long_word, words, ARRAY_SIZE(words)));
}

static void test_lower(void **state)
{
        (void)state;
        char s[] = "Node-\xc3\x84Z9";

        str_lower(s);
        assert_string_equal(s, "node-\xc3\x84z9");
}

static void test_trim(void **state)
{
        (void)state;
        size_t len = 6;

        assert_string_equal(str_trim("  a b \r\n", &len), "a b \r\n");
        assert_int_equal(len, 3);
        len = 3;
        (void)str_trim(" \v\f text", &len);
        assert_int_equal(len, 0);

        const struct {
                const char *text, *expected;
        } cases[] = {{"", ""}, {" \t\n\v\f\r", ""}, {"word", "word"}, {"\ttwo words\n", "two words"}};
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *own = str_trimmed(cases[i].text);

                assert_string_equal(own, cases[i].expected);
                free(own);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compare), cmocka_unit_test(test_numbers), cmocka_unit_test(test_utf8),
                cmocka_unit_test(test_mend),    cmocka_unit_test(test_copy),    cmocka_unit_test(test_did_you_mean),
                cmocka_unit_test(test_lower),   cmocka_unit_test(test_trim),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/base64.h"

static void test_rfc4648(void **state)
{
        static const char *const cases[][2] = {
                {"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xff\xfe\xfb", "//77"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct buf text CLEANUP_BUF = BUF_INIT(100), data CLEANUP_BUF = BUF_INIT(100);

                base64_encode(cases[i][0], strlen(cases[i][0]), &text);
                assert_string_equal(buf_str(&text), cases[i][1]);
                assert_int_equal(base64_decode(cases[i][1], strlen(cases[i][1]), &data, NULL), 0);
                assert_string_equal(buf_str(&data), cases[i][0]);
        }
}

static void test_url_alphabet(void **state)
{
        struct buf text CLEANUP_BUF = BUF_INIT(100);

        (void)state;
        base64_encode_url("\xff\xfe\xfb\xff", 4, &text);
        assert_string_equal(buf_str(&text), "__77_w==");
}

static void test_white_space(void **state)
{
        struct buf data CLEANUP_BUF = BUF_INIT(100);

        (void)state;
        assert_int_equal(base64_decode(" Zm\n9v\r\n\tYg = =\n", 16, &data, NULL), 0);
        assert_string_equal(buf_str(&data), "foob");
}

static void test_errors(void **state)
{
        static const char *const cases[] = {"Z",        "Zg",   "Zg=",  "Zg===", "Zm9vY",
                                            "Zg==Zg==", "Z-==", "====", "Zm9=v", "Zm8"};
        struct err err = ERR_INIT;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct buf data CLEANUP_BUF = BUF_INIT(100);

                assert_int_equal(base64_decode(cases[i], strlen(cases[i]), &data, &err), -EINVAL);
        }
        struct buf tiny CLEANUP_BUF = BUF_INIT(2);
        assert_int_equal(base64_decode("Zm9v", 4, &tiny, &err), -ERR_LIMIT);
        assert_int_equal(base64_decode("a\0bc", 4, &tiny, &err), -EINVAL);
        assert_string_equal(err.msg, "base64: illegal character at byte 1");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rfc4648),
                cmocka_unit_test(test_url_alphabet),
                cmocka_unit_test(test_white_space),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "codec/quantity.h"

static struct quantity parse(const char *s)
{
        struct err err = ERR_INIT;
        struct quantity q = {0};

        if (quantity_parse(s, &q, &err) < 0)
                fail_msg("%s: %s", s, err.msg);
        return q;
}

/* Expected texts are Quantity.String()'s. */
static void test_text(void **state)
{
        static const char *const cases[][2] = {
                {"0", "0"},
                {"0.5", "500m"},
                {"0.25", "250m"},
                {"1024Mi", "1Gi"},
                {"1Gi", "1Gi"},
                {"1.5Gi", "1536Mi"},
                {"100m", "100m"},
                {"1000m", "1"},
                {"1500m", "1500m"},
                {"1e3", "1e3"},
                {"1000e3", "1e6"},
                {"1E3", "1E3"},
                {"1E", "1E"},
                {"0.1m", "100u"},
                {"0.1n", "1n"},
                {"-0.1n", "-1n"},
                {"1.500", "1.500"}, /* not canonical, but the quick test there says it is */
                {"+5", "+5"},
                {"05", "05"},
                {"100", "100"},
                {"1000", "1k"},
                {"1000k", "1M"},
                {"512Ki", "512Ki"},
                {"1023", "1023"},
                {"0.5Ki", "512"},
                {"0.0001Ki", "102400u"},
                {"1.1Ki", "1126400m"},
                {"8Ei", "9223372036854775807"},
                {"-8Ei", "-9223372036854775807"},
                {"99999999999999999999999999Ki", "9223372036854775807"},
                {"12345678901234567890", "12345678901234567890"},
                {"0.00000000000000000000000000000000000000000000000000000000000000000000001", "1n"},
                {"0.000000000000000000000000000000000000000000000000000000000000000000000001Ki", "1n"},
                {"1e-3", "1e-3"},
                {"1e-30", "1e-9"},
                {"0e999999999", "0"},
                {"m", "0"},
                {".", "0"},
                {"1000E", "1000E"}, /* "1" there: the suffix is lost */
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct quantity q = parse(cases[i][0]);
                char text[QUANTITY_TEXT_MAX];

                quantity_text(&q, text);
                assert_string_equal(text, cases[i][1]);
        }
}

static void test_values(void **state)
{
        struct quantity a = parse("1.5"), b = parse("1500m"), c = parse("1501m"), big = parse("100E");
        char text[QUANTITY_TEXT_MAX];

        (void)state;
        assert_int_equal(quantity_compare(&a, &b), 0);
        assert_true(quantity_compare(&a, &c) < 0);
        assert_true(quantity_compare(&big, &c) > 0);
        assert_int_equal(quantity_milli(&a), 1500);
        assert_int_equal(quantity_value(&a), 2);
        a = parse("100n");
        assert_int_equal(quantity_milli(&a), 1);
        a = parse("-1.5");
        assert_int_equal(quantity_value(&a), -2);
        assert_int_equal(quantity_value(&big), INT64_MAX);
        a = parse("0");
        b = parse("64Mi");
        quantity_add(&a, &b);
        quantity_add(&a, &b);
        quantity_text(&a, text);
        assert_string_equal(text, "128Mi");
        b = parse("500m");
        quantity_add(&a, &b);
        quantity_text(&a, text);
        assert_string_equal(text, "134217728500m");
}

static void test_errors(void **state)
{
        static const char form[] = "quantities must match the regular expression "
                                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        static const struct {
                const char *text;
                int code;
                const char *msg;
        } cases[] = {
                {"", EINVAL, form},
                {"abc", EINVAL, form},
                {"1 ", EINVAL, form},
                {"1.2.3", EINVAL, form},
                {"1e--3", EINVAL, form},
                {"1mi", EINVAL, "unable to parse quantity's suffix"},
                {"1e", EINVAL, "unable to parse quantity's suffix"},
                {"1Ki5", EINVAL, "unable to parse quantity's suffix"},
                {"Ei", EINVAL, "unable to parse numeric part of quantity"},
                {"1e30", ERANGE, "quantity is too large"},
                {"1e99999999999999999999", ERANGE, "quantity is too large"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct quantity q = {.nano = 77};
                struct err err = ERR_INIT;

                assert_int_equal(quantity_parse(cases[i].text, &q, &err), -cases[i].code);
                assert_string_equal(err.msg, cases[i].msg);
                assert_true(q.nano == 77);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "codec/number.h"

/* Texts are Go's: strconv.FormatFloat(v, 'g', -1, 64), the same with 32, and json.Marshal(v). */
static void test_texts(void **state)
{
        static const struct {
                double v;
                const char *g, *single, *json;
        } cases[] = {
                {0.0, "0", "0", "0"},
                {-0.0, "-0", "-0", "-0"},
                {1.0, "1", "1", "1"},
                {-1.5, "-1.5", "-1.5", "-1.5"},
                {0.1, "0.1", "0.1", "0.1"},
                {1.0 / 3, "0.3333333333333333", "0.33333334", "0.3333333333333333"},
                {100000, "100000", "100000", "100000"},
                {1000000, "1e+06", "1e+06", "1000000"},
                {123456789, "1.23456789e+08", "1.2345679e+08", "123456789"},
                {1e20, "1e+20", "1e+20", "100000000000000000000"},
                {1e21, "1e+21", "1e+21", "1e+21"},
                {0.0001, "0.0001", "0.0001", "0.0001"},
                {0.00001, "1e-05", "1e-05", "0.00001"},
                {0.000001, "1e-06", "1e-06", "0.000001"},
                {1e-7, "1e-07", "1e-07", "1e-7"},
                {1.5e-10, "1.5e-10", "1.5e-10", "1.5e-10"},
                {5e-324, "5e-324", "0", "5e-324"},
                {1.7976931348623157e308, "1.7976931348623157e+308", "+Inf", "1.7976931348623157e+308"},
                {0x1p-44, "5.684341886080802e-14", "5.684342e-14",
                 "5.684341886080802e-14"}, /* rounds to ...801, which is another */
                {9007199254740993.0, "9.007199254740992e+15", "9.007199e+15", "9007199254740992"},
                {0.30000000000000004, "0.30000000000000004", "0.3", "0.30000000000000004"},
                {9.0000152587890625, "9.000015258789062", "9.000015", "9.000015258789062"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[NUMBER_TEXT_MAX];

                number_format_g(cases[i].v, false, text);
                assert_string_equal(text, cases[i].g);
                number_format_g(cases[i].v, true, text);
                assert_string_equal(text, cases[i].single);
                number_format_json(cases[i].v, text);
                assert_string_equal(text, cases[i].json);
        }
}

static void test_no_numbers(void **state)
{
        char text[NUMBER_TEXT_MAX];

        (void)state;
        number_format_g(NAN, false, text);
        assert_string_equal(text, "NaN");
        number_format_g(INFINITY, false, text);
        assert_string_equal(text, "+Inf");
        number_format_g(-INFINITY, true, text);
        assert_string_equal(text, "-Inf");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_no_numbers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

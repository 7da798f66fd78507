/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "codec/timefmt.h"

static void test_times(void **state)
{
        static const struct {
                const char *text;
                usec_t usec;
                const char *micro;
        } cases[] = {
                {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000000Z"},
                {"0001-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000000Z"},
                {"2024-02-29T23:59:59.9999999Z", 1709251199999999, "2024-02-29T23:59:59.999999Z"},
                {"2024-05-01T12:00:00.5+02:00", 1714557600500000, "2024-05-01T10:00:00.500000Z"},
                {"2000-03-01T00:00:00-00:30", 951870600000000, "2000-03-01T00:30:00.000000Z"},
                {"9999-12-31T23:59:59.123456789Z", 253402300799123456, "9999-12-31T23:59:59.123456Z"},
        };
        char text[TIMEFMT_MAX];
        usec_t t;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_int_equal(timefmt_parse(cases[i].text, &t), 0);
                assert_true(t == cases[i].usec);
                timefmt_micro(t, text);
                assert_string_equal(text, cases[i].micro);
        }
        timefmt_seconds(1714557600500000, text);
        assert_string_equal(text, "2024-05-01T10:00:00Z");
        timefmt_micro(UINT64_MAX, text); /* fits */
        assert_string_equal(text, "586524-01-19T08:01:49.551615Z");
}

static void test_bad_times(void **state)
{
        static const char *const cases[] = {
                "",
                "2024-05-01",
                "2024-05-01T12:00:00",
                "2024-05-01 12:00:00Z",
                "2024-13-01T12:00:00Z",
                "2023-02-29T12:00:00Z",
                "1900-02-29T12:00:00Z",
                "2024-04-31T12:00:00Z",
                "2024-05-01T24:00:00Z",
                "2024-05-01T12:60:00Z",
                "2024-05-01T12:00:60Z",
                "2024-05-01T12:00:00.Z",
                "2024-05-01T12:00:00+0200",
                "2024-05-01T12:00:00+02",
                "2024-05-01T12:00:00Zx",
                "24-05-01T12:00:00Z",
        };
        usec_t t = 5;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(timefmt_parse(cases[i], &t), -EINVAL);
        assert_true(t == 5);
}

/* Texts and messages are Go's. */
static void test_durations(void **state)
{
        static const struct {
                const char *text;
                int64_t nsec;
                const char *canonical;
        } cases[] = {
                {"0", 0, "0s"},
                {"-0", 0, "0s"},
                {"90s", 90000000000, "1m30s"},
                {"1h2m3s", 3723000000000, "1h2m3s"},
                {"4m0s", 240000000000, "4m0s"},
                {"1.5h", 5400000000000, "1h30m0s"},
                {".5s", 500000000, "500ms"},
                {"5.s", 5000000000, "5s"},
                {"-1.5s", -1500000000, "-1.5s"},
                {"+1ms", 1000000, "1ms"},
                {"1us", 1000, "1\xc2\xb5s"},
                {"1\xc2\xb5s", 1000, "1\xc2\xb5s"},
                {"1\xce\xbcs", 1000, "1\xc2\xb5s"},
                {"1500ns", 1500, "1.5\xc2\xb5s"},
                {"3ns", 3, "3ns"},
                {"0.3333333333333333333h", 1200000000000, "20m0s"},
                {"9223372036854775807ns", INT64_MAX, "2562047h47m16.854775807s"},
                {"-9223372036854775808ns", INT64_MIN, "-2562047h47m16.854775808s"},
        };
        char text[TIMEFMT_MAX];
        int64_t n;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_int_equal(duration_parse(cases[i].text, &n, NULL), 0);
                assert_true(n == cases[i].nsec);
                duration_text(n, text);
                assert_string_equal(text, cases[i].canonical);
        }
}

static void test_bad_durations(void **state)
{
        static const char *const cases[][2] = {
                {"", "time: invalid duration \"\""},
                {"-", "time: invalid duration \"-\""},
                {"3", "time: missing unit in duration \"3\""},
                {"s", "time: invalid duration \"s\""},
                {".s", "time: invalid duration \".s\""},
                {"1d", "time: unknown unit \"d\" in duration \"1d\""},
                {"1h3", "time: missing unit in duration \"1h3\""},
                {"1 s", "time: unknown unit \" s\" in duration \"1 s\""},
                {"\"\t\xc3\xa9", "time: invalid duration \"\\\"\\x09\\xc3\\xa9\""},
                {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
                {"9999999h", "time: invalid duration \"9999999h\""},
                {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""},
                {"2562047h2562047h", "time: invalid duration \"2562047h2562047h\""},
        };
        int64_t n = 5;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct err err = ERR_INIT;

                assert_int_equal(duration_parse(cases[i][0], &n, &err), -EINVAL);
                assert_string_equal(err.msg, cases[i][1]);
        }
        assert_true(n == 5);
}

static void test_ages(void **state)
{
        static const struct {
                uint64_t seconds;
                const char *text;
        } cases[] = {
                {0, "0s"},
                {45, "45s"},
                {119, "119s"},
                {120, "2m"},
                {150, "2m30s"},
                {599, "9m59s"},
                {600, "10m"},
                {179 * 60, "179m"},
                {180 * 60, "3h"},
                {7 * 3600 + 60, "7h1m"},
                {8 * 3600, "8h"},
                {47 * 3600, "47h"},
                {48 * 3600, "2d"},
                {98 * 3600, "4d2h"},
                {8 * 86400, "8d"},
                {729 * 86400, "729d"},
                {730 * 86400, "2y"},
                {731 * 86400, "2y1d"},
                {2920ULL * 86400, "8y"},
        };
        char text[TIMEFMT_MAX];

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                duration_human(cases[i].seconds * USEC_PER_SEC, text);
                assert_string_equal(text, cases[i].text);
        }
        duration_human(UINT64_MAX, text);
        assert_string_equal(text, "584942y");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_times),     cmocka_unit_test(test_bad_times),
                cmocka_unit_test(test_durations), cmocka_unit_test(test_bad_durations),
                cmocka_unit_test(test_ages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/backoff.h"

#define SEC USEC_PER_SEC

static void first_at_once_then_10_to_300_s_from_the_end_of_the_run(void **state)
{
        static const unsigned waits[] = {0, 10, 20, 40, 80, 160, 300, 300, 300};
        struct pod_backoff b = {0};
        usec_t t = 50 * SEC;

        (void)state;
        for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
                backoff_ended(&b, t, t + SEC + 7, 0);
                assert_int_equal(b.period, waits[i] * SEC);
                assert_int_equal(b.until, waits[i] ? t + SEC + 7 + waits[i] * SEC : 0);
                backoff_restarted(&b);
                assert_int_equal(b.until, 0);
                t += 1000 * SEC;
        }
}

static void a_run_of_ten_minutes_begins_anew(void **state)
{
        struct pod_backoff b = {.count = 5};

        (void)state;
        backoff_ended(&b, 100 * SEC, 700 * SEC - 1, 0);
        assert_int_equal(b.period, 160 * SEC);
        backoff_ended(&b, 100 * SEC, 700 * SEC, 0);
        assert_int_equal(b.count, 0);
        assert_int_equal(b.until, 0);
}

static void the_same_end_told_twice_changes_nothing(void **state)
{
        struct pod_backoff a = {.count = 2}, b;

        (void)state;
        backoff_ended(&a, 100 * SEC, 110 * SEC, 0);
        b = a;
        backoff_ended(&a, 100 * SEC, 110 * SEC, 0);
        assert_memory_equal(&a, &b, sizeof(a));
}

static void the_cap_is_configurable(void **state)
{
        (void)state;
        assert_int_equal(backoff_period(1, 5 * SEC), 5 * SEC);
        assert_int_equal(backoff_period(4, 60 * SEC), 60 * SEC);
        assert_int_equal(backoff_period(3, 60 * SEC), 40 * SEC);
        assert_int_equal(backoff_period(UINT32_MAX, 0), BACKOFF_MAX);
}

static void a_create_that_follows_no_end_does_not_count(void **state)
{
        struct pod_backoff b = {0};

        (void)state;
        backoff_restarted(&b);
        assert_int_equal(b.count, 0);
}

static void requests_are_retried_after_1_s_doubling_to_5_min(void **state)
{
        static const unsigned waits[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
        struct pod_retry r = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
                retry_failed(&r, RETRY_INITIAL, 7 * SEC, "Why", "because");
                assert_int_equal(r.at, (7 + waits[i]) * SEC);
        }
        assert_string_equal(r.reason, "Why");
        retry_clear(&r);
        assert_int_equal(r.failures, 0);
}

static void images_are_retried_after_10_s_doubling_to_5_min(void **state)
{
        static const unsigned waits[] = {10, 20, 40, 80, 160, 300, 300};
        struct pod_retry r = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
                retry_failed(&r, RETRY_IMAGE_INITIAL, 0, "ErrImagePull", NULL);
                assert_int_equal(r.at, waits[i] * SEC);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(first_at_once_then_10_to_300_s_from_the_end_of_the_run),
                cmocka_unit_test(a_run_of_ten_minutes_begins_anew),
                cmocka_unit_test(the_same_end_told_twice_changes_nothing),
                cmocka_unit_test(the_cap_is_configurable),
                cmocka_unit_test(a_create_that_follows_no_end_does_not_count),
                cmocka_unit_test(requests_are_retried_after_1_s_doubling_to_5_min),
                cmocka_unit_test(images_are_retried_after_10_s_doubling_to_5_min),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

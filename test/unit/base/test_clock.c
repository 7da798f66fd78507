/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_arithmetic(void **state)
{
        (void)state;
        assert_true(usec_add(1, 2) == 3);
        assert_true(usec_add(USEC_INFINITY, 1) == USEC_INFINITY);
        assert_true(usec_add(1, USEC_INFINITY) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY - 1, 1) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY - 1, 5) == USEC_INFINITY);
        assert_true(usec_sub(5, 3) == 2);
        assert_true(usec_sub(3, 5) == 0);
        assert_true(usec_sub(USEC_INFINITY, 5) == USEC_INFINITY);
        assert_true(usec_sub(5, USEC_INFINITY) == 0);
}

static void test_clocks(void **state)
{
        (void)state;
        usec_t boot = clock_boottime(), wall = clock_realtime();

        assert_true(boot > 0 && boot < USEC_PER_SEC * 3600 * 24 * 365 * 20);
        assert_true(wall / USEC_PER_SEC >= (usec_t)time(NULL) - 1 && wall / USEC_PER_SEC <= (usec_t)time(NULL) + 1);
        assert_true(clock_boottime() >= boot);
}

static void test_boot_id(void **state)
{
        (void)state;
        char a[37], b[37];

        clock_boot_id(a);
        clock_boot_id(b);
        assert_string_equal(a, b);
        assert_int_equal(strlen(a), 36);
        assert_int_equal(a[8], '-');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arithmetic),
                cmocka_unit_test(test_clocks),
                cmocka_unit_test(test_boot_id),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

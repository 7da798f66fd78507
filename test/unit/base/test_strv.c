/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strv.h"

static void is(const struct strv *v, const char *expected)
{
        char *joined CLEANUP_FREE = strv_join(v, "|");

        assert_string_equal(joined, expected);
        if (v->items)
                assert_null(v->items[v->len]);
}

static void test_edit(void **state)
{
        (void)state;
        struct strv v CLEANUP_STRV = STRV_INIT;

        is(&v, "");
        strv_add(&v, "b");
        strv_addf(&v, "%s%d", "c", 1);
        strv_take(&v, xstrdup("d"));
        strv_insert(&v, 0, "a");
        strv_insert(&v, 4, "end");
        strv_insert(&v, 2, "mid");
        is(&v, "a|b|mid|c1|d|end");
        strv_remove(&v, 5);
        strv_remove(&v, 0);
        strv_remove(&v, 1);
        is(&v, "b|c1|d");
        assert_true(strv_contains(&v, "c1"));
        assert_false(strv_contains(&v, "c"));
        for (int i = 0; i < 1000; i++)
                strv_addf(&v, "%d", i);
        assert_int_equal(v.len, 1003);
        assert_null(v.items[1003]);
        strv_release(&v);
        assert_null(v.items);
        strv_release(&v); /* twice is harmless */
}

static void test_sort(void **state)
{
        (void)state;
        struct strv v CLEANUP_STRV = STRV_INIT;

        strv_sort(&v);
        strv_split(&v, "b,a,B,a10,a2,\xc3\xa4,", ',');
        strv_sort(&v);
        is(&v, "|B|a|a10|a2|b|\xc3\xa4");
}

static void test_split(void **state)
{
        (void)state;
        struct strv v CLEANUP_STRV = STRV_INIT;

        strv_split(&v, "", ',');
        assert_int_equal(v.len, 1);
        strv_split(&v, ",a,,b,", ',');
        is(&v, "||a||b|");
        assert_int_equal(v.len, 6);
}

static void test_copy(void **state)
{
        (void)state;
        struct strv a CLEANUP_STRV = STRV_INIT, b CLEANUP_STRV = STRV_INIT;

        assert_true(strv_equal(&a, &b));
        strv_split(&a, "x,y", ',');
        assert_false(strv_equal(&a, &b));
        strv_copy(&b, &a);
        assert_true(strv_equal(&a, &b));
        assert_ptr_not_equal(a.items[0], b.items[0]);
        strv_copy(&b, &a);
        is(&b, "x|y|x|y");
        b.items[3][0] = 'z';
        strv_remove(&b, 0);
        strv_remove(&b, 0);
        assert_false(strv_equal(&a, &b));
        char *s;
        size_t n = 0;
        STRV_FOREACH (s, &a)
                n += strlen(s);
        assert_int_equal(n, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_edit),
                cmocka_unit_test(test_sort),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_copy),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "codec/value.h"

static void test_map(void **state)
{
        struct value *m CLEANUP_VALUE = value_new_map();
        int64_t n;

        (void)state;
        value_map_set(m, "b", value_new_int(-5));
        value_map_set(m, "a", value_new_string("x"));
        struct value *inner = value_map_set(m, "inner", value_new_map());
        value_map_set(inner, "name", value_new_stringf("%d-%s", 7, "z"));
        assert_string_equal(value_string(value_get(m, "inner", "name", NULL), "?"), "7-z");
        assert_null(value_get(m, "inner", "name", "more", NULL));
        assert_null(value_get(NULL, "inner", NULL));
        assert_string_equal(value_string(value_map_get(m, "b"), "?"), "?");
        assert_int_equal(value_int(value_map_get(m, "b"), &n), 0);
        assert_int_equal(n, -5);
        assert_int_equal(value_int(value_map_get(m, "a"), &n), -EINVAL);
        assert_int_equal(value_int(NULL, &n), -EINVAL);
        value_map_set(m, "b", value_new_number("9223372036854775808"));
        assert_int_equal(m->map.count, 3);
        assert_int_equal(value_int(value_map_get(m, "b"), &n), -ERANGE);
        assert_string_equal(m->map.entries[0].key, "b");
        value_sort_keys(m);
        assert_string_equal(m->map.entries[0].key, "a");
        assert_true(value_map_remove(m, "b"));
        assert_false(value_map_remove(m, "b"));
        assert_null(value_map_get(m, "b"));
        assert_string_equal(m->map.entries[1].key, "inner");
}

static void test_list(void **state)
{
        struct value *l CLEANUP_VALUE = value_new_list();

        (void)state;
        for (int i = 0; i < 20; i++)
                value_list_insert(l, 0, value_new_int(i));
        assert_int_equal(l->list.count, 20);
        assert_string_equal(l->list.items[0]->text, "19");
        value_list_remove(l, 0);
        value_list_remove(l, 100);
        assert_int_equal(l->list.count, 19);
        assert_string_equal(l->list.items[0]->text, "18");
        value_list_insert(l, 99, value_new_null());
        assert_int_equal(l->list.items[19]->kind, VALUE_NULL);
}

static void test_copy_and_equal(void **state)
{
        struct value *a CLEANUP_VALUE = value_new_map();
        struct value *l = value_map_set(a, "l", value_new_list());

        (void)state;
        value_list_add(l, value_new_bool(true));
        value_list_add(l, value_new_stringn("a\0b", 3));
        value_map_set(a, "n", value_new_null());
        struct value *b CLEANUP_VALUE = value_copy(a);
        assert_true(value_equal(a, b));
        value_sort_keys(b);
        struct value *first = value_copy(value_map_get(b, "l"));
        value_map_remove(b, "l");
        assert_false(value_equal(a, b));
        value_map_set(b, "l", first); /* now in another order */
        assert_true(value_equal(a, b));
        first->list.items[0]->boolean = false;
        assert_false(value_equal(a, b));
        assert_true(value_equal(NULL, NULL));
        assert_false(value_equal(a, NULL));
        assert_null(value_copy(NULL));
}

static void test_error_places(void **state)
{
        struct err err = ERR_INIT;
        struct value_place p = {.file = value_place_file("a.yaml"), .line = 3, .column = 7};

        (void)state;
        assert_int_equal(value_error(&p, &err, ERR_INVALID, "no %s", "x"), -ERR_INVALID);
        assert_string_equal(err.msg, "a.yaml:3:7: no x");
        p.column = 0;
        (void)value_error(&p, &err, ERR_INVALID, "y");
        assert_string_equal(err.msg, "a.yaml:3: y");
        p = (struct value_place){.origin = "default"};
        (void)value_error(&p, &err, ERR_INVALID, "y");
        assert_string_equal(err.msg, "default: y");
        (void)value_error(NULL, &err, ERR_INVALID, "y");
        assert_string_equal(err.msg, "y");
        assert_int_equal(value_error(&p, NULL, ERR_LIMIT, "y"), -ERR_LIMIT);
        assert_ptr_equal(value_place_file("a.yaml"), value_place_file("a.yaml"));
        assert_string_equal(value_kind_name(VALUE_BOOL), "boolean");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_map),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_copy_and_equal),
                cmocka_unit_test(test_error_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/value_diff.h"
#include "codec/yaml.h"

static void note(void *userdata, const char *path, const struct value *before, const struct value *after)
{
        struct buf *out = userdata;

        buf_addf(out, "%s: ", path);
        if (before)
                json_write(before, 0, out);
        buf_addstr(out, " > ");
        if (after)
                json_write(after, 0, out);
        buf_addch(out, '\n');
}

static void is(const char *before, const char *after, const char *expected)
{
        struct value *a CLEANUP_VALUE = NULL, *b CLEANUP_VALUE = NULL;
        struct buf out CLEANUP_BUF = BUF_INIT(65536);
        struct err err = ERR_INIT;

        assert_int_equal(yaml_load_one("a", before, strlen(before), 0, &a, &err), 0);
        assert_int_equal(yaml_load_one("b", after, strlen(after), 0, &b, &err), 0);
        value_diff(a, b, note, &out);
        assert_string_equal(buf_str(&out), expected);
}

static void test_scalars_and_maps(void **state)
{
        (void)state;
        is("{a: 1}", "{a: 1}", "");
        is("{a: {b: 1, c: x}}", "{a: {b: 2, d: z}}", "a.b: 1 > 2\na.c: \"x\" > \na.d:  > \"z\"\n");
        is("{a: {example.com/x: 1}}", "{a: {example.com/x: 2}}", "a[example.com/x]: 1 > 2\n");
        is("{a: 1}", "{a: [1]}", "a: 1 > [1]\n");
}

static void test_named_items_keep_their_name(void **state)
{
        (void)state;
        is("{c: [{name: x, i: 1}, {name: z, i: 1}]}", "{c: [{name: new, i: 0}, {name: z, i: 1}, {name: x, i: 2}]}",
           "c[x].i: 1 > 2\nc[new]:  > {\"name\":\"new\",\"i\":0}\n");
        is("{m: [{mountPath: /a, name: v}, {mountPath: /b, name: v}]}", "{m: [{mountPath: /a, name: v}]}",
           "m[1]: {\"mountPath\":\"/b\",\"name\":\"v\"} > \n");
}

static void test_lists_of_scalars_are_one_field(void **state)
{
        (void)state;
        is("{command: [etcd, --a]}", "{command: [etcd, --b]}", "command: [\"etcd\",\"--a\"] > [\"etcd\",\"--b\"]\n");
        is("{l: [{x: 1}]}", "{l: [{x: 2}, {x: 3}]}", "l[0].x: 1 > 2\nl[1]:  > {\"x\":3}\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_scalars_and_maps),
                cmocka_unit_test(test_named_items_keep_their_name),
                cmocka_unit_test(test_lists_of_scalars_are_one_field),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/yaml.h"
#include "phase/template.h"

static struct value *load(const char *text)
{
        struct err err = ERR_INIT;
        struct value *v;

        if (yaml_load_one("t.yaml", text, strlen(text), 0, &v, &err) < 0)
                fail_msg("%s", err.msg);
        return v;
}

static void assert_yaml(const struct value *v, const char *expected)
{
        struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);

        yaml_write(v, 0, &out);
        assert_string_equal(buf_str(&out), expected);
}

static void test_fill(void **state)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *v CLEANUP_VALUE = load("a: ${text}\n"
                                             "b: x-${text}-${number}\n"
                                             "c: ${number}\n"
                                             "d: ${absent}\n"
                                             "e: [one, '--x=${absent}', '--y=${empty}', two]\n"
                                             "f: $notone\n");
        static const struct value_place place = {.file = "k.yaml", .line = 3, .column = 7};
        struct err err = ERR_INIT;

        (void)state;
        /* A value cannot break what is around it: it is put in after parsing. */
        template_set_text(&variables, "text", "a: [b}\n- c", &place);
        template_set_number(&variables, "number", 6443, NULL);
        template_set_text(&variables, "absent", "x", NULL);
        template_set_text(&variables, "absent", NULL, NULL);
        template_set_text(&variables, "empty", "", NULL);
        assert_int_equal(template_fill(v, &variables, &err), 0);
        assert_yaml(v, "a: |-\n  a: [b}\n  - c\nb: |-\n  x-a: [b}\n  - c-6443\nc: 6443\ne:\n- one\n- --y=\n- two\nf: "
                       "$notone\n");
        /* The configuration's place where there is one, else the template's. */
        assert_int_equal(value_map_get(v, "a")->place.line, 3);
        assert_string_equal(value_map_get(v, "b")->place.file, "k.yaml");
        assert_string_equal(value_map_get(v, "c")->place.file, "t.yaml");
}

static void test_fill_mistakes(void **state)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *unknown CLEANUP_VALUE = load("a:\n  b: x ${nope}\n");
        struct value *open CLEANUP_VALUE = load("a: '${nope'\n");
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(template_fill(unknown, &variables, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "t.yaml:2:6: no variable ${nope} here");
        assert_int_equal(template_fill(open, &variables, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "t.yaml:1:4: \"${\" without a closing brace");
}

/* An item that is made on the way has the name by which it is found again. */
static void test_missing_items_get_their_name(void **state)
{
        struct value *v CLEANUP_VALUE = load("list: []\n"), *seven CLEANUP_VALUE = value_new_int(7);

        (void)state;
        assert_int_equal(template_path_set(v, "list[a].x", seven, NULL), 0);
        assert_int_equal(template_path_set(v, "list[a].y", seven, NULL), 0);
        assert_int_equal(template_path_set(v, "list[b]", seven, NULL), 0);
        assert_yaml(v, "list:\n- name: a\n  x: 7\n  \"y\": 7\n- 7\n");
        assert_true(value_equal(template_path_get(v, "list[a].y"), seven));
}

static void test_paths(void **state)
{
        struct value *v CLEANUP_VALUE = load("spec:\n  list:\n  - name: a\n    x: 1\n  - name: b\n");
        struct value *seven CLEANUP_VALUE = value_new_int(7);
        struct value *item CLEANUP_VALUE = load("name: c\n");
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(template_path_set(v, "spec.list[0].x", seven, &err), 0);
        assert_int_equal(template_path_set(v, "spec.list[b].y.z", seven, &err), 0);
        assert_int_equal(template_path_set(v, "spec.list[c]", item, &err), 0);
        assert_int_equal(template_path_set(v, "new.deep.field", seven, &err), 0);
        assert_non_null(template_path_get(v, "spec.list[c].name"));
        assert_null(template_path_get(v, "spec.list[d]"));
        assert_null(template_path_get(v, "spec.list[9]"));
        assert_true(template_path_remove(v, "spec.list[a]"));
        assert_false(template_path_remove(v, "spec.list[a]"));
        assert_false(template_path_remove(v, "spec.none.x"));
        assert_yaml(v,
                    "new:\n  deep:\n    field: 7\nspec:\n  list:\n  - name: b\n    \"y\":\n      z: 7\n  - name: c\n");
        assert_int_equal(template_path_set(v, "spec.list[9]", seven, &err), -ERR_INVALID);
        assert_int_equal(template_path_set(v, "spec..x", seven, &err), -ERR_INVALID);
        assert_int_equal(template_path_set(v, "", seven, &err), -ERR_INVALID);
        assert_int_equal(template_path_set(v, "spec[x", seven, &err), -ERR_INVALID);
        assert_int_equal(template_path_set(v, "new.deep.field.more", seven, &err), -ERR_INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fill),
                cmocka_unit_test(test_fill_mistakes),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_missing_items_get_their_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"

static struct value *load(const char *text)
{
        struct err err = ERR_INIT;
        struct value *v = NULL;

        if (yaml_load_one("f.yaml", text, strlen(text), 0, &v, &err) < 0)
                fail_msg("%s", err.msg);
        return v;
}

static void expect_json(const char *text, const char *json)
{
        struct value *v CLEANUP_VALUE = load(text);
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        json_write(v, 0, &out);
        assert_string_equal(buf_str(&out), json);
}

static void expect_error(const char *text, size_t len, const char *msg)
{
        struct err err = ERR_INIT;
        struct yaml_documents d CLEANUP_YAML_DOCUMENTS = {0};

        assert_true(yaml_load("f.yaml", text, len, 0, &d, &err) < 0);
        assert_string_equal(err.msg, msg);
        assert_int_equal(d.count, 0);
}

static void expect_yaml(const char *text, const char *yaml)
{
        struct value *v CLEANUP_VALUE = load(text);
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        yaml_write(v, 0, &out);
        assert_string_equal(buf_str(&out), yaml);
}

static void test_places(void **state)
{
        struct value *v CLEANUP_VALUE = load("# c\na:\n  - b: [x, \"y\"]\nč: z\n");

        (void)state;
        struct value *a = value_map_get(v, "a");
        const struct value *b = value_get(a->list.items[0], "b", NULL);

        assert_string_equal(v->place.file, "f.yaml");
        assert_int_equal(v->place.line, 2);
        assert_int_equal(v->place.column, 1);
        assert_int_equal(b->list.items[1]->place.line, 3);
        assert_int_equal(b->list.items[1]->place.column, 12);
        assert_int_equal(v->map.entries[1].place.line, 4);
        assert_int_equal(v->map.entries[1].value->place.column, 4);
}

static void test_resolution(void **state)
{
        (void)state;
        expect_json("[y, n, on, Off, YES, yEs, true, ~, null, NULL]",
                    "[true,false,true,false,true,\"yEs\",true,null,null,null]");
        expect_json("[0x1F, 0o17, 017, 0b11, -0b11, 1_000, 08, 0b-1, '1', !!str 1, !!float 1]",
                    "[31,15,15,3,-3,1000,8,-1,\"1\",\"1\",1]");
        expect_json("[1e3, 1., .5, 1e21, 1e-7, 18446744073709551615, 18446744073709551616, 1e400, -0.0]",
                    "[1000,1,0.5,1e+21,1e-7,18446744073709551615,18446744073709552000,\"1e400\",-0]");
        expect_json("[1:30, 2001-01-01, 12:30:45, <<, !x y, !!binary aGk=]",
                    "[\"1:30\",\"2001-01-01\",\"12:30:45\",\"<<\",\"y\",\"hi\"]");
        expect_json("{1: a, 1.5: b, true: c, 1e6: d, .inf: e, 0x10: f}",
                    "{\"1\":\"a\",\"1.5\":\"b\",\"true\":\"c\",\"1e+06\":\"d\",\".inf\":\"e\",\"16\":\"f\"}");
}

static void test_aliases(void **state)
{
        (void)state;
        expect_json(
                "a: &x {p: 1}\nb: *x\nc: {<<: *x, q: 2}\nd: {p: 3, <<: *x}\ne: {<<: [{p: 4}, {p: 5, r: 6}], p: 7}\n",
                "{\"a\":{\"p\":1},\"b\":{\"p\":1},\"c\":{\"p\":1,\"q\":2},\"d\":{\"p\":1},\"e\":{\"p\":7,\"r\":6}}");
        expect_json("&k a: *k\n", "{\"a\":\"a\"}");
}

static void test_errors(void **state)
{
        (void)state;
        expect_error("a: 1\nb:\n  a: 1\n  b: 2\n  a: 3\n", 29,
                     "f.yaml:5:3: duplicate key \"a\": it is already at line 3, column 3");
        expect_error("a: *x\n", 6, "f.yaml:1:4: unknown anchor 'x' referenced");
        expect_error("a: &x [*x]\n", 11, "f.yaml:1:8: anchor 'x' value contains itself");
        expect_error("a: .inf\n", 8, "f.yaml:1:4: .inf is a number that JSON does not have");
        expect_error("~: 1\n", 5, "f.yaml:1:1: unsupported map key: not a string, number or boolean");
        expect_error("a: \0\n", 5, "f.yaml:1:4: a NUL byte: this is not a text file in UTF-8");
        expect_error("a: \xff\n", 5, "f.yaml:1:4: byte 0xff is not UTF-8");
        expect_error("a: !!int x\n", 11, "f.yaml:1:4: cannot decode !!str `x` as a !!int");
        expect_error("a: b: c\n", 8, "f.yaml:1:5: mapping values are not allowed in this context");
        expect_error("a: [\n", 5, "f.yaml:2:1: did not find expected node content, while parsing a flow node");
}

static void test_writing(void **state)
{
        (void)state;
        expect_yaml("{b: [1, {c: d, e: []}], a10: \"x: y\", a2: 'true', t: \"l1\\nl2\\n\"}",
                    "a2: \"true\"\na10: 'x: y'\nb:\n- 1\n- c: d\n  e: []\nt: |\n  l1\n  l2\n");
}

static void expect_documents(const char *text, size_t count)
{
        struct yaml_documents d CLEANUP_YAML_DOCUMENTS = {0};

        assert_int_equal(yaml_load("f.yaml", text, strlen(text), 0, &d, NULL), 0);
        assert_int_equal(d.count, count);
}

static void test_documents(void **state)
{
        struct err err = ERR_INIT;
        struct value *v = NULL;

        (void)state;
        expect_documents("", 0);
        expect_documents("# nothing\n", 0);
        expect_documents("---\n---\n# c\n---\n", 0);
        expect_documents("a: 1\n---\n\n---\nb: 2\n", 2);
        expect_documents("--- ~\n--- ''\n--- !!null\n", 3);
        expect_documents("\xef\xbb\xbf"
                         "a: 1\n",
                         1);
        expect_documents("{\"a\": 1}", 1);
        assert_int_equal(yaml_load_one("f.yaml", "", 0, 0, &v, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "f.yaml: holds 0 documents, one is wanted");
        assert_int_equal(yaml_load_one("f.yaml", "a\n---\nb\n", 8, 0, &v, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "f.yaml: holds 2 documents, one is wanted");
        assert_null(v);
}

static void test_duplicates(void **state)
{
        static const char text[] = "a: 1\nb: 2\na: 3\n";
        struct value *v CLEANUP_VALUE = NULL, *big CLEANUP_VALUE = NULL;
        struct buf many CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(yaml_load_one("f", text, strlen(text), YAML_DUPLICATE_LAST_WINS, &v, NULL), 0);
        assert_int_equal(v->map.count, 2);
        assert_string_equal(value_map_get(v, "a")->text, "3");
        assert_int_equal(v->map.entries[0].place.line, 3);
        for (int i = 0; i < 1000; i++)
                buf_addf(&many, "k%d: 1\n", i);
        assert_int_equal(yaml_load_one("f", many.data, many.len, 0, &big, NULL), 0);
        assert_int_equal(big->map.count, 1000);
        buf_addstr(&many, "k500: 2\n");
        assert_int_equal(yaml_load_one("f", many.data, many.len, 0, &v, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "f:1001:1: duplicate key \"k500\": it is already at line 501, column 1");
        /* 1 and "1" are two keys to YAML and one to JSON; a merged key may be set again */
        expect_error("1: a\n\"1\": b\n", 12, "f.yaml:2:1: duplicate key \"1\": it is already at line 1, column 1");
        expect_json("<<: {a: 1}\na: 2\n", "{\"a\":2}");
}

static void expect_limit(struct buf *text, const char *msg)
{
        struct yaml_documents d CLEANUP_YAML_DOCUMENTS = {0};
        struct err err = ERR_INIT;

        assert_false(text->failed);
        assert_int_equal(yaml_load("f", text->data, text->len, 0, &d, &err), -ERR_LIMIT);
        assert_string_equal(err.msg, msg);
        buf_clear(text);
}

static void add_times(struct buf *b, const char *s, int times)
{
        for (int i = 0; i < times; i++)
                buf_addstr(b, s);
}

static void test_limits(void **state)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        (void)state;
        add_times(&b, "[", LIMIT_MANIFEST_BYTES);
        expect_limit(&b, "f:1:101: nested deeper than 100 levels");
        add_times(&b, "- ", 101);
        expect_limit(&b, "f:1:201: nested deeper than 100 levels");
        add_times(&b, "- a\n", LIMIT_YAML_NODES);
        expect_limit(&b, "f:200000:3: more than 200000 values in one document");
        add_times(&b, "--- a\n", LIMIT_YAML_DOCUMENTS + 1);
        expect_limit(&b, "f:101:1: more than 100 documents in one file");
        add_times(&b, "- &a x\n", LIMIT_YAML_ANCHORS + 1);
        expect_limit(&b, "f:1001:3: more than 1000 anchors in one document");
        for (int i = 0; i <= LIMIT_YAML_TAG_DIRECTIVES; i++)
                buf_addf(&b, "%%TAG !a%d! x:\n", i);
        expect_limit(&b, "f:101:1: more than 100 %TAG directives");
        /* a billion laughs, and depth by alias */
        buf_addstr(&b, "a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (char c = 'b'; c < 'j'; c++)
                buf_addf(&b, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1, c - 1, c - 1,
                         c - 1, c - 1, c - 1, c - 1);
        expect_limit(&b, "f:6:11: more than 200000 values in one document");
        for (char c = 'a'; c < 'd'; c++) {
                buf_addf(&b, "- &%c ", c);
                add_times(&b, "[", 40);
                buf_addf(&b, "%s%c", c > 'a' ? "*" : "", c > 'a' ? c - 1 : 'x');
                add_times(&b, "]", 40);
                buf_addch(&b, '\n');
        }
        expect_limit(&b, "f:3:46: nested deeper than 100 levels");
        buf_addstr(&b, "a: &a {");
        for (int i = 0; i < 1000; i++)
                buf_addf(&b, "k%d: 1,", i);
        buf_addstr(&b, "}\nb:\n");
        add_times(&b, "  <<: *a\n", 200);
        expect_limit(&b, "f:101:7: more than 200000 values in one document");
}

static void test_odd_encodings(void **state)
{
        struct value *v CLEANUP_VALUE = load("a: b\r\nc:\r\n- \"d\\0e\"\r\n");

        (void)state;
        assert_string_equal(value_map_get(v, "a")->text, "b");
        assert_int_equal(value_map_get(v, "c")->list.items[0]->len, 3);
        assert_int_equal(value_map_get(v, "c")->place.line, 3);
        expect_error("\"a\\0\": 1\n", 9, "f.yaml:1:1: unsupported map key: not a string, number or boolean");
        expect_error("\xff\xfe"
                     "a\0",
                     4, "f.yaml:1:1: byte 0xff is not UTF-8");
        expect_error("a: b\n\xef\xbb\xbf"
                     "c: d\n",
                     13, "f.yaml:2:1: a byte order mark (U+FEFF) inside of the text");
        expect_json("a: \"x\xef\xbb\xbf\"\n", "{\"a\":\"x\xef\xbb\xbf\"}");
        expect_error("a: \x01\n", 5, "f.yaml:1:4: control characters are not allowed (U+0001)");
        expect_error("a:\n  - b\n - c\n", 14,
                     "f.yaml:3:2: did not find expected key, while parsing a block mapping that began at line 1");
}

static struct value *map_of(const char *const *keys)
{
        struct value *m = value_new_map();

        for (; *keys; keys++)
                value_map_set(m, *keys, value_new_int(1));
        return m;
}

static void test_key_order(void **state)
{
        /* v10 < v1alpha1 < v2 < v10 in go-yaml's order: whatever comes, it must not hang on what came first */
        static const char *const one[] = {"v10", "v1alpha1", "v2", "v1", NULL}, *const other[] = {"v2", "v1", "v10",
                                                                                                  "v1alpha1", NULL};
        struct value *a CLEANUP_VALUE = map_of(one), *b CLEANUP_VALUE = map_of(other);
        struct buf x CLEANUP_BUF = BUF_INIT(100), y CLEANUP_BUF = BUF_INIT(100), kept CLEANUP_BUF = BUF_INIT(100);

        (void)state;
        yaml_write(a, 0, &x);
        yaml_write(b, 0, &y);
        assert_string_equal(buf_str(&x), buf_str(&y));
        yaml_write(a, YAML_WRITE_KEEP_ORDER, &kept);
        assert_string_equal(buf_str(&kept), "v10: 1\nv1alpha1: 1\nv2: 1\nv1: 1\n");
}

static void test_write_flags(void **state)
{
        struct value *v CLEANUP_VALUE = value_new_list();
        struct buf folded CLEANUP_BUF = BUF_INIT(1000), flat CLEANUP_BUF = BUF_INIT(1000),
                          tiny CLEANUP_BUF = BUF_INIT(9);

        (void)state;
        value_list_add(v, value_new_string("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                                           "0123456789 0123456789 0123456789"));
        yaml_write(v, 0, &folded);
        assert_string_equal(buf_str(&folded), "- 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                                              "0123456789 0123456789\n  0123456789\n");
        yaml_write(v, YAML_WRITE_NO_FOLD, &flat);
        assert_null(strchr(strchr(buf_str(&flat), '\n') + 1, '\n'));
        yaml_write(v, 0, &tiny);
        assert_true(tiny.failed);
}

static void test_built_values(void **state)
{
        struct value *v CLEANUP_VALUE = value_new_list();
        struct buf out CLEANUP_BUF = BUF_INIT(1000);

        (void)state;
        value_list_add(v, value_new_string("a\xff"
                                           "b")); /* what encoding/json makes of it */
        value_list_add(v, value_new_stringn("a\0b", 3));
        value_list_add(v, value_new_int(INT64_MIN));
        value_list_add(v, value_new_number("1e+21"));
        value_list_add(v, value_new_number("0.0000001"));
        value_list_add(v, value_new_string("\xc2\x85")); /* a space to sigs.k8s.io/yaml, by way of JSON */
        yaml_write(v, 0, &out);
        assert_string_equal(buf_str(&out), "- a\xef\xbf\xbd"
                                           "b\n- \"a\\0b\"\n- -9223372036854775808\n- 1e+21\n- 1e-07\n- \"\\N\"\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_places),        cmocka_unit_test(test_resolution),
                cmocka_unit_test(test_aliases),       cmocka_unit_test(test_errors),
                cmocka_unit_test(test_writing),       cmocka_unit_test(test_documents),
                cmocka_unit_test(test_duplicates),    cmocka_unit_test(test_limits),
                cmocka_unit_test(test_odd_encodings), cmocka_unit_test(test_key_order),
                cmocka_unit_test(test_write_flags),   cmocka_unit_test(test_built_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/value.h"

static struct value *load(const char *text)
{
        struct err err = ERR_INIT;
        struct value *v = NULL;

        if (json_load("f.json", text, strlen(text), &v, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
        return v;
}

static void expect(const char *text, unsigned flags, const char *json)
{
        struct value *v CLEANUP_VALUE = load(text);
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        json_write(v, flags, &out);
        assert_string_equal(buf_str(&out), json);
}

static void test_round_trip(void **state)
{
        (void)state;
        expect(" {\"b\" : [1, -2.5e+3, true, false, null, \"\"], \"a\": {}, \"c\": []} ", 0,
               "{\"b\":[1,-2.5e+3,true,false,null,\"\"],\"a\":{},\"c\":[]}");
        expect("{\"b\":1,\"a\":{\"z\":1,\"y\":2}}", JSON_SORT_KEYS, "{\"a\":{\"y\":2,\"z\":1},\"b\":1}");
        expect("{\"b\":[1,{\"c\":[]}],\"a\":{}}", JSON_INDENT,
               "{\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    }\n  ],\n  \"a\": {}\n}");
        expect("[[0]]", JSON_INDENT_4, "[\n    [\n        0\n    ]\n]");
        expect("123456789012345678901234567890", 0, "123456789012345678901234567890");
}

static void test_strings(void **state)
{
        (void)state;
        expect("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\u0000x\"", 0,
               "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\u0000x\"");
        expect("\"<a>&\\u2028\\u2029\\u2027\"", JSON_ESCAPE_HTML,
               "\"\\u003ca\\u003e\\u0026\\u2028\\u2029\xe2\x80\xa7\"");
        expect("{\"<\":\"<\"}", 0, "{\"<\":\"<\"}");
}

static void expect_error(const char *text, const char *msg)
{
        struct err err = ERR_INIT;
        struct value *v = NULL;

        assert_int_equal(json_load("f.json", text, strlen(text), &v, &err), -ERR_INVALID);
        assert_string_equal(err.msg, msg);
        assert_null(v);
}

static void test_errors(void **state)
{
        (void)state;
        expect_error("", "f.json:1:1: a value is wanted here");
        expect_error("{\n \"a\": 1,\n \"a\": 2}", "f.json:3:2: duplicate key \"a\": it is already at line 2, column 2");
        expect_error("[1,]", "f.json:1:4: a value is wanted here");
        expect_error("[1 2]", "f.json:1:4: \",\" or \"]\" is wanted here");
        expect_error("{\"a\" 1}", "f.json:1:6: \":\" is wanted here");
        expect_error("{a: 1}", "f.json:1:2: a key in quotes is wanted here");
        expect_error("{\"a\":1,}", "f.json:1:8: a key in quotes is wanted here");
        expect_error("{\"a\":1", "f.json:1:7: \",\" or \"}\" is wanted here");
        expect_error("\"\xc3\xa9 \\x\"", "f.json:1:5: unknown escape");
        expect_error("\"a\nb\"", "f.json:1:3: a control character in a string");
        expect_error("\"abc", "f.json:1:5: the string has no end");
        expect_error("\"\\ud800\"", "f.json:1:2: half of a surrogate pair");
        expect_error("\"\\ud800\\u0041\"", "f.json:1:2: half of a surrogate pair");
        expect_error("\"\\u12g4\"", "f.json:1:6: four hexadecimal digits are wanted behind \\u");
        expect_error("01", "f.json:1:2: nothing is wanted behind the value");
        expect_error("1.", "f.json:1:3: a digit is wanted behind the point");
        expect_error("1e", "f.json:1:3: a digit is wanted in the exponent");
        expect_error("nul", "f.json:1:1: a value is wanted here");
        expect_error("{\"a\\u0000b\":1}", "f.json:1:2: a key with a NUL character");
        expect_error("[\n\xff]", "f.json:2:1: a byte that is not UTF-8");
        expect_error("// x\n1", "f.json:1:1: a value is wanted here");
}

static void test_limits(void **state)
{
        struct err err = ERR_INIT;
        struct value *v = NULL;
        size_t len = 1000;
        char *deep CLEANUP_FREE = xmalloc(len);
        struct buf wide CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        (void)state;
        memset(deep, '[', len);
        assert_int_equal(json_load("f", deep, len, &v, &err), -ERR_LIMIT);
        assert_string_equal(err.msg, "f:1:101: nested deeper than 100 levels");
        buf_addch(&wide, '[');
        for (int i = 0; i < LIMIT_YAML_NODES; i++)
                buf_addstr(&wide, "1,");
        buf_addstr(&wide, "1]");
        assert_int_equal(json_load("f", wide.data, wide.len, &v, &err), -ERR_LIMIT);
        assert_null(v);
}

static void test_places(void **state)
{
        struct value *v CLEANUP_VALUE = load("{\n  \"\xc3\xa9\": [true, {\"x\": 1}]}");
        struct value *list = v->map.entries[0].value;

        (void)state;
        assert_string_equal(v->place.file, "f.json");
        assert_int_equal(v->map.entries[0].place.line, 2);
        assert_int_equal(v->map.entries[0].place.column, 3);
        assert_int_equal(list->place.column, 8);
        assert_int_equal(value_map_get(list->list.items[1], "x")->place.column, 21);
}

static void test_cjson(void **state)
{
        struct value *v CLEANUP_VALUE = load("{\"a\":[1,0.5,true,false,null,\"s\"],\"b\":{\"c\":9007199254740993}}");
        struct cJSON *c = json_to_cjson(v);
        char *text = cJSON_PrintUnformatted(c);

        (void)state;
        struct value *back CLEANUP_VALUE = json_from_cjson(c);
        assert_true(value_equal(value_map_get(v, "a"), value_map_get(back, "a")));
        assert_string_equal(value_get(back, "b", "c", NULL)->text, "9007199254740992"); /* a double */
        assert_non_null(strstr(text, "\"a\":[1,0.5,true,false,null,\"s\"]"));
        cJSON_free(text);
        cJSON_Delete(c);
        struct value *none CLEANUP_VALUE = json_from_cjson(NULL);
        assert_true(value_is(none, VALUE_NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip), cmocka_unit_test(test_strings), cmocka_unit_test(test_errors),
                cmocka_unit_test(test_limits),     cmocka_unit_test(test_places),  cmocka_unit_test(test_cjson),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

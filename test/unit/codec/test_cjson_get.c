/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "codec/cjson_get.h"

static void looks_up(void **state)
{
        (void)state;
        struct cJSON *c CLEANUP_CJSON = cJSON_Parse("{\"a\":{\"b\":\"x\"},\"A\":1,\"n\":42,\"f\":1.5,\"t\":true}");

        assert_string_equal(cjson_text(cjson_get(c, "a", NULL), "b", "none"), "x");
        assert_null(cjson_get(c, "a", "missing", "deeper", NULL));
        assert_null(cjson_get(NULL, "a", NULL));
        assert_string_equal(cjson_text(c, "n", "none"), "none");
        assert_int_equal(cjson_int(c, "n", -1), 42);
        assert_int_equal(cjson_int(c, "f", -1), -1);
        assert_int_equal(cjson_int(c, "a", -1), -1);
        assert_true(cjson_bool(c, "t"));
        assert_false(cjson_bool(c, "a"));
}

static void assert_same(const char *a, const char *b, bool same)
{
        struct cJSON *x CLEANUP_CJSON = cJSON_Parse(a), *y CLEANUP_CJSON = cJSON_Parse(b);

        assert_int_equal(cjson_same(x, y), same);
        assert_int_equal(cjson_same(y, x), same);
}

static void compares(void **state)
{
        (void)state;
        assert_same("{\"a\":1,\"b\":{}}", "{\"a\":1}", true);
        assert_same("{\"a\":1,\"b\":{\"c\":\"\"}}", "{\"a\":1,\"d\":[]}", true);
        assert_same("{\"a\":1}", "{\"a\":2}", false);
        assert_same("{\"a\":1}", "{\"a\":1,\"b\":\"x\"}", false);
        assert_same("[1,2]", "[2,1]", false);
        assert_same("[1,2]", "[1,2,3]", false);
        assert_same("{\"a\":{\"b\":[{\"c\":1,\"d\":null}]}}", "{\"a\":{\"b\":[{\"c\":1}]}}", true);
        assert_same("{\"a\":\"1\"}", "{\"a\":1}", false);
        assert_same("{\"a\":[]}", "{\"a\":\"\"}", true);
}

static void adds_times(void **state)
{
        (void)state;
        struct cJSON *c CLEANUP_CJSON = cJSON_CreateObject();

        cjson_add_time(c, "at", UINT64_C(1700000000999999));
        cjson_add_time(c, "never", 0);
        assert_string_equal(cjson_text(c, "at", ""), "2023-11-14T22:13:20Z");
        assert_null(cjson_get(c, "never", NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(looks_up), cmocka_unit_test(compares),
                                           cmocka_unit_test(adds_times)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

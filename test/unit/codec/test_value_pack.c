/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/value.h"
#include "codec/value_pack.h"
#include "codec/yaml.h"

static const char yaml[] = "a: [1, -2.5e3, x, \"\", null, true, false]\n"
                           "nul: \"text\\0behind\"\n"
                           "b:\n"
                           "  c: {}\n"
                           "  d: []\n"
                           "  long: \"0123456789012345678901234567890123456789012345678901234567890123456789"
                           "0123456789012345678901234567890123456789012345678901234567890123456789\"\n"
                           "\"\": empty\n";

static struct value *load(const char *text, size_t len)
{
        struct value *v = NULL;
        struct err err = ERR_INIT;

        if (yaml_load_one("file.yaml", text, len, 0, &v, &err) < 0)
                fail_msg("%s", err.msg);
        return v;
}

static void assert_place(const struct value_place *a, const struct value_place *b)
{
        assert_int_equal(a->line, b->line);
        assert_int_equal(a->column, b->column);
        assert_string_equal(a->file, b->file);
}

/* The same in everything, order and places included. */
static void assert_same(const struct value *a, const struct value *b)
{
        assert_true(value_equal(a, b));
        assert_place(&a->place, &b->place);
        for (size_t i = 0; a->kind == VALUE_LIST && i < a->list.count; i++)
                assert_same(a->list.items[i], b->list.items[i]);
        for (size_t i = 0; a->kind == VALUE_MAP && i < a->map.count; i++) {
                assert_string_equal(a->map.entries[i].key, b->map.entries[i].key);
                assert_place(&a->map.entries[i].place, &b->map.entries[i].place);
                assert_same(a->map.entries[i].value, b->map.entries[i].value);
        }
}

static void test_there_and_back(void **state)
{
        struct value *v CLEANUP_VALUE = load(yaml, sizeof(yaml) - 1);
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        (void)state;
        value_pack(v, &b);
        assert_int_equal(buf_check(&b, "packed", NULL), 0);
        struct value *back CLEANUP_VALUE = value_unpack(b.data, b.len, "file.yaml");
        assert_non_null(back);
        assert_same(v, back);
        for (size_t i = 0; i < v->map.count; i++) {
                struct value *one CLEANUP_VALUE = value_unpack_entry(b.data, b.len, "file.yaml", v->map.entries[i].key);
                assert_non_null(one);
                assert_same(v->map.entries[i].value, one);
        }
        assert_null(value_unpack_entry(b.data, b.len, "file.yaml", "nothing"));
}

static void test_no_map(void **state)
{
        struct value *v CLEANUP_VALUE = value_new_string("a");
        struct buf b CLEANUP_BUF = BUF_INIT(100), small CLEANUP_BUF = BUF_INIT(3);

        (void)state;
        value_pack(v, &b);
        assert_null(value_unpack_entry(b.data, b.len, NULL, "a"));
        value_pack(v, &small);
        assert_true(small.failed);
        struct value *list CLEANUP_VALUE = value_new_list();
        value_list_add(list, value_new_string("longer than the ceiling"));
        struct buf inner CLEANUP_BUF = BUF_INIT(12);
        value_pack(list, &inner);
        assert_true(inner.failed);
}

/* Bytes that are cut off, longer or altered: NULL, or another value where that is one; nothing outside is read, which
 * the allocation of just these bytes lets the sanitizers see. */
static void test_damaged(void **state)
{
        struct value *v CLEANUP_VALUE = load(yaml, sizeof(yaml) - 1);
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        (void)state;
        value_pack(v, &b);
        for (size_t len = 0; len < b.len; len++) {
                char *part CLEANUP_FREE = xmalloc(len + !len);

                memcpy(part, b.data, len);
                assert_null(value_unpack(part, len, NULL));
                struct value *last CLEANUP_VALUE = value_unpack_entry(part, len, NULL, "");
                assert_null(last);
        }
        for (size_t i = 0; i < b.len; i++)
                for (int bit = 0; bit < 8; bit++) {
                        char *part CLEANUP_FREE = xmalloc(b.len);

                        memcpy(part, b.data, b.len);
                        part[i] = (char)(part[i] ^ (1 << bit));
                        struct value *other CLEANUP_VALUE = value_unpack(part, b.len, NULL);
                        struct value *entry CLEANUP_VALUE = value_unpack_entry(part, b.len, NULL, "b");
                        if (other)
                                assert_true(value_equal(other, other));
                        if (entry)
                                assert_true(value_equal(entry, entry));
                }
        buf_addch(&b, '\0');
        assert_null(value_unpack(b.data, b.len, NULL));
}

static void test_too_deep(void **state)
{
        struct value *v CLEANUP_VALUE = value_new_null();
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        (void)state;
        for (int i = 0; i < LIMIT_YAML_DEPTH + 1; i++) {
                struct value *list = value_new_list();

                value_list_add(list, TAKE_PTR(v));
                v = list;
        }
        value_pack(v->list.items[0], &b);
        struct value *deep CLEANUP_VALUE = value_unpack(b.data, b.len, NULL);
        assert_non_null(deep);
        buf_clear(&b);
        value_pack(v, &b);
        assert_null(value_unpack(b.data, b.len, NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_no_map),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_too_deep),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"

/* The linker puts this in place of the library's realloc (-Wl,--wrap=realloc). */
static int allocations_left = -1;
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
        if (allocations_left == 0)
                return NULL;
        if (allocations_left > 0)
                allocations_left--;
        return __real_realloc(p, size);
}

static void test_append(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(1000);
        size_t len;

        assert_string_equal(buf_str(&b), "");
        buf_addstr(&b, "ab");
        buf_addch(&b, 'c');
        buf_add(&b, "d\0e", 3);
        buf_addf(&b, "%d-%s", 12, "x");
        assert_int_equal(b.len, 10);
        assert_memory_equal(b.data, "abcd\0e12-x", 11);
        assert_int_equal(buf_check(&b, "b", NULL), 0);
        char *s CLEANUP_FREE = buf_steal(&b, &len);
        assert_int_equal(len, 10);
        assert_int_equal(strlen(s), 4);
        assert_null(b.data);
        assert_int_equal(b.len, 0);
        buf_addstr(&b, "again"); /* the ceiling is still there */
        assert_string_equal(buf_str(&b), "again");
        char *t CLEANUP_FREE = buf_steal(&b, NULL);
        char *empty CLEANUP_FREE = buf_steal(&b, &len);
        assert_string_equal(t, "again");
        assert_string_equal(empty, "");
        assert_int_equal(len, 0);
}

static void test_ceiling(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(5);
        struct err err = ERR_INIT;

        buf_addstr(&b, "12345");
        assert_int_equal(buf_check(&b, "b", &err), 0);
        buf_addch(&b, '6');
        assert_string_equal(buf_str(&b), "12345");
        assert_int_equal(buf_check(&b, "answer", &err), -ERR_LIMIT);
        assert_string_equal(err.msg, "answer: larger than 5 bytes");
        buf_clear(&b);
        assert_string_equal(buf_str(&b), "");
        buf_addf(&b, "%s", "123456");
        assert_true(b.failed);
        buf_addstr(&b, "1"); /* a failed buffer takes nothing, though this would fit */
        assert_int_equal(b.len, 0);
        buf_clear(&b);
        buf_addstr(&b, "1");
        assert_false(b.failed);
        assert_false(buf_reserve(&b, 5));
        buf_clear(&b);
        assert_true(buf_reserve(&b, 5));
        assert_false(buf_reserve(&b, SIZE_MAX));

        struct buf none CLEANUP_BUF = BUF_INIT(0);
        buf_add(&none, "", 0);
        assert_false(none.failed);
        buf_addch(&none, 'x');
        assert_true(none.failed);

        struct buf huge CLEANUP_BUF = BUF_INIT(SIZE_MAX);
        assert_false(buf_reserve(&huge, SIZE_MAX));
}

static void test_no_memory(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(1 << 20);
        struct err err = ERR_INIT;

        buf_addstr(&b, "kept");
        allocations_left = 1;
        for (int i = 0; i < 200; i++)
                buf_addstr(&b, "0123456789");
        allocations_left = -1;
        assert_true(b.failed);
        assert_int_equal(strncmp(b.data, "kept0123456789", 14), 0);
        assert_int_equal(strlen(b.data), b.len);
        assert_int_equal(buf_check(&b, "list", &err), -ENOMEM);
        assert_string_equal(err.msg, "list: out of memory");
        buf_clear(&b);
        buf_addstr(&b, "works again");
        assert_int_equal(buf_check(&b, "list", &err), 0);
        assert_string_equal(buf_str(&b), "works again");

        struct buf fresh CLEANUP_BUF = BUF_INIT(100);
        allocations_left = 0;
        buf_addf(&fresh, "%d", 1);
        allocations_left = -1;
        assert_true(fresh.failed);
        assert_string_equal(buf_str(&fresh), "");
}

static void json_is(const char *text, size_t len, const char *expected)
{
        struct buf b CLEANUP_BUF = BUF_INIT(1000);

        buf_add_json_string(&b, text, len);
        assert_string_equal(buf_str(&b), expected);
}

static void test_json(void **state)
{
        (void)state;
        json_is("", 0, "\"\"");
        json_is("a\"b\\c/\n\t\r\x01\x1f\x7f", 12, "\"a\\\"b\\\\c/\\n\\t\\r\\u0001\\u001f\x7f\"");
        json_is("a\0b", 3, "\"a\\u0000b\"");
        json_is("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
        json_is("\xc3(\xff", 3, "\"\\ufffd(\\ufffd\"");
        json_is("\xc3\xa4", 1, "\"\\ufffd\"");
}

static void test_escaped(void **state)
{
        struct buf b CLEANUP_BUF = BUF_INIT(100), small CLEANUP_BUF = BUF_INIT(5);

        (void)state;
        buf_add_escaped(&b, "aZ09-._~/:?&=+% \xc3\xa4", "");
        assert_string_equal(buf_str(&b), "aZ09-._~%2F%3A%3F%26%3D%2B%25%20%C3%A4");
        buf_clear(&b);
        buf_add_escaped(&b, "library/a:1?", "/:");
        assert_string_equal(buf_str(&b), "library/a:1%3F");
        buf_add_escaped(&small, "a??", "");
        assert_true(small.failed);
}

static void test_hide_controls(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(1000);

        buf_hide_controls(&b, 0);
        assert_int_equal(b.len, 0);
        buf_addstr(&b, "\033[2J");
        size_t from = b.len;
        buf_addstr(&b, "a\tb\n\033]0;x\a\r\b\x7f \xc3\xa4 \xc2\xa0 \xc2\x9b"
                       "1m \xff \x9b"
                       "1m");
        buf_hide_controls(&b, from);
        assert_string_equal(buf_str(&b), "\033[2Ja\tb\n?]0;x???? \xc3\xa4 \xc2\xa0 ??1m ? ?1m");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_append), cmocka_unit_test(test_ceiling), cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_json),   cmocka_unit_test(test_escaped), cmocka_unit_test(test_hide_controls),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

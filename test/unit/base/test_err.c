/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void test_set(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        err.status = 404;
        assert_int_equal(err_set(&err, ERR_INVALID, "%s: %d", "x", 7), -ERR_INVALID);
        assert_int_equal(err.code, ERR_INVALID);
        assert_int_equal(err.status, 0);
        assert_string_equal(err.msg, "x: 7");
        /* a code that is none would look like success */
        assert_int_equal(err_set(&err, 0, "zero"), -EIO);
        assert_int_equal(err_set(&err, -EINVAL, "negative"), -EIO);
        assert_int_equal(err.code, EIO);
        assert_int_equal(err_set(NULL, ENOENT, "nobody reads this"), -ENOENT);
        err_clear(NULL);
        err_clear(&err);
        assert_int_equal(err.code, 0);
        assert_string_equal(err.msg, "");
}

static void test_own_message(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        (void)err_set(&err, EIO, "inner");
        assert_int_equal(err_set(&err, ENOENT, "outer(%s)", err.msg), -ENOENT);
        assert_string_equal(err.msg, "outer(inner)");
        assert_int_equal(err_wrap(&err, "seen %s", err.msg), -ENOENT);
        assert_string_equal(err.msg, "seen outer(inner): outer(inner)");
}

static void test_errno(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        assert_int_equal(err_set_errno(&err, ENOSPC, "/a/%s", "b"), -ENOSPC);
        assert_string_equal(err.msg, "/a/b: No space left on device");
        assert_int_equal(err_set_errno(&err, 9999, "x"), -9999);
        assert_string_equal(err.msg, "x: unknown error");
        assert_int_equal(err_set_errno(NULL, EPERM, "x"), -EPERM);
}

static void test_wrap(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        (void)err_set(&err, ERR_LIMIT, "too big");
        err.status = 413;
        assert_int_equal(err_wrap(&err, "post %d", 3), -ERR_LIMIT);
        assert_string_equal(err.msg, "post 3: too big");
        assert_int_equal(err.status, 413);
        assert_int_equal(err_wrap(NULL, "x"), -EIO);
}

static void test_cut(void **state)
{
        (void)state;
        struct err err = ERR_INIT;
        char text[sizeof(err.msg) + 1];

        memset(text, 'a', sizeof(text));
        text[sizeof(err.msg) - 1] = '\0';
        (void)err_set(&err, EIO, "%s", text); /* fits exactly */
        assert_string_equal(err.msg, text);
        text[sizeof(err.msg) - 1] = 'a';
        text[sizeof(err.msg)] = '\0';
        (void)err_set(&err, EIO, "%s", text);
        assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
        assert_string_equal(err.msg + sizeof(err.msg) - 5, "a...");
        (void)err_wrap(&err, "%s", "context");
        assert_int_equal(strncmp(err.msg, "context: aaa", 12), 0);
        assert_string_equal(err.msg + sizeof(err.msg) - 4, "...");
        text[sizeof(err.msg) - 3] = '\0';
        (void)err_set_errno(&err, EIO, "%s", text);
        assert_string_equal(err.msg + sizeof(err.msg) - 5, "a...");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),  cmocka_unit_test(test_own_message), cmocka_unit_test(test_errno),
                cmocka_unit_test(test_wrap), cmocka_unit_test(test_cut),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

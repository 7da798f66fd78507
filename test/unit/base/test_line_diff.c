/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/line_diff.h"

static void is(const char *a, const char *b, const char *expected)
{
        struct buf out CLEANUP_BUF = BUF_INIT(1024 * 1024);

        line_diff("a", a, strlen(a), "b", b, strlen(b), &out);
        assert_string_equal(buf_str(&out), expected);
}

static void test_same(void **state)
{
        (void)state;
        is("", "", "");
        is("x\ny\n", "x\ny\n", "");
}

static void test_change_with_context(void **state)
{
        (void)state;
        is("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
           "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void test_added_and_removed(void **state)
{
        (void)state;
        is("", "x\n", "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
        is("x\ny\n", "y\n", "--- a\n+++ b\n@@ -1,2 +1,1 @@\n-x\n y\n");
        is("y", "y\n", "--- a\n+++ b\n@@ -1,1 +1,1 @@\n-y\n\\ No newline at end of file\n+y\n");
}

static void test_two_hunks(void **state)
{
        (void)state;
        is("a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\n8\nB\n",
           "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-b\n+B\n");
}

/* What is too long to compare is still shown whole. */
static void test_long(void **state)
{
        struct buf a CLEANUP_BUF = BUF_INIT(1024 * 1024), b CLEANUP_BUF = BUF_INIT(1024 * 1024);
        struct buf out CLEANUP_BUF = BUF_INIT(4 * 1024 * 1024);
        size_t minus = 0, plus = 0;

        (void)state;
        for (int i = 0; i < 3000; i++) {
                buf_addf(&a, "a%d\n", i);
                buf_addf(&b, "b%d\n", i);
        }
        line_diff("a", buf_str(&a), a.len, "b", buf_str(&b), b.len, &out);
        for (const char *p = buf_str(&out); (p = strchr(p, '\n')); p++) {
                minus += p[1] == '-';
                plus += p[1] == '+';
        }
        assert_int_equal(minus, 3000);
        assert_int_equal(plus, 3001); /* and its heading */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same),
                cmocka_unit_test(test_change_with_context),
                cmocka_unit_test(test_added_and_removed),
                cmocka_unit_test(test_two_hunks),
                cmocka_unit_test(test_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

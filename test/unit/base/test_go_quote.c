/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/go_quote.h"

/* Each by strconv.Quote. */
static void quotes(void **state)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                {"", "\"\""},
                {"plain", "\"plain\""},
                {"a\"b\\c", "\"a\\\"b\\\\c\""},
                {"\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\""},
                {"\x01\x7f", "\"\\x01\\x7f\""},
                {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
                {"\xc2\xa0", "\"\\u00a0\""},
                {"\xff"
                 "a\xc3",
                 "\"\\xffa\\xc3\""},
                {"\xef\xbf\xbd", "\"\xef\xbf\xbd\""},
                {"\xf3\xa0\x80\x81", "\"\\U000e0001\""},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(4096);

                go_quote(rows[i].text, &out);
                assert_string_equal(buf_str(&out), rows[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(quotes)};

        return cmocka_run_group_tests_name("codec/go_quote", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "kube/meta.h"

#define A9 "aaaaaaaaa"
#define A63 A9 A9 A9 A9 A9 A9 A9
#define A64 A63 "a"

struct row {
        const char *value;
        const char *wrong; /* part of the only complaint; NULL: valid */
};

static void check_rows(const char *what, size_t (*check)(const char *, struct strv *), const struct row *rows,
                       size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct strv msgs CLEANUP_STRV = STRV_INIT;
                size_t n = check(rows[i].value, &msgs);

                assert_int_equal(n, msgs.len);
                assert_int_equal(check(rows[i].value, NULL), n);
                if (n != (rows[i].wrong ? 1 : 0))
                        fail_msg("%s: \"%s\": %zu complaints, the first: %s", what, rows[i].value, n,
                                 n ? msgs.items[0] : "none");
                if (rows[i].wrong && !strstr(msgs.items[0], rows[i].wrong))
                        fail_msg("%s: \"%s\": %s", what, rows[i].value, msgs.items[0]);
        }
}
#define CHECK(func, ...)                                         \
        do {                                                     \
                static const struct row rows[] = {__VA_ARGS__};  \
                                                                 \
                check_rows(#func, func, rows, ARRAY_SIZE(rows)); \
        } while (0)

static void test_dns(void **state)
{
        (void)state;
        CHECK(meta_dns1123_label, {"a", NULL}, {"my-name", NULL}, {"0", NULL}, {A63, NULL}, {"1a-2", NULL},
              {A64, "no more than 63 characters"}, {"", "a lowercase RFC 1123 label must"},
              {"-a", "a lowercase RFC 1123 label must"}, {"a-", "(e.g. 'my-name',  or '123-abc', regex used"},
              {"A", "a lowercase RFC 1123 label"}, {"a_b", "a lowercase RFC 1123 label"}, {"a b", "RFC 1123 label"},
              {"a.b", "must not contain dots"}, {"a..b", "a lowercase RFC 1123 label"},
              {"\xc3\xa4", "a lowercase RFC 1123 label"});
        CHECK(meta_dns1123_subdomain, {"a", NULL}, {"a.b-c.0", NULL}, {A63 "." A64, NULL},
              {A63 "." A63 "." A63 "." A63, "no more than 253 characters"}, {"", "a lowercase RFC 1123 subdomain must"},
              {".a", "RFC 1123 subdomain"}, {"a.", "RFC 1123 subdomain"}, {"a..b", "RFC 1123 subdomain"},
              {"a.-b", "RFC 1123 subdomain"}, {"a.B", "RFC 1123 subdomain"}, {"_a", "RFC 1123 subdomain"});
        CHECK(meta_dns1123_subdomain_underscore, {"_dmarc.example", NULL}, {"a_b.c", NULL}, {"a", NULL},
              {"__a", "'_', '-' or '.'"}, {"a_", "'_', '-' or '.'"}, {"", "'_', '-' or '.'"});
}

static void test_labels(void **state)
{
        (void)state;
        CHECK(meta_label_key, {"a", NULL}, {"A.b_c-9", NULL}, {"example.com/Name", NULL}, {A63, NULL},
              {A64, "name part must be no more than 63 bytes"}, {"/a", "prefix part must be non-empty"},
              {"Ex.com/a", "prefix part a lowercase RFC 1123 subdomain must"},
              {"a/b/c", "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"},
              {"-a", "name part must consist of"}, {"a-", "name part must consist of"}, {"a b", "name part must"});
        assert_int_equal(meta_label_key("", NULL), 2); /* empty, and no name */
        assert_int_equal(meta_label_key("x/", NULL), 2);
        CHECK(meta_annotation_key, {"Ex.com/A", NULL}, {"a//b", "a valid label key"});
        CHECK(meta_label_value, {"", NULL}, {"My_Value.1-x", NULL}, {A63, NULL}, {A64, "no more than 63 bytes"},
              {"_a", "a valid label must be an empty string or"}, {"a/b", "a valid label must be"});
}

static void test_env_and_ports(void **state)
{
        (void)state;
        CHECK(meta_env_var_name, {"A", NULL}, {"9", NULL}, {"a b", NULL}, {"a.b-c", NULL}, {"~", NULL},
              {"", "must be non-empty"}, {"a=b", "other than '='"}, {"a\tb", "printable ASCII"},
              {"\xc3\xa4", "printable ASCII"}, {"\x7f", "printable ASCII"});
        CHECK(meta_port_name, {"http", NULL}, {"a", NULL}, {"9-a", NULL}, {"abcdefghijklmno", NULL},
              {"abcdefghijklmnop", "no more than 15 characters"}, {"8080", "at least one letter"},
              {"a--b", "consecutive hyphens"}, {"-a", "begin or end with a hyphen"}, {"a-", "begin or end"},
              {"a_b", "only alpha-numeric characters"}, {"Ab", "only alpha-numeric characters"});
        assert_int_equal(meta_port_name("", NULL), 2);
        assert_int_equal(meta_port_number(0, NULL), 1);
        assert_int_equal(meta_port_number(1, NULL), 0);
        assert_int_equal(meta_port_number(65535, NULL), 0);
        assert_int_equal(meta_port_number(65536, NULL), 1);
        assert_int_equal(meta_port_number(-1, NULL), 1);
        assert_int_equal(meta_unix_id(-1, NULL), 1);
        assert_int_equal(meta_unix_id(0, NULL), 0);
        assert_int_equal(meta_unix_id(INT32_MAX, NULL), 0);
        assert_int_equal(meta_unix_id((int64_t)INT32_MAX + 1, NULL), 1);
        CHECK(meta_http_header_name, {"X-Header", NULL}, {"a", NULL}, {"", "a valid HTTP header"},
              {"a b", "a valid HTTP header"}, {"a:", "a valid HTTP header"}, {"a_b", "a valid HTTP header"});
}

static void test_addresses_and_paths(void **state)
{
        (void)state;
        CHECK(meta_ip, {"10.9.8.7", NULL}, {"2001:db8::ffff", NULL}, {"::", NULL}, {"FE80::1", NULL},
              {"010.9.8.7", "must not have leading 0s"}, {"0000000010.9.8.7", "must not have leading 0s"},
              {"::ffff:1.2.3.4", "IPv4-mapped"}, {"", "must be a valid IP"}, {"1.2.3", "must be a valid IP"},
              {"1.2.3.256", "must be a valid IP"}, {"1.2.3.4.", "must be a valid IP"},
              {"fe80::1%eth0", "must be a valid IP"}, {"localhost", "must be a valid IP"});
        CHECK(meta_path_no_backsteps, {"", NULL}, {"/a/b", NULL}, {"/a..b/..c", NULL}, {"..", "must not contain '..'"},
              {"/a/../b", "must not contain '..'"}, {"a/..", "must not contain '..'"});
        CHECK(meta_path_descending, {"a/b", NULL}, {"", NULL}, {"/a", "must be a relative path"},
              {"a/../b", "must not contain '..'"});
        assert_int_equal(meta_path_descending("/..", NULL), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dns),
                cmocka_unit_test(test_labels),
                cmocka_unit_test(test_env_and_ports),
                cmocka_unit_test(test_addresses_and_paths),
        };

        return cmocka_run_group_tests_name("kube/meta", tests, NULL, NULL);
}

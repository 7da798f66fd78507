/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "phase/address.h"

static void test_ip(void **state)
{
        static const struct {
                const char *in, *out; /* out NULL: refused */
                bool v4;
        } rows[] = {
                {"192.0.2.10", "192.0.2.10", true},
                {"010.000.02.1", "10.0.2.1", true},
                {"0.0.0.0", "0.0.0.0", true},
                {"2001:DB8:0:0::1", "2001:db8::1", false},
                {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", false},
                {"::", "::", false},
                {"::1", "::1", false},
                {"1::", "1::", false},
                {"fd00:0:0:1:0:0:0:1", "fd00:0:0:1::1", false},
                {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4", false},
                {"1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8", false},
                {"::ffff:192.0.2.1", "192.0.2.1", true},
                {"::192.0.2.1", "::c000:201", false},
                {"00001::2", "1::2", false},
                {"", NULL, false},
                {"1.2.3", NULL, false},
                {"1.2.3.4.5", NULL, false},
                {"1.2.3.256", NULL, false},
                {"1.2.3.4 ", NULL, false},
                {"1.2.3.x", NULL, false},
                {"1:2:3:4:5:6:7", NULL, false},
                {"1:2:3:4:5:6:7:8:9", NULL, false},
                {"1::2::3", NULL, false},
                {"1:2:3:4:5:6:7::8", NULL, false},
                {":1", NULL, false},
                {"1:", NULL, false},
                {"12345::", NULL, false},
                {"fe80::1%eth0", NULL, false},
                {"node1", NULL, false},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct ip_address ip;
                char text[IP_TEXT_MAX];
                int r = ip_parse(rows[i].in, &ip);

                if (!rows[i].out) {
                        if (r == 0)
                                fail_msg("\"%s\" was taken", rows[i].in);
                        continue;
                }
                if (r < 0)
                        fail_msg("\"%s\" was refused", rows[i].in);
                ip_text(&ip, text);
                assert_string_equal(text, rows[i].out);
                assert_int_equal(ip.v4, rows[i].v4);
        }
}

static void test_kinds_of_addresses(void **state)
{
        static const struct {
                const char *in;
                bool unspecified, loopback, global;
        } rows[] = {
                {"0.0.0.0", true, false, false},
                {"::", true, false, false},
                {"127.0.0.1", false, true, false},
                {"127.8.9.1", false, true, false},
                {"::1", false, true, false},
                {"10.0.0.1", false, false, true},
                {"fd00::1", false, false, true},
                {"169.254.1.1", false, false, false},
                {"fe80::1", false, false, false},
                {"224.0.0.1", false, false, false},
                {"ff02::1", false, false, false},
                {"255.255.255.255", false, false, false},
                {"255.255.255.254", false, false, true},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct ip_address ip;

                assert_int_equal(ip_parse(rows[i].in, &ip), 0);
                assert_int_equal(ip_is_unspecified(&ip), rows[i].unspecified);
                assert_int_equal(ip_is_loopback(&ip), rows[i].loopback);
                if (ip_is_global_unicast(&ip) != rows[i].global)
                        fail_msg("%s", rows[i].in);
        }
        assert_true(ip_text_is_v6("::1"));
        assert_false(ip_text_is_v6("1.2.3.4"));
        assert_false(ip_text_is_v6("::ffff:1.2.3.4"));
        assert_false(ip_text_is_v6("x"));
}

static void test_subnet(void **state)
{
        static const struct {
                const char *in, *out;
                int64_t size;
        } rows[] = {
                {"10.96.0.0/12", "10.96.0.0/12", 1 << 20},
                {"10.97.1.2/12", "10.96.0.0/12", 1 << 20},
                {"10.0.0.0/29", "10.0.0.0/29", 8},
                {"10.0.0.1/32", "10.0.0.1/32", 1},
                {"0.0.0.0/0", "0.0.0.0/0", 0},
                {"0.0.0.0/1", "0.0.0.0/1", 0},
                {"0.0.0.0/2", "0.0.0.0/2", 1 << 30},
                {"fd00:1::/64", "fd00:1::/64", INT64_MAX},
                {"fd00:1::5/112", "fd00:1::/112", 1 << 16},
                {"::/0", "::/0", 0},
                {"::ffff:10.0.0.0/104", "10.0.0.0/8", 1 << 24},
                {"10.0.0.0", NULL, 0},
                {"10.0.0.0/33", NULL, 0},
                {"10.0.0.0/", NULL, 0},
                {"10.0.0.0/8x", NULL, 0},
                {"10.0.0.0/-1", NULL, 0},
                {"fd00::/129", NULL, 0},
                {"/8", NULL, 0},
                {"nonsense", NULL, 0},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct ip_subnet subnet;
                char text[IP_SUBNET_TEXT_MAX];

                if (!rows[i].out) {
                        assert_int_not_equal(ip_subnet_parse(rows[i].in, &subnet), 0);
                        continue;
                }
                assert_int_equal(ip_subnet_parse(rows[i].in, &subnet), 0);
                ip_subnet_text(&subnet, text);
                assert_string_equal(text, rows[i].out);
                assert_true(ip_subnet_size(&subnet) == rows[i].size);
        }
}

static void test_subnet_members(void **state)
{
        struct ip_subnet subnets[2];
        struct ip_address ip, next;
        char text[IP_TEXT_MAX];

        (void)state;
        assert_int_equal(ip_subnets_parse("10.96.0.0/12,fd00::/108", subnets, 2), 2);
        assert_int_equal(ip_subnets_parse("10.96.0.0/12,", subnets, 2), -EINVAL);
        assert_int_equal(ip_subnets_parse("10.96.0.0/12,10.0.0.0/8,fd00::/64", subnets, 2), 3);
        assert_int_equal(ip_parse("10.111.255.255", &ip), 0);
        assert_true(ip_subnet_contains(&subnets[0], &ip));
        assert_true(ip_add(&ip, 1, &next));
        assert_false(ip_subnet_contains(&subnets[0], &next));
        ip_text(&next, text);
        assert_string_equal(text, "10.112.0.0");
        assert_int_equal(ip_parse("255.255.255.255", &ip), 0);
        assert_false(ip_add(&ip, 1, &next));
        assert_int_equal(ip_parse("fd00::ffff", &ip), 0);
        assert_true(ip_add(&ip, 10, &next));
        ip_text(&next, text);
        assert_string_equal(text, "fd00::1:9");
}

static void test_hostport(void **state)
{
        static const struct {
                const char *in, *host, *port; /* host NULL: the message is in port */
        } rows[] = {
                {"cp.example.org", "cp.example.org", ""},
                {"cp.example.org:8443", "cp.example.org", "8443"},
                {"10.9.9.9:8443", "10.9.9.9", "8443"},
                {"[fd00::1]:8443", "fd00::1", "8443"},
                {"fd00::1", "fd00::1", ""},
                {"bad:port:x", NULL,
                 "hostport bad:port:x: host 'bad:port:x' must be a valid IP address or a valid RFC-1123 DNS subdomain"},
                {"cp:0", NULL, "hostport cp:0: port 0 must be a valid number between 1 and 65535, inclusive"},
                {"cp:65536", NULL,
                 "hostport cp:65536: port 65536 must be a valid number between 1 and 65535, inclusive"},
                {"UPPER:1", NULL,
                 "hostport UPPER:1: host 'UPPER' must be a valid IP address or a valid RFC-1123 DNS subdomain"},
                {"[fd00::1]", NULL,
                 "hostport [fd00::1]: host '[fd00::1]' must be a valid IP address or a valid RFC-1123 DNS subdomain"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;
                struct err err = ERR_INIT;
                int r = hostport_parse(rows[i].in, &host, &port, &err);

                if (!rows[i].host) {
                        assert_int_equal(r, -ERR_INVALID);
                        assert_string_equal(err.msg, rows[i].port);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(host, rows[i].host);
                assert_string_equal(port, rows[i].port);
        }
        char *v6 CLEANUP_FREE = hostport_join("::1", "2379"), *v4 CLEANUP_FREE = hostport_join("127.0.0.1", "2379");
        assert_string_equal(v6, "[::1]:2379");
        assert_string_equal(v4, "127.0.0.1:2379");
}

static void test_url(void **state)
{
        static const struct {
                const char *in, *scheme, *host, *port; /* scheme NULL: the message is in host */
        } rows[] = {
                {"https://10.0.0.2:2379", "https", "10.0.0.2", "2379"},
                {"HTTP://[::1]:2381/x", "http", "::1", "2381"},
                {"http://", "http", "", ""},
                {"http://u:p@h:1?q", "http", "h", "1"},
                {"garbage", "", "", ""},
                {"/var/run/x.sock", "", "", ""},
                {"unix:///run/x.sock", "unix", "", ""},
                {"//host/x", "", "host", ""},
                {"http://h:99999", "http", "h", "99999"},
                {"http://h:x", NULL, "parse \"http://h:x\": invalid port \":x\" after host", NULL},
                {"http://[::1", NULL, "parse \"http://[::1\": missing ']' in host", NULL},
                {":x", NULL, "parse \":x\": missing protocol scheme", NULL},
                {"1:2", NULL, "parse \"1:2\": first path segment in URL cannot contain colon", NULL},
                {"a\x01", NULL, "parse \"a\\x01\": net/url: invalid control character in URL", NULL},
                {"*", "", "", ""},
                {"unix:run/x%zz", "unix", "", ""},
                {"https://h/%41?%zz", "https", "h", ""},
                {"https://h%c3%a4/", "https", "h%c3%a4", ""},
                {"unix:////%zz", NULL, "parse \"unix:////%zz\": invalid URL escape \"%zz\"", NULL},
                {"http://%41/", NULL, "parse \"http://%41/\": invalid URL escape \"%41\"", NULL},
                {"http://a b/", NULL, "parse \"http://a b/\": invalid character \" \" in host name", NULL},
                {"http://a b@h/", NULL, "parse \"http://a b@h/\": net/url: invalid userinfo", NULL},
                {"http://h/x#%4", NULL, "parse \"http://h/x#%4\": invalid URL escape \"%4\"", NULL},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct url url CLEANUP_URL = {0};
                struct err err = ERR_INIT;
                int r = url_parse(rows[i].in, &url, &err);

                if (!rows[i].scheme) {
                        assert_int_equal(r, -ERR_INVALID);
                        assert_string_equal(err.msg, rows[i].host);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(url.scheme, rows[i].scheme);
                assert_string_equal(url.host, rows[i].host);
                assert_string_equal(url.port, rows[i].port);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ip),       cmocka_unit_test(test_kinds_of_addresses),
                cmocka_unit_test(test_subnet),   cmocka_unit_test(test_subnet_members),
                cmocka_unit_test(test_hostport), cmocka_unit_test(test_url),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

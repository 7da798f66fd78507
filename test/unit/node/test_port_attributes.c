/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of the kubelet's own test (pkg/kubelet/server/auth_test.go), and what lies beside them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "node/port_attributes.h"

static void test_paths(void **state)
{
        static const struct {
                const char *path, *first, *second;
        } rows[] = {
                {"/", "proxy", NULL},
                {"/pods", "pods", "proxy"},
                {"/pods/x", "pods", "proxy"},
                {"/podsx", "proxy", NULL},
                {"/runningpods", "pods", "proxy"},
                {"/runningpods/", "pods", "proxy"},
                {"/healthz", "healthz", "proxy"},
                {"/healthz/syncloop", "healthz", "proxy"},
                {"/healthz2", "proxy", NULL},
                {"/configz", "configz", "proxy"},
                {"/stats", "stats", NULL},
                {"/stats/summary", "stats", NULL},
                {"/metrics", "metrics", NULL},
                {"/metrics/cadvisor", "metrics", NULL},
                {"/metricsx", "proxy", NULL},
                {"/logs", "log", NULL},
                {"/logs/syslog", "log", NULL},
                {"/checkpoint/a/b/c", "checkpoint", NULL},
                {"/statusz", "statusz", NULL},
                {"/flagz", "configz", NULL},
                {"/containerLogs/default/p/c", "proxy", NULL},
                {"/exec/default/p/c", "proxy", NULL},
                {"//metrics", "proxy", NULL},
                {"/healthz/../configz", "healthz", "proxy"}, /* no path that is served */
                {"", "proxy", NULL},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct port_attributes a;

                port_attributes("GET", rows[i].path, &a);
                assert_string_equal(a.verb, "get");
                assert_string_equal(a.subresources[0], rows[i].first);
                assert_int_equal(a.count, rows[i].second ? 2 : 1);
                if (rows[i].second)
                        assert_string_equal(a.subresources[1], rows[i].second);
        }
}

static void test_verbs(void **state)
{
        static const char *const rows[][2] = {{"GET", "get"},     {"POST", "create"},   {"PUT", "update"},
                                              {"PATCH", "patch"}, {"DELETE", "delete"}, {"HEAD", ""},
                                              {"get", ""},        {"OPTIONS", ""}};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct port_attributes a;

                port_attributes(rows[i][0], "/pods", &a);
                assert_string_equal(a.verb, rows[i][1]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_verbs),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

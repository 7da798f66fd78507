/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of the gRPC health protocol: what is asked, and what answers mean. A real server: test_lifecycle.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "node/probe_grpc.h"

static void requests(void **state)
{
        struct buf b CLEANUP_BUF = BUF_INIT(4096);
        char name[201] = "";

        (void)state;
        probe_grpc_request(NULL, &b);
        probe_grpc_request("", &b);
        probe_grpc_request("live", &b);
        assert_int_equal(b.len, 5 + 5 + 11);
        assert_memory_equal(buf_str(&b), "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\6\x0a\4live", b.len);
        memset(name, 'x', 200);
        b.len = 0;
        probe_grpc_request(name, &b);
        assert_int_equal(b.len, 5 + 3 + 200);
        assert_memory_equal(buf_str(&b), "\0\0\0\0\xcb\x0a\xc8\x01xx", 10);
}

#define BODY(text_) text_, sizeof(text_) - 1

static void answers(void **state)
{
        static const struct {
                int http;
                const char *status, *message, *body;
                size_t len;
                bool healthy;
                const char *output;
        } rows[] = {
                {200, "0", NULL, BODY("\0\0\0\0\2\x08\1"), true, "service healthy"},
                /* Fields of other numbers are passed over, whatever their type. */
                {200, "0", NULL, BODY("\0\0\0\0\x17\x10\x96\1\x1a\2ab\x21\1\2\3\4\5\6\7\x08\x2d\1\2\3\4\x08\1"), true,
                 "service healthy"},
                {200, "0", NULL, BODY("\0\0\0\0\2\x08\2"), false, "service unhealthy (responded with \"NOT_SERVING\")"},
                {200, "0", NULL, BODY("\0\0\0\0\2\x08\x09"), false, "service unhealthy (responded with \"?\")"},
                {200, "0", NULL, BODY("\0\0\0\0\0"), false, "service unhealthy (responded with \"UNKNOWN\")"},
                {200, "0", NULL, BODY("\0\0\0\0\3\x08\1"), false,
                 "error: health rpc probe failed: the answer is no HealthCheckResponse"},
                {200, "0", NULL, BODY("\1\0\0\0\2\x08\1"), false,
                 "error: health rpc probe failed: the answer is no HealthCheckResponse"},
                {200, "0", NULL, BODY("\0\0\0\0\2\x1a\x7f"), false,
                 "error: health rpc probe failed: the answer is no HealthCheckResponse"},
                {200, "0", NULL, BODY("\0\0\0\0\1\x08"), false,
                 "error: health rpc probe failed: the answer is no HealthCheckResponse"},
                {200, "0", NULL, BODY(""), false,
                 "error: health rpc probe failed: the answer is no HealthCheckResponse"},
                {200, "12", "unknown service", BODY(""), false,
                 "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown "
                 "service"},
                {200, "5", "unknown service", BODY(""), false,
                 "error: health rpc probe failed: code = 5 desc = unknown service"},
                {200, NULL, NULL, BODY("<html>"), false,
                 "error: health rpc probe failed: the answer is not one of gRPC"},
                {200, "x", NULL, BODY(""), false, "error: health rpc probe failed: the answer is not one of gRPC"},
                {404, NULL, NULL, BODY(""), false,
                 "error: health rpc probe failed: the server answers with HTTP status 404"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(4096);
                bool healthy = probe_grpc_answer(rows[i].http, rows[i].status, rows[i].message, rows[i].body,
                                                 rows[i].len, &out);

                assert_string_equal(buf_str(&out), rows[i].output);
                assert_int_equal(healthy, rows[i].healthy);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(requests), cmocka_unit_test(answers)};

        return cmocka_run_group_tests_name("node/probe_grpc", tests, NULL, NULL);
}

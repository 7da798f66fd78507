/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/go_error.h"

static void requests(void **state)
{
        static const struct {
                const char *url;
                int code;
                const char *text; /* behind `Get "URL": ` */
                enum go_error_limit limit;
        } cases[] = {
                {"http://10.0.0.1:80/x", ECONNREFUSED, "dial tcp 10.0.0.1:80: connect: connection refused"},
                {"http://10.0.0.1", ECONNREFUSED, "dial tcp 10.0.0.1:80: connect: connection refused"},
                {"https://10.0.0.1/x:1", EHOSTUNREACH, "dial tcp 10.0.0.1:443: connect: no route to host"},
                {"https://[fd00::1]:2379/", ENETUNREACH, "dial tcp [fd00::1]:2379: connect: network is unreachable"},
                {"https://[fd00::1]", ECONNREFUSED, "dial tcp [fd00::1]:443: connect: connection refused"},
                {"http://some.name:8080/", EHOSTUNREACH, "dial tcp: lookup some.name: no such host"},
                {"http://some.name:8080/", ECONNREFUSED, "dial tcp some.name:8080: connect: connection refused"},
                {"http://10.0.0.1:80/", ETIMEDOUT,
                 "context deadline exceeded (Client.Timeout exceeded while awaiting headers)", GO_ERROR_CLIENT_TIMEOUT},
                {"http://10.0.0.1:80/", ETIMEDOUT, "context deadline exceeded", GO_ERROR_CONTEXT},
                {"http://10.0.0.1:80/", ECONNRESET, "what curl said"},
                {"https://192.0.2.1:6443/api?timeout=10s", ECONNREFUSED,
                 "dial tcp 192.0.2.1:6443: connect: connection refused"},
                {"http://::1:10248/healthz", ECONNREFUSED, "dial tcp [::1]:10248: connect: connection refused"},
                {"https://:10257/healthz", ECONNREFUSED, "dial tcp :10257: connect: connection refused"},
                {"https://[", ECONNREFUSED, "dial tcp :443: connect: connection refused"},
                {"", ECONNREFUSED, "dial tcp :80: connect: connection refused"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(1024), expected CLEANUP_BUF = BUF_INIT(1024);
                struct err err = ERR_INIT;

                /* curl_glue names the request, which is in front already. */
                (void)err_set(&err, cases[i].code, "GET %s: what curl said", cases[i].url);
                go_error_request(&out, "GET", cases[i].url, cases[i].limit, &err);
                buf_addf(&expected, "Get \"%s\": %s", cases[i].url, cases[i].text);
                assert_string_equal(buf_str(&out), buf_str(&expected));
        }
}

static void methods(void **state)
{
        struct buf out CLEANUP_BUF = BUF_INIT(1024);
        struct err err = ERR_INIT;

        (void)state;
        (void)err_set(&err, ECONNRESET, "what curl said");
        go_error_request(&out, "PATCH", "https://192.0.2.1:6443/", GO_ERROR_CLIENT_TIMEOUT, &err);
        assert_string_equal(buf_str(&out), "Patch \"https://192.0.2.1:6443/\": what curl said");
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(requests), cmocka_unit_test(methods)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

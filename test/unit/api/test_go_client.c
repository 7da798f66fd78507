/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts are those of Go's net and net/http and of k8s.io/apimachinery/pkg/api/errors, NewGenericServerResponse.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/go_client.h"
#include "base/alloc.h"
#include "base/err.h"

static void expect_failure(const char *method, const char *url, int code, const char *expected)
{
        struct err why = ERR_INIT, err = ERR_INIT;

        (void)err_set(&why, code, "the library's own words");
        assert_int_equal(go_client_failure(method, url, &why, &err), -code);
        assert_string_equal(err.msg, expected);
        assert_int_equal(err.code, code);
}

static void test_no_answer(void **state)
{
        (void)state;
        expect_failure("POST", "https://192.0.2.1:6443/api?timeout=10s", ECONNREFUSED,
                       "Post \"https://192.0.2.1:6443/api?timeout=10s\": dial tcp 192.0.2.1:6443: connect: connection "
                       "refused");
        expect_failure("GET", "http://[2001:db8::1]:10248/healthz", ENETUNREACH,
                       "Get \"http://[2001:db8::1]:10248/healthz\": dial tcp [2001:db8::1]:10248: connect: network is "
                       "unreachable");
        expect_failure("GET", "https://192.0.2.1/livez", ECONNREFUSED,
                       "Get \"https://192.0.2.1/livez\": dial tcp 192.0.2.1:443: connect: connection refused");
        expect_failure("GET", "https://[::1]", ECONNREFUSED,
                       "Get \"https://[::1]\": dial tcp [::1]:443: connect: connection refused");
        /* What a name came to is not known here. */
        expect_failure("PUT", "https://cluster.example:6443/", ECONNREFUSED,
                       "Put \"https://cluster.example:6443/\": the library's own words");
        expect_failure("PATCH", "https://192.0.2.1:6443/", ECONNRESET,
                       "Patch \"https://192.0.2.1:6443/\": the library's own words");
        expect_failure("GET", "not a URL", ECONNREFUSED, "Get \"not a URL\": the library's own words");
        expect_failure("GET", "https://[", ECONNREFUSED, "Get \"https://[\": the library's own words");
}

static void expect_status(int status, const char *text, const char *expected)
{
        char *said CLEANUP_FREE = go_client_status_text(status, text);

        assert_string_equal(said, expected);
}

static void test_an_answer_that_is_no_status(void **state)
{
        (void)state;
        expect_status(500, " [-]etcd failed\n",
                      "an error on the server (\"[-]etcd failed\") has prevented the request from succeeding");
        expect_status(502, NULL, "an error on the server (\"unknown\") has prevented the request from succeeding");
        expect_status(403, "Forbidden", "Forbidden");
        expect_status(403, NULL, "unknown");
        expect_status(404, "404 page not found", "the server could not find the requested resource");
        expect_status(401, "Unauthorized", "the server has asked for the client to provide credentials");
        expect_status(503, "", "the server is currently unable to handle the request");
        expect_status(302, "", "the server responded with the status code 302 but did not return more information");
        expect_status(418, "tea", "the server responded with the status code 418 but did not return more information");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_answer),
                cmocka_unit_test(test_an_answer_that_is_no_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

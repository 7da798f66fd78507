/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts are those of k8s.io/apimachinery/pkg/api/errors, NewGenericServerResponse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/go_client.h"
#include "base/alloc.h"

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
                cmocka_unit_test(test_an_answer_that_is_no_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

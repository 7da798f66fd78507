/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/port_user.h"
#include "pki/trust.h"

static void expect(struct cJSON *user, const char *text)
{
        struct cJSON *owned CLEANUP_CJSON = user;
        struct buf out CLEANUP_BUF = BUF_INIT(1 << 16);

        assert_int_equal(user != NULL, text != NULL);
        if (!text)
                return;
        cjson_write(owned, &out);
        assert_string_equal(buf_str(&out), text);
}

static void test_certificate(void **state)
{
        struct pki_client client CLEANUP_PKI_CLIENT = {.common_name = xstrdup("me"), .sha256 = "ab"};

        (void)state;
        expect(port_user_of_certificate(&client),
               "{\"username\":\"me\",\"groups\":[\"system:authenticated\"],"
               "\"extra\":{\"authentication.kubernetes.io/credential-id\":[\"X509SHA256=ab\"]}}");
        strv_add(&client.organizations, "system:masters");
        expect(port_user_of_certificate(&client),
               "{\"username\":\"me\",\"groups\":[\"system:masters\",\"system:authenticated\"],"
               "\"extra\":{\"authentication.kubernetes.io/credential-id\":[\"X509SHA256=ab\"]}}");
        *client.common_name = '\0';
        expect(port_user_of_certificate(&client), NULL);
        expect(port_user_anonymous(), "{\"username\":\"system:anonymous\",\"groups\":[\"system:unauthenticated\"]}");
}

static void review(const char *text, const char *want)
{
        struct cJSON *body CLEANUP_CJSON = cJSON_Parse(text);

        expect(port_user_of_review(body), want);
}

static void test_review(void **state)
{
        (void)state;
        review("{\"status\":{\"authenticated\":true,\"user\":{\"username\":\"u\",\"uid\":\"1\",\"groups\":"
               "[\"system:authenticated\",\"g\"],\"extra\":{\"a\":[\"b\"]}}}}",
               "{\"username\":\"u\",\"uid\":\"1\",\"groups\":[\"system:authenticated\",\"g\"],\"extra\":{\"a\":[\"b\"]}"
               "}");
        review("{\"status\":{\"authenticated\":true,\"user\":{\"username\":\"u\",\"groups\":[\"g\"]}}}",
               "{\"username\":\"u\",\"groups\":[\"g\",\"system:authenticated\"]}");
        /* What is no list of texts is left out. */
        review("{\"status\":{\"authenticated\":true,\"user\":{\"username\":\"u\",\"groups\":[1],\"extra\":{\"a\":2}}}}",
               "{\"username\":\"u\",\"groups\":[\"system:authenticated\"]}");
        review("{\"status\":{\"authenticated\":false,\"user\":{\"username\":\"u\"}}}", NULL);
        review("{\"status\":{\"user\":{\"username\":\"u\"}}}", NULL);
        review("{}", NULL);
        review("[]", NULL);
        review("rubbish", NULL);
}

static void test_token(void **state)
{
        static const struct {
                const char *header, *token;
        } rows[] = {
                {NULL, NULL},        {"", NULL},          {"Bearer", NULL},    {"Bearer ", NULL},
                {"Bearer a", "a"},   {"bearer a", "a"},   {" Bearer a ", "a"}, {"Bearer a b", "a"},
                {"Bearer  a", NULL}, {"Basic abc", NULL}, {"Bearera b", NULL},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *token CLEANUP_FREE = port_bearer_token(rows[i].header);

                assert_true(str_eq(token, rows[i].token));
        }
}

static void test_reviews(void **state)
{
        struct cJSON *user CLEANUP_CJSON =
                cJSON_Parse("{\"username\":\"u\",\"uid\":\"1\",\"groups\":[\"g\"],\"extra\":{\"a\":[\"b\"]}}");
        char *access CLEANUP_FREE = port_access_review(user, "n1", "get", "proxy");
        char *token CLEANUP_FREE = port_token_review("a\"b");

        (void)state;
        assert_string_equal(
                access, "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\",\"spec\":{"
                        "\"resourceAttributes\":{\"verb\":\"get\",\"version\":\"v1\",\"resource\":\"nodes\","
                        "\"subresource\":\"proxy\",\"name\":\"n1\"},\"user\":\"u\",\"uid\":\"1\",\"groups\":[\"g\"],"
                        "\"extra\":{\"a\":[\"b\"]}}}");
        assert_string_equal(token, "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"spec\":{"
                                   "\"token\":\"a\\\"b\"}}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_certificate),
                cmocka_unit_test(test_review),
                cmocka_unit_test(test_token),
                cmocka_unit_test(test_reviews),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "docker/docker_auth.h"

static const char config[] = "{\"auths\":{"
                             "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOnM6M2NyZXQ=\"}," /* hub:s:3cret */
                             "\"registry.example.com:5000\":{\"username\":\"plain\",\"password\":\"pass\\\"word\"},"
                             "\"registry.example.com:5000/team/\":{\"auth\":\"dGVhbTpw\"}," /* team:p */
                             "\"*.wild.example\":{\"auth\":\"d2lsZDpw\"},"                  /* wild:p */
                             "\"one.wild.example\":{\"auth\":\"b25lOnA=\"},"                /* one:p */
                             "\"https://token.example/v2/\":{\"auth\":\"eDo=\",\"identitytoken\":\"tok\"},"
                             "\"broken.example\":{\"auth\":\"!!\"},"
                             "\"nocolon.example\":{\"auth\":\"YWJj\"},"
                             "\"stored.example\":{}"
                             "},\"credsStore\":\"secretservice\",\"credHelpers\":{\"helped.example\":\"gcloud\"}}";

static int lookup(const char *image, char **ret_json, struct err *err)
{
        char *auth CLEANUP_FREE = NULL;
        int r = docker_auth_lookup("config.json", config, sizeof(config) - 1, image, &auth, err);
        if (r != 0)
                return r;
        /* back from the alphabet for URLs */
        for (char *p = auth; *p; p++)
                *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
        struct buf b = BUF_INIT(4096);
        assert_int_equal(base64_decode(auth, strlen(auth), &b, err), 0);
        *ret_json = buf_steal(&b, &(size_t){0});
        return 0;
}

static void test_found(void **state)
{
        static const char *const cases[][2] = {
                {"busybox",
                 "{\"username\":\"hub\",\"password\":\"s:3cret\",\"serveraddress\":\"https://index.docker.io/v1/\"}"},
                {"docker.io/library/busybox:1",
                 "{\"username\":\"hub\",\"password\":\"s:3cret\",\"serveraddress\":\"https://index.docker.io/v1/\"}"},
                {"registry.example.com:5000/x:1", "{\"username\":\"plain\",\"password\":\"pass\\\"word\","
                                                  "\"serveraddress\":\"registry.example.com:5000\"}"},
                {"registry.example.com:5000/team/x:1",
                 "{\"username\":\"team\",\"password\":\"p\",\"serveraddress\":\"registry.example.com:5000\"}"},
                {"registry.example.com:5000/teams/x:1", "{\"username\":\"plain\",\"password\":\"pass\\\"word\","
                                                        "\"serveraddress\":\"registry.example.com:5000\"}"},
                {"two.wild.example/x@sha256:00",
                 "{\"username\":\"wild\",\"password\":\"p\",\"serveraddress\":\"two.wild.example\"}"},
                {"one.wild.example/x",
                 "{\"username\":\"one\",\"password\":\"p\",\"serveraddress\":\"one.wild.example\"}"},
                {"token.example/x", "{\"identitytoken\":\"tok\",\"serveraddress\":\"token.example\"}"},
        };
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct err err = ERR_INIT;
                char *json CLEANUP_FREE = NULL;
                assert_int_equal(lookup(cases[i][0], &json, &err), 0);
                assert_string_equal(json, cases[i][1]);
        }
}

static void test_not_found(void **state)
{
        (void)state;
        struct err err = ERR_INIT;
        char *json = NULL;
        static const char *const images[] = {"registry.k8s.io/pause:3.10.1", "registry.example.com/x",
                                             "a.b.wild.example/x", "wild.example/x"};
        for (size_t i = 0; i < ARRAY_SIZE(images); i++)
                assert_int_equal(lookup(images[i], &json, &err), 1);
        assert_int_equal(docker_auth_lookup_file("/nonexistent/config.json", "x", &json, &err), 1);
        assert_null(json);
}

static void test_errors(void **state)
{
        (void)state;
        struct err err = ERR_INIT;
        char *json = NULL;
        assert_int_equal(lookup("broken.example/x", &json, &err), -ERR_INVALID);
        assert_non_null(strstr(err.msg, "config.json: auths: 'broken.example'"));
        assert_null(strstr(err.msg, "!!"));
        assert_int_equal(lookup("nocolon.example/x", &json, &err), -ERR_INVALID);
        assert_int_equal(lookup("stored.example/x", &json, &err), -ERR_UNSUPPORTED);
        assert_non_null(strstr(err.msg, "secretservice"));
        assert_int_equal(lookup("helped.example/x", &json, &err), -ERR_UNSUPPORTED);
        assert_non_null(strstr(err.msg, "gcloud"));
        assert_int_equal(docker_auth_lookup("f", "[]", 2, "x", &json, &err), -ERR_INVALID);
        assert_int_equal(docker_auth_lookup("f", "{\"auths\":1}", 11, "x", &json, &err), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_found), cmocka_unit_test(test_not_found),
                                           cmocka_unit_test(test_errors)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}

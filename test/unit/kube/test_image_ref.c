/* SPDX-License-Identifier: Apache-2.0 */
#include "pod_test.h"

#include "kube/image_ref.h"

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define A9 "aaaaaaaaa"
#define A63 A9 A9 A9 A9 A9 A9 A9
#define A128 A63 A63 "aa"

static void test_valid(void **state)
{
        static const struct {
                const char *text, *domain, *path, *tag, *digest;
        } rows[] = {
                {"busybox", "docker.io", "library/busybox", "latest", ""},
                {"busybox:1.36", "docker.io", "library/busybox", "1.36", ""},
                {"library/busybox", "docker.io", "library/busybox", "latest", ""},
                {"docker.io/busybox", "docker.io", "library/busybox", "latest", ""},
                {"index.docker.io/busybox", "docker.io", "library/busybox", "latest", ""},
                {"registry.k8s.io/kube-apiserver:v1.36.3", "registry.k8s.io", "kube-apiserver", "v1.36.3", ""},
                {"localhost/a", "localhost", "a", "latest", ""},
                {"localhost:5000", "docker.io", "library/localhost", "5000", ""},
                {"reg:5000/a/b_c/d__e/f-g--h.i:T_1.x-", "reg:5000", "a/b_c/d__e/f-g--h.i", "T_1.x-", ""},
                {"[::1]:5000/a", "[::1]:5000", "a", "latest", ""},
                {"Reg/a", "Reg", "a", "latest", ""},
                {"a@sha256:" HEX64, "docker.io", "library/a", "", "sha256:" HEX64},
                {"a:b@sha256:" HEX64, "docker.io", "library/a", "b", "sha256:" HEX64},
                {"a:" A128, "docker.io", "library/a", A128, ""},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct image_ref ref;
                struct err err = ERR_INIT;

                if (image_ref_parse(rows[i].text, &ref, &err) < 0)
                        fail_msg("%s: %s", rows[i].text, err.msg);
                assert_string_equal(ref.domain, rows[i].domain);
                assert_string_equal(ref.path, rows[i].path);
                assert_string_equal(ref.tag, rows[i].tag);
                assert_string_equal(ref.digest, rows[i].digest);
        }
}

static void test_invalid(void **state)
{
        static const char *const rows[] = {
                "",
                ":a",
                "a:",
                "a:b:c",
                "/a",
                "a/",
                "a//b",
                "Busybox",
                "a/B",
                "a b",
                "-a",
                "a-",
                "a..b",
                "a___b",
                "a_",
                "a@",
                "a@sha256:abc",
                "a@md5:" HEX64,
                "a@sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "a@:" HEX64,
                HEX64,
                "-x.y/a",
                "x.-y/a",
                "x..y/a",
                "x.y:/a",
                "x.y:8a/b",
                "a:-b",
                "a:" A128 "a",
                "[::1/a",
                "[]/a",
                "[::1]x/a",
                "a:b/c:d:e",
                A128 A128,
                "\xc3\xa4",
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct image_ref ref;
                struct err err = ERR_INIT;

                if (image_ref_parse(rows[i], &ref, &err) != -ERR_INVALID)
                        fail_msg("\"%s\" was taken", rows[i]);
                assert_true(err.msg[0] != '\0');
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_valid),
                cmocka_unit_test(test_invalid),
        };

        return cmocka_run_group_tests_name("kube/image_ref", tests, NULL, NULL);
}

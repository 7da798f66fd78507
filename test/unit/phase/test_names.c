/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "phase/names.h"

static void test_image_repository(void **state)
{
        static const char *const good[] = {
                "registry.k8s.io", "mirror.example.org/a/b", "registry.example.org:5000/k8s", "localhost",     "k8s",
                "a__b/c.d-e",      "[fd00::1]:5000/x",       "UPPER.example.org/x",           "10.0.0.1:5000",
        };
        static const char *const bad[] = {
                "",       "/a",      "a//b", "a/",     "repo/UPPER", "repo:x/a", "repo:/a",
                "a_b_/c", "a/b:tag", "-a/b", "a..b/c", "[fd00::1/x", "a b",      "x.org/a___b",
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                if (!name_is_image_repository(good[i]))
                        fail_msg("\"%s\" was refused", good[i]);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (name_is_image_repository(bad[i]))
                        fail_msg("\"%s\" was taken", bad[i]);
}

static void test_bootstrap_token(void **state)
{
        (void)state;
        assert_true(name_is_bootstrap_token("abcdef.0123456789abcdef"));
        assert_false(name_is_bootstrap_token("abcdef.0123456789abcde"));
        assert_false(name_is_bootstrap_token("abcdef.0123456789abcdef0"));
        assert_false(name_is_bootstrap_token("abcdeF.0123456789abcdef"));
        assert_false(name_is_bootstrap_token("abcdef-0123456789abcdef"));
        assert_false(name_is_bootstrap_token(""));
}

static void test_wildcard(void **state)
{
        struct strv messages CLEANUP_STRV = STRV_INIT;
        char long_name[300];

        (void)state;
        assert_int_equal(name_wildcard_dns1123_subdomain("*.example.org", NULL), 0);
        assert_int_equal(name_wildcard_dns1123_subdomain("example.org", &messages), 1);
        assert_non_null(strstr(messages.items[0], "a wildcard DNS-1123 subdomain must start with '*.'"));
        assert_int_equal(name_wildcard_dns1123_subdomain("*.*.org", NULL), 1);
        assert_int_equal(name_wildcard_dns1123_subdomain("*.", NULL), 1);
        memset(long_name, 'a', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = '\0';
        assert_int_equal(name_wildcard_dns1123_subdomain(long_name, NULL), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_image_repository),
                cmocka_unit_test(test_bootstrap_token),
                cmocka_unit_test(test_wildcard),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

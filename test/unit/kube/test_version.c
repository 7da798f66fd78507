/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "kube/version.h"

static void test_parse_and_text(void **state)
{
        static const struct {
                const char *in;
                bool partial;
                const char *out; /* NULL: refused */
        } rows[] = {
                {"v1.36.3", false, "v1.36.3"},
                {"1.36.3", false, "v1.36.3"},
                {"v1.36.0-rc.1", false, "v1.36.0-rc.1"},
                {"v1.30.4+k3s1", false, "v1.30.4+k3s1"},
                {"1.36.0-alpha.2.4+a1b2-c.007", false, "v1.36.0-alpha.2.4+a1b2-c.007"},
                {"1.36", true, "v1.36.0"},
                {"v1.36", true, "v1.36.0"},
                {"v1.36.2", true, "v1.36.2"},
                {"1.36", false, NULL},
                {"1", true, NULL},
                {"", true, NULL},
                {"v", true, NULL},
                {"vv1.2.3", false, NULL},
                {"1.36.", true, NULL},
                {"1.36-rc.1", true, NULL},
                {"1.36.3.4", false, NULL},
                {"1.036.3", false, NULL},
                {"1.36.3-", false, NULL},
                {"1.36.3-rc..1", false, NULL},
                {"1.36.3-rc.01", false, NULL},
                {"1.36.3-rc_1", false, NULL},
                {"1.36.3+", false, NULL},
                {"1.36.3 ", false, NULL},
                {" 1.36.3", false, NULL},
                {"1.-3.3", false, NULL},
                {"1.99999999999.3", false, NULL},
                {"1.36.3-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, NULL},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct err err = ERR_INIT;
                struct kube_version v;
                char text[KUBE_VERSION_MAX];
                int r = kube_version_parse(rows[i].in, rows[i].partial, &v, &err);

                if (!rows[i].out) {
                        assert_int_equal(r, -ERR_INVALID);
                        assert_non_null(strstr(err.msg, "version \""));
                        continue;
                }
                if (r != 0)
                        fail_msg("%s: %s", rows[i].in, err.msg);
                kube_version_text(&v, text);
                assert_string_equal(text, rows[i].out);
        }
}

/* The order of semver.org's own example, and what surrounds it: each row is before the next one. */
static void test_compare(void **state)
{
        static const char *const order[] = {
                "0.9.9",      "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta",
                "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
                "1.0.0",      "1.0.1",        "1.9.0",         "1.10.0",
                "2.0.0-0",    "2.0.0",
        };
        struct kube_version a, b;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
                        int r;

                        assert_int_equal(kube_version_parse(order[i], false, &a, NULL), 0);
                        assert_int_equal(kube_version_parse(order[k], false, &b, NULL), 0);
                        r = kube_version_compare(&a, &b);
                        assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
                }
        }
        assert_int_equal(kube_version_parse("1.2.3+a", false, &a, NULL), 0);
        assert_int_equal(kube_version_parse("1.2.3+b", false, &b, NULL), 0);
        assert_int_equal(kube_version_compare(&a, &b), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_and_text),
                cmocka_unit_test(test_compare),
        };

        return cmocka_run_group_tests_name("kube/version", tests, NULL, NULL);
}

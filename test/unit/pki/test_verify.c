/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/verify.h"

#define NOW 1795252466 /* 2026-11-21T09:14:26Z */
#define DAY 86400

struct pair {
        struct pki_cert *cert;
        struct pki_key *key;
};

static void pair_release(struct pair *p)
{
        (void)pki_cert_free(p->cert);
        (void)pki_key_free(p->key);
}

static struct pair issue(struct pki_cert_spec spec, enum pki_algorithm algorithm, const struct pair *by)
{
        struct pair p = {.cert = NULL};
        struct err err = ERR_INIT;

        if (!spec.not_after) {
                spec.not_before = NOW - DAY;
                spec.not_after = NOW + DAY;
        }
        assert_int_equal(pki_key_generate(algorithm, &p.key, &err), 0);
        if (pki_cert_create(&spec, p.key, by ? by->cert : NULL, by ? by->key : NULL, &p.cert, &err) < 0)
                fail_msg("%s", err.msg);
        return p;
}

#define EC PKI_ALGORITHM_ECDSA_P256
#define ISSUE(name, by, algorithm, ...)          \
        struct pair name CLEANUP(pair_release) = \
                issue((struct pki_cert_spec){.basic_constraints = true, __VA_ARGS__}, algorithm, by)
#define CA(name, cn, by, ...) ISSUE(name, by, EC, .common_name = cn, .ca = true, __VA_ARGS__)
#define LEAF(name, by, ...) ISSUE(name, by, EC, .common_name = "leaf", .usages = PKI_USAGE_SERVER, __VA_ARGS__)

static void refuses(const struct pair *leaf, const struct pair *between, const struct pair *root, const char *text)
{
        struct err err = ERR_INIT;
        struct pki_cert *list[] = {between ? between->cert : NULL};

        int r = pki_verify_chain(leaf->cert, list, between ? 1 : 0, root->cert, NOW, &err);
        if (!text && r < 0)
                fail_msg("%s", err.msg);
        if (text) {
                assert_int_equal(r, -ERR_INVALID);
                assert_string_equal(err.msg, text);
        }
}

static void test_chain(void **state)
{
        (void)state;
        CA(root, "kubernetes", NULL, );
        CA(middle, "middle", &root, );
        CA(low, "low", &middle, );
        LEAF(leaf, &root, );
        LEAF(below, &middle, );
        LEAF(deep, &low, );

        refuses(&leaf, NULL, &root, NULL);
        refuses(&root, NULL, &root, NULL);
        refuses(&leaf, &middle, &root, NULL);
        refuses(&below, &middle, &root, NULL);
        refuses(&below, NULL, &middle, NULL);
        refuses(&below, NULL, &root, "x509: certificate signed by unknown authority");
        refuses(&deep, &middle, &root, "x509: certificate signed by unknown authority");
        struct pki_cert *both[] = {middle.cert, low.cert};
        assert_int_equal(pki_verify_chain(deep.cert, both, 2, root.cert, NOW, NULL), 0);
        /* an intermediate is no root */
        refuses(&leaf, NULL, &middle, "x509: certificate signed by unknown authority");
}

/* A CA that was made anew under the old name. */
static void test_same_name(void **state)
{
        (void)state;
        CA(old, "kubernetes", NULL, );
        CA(new, "kubernetes", NULL, );
        LEAF(leaf, &old, );
        refuses(&leaf, NULL, &new,
                "x509: certificate signed by unknown authority (possibly because of \"x509: ECDSA verification "
                "failure\" while trying to verify candidate authority certificate \"kubernetes\")");

        ISSUE(old_rsa, NULL, PKI_ALGORITHM_RSA_2048, .common_name = "r", .ca = true);
        ISSUE(new_rsa, NULL, PKI_ALGORITHM_RSA_2048, .common_name = "r", .ca = true);
        LEAF(rsa_leaf, &old_rsa, );
        refuses(&rsa_leaf, NULL, &old_rsa, NULL);
        refuses(&rsa_leaf, NULL, &new_rsa,
                "x509: certificate signed by unknown authority (possibly because of \"crypto/rsa: verification "
                "error\" while trying to verify candidate authority certificate \"r\")");
}

static void test_times(void **state)
{
        (void)state;
        CA(root, "kubernetes", NULL, );
        CA(gone, "gone", NULL, .not_before = NOW - 2 * DAY, .not_after = NOW - DAY);
        LEAF(expired, &root, .not_before = NOW - 2 * DAY, .not_after = NOW - 1);
        LEAF(future, &root, .not_before = NOW + 1, .not_after = NOW + DAY);
        LEAF(edge, &root, .not_before = NOW, .not_after = NOW);
        LEAF(orphan, &gone, );
        struct err err = ERR_INIT;

        refuses(&edge, NULL, &root, NULL);
        refuses(&expired, NULL, &root,
                "x509: certificate has expired or is not yet valid: current time 2026-11-21T09:14:26Z is after "
                "2026-11-21T09:14:25Z");
        refuses(&future, NULL, &root,
                "x509: certificate has expired or is not yet valid: current time 2026-11-21T09:14:26Z is before "
                "2026-11-21T09:14:27Z");
        refuses(&orphan, NULL, &gone,
                "x509: certificate has expired or is not yet valid: current time 2026-11-21T09:14:26Z is after "
                "2026-11-20T09:14:26Z");
        assert_int_equal(pki_verify_period(edge.cert, NOW, &err), 0);
        assert_int_equal(pki_verify_period(expired.cert, NOW, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "the certificate has expired: NotBefore: 2026-11-19 09:14:26 +0000 UTC, NotAfter: "
                                     "2026-11-21 09:14:25 +0000 UTC");
        assert_int_equal(pki_verify_period(future.cert, NOW, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "the certificate is not valid yet: NotBefore: 2026-11-21 09:14:27 +0000 UTC, "
                                     "NotAfter: 2026-11-22 09:14:26 +0000 UTC");
}

static void test_no_ca(void **state)
{
        (void)state;
        LEAF(root, NULL, );
        ISSUE(leaf, &root, EC, .common_name = "x", .usages = PKI_USAGE_CLIENT);
        refuses(&leaf, NULL, &root,
                "x509: certificate signed by unknown authority (possibly because of \"x509: invalid signature: parent "
                "certificate cannot sign this kind of certificate\" while trying to verify candidate authority "
                "certificate \"leaf\")");
}

static void name_is(const struct pair *p, const char *name, const char *text)
{
        struct err err = ERR_INIT;
        int r = pki_verify_name(p->cert, name, &err);

        if (!text && r < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(r, text ? -ERR_INVALID : 0);
        if (text)
                assert_string_equal(err.msg, text);
}

static void test_names(void **state)
{
        (void)state;
        struct strv dns CLEANUP_STRV = STRV_INIT, addresses CLEANUP_STRV = STRV_INIT, one CLEANUP_STRV = STRV_INIT;

        strv_split(&dns, "node1,*.Example.org,api_x.k8s", ',');
        strv_split(&addresses, "10.0.0.1,fd00::1", ',');
        strv_add(&one, "only");
        LEAF(leaf, NULL, .dns_names = &dns, .addresses = &addresses);
        LEAF(dns_only, NULL, .dns_names = &one);
        LEAF(bare, NULL, );

        static const char *const good[] = {"node1",    "NODE1",   "node1.",      "a.example.org",   "*.example.org",
                                           "10.0.0.1", "fd00::1", "fd00:0::0:1", "::ffff:10.0.0.1", "API_X.k8s"};
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                name_is(&leaf, good[i], NULL);
        name_is(&leaf, "node2", "x509: certificate is valid for node1, *.Example.org, api_x.k8s, not node2");
        name_is(&leaf, "example.org",
                "x509: certificate is valid for node1, *.Example.org, api_x.k8s, not example.org");
        name_is(&leaf, "a.b.example.org",
                "x509: certificate is valid for node1, *.Example.org, api_x.k8s, not a.b.example.org");
        name_is(&leaf, ".example.org",
                "x509: certificate is valid for node1, *.Example.org, api_x.k8s, not .example.org");
        name_is(&leaf, "10.0.0.2", "x509: certificate is valid for 10.0.0.1, fd00::1, not 10.0.0.2");
        name_is(&dns_only, "10.0.0.2",
                "x509: cannot validate certificate for 10.0.0.2 because it doesn't contain any IP SANs");
        name_is(&bare, "other", "x509: certificate is not valid for any names, but wanted to match other");
        name_is(&bare, "leaf", "x509: certificate relies on legacy Common Name field, use SANs instead");
        for (int i = 0; i < 100; i++)
                strv_addf(&one, "n%d", i);
        LEAF(many, NULL, .dns_names = &one);
        name_is(&many, "n99", NULL);
        name_is(&many, "x", "x509: certificate is valid for 101 names, but none matched x");
}

static void test_key(void **state)
{
        (void)state;
        LEAF(a, NULL, );
        LEAF(b, NULL, );
        struct err err = ERR_INIT;

        assert_int_equal(pki_verify_key(a.cert, a.key, &err), 0);
        assert_int_equal(pki_verify_key(a.cert, b.key, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "the private key does not belong to the certificate");
        assert_true(pki_cert_equal(a.cert, a.cert));
        assert_false(pki_cert_equal(a.cert, b.cert));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_chain), cmocka_unit_test(test_same_name), cmocka_unit_test(test_times),
                cmocka_unit_test(test_no_ca), cmocka_unit_test(test_names),     cmocka_unit_test(test_key),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

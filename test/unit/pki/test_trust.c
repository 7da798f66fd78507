/* SPDX-License-Identifier: Apache-2.0
 *
 * Client certificates made here, with the times of now: GnuTLS looks at the clock itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/pem.h"
#include "pki/trust.h"

#define HOUR 3600

struct pair {
        struct pki_cert *cert;
        struct pki_key *key;
        struct buf pem;
        struct pki_pem_block der;
};

static void pair_release(struct pair *p)
{
        (void)pki_cert_free(p->cert);
        (void)pki_key_free(p->key);
        buf_release(&p->pem);
        pki_pem_block_release(&p->der);
}

static struct pair issue(struct pki_cert_spec spec, const struct pair *by)
{
        struct pair p = {.pem = BUF_INIT(LIMIT_PKI_FILE)};
        int64_t now = (int64_t)(clock_realtime() / USEC_PER_SEC);
        struct err err = ERR_INIT;
        const char *text;
        size_t len;

        if (!spec.not_after) {
                spec.not_before = now - HOUR;
                spec.not_after = now + HOUR;
        }
        spec.basic_constraints = true;
        assert_int_equal(pki_key_generate(PKI_ALGORITHM_ECDSA_P256, &p.key, &err), 0);
        if (pki_cert_create(&spec, p.key, by ? by->cert : NULL, by ? by->key : NULL, &p.cert, &err) < 0 ||
            pki_cert_write(p.cert, &p.pem, &err) < 0)
                fail_msg("%s", err.msg);
        text = buf_str(&p.pem);
        len = p.pem.len;
        assert_true(pki_pem_next(&text, &len, &p.der));
        return p;
}

#define ISSUE(name, by, ...) struct pair name CLEANUP(pair_release) = issue((struct pki_cert_spec){__VA_ARGS__}, by)

static struct pki_trust *trust_of(const struct pair *ca)
{
        struct pki_trust *trust = NULL;
        struct err err = ERR_INIT;

        if (pki_trust_load(buf_str(&ca->pem), ca->pem.len, &trust, &err) < 0)
                fail_msg("%s", err.msg);
        return trust;
}

static int ask(const struct pki_trust *trust, const struct pair *leaf, const struct pair *between,
               struct pki_client *ret, struct err *err)
{
        const struct pki_der chain[] = {{leaf->der.data, leaf->der.len},
                                        {between ? between->der.data : NULL, between ? between->der.len : 0}};

        return pki_trust_client(trust, chain, between ? 2 : 1, ret, err);
}

static void refuses(const struct pki_trust *trust, const struct pair *leaf)
{
        struct pki_client client CLEANUP_PKI_CLIENT = {0};
        struct err err = ERR_INIT;

        assert_int_equal(ask(trust, leaf, NULL, &client, &err), -ERR_INVALID);
        assert_true(*err.msg);
        assert_null(client.common_name);
}

static void test_user(void **state)
{
        struct strv groups CLEANUP_STRV = STRV_INIT;
        struct pki_client client CLEANUP_PKI_CLIENT = {0};
        struct err err = ERR_INIT;

        (void)state;
        strv_add(&groups, "system:masters");
        strv_add(&groups, "others");
        /* What RFC 4514 would escape is part of a name like the rest. */
        strv_add(&groups, "a+b, \"c\"; d=\\e");
        ISSUE(ca, NULL, .common_name = "ca", .ca = true);
        ISSUE(leaf, &ca, .common_name = " me+you,#1 ", .organizations = &groups, .usages = PKI_USAGE_CLIENT);
        struct pki_trust *trust CLEANUP_PKI_TRUST = trust_of(&ca);
        if (ask(trust, &leaf, NULL, &client, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(client.common_name, " me+you,#1 ");
        assert_string_equal(pki_cert_facts(leaf.cert)->common_name, " me+you,#1 ");
        assert_true(strv_equal(&pki_cert_facts(leaf.cert)->organizations, &groups));
        assert_true(strv_equal(&client.organizations, &groups));
        assert_int_equal(strlen(client.sha256), 64);
}

static void test_intermediate(void **state)
{
        struct pki_client client CLEANUP_PKI_CLIENT = {0};
        struct err err = ERR_INIT;

        (void)state;
        ISSUE(ca, NULL, .common_name = "ca", .ca = true);
        ISSUE(between, &ca, .common_name = "between", .ca = true);
        ISSUE(leaf, &between, .common_name = "me", .usages = PKI_USAGE_CLIENT);
        struct pki_trust *trust CLEANUP_PKI_TRUST = trust_of(&ca);
        refuses(trust, &leaf);
        if (ask(trust, &leaf, &between, &client, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(client.common_name, "me");
}

static void test_refused(void **state)
{
        int64_t now = (int64_t)(clock_realtime() / USEC_PER_SEC);

        (void)state;
        ISSUE(ca, NULL, .common_name = "ca", .ca = true);
        ISSUE(impostor, NULL, .common_name = "ca", .ca = true);
        ISSUE(stranger, &impostor, .common_name = "me", .usages = PKI_USAGE_CLIENT);
        ISSUE(self, NULL, .common_name = "me", .usages = PKI_USAGE_CLIENT);
        ISSUE(server, &ca, .common_name = "me", .usages = PKI_USAGE_SERVER);
        ISSUE(no_ca, &ca, .common_name = "signer", .usages = PKI_USAGE_CLIENT);
        ISSUE(below, &no_ca, .common_name = "me", .usages = PKI_USAGE_CLIENT);
        ISSUE(expired, &ca, .common_name = "me", .usages = PKI_USAGE_CLIENT, .not_before = now - 2 * HOUR,
              .not_after = now - HOUR);
        ISSUE(early, &ca, .common_name = "me", .usages = PKI_USAGE_CLIENT, .not_before = now + HOUR,
              .not_after = now + 2 * HOUR);
        struct pki_trust *trust CLEANUP_PKI_TRUST = trust_of(&ca);
        const struct pair *const bad[] = {&stranger, &self, &server, &below, &expired, &early};
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                refuses(trust, bad[i]);
        struct pki_client client CLEANUP_PKI_CLIENT = {0};
        struct err err = ERR_INIT;
        assert_int_equal(ask(trust, &below, &no_ca, &client, &err), -ERR_INVALID);
        assert_int_equal(pki_trust_client(trust, NULL, 0, &client, &err), -ERR_INVALID);
        const struct pki_der rubbish = {"rubbish", 7};
        assert_int_equal(pki_trust_client(trust, &rubbish, 1, &client, &err), -ERR_INVALID);
}

static void test_no_ca_file(void **state)
{
        struct pki_trust *trust = NULL;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(pki_trust_load("rubbish", 7, &trust, &err), -ERR_INVALID);
        assert_int_equal(pki_trust_load("", 0, &trust, &err), -ERR_INVALID);
        assert_null(trust);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_user),
                cmocka_unit_test(test_intermediate),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_no_ca_file),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

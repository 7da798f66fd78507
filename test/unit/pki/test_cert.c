/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "pki/cert.h"
#include "pki/der.h"
#include "pki/key.h"
#include "pki/pem.h"

/* 2026-11-21 09:14:26: when kubeadm 1.36.3 made the RSA files; it backdates by five minutes. */
#define MADE_RSA 1795252466
#define BACKDATE 300
#define DAY 86400

static char *data(const char *name)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *path CLEANUP_FREE = xasprintf("%s/pki/%s", getenv("TEST_DATA"), name);

        assert_int_equal(file_read(path, &b, NULL), 0);
        return buf_steal(&b, NULL);
}

static struct pki_key *load_key(const char *name)
{
        char *text CLEANUP_FREE = data(name);
        struct pki_key *key = NULL;

        assert_int_equal(pki_key_load(text, strlen(text), &key, NULL), 0);
        return key;
}

static struct pki_cert *parse(const char *text)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {.items = NULL};
        struct err err = ERR_INIT;

        if (pki_certs_load(text, strlen(text), &certs, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(certs.count, 1);
        return TAKE_PTR(certs.items[0]);
}

static struct pki_cert *load_cert(const char *name)
{
        char *text CLEANUP_FREE = data(name);

        return parse(text);
}

/* DER of the part that is signed, with the serial number cut out: it is the only random field. */
static void signed_part(const char *pem, struct buf *out)
{
        struct pki_pem_block block CLEANUP_PEM_BLOCK = {.data = NULL};
        size_t len = strlen(pem);
        struct der all, cert, body, field;
        uint8_t tag;

        assert_true(pki_pem_next(&pem, &len, &block));
        all = (struct der){block.data, block.len};
        assert_true(der_next(&all, &tag, &cert) && tag == DER_SEQUENCE);
        assert_true(der_next(&cert, &tag, &body) && tag == DER_SEQUENCE);
        assert_true(der_next(&body, &tag, &field) && tag == DER_CONTEXT_0);
        der_add(out, tag, field.data, field.len);
        assert_true(der_next(&body, &tag, &field) && tag == DER_INTEGER);
        assert_true(field.len >= 1 && field.len <= 8 && field.data[0] < 0x80);
        buf_add(out, body.data, body.len);
}

static void same_as_kubeadm(const char *name, const struct pki_cert_spec *spec, const char *key_name,
                            const char *ca_name)
{
        struct pki_key *key CLEANUP_PKI_KEY = load_key(key_name), *ca_key CLEANUP_PKI_KEY = NULL;
        struct pki_cert *ca CLEANUP_PKI_CERT = NULL, *cert CLEANUP_PKI_CERT = NULL;
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), ours CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                       theirs CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *expected CLEANUP_FREE = data(name);
        struct err err = ERR_INIT;

        if (ca_name) {
                char *crt CLEANUP_FREE = xasprintf("%s.crt", ca_name),
                          *file CLEANUP_FREE = xasprintf("%s.key", ca_name);
                ca = load_cert(crt);
                ca_key = load_key(file);
        }
        if (pki_cert_create(spec, key, ca, ca_key, &cert, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(pki_cert_write(cert, &pem, NULL), 0);
        signed_part(buf_str(&pem), &ours);
        signed_part(expected, &theirs);
        assert_int_equal(ours.len, theirs.len);
        assert_memory_equal(ours.data, theirs.data, ours.len);
        /* what was made is read as what was meant */
        struct pki_cert *read CLEANUP_PKI_CERT = parse(buf_str(&pem));
        assert_string_equal(pki_cert_facts(read)->common_name, spec->common_name);
}

static void apiserver_names(struct strv *dns, struct strv *addresses)
{
        struct err err = ERR_INIT;

        strv_split(dns,
                   "node1,kubernetes,kubernetes.default,kubernetes.default.svc,"
                   "kubernetes.default.svc.cluster.local,lb.example.org,api.example.org,kubernetes",
                   ',');
        strv_split(addresses, "10.96.0.1,192.0.2.10,203.0.113.7,::ffff:192.0.2.10", ',');
        assert_int_equal(pki_names_tidy(dns, addresses, &err), 0);
}

static void test_same_bytes(void **state)
{
        (void)state;
        struct strv dns CLEANUP_STRV = STRV_INIT, addresses CLEANUP_STRV = STRV_INIT, ca_dns CLEANUP_STRV = STRV_INIT,
                        groups CLEANUP_STRV = STRV_INIT;
        struct pki_cert_spec ca = {.common_name = "kubernetes",
                                   .dns_names = &ca_dns,
                                   .ca = true,
                                   .basic_constraints = true,
                                   .key_id = PKI_KEY_ID_SHA256,
                                   .not_before = MADE_RSA - BACKDATE,
                                   .not_after = MADE_RSA + 3650LL * DAY};
        struct pki_cert_spec leaf = {.common_name = "kube-apiserver",
                                     .dns_names = &dns,
                                     .addresses = &addresses,
                                     .usages = PKI_USAGE_SERVER,
                                     .basic_constraints = true,
                                     .not_before = MADE_RSA - BACKDATE,
                                     .not_after = MADE_RSA + 365LL * DAY};
        struct pki_cert_spec client = {.common_name = "kubernetes-admin",
                                       .organizations = &groups,
                                       .usages = PKI_USAGE_CLIENT,
                                       .basic_constraints = true};

        strv_add(&ca_dns, "kubernetes");
        strv_add(&groups, "kubeadm:cluster-admins");
        apiserver_names(&dns, &addresses);
        same_as_kubeadm("rsa-ca.crt", &ca, "rsa-ca.key", NULL);
        same_as_kubeadm("rsa-apiserver.crt", &leaf, "rsa-apiserver.key", "rsa-ca");

        struct pki_cert *admin CLEANUP_PKI_CERT = load_cert("rsa-admin.crt");
        client.not_before = pki_cert_facts(admin)->not_before;
        client.not_after = pki_cert_facts(admin)->not_after;
        same_as_kubeadm("rsa-admin.crt", &client, "rsa-admin.key", "rsa-ca");

        struct pki_cert *ec_ca CLEANUP_PKI_CERT = load_cert("ec-ca.crt"),
                               *ec_leaf CLEANUP_PKI_CERT = load_cert("ec-apiserver.crt");
        ca.not_before = pki_cert_facts(ec_ca)->not_before;
        ca.not_after = pki_cert_facts(ec_ca)->not_after;
        leaf.not_before = pki_cert_facts(ec_leaf)->not_before;
        leaf.not_after = pki_cert_facts(ec_leaf)->not_after;
        same_as_kubeadm("ec-ca.crt", &ca, "ec-ca.key", NULL);
        same_as_kubeadm("ec-apiserver.crt", &leaf, "ec-apiserver.key", "ec-ca");
}

/* Positive, of at most 63 bits, and never the same. */
static void test_serials(void **state)
{
        (void)state;
        struct pki_key *key CLEANUP_PKI_KEY = load_key("ec-ca.key");
        const struct pki_cert_spec spec = {.common_name = "x", .ca = true, .not_after = DAY};
        struct strv seen CLEANUP_STRV = STRV_INIT;

        for (int i = 0; i < 200; i++) {
                struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), rest CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
                struct pki_cert *cert CLEANUP_PKI_CERT = NULL;
                assert_int_equal(pki_cert_create(&spec, key, NULL, NULL, &cert, NULL), 0);
                assert_int_equal(pki_cert_write(cert, &pem, NULL), 0);
                signed_part(buf_str(&pem), &rest); /* checks that it is positive */
                strv_add(&seen, buf_str(&pem));
        }
        strv_sort(&seen);
        for (size_t i = 1; i < seen.len; i++)
                assert_string_not_equal(seen.items[i], seen.items[i - 1]);
}

static void test_eras(void **state)
{
        (void)state;
        struct pki_key *key CLEANUP_PKI_KEY = load_key("rsa-ca.key"), *other CLEANUP_PKI_KEY = load_key("ec-ca.key");
        struct pki_cert_spec spec = {
                .common_name = "old", .ca = true, .key_id = PKI_KEY_ID_SHA1, .not_before = 0, .not_after = DAY};
        struct pki_cert *ca CLEANUP_PKI_CERT = NULL, *leaf CLEANUP_PKI_CERT = NULL;

        assert_int_equal(pki_cert_create(&spec, key, NULL, NULL, &ca, NULL), 0);
        const struct pki_cert_facts *f = pki_cert_facts(ca);
        assert_true(f->is_ca && f->has_constraints && f->may_sign_certs);
        assert_int_equal(f->dns_names.len, 0);
        /* up to kubeadm 1.20 leaves have no basic constraints */
        spec = (struct pki_cert_spec){.common_name = "leaf", .usages = PKI_USAGE_SERVER | PKI_USAGE_CLIENT};
        assert_int_equal(pki_cert_create(&spec, other, ca, key, &leaf, NULL), 0);
        f = pki_cert_facts(leaf);
        assert_false(f->has_constraints || f->is_ca || f->may_sign_certs);
        assert_true(f->has_key_usage);
        assert_int_equal(f->usages, PKI_USAGE_SERVER | PKI_USAGE_CLIENT);
        assert_string_equal(f->issuer, "CN=old");
}

static void test_refused(void **state)
{
        (void)state;
        struct pki_key *key CLEANUP_PKI_KEY = load_key("rsa-apiserver.key"),
                            *other CLEANUP_PKI_KEY = load_key("ec-ca.key");
        struct pki_cert *ca CLEANUP_PKI_CERT = load_cert("rsa-ca.crt"), *cert = NULL;
        struct strv bad CLEANUP_STRV = STRV_INIT, none CLEANUP_STRV = STRV_INIT;
        struct pki_cert_spec spec = {.common_name = "x", .usages = PKI_USAGE_CLIENT};
        struct err err = ERR_INIT;

        assert_int_equal(pki_cert_create(&spec, key, ca, other, &cert, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "x509: provided PrivateKey doesn't match parent's PublicKey");
        strv_add(&bad, "10.0.0.256");
        spec.addresses = &bad;
        assert_int_equal(pki_cert_create(&spec, key, NULL, NULL, &cert, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "\"10.0.0.256\" is not an IP address");
        assert_int_equal(pki_names_tidy(&none, &bad, &err), -ERR_INVALID);
        spec = (struct pki_cert_spec){.common_name = ""};
        assert_int_equal(pki_cert_create(&spec, key, NULL, NULL, &cert, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "must specify a CommonName");
        assert_null(cert);
}

static void test_facts(void **state)
{
        (void)state;
        struct pki_cert *cert CLEANUP_PKI_CERT = load_cert("rsa-admin.crt"),
                              *server CLEANUP_PKI_CERT = load_cert("rsa-apiserver.crt");
        const struct pki_cert_facts *f = pki_cert_facts(cert);

        assert_string_equal(f->subject, "CN=kubernetes-admin,O=kubeadm:cluster-admins");
        assert_string_equal(f->issuer, "CN=kubernetes");
        assert_string_equal(f->common_name, "kubernetes-admin");
        assert_int_equal(f->organizations.len, 1);
        assert_string_equal(f->organizations.items[0], "kubeadm:cluster-admins");
        assert_int_equal(f->version, 3);
        assert_true(f->has_constraints && !f->is_ca && f->has_key_usage && !f->may_sign_certs);
        f = pki_cert_facts(server);
        assert_true(f->not_before == MADE_RSA - BACKDATE && f->not_after == MADE_RSA + 365LL * DAY);
        assert_int_equal(f->usages, PKI_USAGE_SERVER);
        assert_int_equal(f->dns_names.len, 7);
        char *addresses CLEANUP_FREE = strv_join(&f->addresses, " ");
        assert_string_equal(addresses, "10.96.0.1 192.0.2.10 203.0.113.7");
}

/* Go's pkix.Name keeps the last of several common names. */
static void test_two_common_names(void **state)
{
        (void)state;
        struct pki_cert *cert CLEANUP_PKI_CERT = load_cert("two-names.crt");

        assert_string_equal(pki_cert_facts(cert)->common_name, "last");
}

static void test_load(void **state)
{
        (void)state;
        char *a CLEANUP_FREE = data("rsa-ca.crt"), *b CLEANUP_FREE = data("ec-ca.crt"),
                *key CLEANUP_FREE = data("rsa-ca.key");
        char *bundle CLEANUP_FREE = xasprintf("# first\n%s# second\n%s%s", a, key, b);
        struct pki_certs certs CLEANUP_PKI_CERTS = {.items = NULL}, none = {.items = NULL};
        struct err err = ERR_INIT;

        assert_int_equal(pki_certs_load(bundle, strlen(bundle), &certs, &err), 0);
        assert_int_equal(certs.count, 2);
        assert_int_equal(pki_certs_load(key, strlen(key), &none, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "data does not contain any valid RSA or ECDSA certificates");
        const char *broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_int_equal(pki_certs_load(broken, strlen(broken), &none, &err), -ERR_INVALID);
        assert_int_equal(strncmp(err.msg, "x509: malformed certificate", 27), 0);
        for (size_t n = 0; n + 25 < strlen(a); n++)
                assert_true(pki_certs_load(a, n, &none, NULL) < 0);
        assert_null(none.items);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same_bytes),       cmocka_unit_test(test_serials), cmocka_unit_test(test_eras),
                cmocka_unit_test(test_refused),          cmocka_unit_test(test_facts),   cmocka_unit_test(test_load),
                cmocka_unit_test(test_two_common_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

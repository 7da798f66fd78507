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
#include "pki/key.h"

/* A file that kubeadm 1.36.3 or openssl made. */
static char *data(const char *name)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *path CLEANUP_FREE = xasprintf("%s/pki/%s", getenv("TEST_DATA"), name);

        assert_int_equal(file_read(path, &b, NULL), 0);
        return buf_steal(&b, NULL);
}

static struct pki_key *load(const char *text)
{
        struct pki_key *key = NULL;
        struct err err = ERR_INIT;

        if (pki_key_load(text, strlen(text), &key, &err) < 0)
                fail_msg("%s", err.msg);
        return key;
}

static void test_algorithms(void **state)
{
        (void)state;
        enum pki_algorithm a = PKI_ALGORITHM_MAX;
        struct err err = ERR_INIT;

        assert_int_equal(pki_algorithm_parse("", &a, &err), 0);
        assert_int_equal(a, PKI_ALGORITHM_RSA_2048);
        for (unsigned i = 0; i < PKI_ALGORITHM_MAX; i++) {
                assert_int_equal(pki_algorithm_parse(pki_algorithm_name((enum pki_algorithm)i), &a, &err), 0);
                assert_int_equal(a, i);
        }
        assert_int_equal(pki_algorithm_parse("RSA-1024", &a, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "cannot obtain key size from unknown RSA algorithm: \"RSA-1024\"");
}

/* What kubeadm wrote comes out as the same bytes. */
static void test_same_bytes(void **state)
{
        (void)state;
        static const char *const names[] = {"rsa-ca", "rsa-apiserver", "rsa-sa", "ec-ca", "ec-apiserver", "ec-sa"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
                char *name CLEANUP_FREE = xasprintf("%s.key", names[i]);
                char *text CLEANUP_FREE = data(name);
                struct pki_key *key CLEANUP_PKI_KEY = load(text);
                assert_int_equal(pki_key_write_private(key, &out, NULL), 0);
                assert_string_equal(buf_str(&out), text);
        }
        for (size_t i = 2; i < ARRAY_SIZE(names); i += 3) {
                struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
                char *name CLEANUP_FREE = xasprintf("%s.key", names[i]),
                           *pub CLEANUP_FREE = xasprintf("%s.pub", names[i]);
                char *text CLEANUP_FREE = data(name), *expected CLEANUP_FREE = data(pub);
                struct pki_key *key CLEANUP_PKI_KEY = load(text);
                assert_int_equal(pki_key_write_public(key, &out, NULL), 0);
                assert_string_equal(buf_str(&out), expected);
        }
}

static void test_forms(void **state)
{
        (void)state;
        static const char *const pairs[][2] = {{"rsa-apiserver.p8", "rsa-apiserver.key"},
                                               {"ec-apiserver.p8", "ec-apiserver.key"}};

        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
                char *a CLEANUP_FREE = data(pairs[i][0]), *b CLEANUP_FREE = data(pairs[i][1]);
                struct pki_key *x CLEANUP_PKI_KEY = load(a), *y CLEANUP_PKI_KEY = load(b);
                assert_true(pki_key_equal(x, y));
                assert_int_equal(pki_key_write_private(x, &out, NULL), 0);
                assert_string_equal(buf_str(&out), b);
        }
        /* other blocks, text and damaged blocks in front of the key are skipped */
        char *params CLEANUP_FREE = data("ec-params.key"), *crt CLEANUP_FREE = data("rsa-ca.crt"),
                     *ed CLEANUP_FREE = data("rsa-ca.key");
        struct pki_key *p CLEANUP_PKI_KEY = load(params);
        char *mixed CLEANUP_FREE = xasprintf("some words\r\n%s-----BEGIN RSA PRIVATE KEY-----\nnot base64 !\n"
                                             "-----END RSA PRIVATE KEY-----\n\n%s%s",
                                             crt, ed, params);
        struct pki_key *m CLEANUP_PKI_KEY = load(mixed), *e CLEANUP_PKI_KEY = load(ed);
        assert_true(pki_key_equal(m, e));
        assert_false(pki_key_equal(m, p));
}

static void refuses(const char *text, int code, const char *message)
{
        struct pki_key *key = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(pki_key_load(text, strlen(text), &key, &err), -code);
        assert_string_equal(err.msg, message);
        assert_null(key);
}

static void test_refused(void **state)
{
        (void)state;
        static const char *const none = "data does not contain a valid RSA or ECDSA private key";
        char *crt CLEANUP_FREE = data("rsa-ca.crt"), *ed CLEANUP_FREE = data("ed25519.p8"),
                  *encrypted CLEANUP_FREE = data("encrypted.key"), *key CLEANUP_FREE = data("rsa-ca.key");

        refuses("", ERR_INVALID, none);
        refuses("hello\n", ERR_INVALID, none);
        refuses(crt, ERR_INVALID, none);
        refuses(encrypted, ERR_INVALID, none);
        refuses(ed, ERR_UNSUPPORTED, "is neither in RSA nor ECDSA format");
        refuses("-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n", ERR_INVALID, none);
        refuses("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", ERR_INVALID, none);
        refuses("-----BEGIN RSA PRIVATE KEY-----", ERR_INVALID, none);
        refuses("-----BEGIN ", ERR_INVALID, none);
        /* every prefix is refused without harm, as a file that is being written would be */
        size_t len = strlen(key);
        for (size_t n = 0; n + 25 < len; n++) {
                struct pki_key *part = NULL;
                assert_true(pki_key_load(key, n, &part, NULL) < 0);
        }
}

static void generates(enum pki_algorithm algorithm, const char *begin)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), again CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                       pub CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct pki_key *key CLEANUP_PKI_KEY = NULL;

        assert_int_equal(pki_key_generate(algorithm, &key, NULL), 0);
        assert_int_equal(pki_key_write_private(key, &out, NULL), 0);
        assert_int_equal(strncmp(buf_str(&out), begin, strlen(begin)), 0);
        struct pki_key *read CLEANUP_PKI_KEY = load(buf_str(&out));
        assert_true(pki_key_equal(key, read));
        assert_int_equal(pki_key_write_private(read, &again, NULL), 0);
        assert_string_equal(buf_str(&out), buf_str(&again));
        assert_int_equal(pki_key_write_public(key, &pub, NULL), 0);
        assert_int_equal(pki_key_check_public(key, buf_str(&pub), pub.len, NULL), 0);
}

static void test_generate(void **state)
{
        (void)state;
        generates(PKI_ALGORITHM_RSA_2048, "-----BEGIN RSA PRIVATE KEY-----\n");
        /* often enough that a number with a zero in front, or with the high bit set, comes up */
        for (int i = 0; i < 300; i++) {
                generates(PKI_ALGORITHM_ECDSA_P256, "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI");
                generates(PKI_ALGORITHM_ECDSA_P384, "-----BEGIN EC PRIVATE KEY-----\nMIGkAgEBBD");
        }
}

static void test_generate_many(void **state)
{
        (void)state;
        struct pki_key *keys[40] = {NULL};

        assert_int_equal(pki_key_generate_many(PKI_ALGORITHM_ECDSA_P256, 0, keys, NULL), 0);
        assert_null(keys[0]);
        assert_int_equal(pki_key_generate_many(PKI_ALGORITHM_ECDSA_P256, ARRAY_SIZE(keys), keys, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                assert_non_null(keys[i]);
                for (size_t j = 0; j < i; j++)
                        assert_false(pki_key_equal(keys[i], keys[j]));
        }
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                keys[i] = pki_key_free(keys[i]);
}

static void test_check_public(void **state)
{
        (void)state;
        char *sa CLEANUP_FREE = data("rsa-sa.key"), *pub CLEANUP_FREE = data("rsa-sa.pub"),
                 *other CLEANUP_FREE = data("ec-sa.pub"), *ca CLEANUP_FREE = data("rsa-ca.key"),
                 *crt CLEANUP_FREE = data("rsa-ca.crt");
        struct pki_key *key CLEANUP_PKI_KEY = load(sa), *ca_key CLEANUP_PKI_KEY = load(ca);
        struct err err = ERR_INIT;

        assert_int_equal(pki_key_check_public(key, pub, strlen(pub), &err), 0);
        assert_int_equal(pki_key_check_public(key, sa, strlen(sa), &err), 0);
        assert_int_equal(pki_key_check_public(ca_key, crt, strlen(crt), &err), 0);
        assert_int_equal(pki_key_check_public(key, other, strlen(other), &err), -ERR_INVALID);
        assert_string_equal(err.msg, "it is the public half of another key");
        assert_int_equal(pki_key_check_public(key, "x", 1, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "data does not contain any valid RSA or ECDSA public keys");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_algorithms),   cmocka_unit_test(test_same_bytes),
                cmocka_unit_test(test_forms),        cmocka_unit_test(test_refused),
                cmocka_unit_test(test_generate),     cmocka_unit_test(test_generate_many),
                cmocka_unit_test(test_check_public),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

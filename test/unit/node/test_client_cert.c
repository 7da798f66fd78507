/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "kube/kubeconfig.h"
#include "node/client_cert.h"
#include "pki/cert.h"
#include "pki/key.h"

#define NOW 1795252466 /* 2026-11-21T09:14:26Z */
#define DAY ((int64_t)24 * 60 * 60)

struct authority {
        struct pki_key *key;
        struct pki_cert *cert;
        char *pem;
};

struct fixture {
        char dir[64], *link;
        struct authority ours, theirs;
        struct pki_key *key;
};

static char *pem_of(const struct pki_cert *cert)
{
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);

        assert_int_equal(pki_cert_write(cert, &pem, NULL), 0);
        return buf_steal(&pem, NULL);
}

static void make_authority(struct authority *a)
{
        static const struct pki_cert_spec spec = {
                .common_name = "kubernetes", .ca = true, .not_before = NOW - 9 * DAY, .not_after = NOW + 900 * DAY};

        assert_int_equal(pki_key_generate(PKI_ALGORITHM_ECDSA_P256, &a->key, NULL), 0);
        assert_int_equal(pki_cert_create(&spec, a->key, NULL, NULL, &a->cert, NULL), 0);
        a->pem = pem_of(a->cert);
}

static void authority_release(struct authority *a)
{
        (void)pki_key_free(a->key);
        (void)pki_cert_free(a->cert);
        free(a->pem);
}

/* The fixture's key with that name, for 300 days from NOW. */
static char *issue(const struct fixture *f, const struct authority *by, const char *name)
{
        const struct pki_cert_spec spec = {
                .common_name = name, .usages = PKI_USAGE_CLIENT, .not_before = NOW - DAY, .not_after = NOW + 300 * DAY};
        struct pki_cert *cert CLEANUP_PKI_CERT = NULL;

        assert_int_equal(pki_cert_create(&spec, f->key, by->cert, by->key, &cert, NULL), 0);
        return pem_of(cert);
}

static int begin(void **state)
{
        struct fixture *f = xcalloc(1, sizeof(*f));

        (void)snprintf(f->dir, sizeof(f->dir), "/tmp/test-client-cert-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        f->link = client_cert_path(f->dir);
        make_authority(&f->ours);
        make_authority(&f->theirs);
        assert_int_equal(pki_key_generate(PKI_ALGORITHM_ECDSA_P256, &f->key, NULL), 0);
        *state = f;
        return 0;
}

static int end(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(file_remove_tree(f->dir, NULL), 0);
        authority_release(&f->ours);
        authority_release(&f->theirs);
        (void)pki_key_free(f->key);
        free(f->link);
        free(f);
        return 0;
}

static void store(const struct fixture *f, const struct authority *by, const char *name, int64_t at)
{
        char *pem CLEANUP_FREE = issue(f, by, name);
        struct err err = ERR_INIT;

        if (client_cert_store(f->dir, pem, f->key, (usec_t)at * USEC_PER_SEC, &err) < 0)
                fail_msg("%s", err.msg);
}

/* Whether the stored pair goes before that of a kubeconfig of our cluster, whose certificate `by` made. */
static bool taken(const struct fixture *f, const struct authority *by, int64_t now)
{
        struct kubeconfig config CLEANUP_KUBECONFIG = {
                .server = xstrdup("https://api"), .ca_pem = xstrdup(f->ours.pem), .key_pem = xstrdup("key")};
        char *given CLEANUP_FREE = issue(f, by, "system:node:n1");

        config.cert_pem = xstrdup(given);
        int r = client_cert_take(f->link, "n1", now, &config);
        if (r == 1) {
                assert_string_not_equal(config.cert_pem, given);
                assert_string_equal(config.cert_pem, config.key_pem);
                assert_string_equal(config.cert_path, f->link);
        } else {
                assert_string_equal(config.cert_pem, given);
                assert_string_equal(config.key_pem, "key");
                assert_null(config.cert_path);
        }
        return r == 1;
}

static void what_was_stored_is_taken(void **state)
{
        const struct fixture *f = *state;
        char first[128] = "", second[128] = "";

        assert_false(taken(f, &f->ours, NOW)); /* there is none */
        store(f, &f->ours, "system:node:n1", NOW);
        assert_true(taken(f, &f->ours, NOW));
        assert_true(readlink(f->link, first, sizeof(first) - 1) > 0);
        store(f, &f->ours, "system:node:n1", NOW + 1);
        assert_true(readlink(f->link, second, sizeof(second) - 1) > 0);
        assert_string_not_equal(first, second);
        assert_true(taken(f, &f->ours, NOW));
}

static void what_does_not_serve_is_not_taken(void **state)
{
        const struct fixture *f = *state;

        store(f, &f->ours, "system:node:n2", NOW);
        assert_false(taken(f, &f->ours, NOW)); /* another node's */
        store(f, &f->ours, "system:node:n1", NOW + 1);
        assert_false(taken(f, &f->ours, NOW + 301 * DAY)); /* it has expired */
        assert_int_equal(file_write_atomic(f->link, "half a certif", 13, 0600, 0, NULL), 0);
        assert_false(taken(f, &f->ours, NOW));
}

static void one_of_another_cluster_is_not_taken(void **state)
{
        const struct fixture *f = *state;

        store(f, &f->theirs, "system:node:n1", NOW);
        assert_false(taken(f, &f->ours, NOW));
        /* Where the kubeconfig's own leads nowhere either, clients have a CA of their own. */
        assert_true(taken(f, &f->theirs, NOW));
}

static void a_key_that_is_not_its_own_is_not_taken(void **state)
{
        const struct fixture *f = *state;
        char *pem CLEANUP_FREE = issue(f, &f->ours, "system:node:n1");
        struct pki_key *other CLEANUP_PKI_KEY = NULL;

        assert_int_equal(pki_key_generate(PKI_ALGORITHM_ECDSA_P256, &other, NULL), 0);
        assert_int_equal(client_cert_store(f->dir, pem, other, (usec_t)NOW * USEC_PER_SEC, NULL), 0);
        assert_false(taken(f, &f->ours, NOW));
}

static void a_kubeconfig_without_a_client_certificate_is_left_alone(void **state)
{
        const struct fixture *f = *state;
        struct kubeconfig config CLEANUP_KUBECONFIG = {.server = xstrdup("https://api"), .token = xstrdup("t")};

        store(f, &f->ours, "system:node:n1", NOW);
        assert_int_equal(client_cert_take(f->link, "n1", NOW, &config), 0);
        assert_null(config.cert_pem);
}

static void a_directory_that_cannot_be_made_is_told(void **state)
{
        const struct fixture *f = *state;
        char *pem CLEANUP_FREE = issue(f, &f->ours, "system:node:n1"), *file CLEANUP_FREE = file_join(f->dir, "file"),
                  *below CLEANUP_FREE = file_join(file, "pki");
        struct err err = ERR_INIT;

        assert_int_equal(file_write_atomic(file, "", 0, 0600, 0, NULL), 0);
        assert_true(client_cert_store(below, pem, f->key, (usec_t)NOW * USEC_PER_SEC, &err) < 0);
        assert_non_null(strstr(err.msg, below));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_stored_is_taken, begin, end),
                cmocka_unit_test_setup_teardown(what_does_not_serve_is_not_taken, begin, end),
                cmocka_unit_test_setup_teardown(one_of_another_cluster_is_not_taken, begin, end),
                cmocka_unit_test_setup_teardown(a_key_that_is_not_its_own_is_not_taken, begin, end),
                cmocka_unit_test_setup_teardown(a_kubeconfig_without_a_client_certificate_is_left_alone, begin, end),
                cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_made_is_told, begin, end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

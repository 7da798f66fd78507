/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "node/serving_cert.h"
#include "pki/cert.h"
#include "pki/verify.h"

#define NOW 1795252466 /* 2026-11-21T09:14:26Z */
#define DAY 86400

static int setup(void **state)
{
        char *dir = xstrdup("/tmp/test-serving-cert-XXXXXX");

        assert_non_null(mkdtemp(dir));
        *state = dir;
        return 0;
}

static int teardown(void **state)
{
        assert_int_equal(file_remove_tree(*state, NULL), 0);
        free(*state);
        return 0;
}

struct pair {
        char *cert, *key;
};

static void pair_release(struct pair *p)
{
        free(p->cert);
        free(p->key);
}
#define PAIR CLEANUP(pair_release) = {0}

static void load(const struct serving_cert_options *options, int64_t now, struct pair *ret)
{
        struct err err = ERR_INIT;

        if (serving_cert_load(options, now, &ret->cert, &ret->key, &err) < 0)
                fail_msg("%s", err.msg);
}

static void test_made_and_kept(void **state)
{
        char *dir CLEANUP_FREE = file_join(*state, "a/pki"), *file CLEANUP_FREE = file_join(dir, "kubelet.key");
        const struct serving_cert_options options = {.cert_dir = dir, .host = "node-1", .address = "10.0.0.1"};
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        struct pair first PAIR, again PAIR, later PAIR;
        struct err err = ERR_INIT;
        struct stat st;

        load(&options, NOW, &first);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(pki_certs_load(first.cert, strlen(first.cert), &certs, &err), 0);
        assert_int_equal(certs.count, 2); /* and its CA */
        assert_int_equal(pki_verify_name(certs.items[0], "node-1", &err), 0);
        assert_int_equal(pki_verify_name(certs.items[0], "10.0.0.1", &err), 0);
        assert_int_equal(pki_verify_chain(certs.items[0], NULL, 0, certs.items[1], NOW, &err), 0);
        load(&options, NOW + 300 * DAY, &again);
        assert_string_equal(again.cert, first.cert);
        assert_string_equal(again.key, first.key);
        load(&options, NOW + 400 * DAY, &later); /* it has expired */
        assert_string_not_equal(later.cert, first.cert);
}

static void test_damaged(void **state)
{
        const struct serving_cert_options options = {.cert_dir = *state, .host = "192.168.0.7", .address = ""};
        char *file CLEANUP_FREE = file_join(*state, "kubelet.key");
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        struct pair first PAIR, second PAIR;
        struct err err = ERR_INIT;

        load(&options, NOW, &first);
        assert_int_equal(file_write_atomic(file, "rubbish", 7, 0600, 0, &err), 0);
        load(&options, NOW, &second);
        assert_string_not_equal(second.cert, first.cert);
        assert_int_equal(pki_certs_load(second.cert, strlen(second.cert), &certs, &err), 0);
        assert_int_equal(pki_verify_name(certs.items[0], "192.168.0.7", &err), 0);
}

/* What the configuration names is not made. */
static void test_named(void **state)
{
        char *cert CLEANUP_FREE = file_join(*state, "tls.crt"), *key CLEANUP_FREE = file_join(*state, "tls.key");
        const struct serving_cert_options options = {
                .cert_file = cert, .key_file = key, .cert_dir = *state, .host = "n", .address = ""};
        struct pair pair PAIR;
        struct err err = ERR_INIT;

        assert_int_equal(serving_cert_load(&options, NOW, &pair.cert, &pair.key, &err), -ENOENT);
        assert_non_null(strstr(err.msg, cert));
        assert_int_equal(file_write_atomic(cert, "C", 1, 0644, 0, &err), 0);
        assert_int_equal(serving_cert_load(&options, NOW, &pair.cert, &pair.key, &err), -ENOENT);
        assert_non_null(strstr(err.msg, key));
        assert_null(pair.cert);
        assert_int_equal(file_write_atomic(key, "K", 1, 0600, 0, &err), 0);
        load(&options, NOW, &pair);
        assert_string_equal(pair.cert, "C");
        assert_string_equal(pair.key, "K");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_made_and_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
                cmocka_unit_test_setup_teardown(test_named, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

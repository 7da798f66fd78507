/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "fixture.h"
#include "phase/kubelet_finalize.h"

#define CURRENT "/var/lib/kubelet/pki/kubelet-client-current.pem"
#define CONF(context, user)                                                                                            \
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: QQ==\n    server: "                    \
        "https://192.0.2.10:6443\n  name: kubernetes\ncontexts:\n- context:\n    cluster: kubernetes\n    user: " user \
        "\n  name: c\ncurrent-context: " context "\nkind: Config\nusers:\n- name: system:node:node1\n  user:\n"
#define WITH_DATA CONF("c", "system:node:node1") "    client-certificate-data: QQ==\n    client-key-data: QQ==\n"
#define WITH_FILE CONF("c", "system:node:node1") "    client-certificate: " CURRENT "\n    client-key: " CURRENT "\n"
#define SAYS                                                                                                   \
        "[kubelet-finalize] Updating \"/etc/kubernetes/kubelet.conf\" to point to a rotatable kubelet client " \
        "certificate and key\n"
#define FAILED                                                                          \
        "error execution phase kubelet-finalize/enable-client-cert-rotation: the file " \
        "\"/etc/kubernetes/kubelet.conf\" "

static int finalize(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_kubelet_finalize(phase, err);
}

static void test_nothing_to_do(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, KUBELET_KUBECONFIG, WITH_DATA);
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_int_equal(fixture_run(f, finalize, NULL), 0);
        assert_string_equal(f->out, "");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void test_points_to_the_file(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, CURRENT, "");
        fixture_put(f, KUBELET_KUBECONFIG, WITH_DATA);
        f->dry_run = true;
        assert_int_equal(fixture_run(f, finalize, NULL), 0);
        assert_string_equal(f->out, SAYS);
        char *kept CLEANUP_FREE = fixture_get(f, KUBELET_KUBECONFIG);
        assert_string_equal(kept, WITH_DATA);
        f->dry_run = false;
        if (fixture_run(f, finalize, NULL) < 0)
                fail_msg("%s", f->err.msg);
        assert_int_equal(strncmp(f->out, SAYS, strlen(SAYS)), 0);
        char *text CLEANUP_FREE = fixture_get(f, KUBELET_KUBECONFIG);
        assert_string_equal(text, WITH_FILE);
        /* Once more changes nothing. */
        assert_int_equal(fixture_run(f, finalize, NULL), 0);
        char *again CLEANUP_FREE = fixture_get(f, KUBELET_KUBECONFIG);
        assert_string_equal(again, WITH_FILE);
}

static void test_other_directory(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: "
                          "{advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1, kubeletExtraArgs: [{name: "
                          "cert-dir, value: /srv/pki}]}\n");
        fixture_put(f, "/srv/pki/kubelet-client-current.pem", "");
        fixture_put(f, KUBELET_KUBECONFIG, WITH_DATA);
        assert_int_equal(fixture_run(f, finalize, NULL), 0);
        char *text CLEANUP_FREE = fixture_get(f, KUBELET_KUBECONFIG);
        assert_non_null(strstr(text, "client-key: /srv/pki/kubelet-client-current.pem\n"));
}

static void fails(struct fixture *f, const char *conf, const char *text)
{
        fixture_put(f, KUBELET_KUBECONFIG, conf);
        assert_true(fixture_run(f, finalize, NULL) < 0);
        assert_string_equal(f->err.msg, text);
        char *after CLEANUP_FREE = fixture_get(f, KUBELET_KUBECONFIG);
        assert_string_equal(after, conf);
}

static void test_mistakes(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, CURRENT, "");
        assert_true(fixture_run(f, finalize, NULL) < 0);
        assert_string_equal(f->err.msg,
                            "error execution phase kubelet-finalize/enable-client-cert-rotation: could not load "
                            "\"/etc/kubernetes/kubelet.conf\": open /etc/kubernetes/kubelet.conf: no such file or "
                            "directory");
        fails(f, CONF("\"\"", "x") "    token: a\n", FAILED "does not have current context set");
        fails(f, CONF("d", "x") "    token: a\n",
              FAILED "is not a valid kubeconfig: \"d\" set as current-context, but not found in context list");
        fails(f, CONF("c", "\"\"") "    token: a\n",
              FAILED "is not a valid kubeconfig: empty username for current context");
        fails(f, CONF("c", "x") "    token: a\n", FAILED "does not contain authentication for user \"node1\"");
}

/* Up to 1.29 the user is looked for by the node's name. */
static void test_older(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nlocalAPIEndpoint: "
                          "{advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1}\n");
        f->version = "v1.29.15";
        fixture_put(f, CURRENT, "");
        fixture_put(f, KUBELET_KUBECONFIG, CONF("c", "x") "    client-key-data: QQ==\n");
        if (fixture_run(f, finalize, NULL) < 0)
                fail_msg("%s", f->err.msg);
        char *text CLEANUP_FREE = fixture_get(f, KUBELET_KUBECONFIG);
        assert_non_null(strstr(text, "    client-certificate: " CURRENT "\n    client-key: " CURRENT "\n"));
        f->version = "v1.30.14";
        fails(f, CONF("c", "x") "    token: a\n",
              "error execution phase kubelet-finalize/experimental-cert-rotation: the file "
              "\"/etc/kubernetes/kubelet.conf\" does not contain authentication for user \"node1\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_nothing_to_do),   TEST(test_points_to_the_file),
                TEST(test_other_directory), TEST(test_mistakes),
                TEST(test_older),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

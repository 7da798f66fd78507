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
#include "phase/config_decode.h"
#include "phase/config_migrate.h"
#include "phase/config_print.h"
#include "phase/names.h"

#define INIT                                                                                                 \
        "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: " \
        "192.0.2.10}\nnodeRegistration: {name: node1, kubeletExtraArgs: {v: \"2\", a: \"1\"}}\n"
#define CLUSTER "---\napiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"

static int migrate(struct phase *phase, const char *new_config, struct err *err)
{
        return phase_config_migrate(phase, new_config, err);
}

static int print(struct phase *phase, const char *action, struct err *err)
{
        return phase_config_print(phase, action, &STRV_INIT, err);
}

static void assert_holds(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

static void setup(struct fixture *f, const char *yaml)
{
        f->decode = CONFIG_DECODE_NODE_KINDS | CONFIG_DECODE_ALLOW_DEPRECATED;
        f->command = "config migrate";
        fixture_config(f, yaml);
}

static void test_arguments_and_tokens(void **state)
{
        struct fixture *f = *state;
        char token[24] = {0};

        setup(f, INIT CLUSTER "apiServer: {timeoutForControlPlane: 90s}\n");
        if (fixture_run(f, migrate, NULL) < 0)
                fail_msg("%s", f->err.msg);
        assert_holds(f->out, "  kubeletExtraArgs:\n  - name: a\n    value: \"1\"\n  - name: v\n    value: \"2\"\n");
        assert_holds(f->out, "  controlPlaneComponentHealthCheck: 1m30s\n");
        assert_holds(f->out, "\n---\napiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\n");
        const char *at = strstr(f->out, "  token: ");
        assert_non_null(at);
        memcpy(token, at + strlen("  token: "), 23);
        assert_true(name_is_bootstrap_token(token));
        /* Another run, another token. */
        if (fixture_run(f, migrate, NULL) < 0)
                fail_msg("%s", f->err.msg);
        assert_null(strstr(f->out, token));
}

static void test_new_file(void **state)
{
        struct fixture *f = *state;

        setup(f, INIT CLUSTER);
        char *path CLEANUP_FREE = xasprintf("%s/new.yaml", f->root);
        if (fixture_run(f, migrate, path) < 0)
                fail_msg("%s", f->err.msg);
        assert_string_equal(f->out, "");
        char *text CLEANUP_FREE = fixture_get(f, "/new.yaml");
        assert_holds(text, "kind: ClusterConfiguration\n");
        assert_int_equal(fixture_mode(f, "/new.yaml"), 0644);
        assert_true(fixture_run(f, migrate, "/proc/none/new.yaml") < 0);
        assert_holds(f->err.msg, "failed to write the new configuration to the file \"/proc/none/new.yaml\": ");
}

/* dryRun is for the phases of init; this only carries it over. */
static void test_dry_run(void **state)
{
        struct fixture *f = *state;

        setup(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\ndryRun: true\n" CLUSTER);
        char *path CLEANUP_FREE = xasprintf("%s/new.yaml", f->root);
        if (fixture_run(f, migrate, path) < 0)
                fail_msg("%s", f->err.msg);
        char *text CLEANUP_FREE = fixture_get(f, "/new.yaml");
        assert_holds(text, "dryRun: true\n");
}

/* What only genphase reads is carried over as it is. */
static void test_own_document(void **state)
{
        static const char own[] = "---\nkube-scheduler:\n- set: v\n  value: 4\napiVersion: "
                                  "podwatch.io/v1alpha1\nkind: ArgumentsConfiguration\n";
        struct fixture *f = *state;
        char *text CLEANUP_FREE = xasprintf("%s%s", INIT CLUSTER, own);

        setup(f, text);
        if (fixture_run(f, migrate, NULL) < 0)
                fail_msg("%s", f->err.msg);
        assert_holds(f->out, own);
}

/* A file of a node alone needs no Kubernetes version and no address. */
static void test_node_alone(void **state)
{
        struct fixture *f = *state;

        setup(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforce: true\n");
        if (fixture_run(f, migrate, NULL) < 0)
                fail_msg("%s", f->err.msg);
        assert_holds(f->out, "\nforce: true\nkind: ResetConfiguration\n");
        assert_null(strstr(f->out, "---"));
        setup(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforced: true\n");
        assert_true(fixture_run(f, migrate, NULL) < 0);
        assert_holds(f->log, "kubeadm.yaml:3:1: unknown field \"forced\"; did you mean \"force\"?\n");
        assert_holds(f->err.msg, "strict decoding error: unknown field \"forced\"");
}

static void test_print(void **state)
{
        struct fixture *f = *state;

        f->no_config = true;
        f->version = "v1.28.3";
        if (fixture_run(f, print, "init") < 0)
                fail_msg("%s", f->err.msg);
        assert_holds(f->out, "  taints: null\n---\napiServer:\n  timeoutForControlPlane: 4m0s\n");
        assert_holds(f->out, "\nkubernetesVersion: 1.28.0\n");
        f->version = NULL;
        if (fixture_run(f, print, "upgrade") < 0)
                fail_msg("%s", f->err.msg);
        assert_holds(f->out, "\ndiff: {}\nkind: UpgradeConfiguration\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_arguments_and_tokens, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_new_file, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_dry_run, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_own_document, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_node_alone, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_print, fixture_setup, fixture_teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

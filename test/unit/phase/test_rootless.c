/* SPDX-License-Identifier: Apache-2.0
 *
 * RootlessControlPlane where no recording is: dry runs, what a failure leaves. The recordings of data/rows have the
 * rest.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "codec/value.h"
#include "fixture.h"
#include "phase/component_choice.h"
#include "phase/control_plane.h"
#include "phase/rootless.h"

#define CONFIG(api, version)                                                    \
        "apiVersion: kubeadm.k8s.io/" api "\nkind: InitConfiguration\n"         \
        "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n"                    \
        "nodeRegistration: {criSocket: 'unix:///run/c.sock', name: node1}\n"    \
        "---\napiVersion: kubeadm.k8s.io/" api "\nkind: ClusterConfiguration\n" \
        "kubernetesVersion: " version "\nfeatureGates: {RootlessControlPlane: true}\n"

static int scheduler(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_control_plane(phase, &component_scheduler, err);
}

static int etcd(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_etcd_local(phase, err);
}

static void put_users(const struct fixture *f)
{
        fixture_put(f, "/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        fixture_put(f, "/etc/group", "root:x:0:\n");
}

static void expect_dry_run(struct fixture *f, const char *version, const char *config, const char *scheduler_prefix,
                           const char *etcd_prefix)
{
        char *one CLEANUP_FREE =
                xasprintf("[%s] Would create users and groups for [kube-scheduler] to run as non-root\n"
                          "[%s] Would update static pod manifest for \"kube-scheduler\" to run run as non-root\n",
                          scheduler_prefix, scheduler_prefix);
        char *two CLEANUP_FREE =
                xasprintf("[%s] Would create users and groups for \"etcd\" to run as non-root\n"
                          "[%s] Would update static pod manifest for \"etcd\" to run run as non-root\n",
                          etcd_prefix, etcd_prefix);

        f->version = version;
        f->dry_run = true;
        fixture_config(f, config);
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_non_null(strstr(f->out, one));
        assert_null(strstr(f->out, "runAsUser"));
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        assert_non_null(strstr(f->out, two));
        f->dry_run = false;
}

/* phases/controlplane/manifests.go and phases/etcd/local.go of 1.23.17, 1.24.17 and 1.36.3 */
static void test_dry_run(void **state)
{
        expect_dry_run(*state, "v1.23.17", CONFIG("v1beta3", "v1.23.17"), "dryrun", "dryrun");
        expect_dry_run(*state, "v1.24.17", CONFIG("v1beta3", "v1.24.17"), "control-plane", "etcd");
        expect_dry_run(*state, "v1.36.3", CONFIG("v1beta4", "v1.36.3"), "control-plane", "etcd");
}

static int show(struct phase *phase, const char *arg, struct err *err)
{
        struct value *pod CLEANUP_VALUE = NULL;
        int64_t uid = -1;
        int r = component_manifest(phase, &component_scheduler, &pod, err);

        (void)arg;
        if (r == 0)
                (void)value_int(value_get(pod, "spec", "securityContext", "runAsUser", NULL), &uid);
        return r < 0 ? r : (int)uid;
}

static int print(struct phase *phase, const char *arg, struct err *err)
{
        phase->options.output = "yaml";
        return scheduler(phase, arg, err);
}

static int is_dry_run(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        (void)err;
        return phase->options.dry_run;
}

/* What is shown of a pod is the same with dryRun in the configuration, and with --dry-run. */
static void test_shown_in_dry_run(void **state)
{
        static const char *const others[] = {"diff", "explain", "proxy"};
        struct fixture *f = *state;

        fixture_config(f, "dryRun: true\n" CONFIG("v1beta4", "v1.36.3"));
        put_users(f);
        char *before CLEANUP_FREE = fixture_digest(f);
        for (int i = 0; i < 2; i++) {
                f->dry_run = i > 0;
                assert_int_equal(fixture_run(f, show, NULL), 103);
                assert_int_equal(fixture_run(f, print, NULL), 0);
                assert_non_null(strstr(f->out, "runAsUser: 103\n"));
                assert_null(strstr(f->out, "Would"));
                assert_non_null(strstr(f->log, "the manifest of kube-scheduler runs it as user \"kubeadm-ks\""));
        }
        f->dry_run = false;
        f->command = "control-plane scheduler";
        assert_int_equal(fixture_run(f, is_dry_run, NULL), true);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                f->command = others[i];
                assert_int_equal(fixture_run(f, is_dry_run, NULL), false);
        }
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

/* Neither users nor a manifest where a file is missing that is to be given away. */
static void test_all_or_none(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, CONFIG("v1beta4", "v1.36.3"));
        put_users(f);
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_int_equal(fixture_run(f, scheduler, NULL), -ENOENT);
        assert_string_equal(f->err.msg,
                            "error execution phase control-plane/scheduler: failed to run component \"kube-scheduler\" "
                            "as non-root: failed to update owner of \"/etc/kubernetes/scheduler.conf\" to uid: 103 and "
                            "gid: 103: chown /etc/kubernetes/scheduler.conf: no such file or directory");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

#define CONF "\"path\":\"/etc/kubernetes/scheduler.conf\",\"mode\":\"0600\",\"uid\":"

static int all(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_control_plane(phase, NULL, err);
}

/* A file that is missing ends the component that reads it, as in kubeadm: none behind it is told of, and what came
 * before is written where a kubeadm version was asked for. */
static void test_missing_file_ends_its_component(void **state)
{
        static const char *const keys[] = {"sa.pub",
                                           "sa.key",
                                           "apiserver.key",
                                           "apiserver-kubelet-client.key",
                                           "front-proxy-client.key",
                                           "apiserver-etcd-client.key"};
        struct fixture *f = *state;

        fixture_config(f, CONFIG("v1beta4", "v1.36.3"));
        put_users(f);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                char *path CLEANUP_FREE = xasprintf("/etc/kubernetes/pki/%s", keys[i]);
                fixture_put(f, path, "x");
        }
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_int_equal(fixture_run(f, all, NULL), -ENOENT);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        f->version = "v1.36.3";
        assert_int_equal(fixture_run(f, all, NULL), -ENOENT);
        assert_non_null(strstr(f->err.msg, "failed to run component \"kube-controller-manager\" as non-root: failed to "
                                           "update owner of \"/etc/kubernetes/controller-manager.conf\" to uid: 102 "));
        assert_non_null(strstr(f->out, "\"kube-controller-manager\""));
        assert_null(strstr(f->out, "kube-scheduler"));
        assert_true(fixture_has(f, MANIFEST_DIRECTORY "/kube-apiserver.yaml"));
        assert_false(fixture_has(f, MANIFEST_DIRECTORY "/kube-controller-manager.yaml"));
}

static int told(struct phase *phase, const char *arg, struct err *err)
{
        phase->options.acts = true;
        phase->options.output = "json";
        return scheduler(phase, arg, err);
}

/* The manifest is what starts the pod, so who it runs as is there before. */
static void test_users_first(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, CONFIG("v1beta4", "v1.36.3"));
        put_users(f);
        /* Who may not give a file away can keep it: kubeadm-ks is the fourth. */
        if (geteuid() != 0) {
                char *definitions CLEANUP_FREE =
                        xasprintf("SYS_UID_MIN %u\nSYS_UID_MAX %u\nSYS_GID_MIN %u\nSYS_GID_MAX %u\n", geteuid() - 3,
                                  geteuid() + 100, getegid() - 3, getegid() + 100);
                fixture_put(f, "/etc/login.defs", definitions);
        }
        fixture_put(f, "/etc/kubernetes/scheduler.conf", "x");
        assert_int_equal(fixture_run(f, told, NULL), 0);
        const char *users = strstr(f->out, "\"write\",\"path\":\"/etc/passwd\"");
        const char *groups = strstr(f->out, "\"write\",\"path\":\"/etc/group\"");
        const char *manifest = strstr(f->out, "\"write\",\"path\":\"/etc/kubernetes/manifests/kube-scheduler.yaml\"");
        assert_true(users && groups && manifest && users < groups && groups < manifest);
        assert_non_null(strstr(f->out, "{\"action\":\"own\"," CONF));
        /* Again: it is theirs already. */
        assert_int_equal(fixture_run(f, told, NULL), 0);
        assert_null(strstr(f->out, "\"own\""));
        assert_non_null(strstr(f->out, "{\"action\":\"keep\"," CONF));
}

/* fn's argument: a file that useradd changes while the phase works. */
static int disturbed(struct phase *phase, const char *arg, struct err *err)
{
        char *path CLEANUP_FREE = phase_path(phase, arg);
        struct value *pod CLEANUP_VALUE = NULL;
        int r = phase_manifest(phase, &component_scheduler, &pod, err);

        if (r < 0)
                return r;
        r = file_write_atomic(path, "a:x:100:\n", 9, 0644, 0, err);
        return r < 0 ? r : scheduler(phase, NULL, err);
}

static void test_changed_meanwhile(void **state)
{
        static const char *const paths[] = {"/etc/passwd", "/etc/group"};
        struct fixture *f = *state;

        fixture_config(f, CONFIG("v1beta4", "v1.36.3"));
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                char *text CLEANUP_FREE = xasprintf("error execution phase control-plane/scheduler: failed to create "
                                                    "users and groups: %s was changed by somebody else meanwhile; run "
                                                    "it again",
                                                    paths[i]);

                put_users(f);
                fixture_put(f, "/etc/kubernetes/scheduler.conf", "x");
                assert_int_equal(fixture_run(f, disturbed, paths[i]), -ERR_CONFLICT);
                assert_string_equal(f->err.msg, text);
                char *now CLEANUP_FREE = fixture_get(f, paths[i]);
                assert_string_equal(now, "a:x:100:\n");
                assert_false(fixture_has(f, "/etc/kubernetes/manifests/kube-scheduler.yaml"));
        }
}

static int ids(struct phase *phase, const char *arg, struct err *err)
{
        struct value *v CLEANUP_VALUE = rootless_ids(phase);
        int64_t n = -1;

        (void)err;
        (void)value_int(value_get(v, "groups", arg, NULL), &n);
        return (int)n;
}

static void test_facts(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(fixture_run(f, ids, "kubeadm-sa-key-readers"), -1);
        put_users(f);
        assert_int_equal(fixture_run(f, ids, "kubeadm-sa-key-readers"), 104);
        fixture_put(f, "/etc/login.defs", "SYS_GID_MIN 18446744073709551615\n");
        assert_int_equal(fixture_run(f, ids, "kubeadm-sa-key-readers"), -1);
        fixture_put(f, "/etc/login.defs", "SYS_GID_MIN 500\nSYS_GID_MAX 9223372036854775807\n");
        assert_int_equal(fixture_run(f, ids, "kubeadm-sa-key-readers"), 504);
        fixture_put(f, "/etc/login.defs", "SYS_GID_MIN 9\nSYS_GID_MAX 8\n");
        assert_int_equal(fixture_run(f, ids, "kubeadm-sa-key-readers"), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_dry_run, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_shown_in_dry_run, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_all_or_none, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_missing_file_ends_its_component, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_users_first, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_changed_meanwhile, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_facts, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests_name("rootless", tests, NULL, NULL);
}

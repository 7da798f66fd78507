/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cli.h"
#include "base/err.h"
#include "fixture.h"
#include "phase/control_plane.h"

static int all(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_control_plane(phase, NULL, err);
}

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

static void test_what_is_written_and_said(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(fixture_run(f, all, NULL), 0);
        assert_string_equal(f->out, "[control-plane] Using manifest folder \"/etc/kubernetes/manifests\"\n"
                                    "[control-plane] Creating static Pod manifest for \"kube-apiserver\"\n"
                                    "[control-plane] Creating static Pod manifest for \"kube-controller-manager\"\n"
                                    "[control-plane] Creating static Pod manifest for \"kube-scheduler\"\n");
        assert_int_equal(fixture_mode(f, "/etc/kubernetes/manifests/kube-apiserver.yaml"), 0600);
        assert_int_equal(fixture_mode(f, "/etc/kubernetes/manifests"), 0700);
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        assert_string_equal(f->out,
                            "[etcd] Creating static Pod manifest for local etcd in \"/etc/kubernetes/manifests\"\n");
        assert_int_equal(fixture_mode(f, "/var/lib/etcd"), 0700);
        /* Again: nothing is touched. */
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_int_equal(fixture_run(f, all, NULL), 0);
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void test_a_child_alone(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_string_equal(f->out, "[control-plane] Creating static Pod manifest for \"kube-scheduler\"\n");
        assert_true(fixture_has(f, "/etc/kubernetes/manifests/kube-scheduler.yaml"));
        assert_false(fixture_has(f, "/etc/kubernetes/manifests/kube-apiserver.yaml"));
}

static void test_dry_run(void **state)
{
        struct fixture *f = *state;
        char *before CLEANUP_FREE = fixture_digest(f);

        f->dry_run = true;
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        assert_non_null(strstr(f->out, "[etcd] Would ensure that \"/var/lib/etcd\" directory is present\n"));
        assert_non_null(strstr(
                f->out,
                "[dryrun] Would write file \"/etc/kubernetes/manifests/etcd.yaml\" with content:\napiVersion: v1\n"));
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

/* dryRun of the configuration counts where --dry-run did not come. */
static void test_dry_run_configured(void **state)
{
        struct fixture *f = *state;
        struct cli_seen seen = {.names = STRV_INIT};
        char *dry CLEANUP_FREE = xasprintf("dryRun: true\n%s", plain_config);
        char *before CLEANUP_FREE = fixture_digest(f);

        fixture_config(f, dry);
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        assert_non_null(strstr(f->out, "[dryrun] Would write file \"/etc/kubernetes/manifests/etcd.yaml\""));
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        /* --dry-run=false */
        strv_add(&seen.names, "dry-run");
        strv_add(&seen.words, "--dry-run=false");
        strv_add(&seen.values, "false");
        f->seen = &seen;
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        assert_true(fixture_has(f, "/etc/kubernetes/manifests/etcd.yaml"));
        strv_release(&seen.names);
        strv_release(&seen.words);
        strv_release(&seen.values);
}

/* The image of etcd is its own: nothing is said of useHyperKubeImage, which counted up to 1.21. */
static void test_hyperkube(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nkubernetesVersion: v1.21.1\n"
                          "useHyperKubeImage: true\n---\napiVersion: kubeadm.k8s.io/v1beta2\nkind: InitConfiguration\n"
                          "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1}\n");
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_non_null(strstr(f->log, "\"hyperkube\" image in place of \"kube-scheduler\""));
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        assert_null(strstr(f->log, "hyperkube"));
}

static void test_external_etcd_writes_nothing(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"
                          "etcd: {external: {endpoints: ['http://10.0.0.2:2379']}}\n---\n"
                          "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n"
                          "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1}\n");
        assert_int_equal(fixture_run(f, etcd, NULL), 0);
        assert_string_equal(f->out, "");
        assert_false(fixture_has(f, "/etc/kubernetes"));
}

static void test_existing_mode_is_kept(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, "/etc/kubernetes/manifests/kube-scheduler.yaml", "old");
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_int_equal(fixture_mode(f, "/etc/kubernetes/manifests/kube-scheduler.yaml"), 0644);
        char *text CLEANUP_FREE = fixture_get(f, "/etc/kubernetes/manifests/kube-scheduler.yaml");
        assert_non_null(strstr(text, "kind: Pod"));
}

static void test_all_or_nothing(void **state)
{
        struct fixture *f = *state;

        /* A directory where the last of the three files belongs. */
        fixture_put(f, "/etc/kubernetes/manifests/kube-scheduler.yaml/x", "in the way");
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_true(fixture_run(f, all, NULL) < 0);
        assert_string_equal(
                f->err.msg,
                "error execution phase control-plane/scheduler: failed to write static pod manifest file for "
                "\"kube-scheduler\" (\"/etc/kubernetes/manifests/kube-scheduler.yaml\"): open "
                "/etc/kubernetes/manifests/kube-scheduler.yaml: is a directory");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_what_is_written_and_said, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_a_child_alone, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_dry_run, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_dry_run_configured, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_hyperkube, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_external_etcd_writes_nothing, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_existing_mode_is_kept, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_all_or_nothing, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

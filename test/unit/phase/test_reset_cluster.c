/* SPDX-License-Identifier: Apache-2.0
 *
 * reset where the cluster says how it was configured, and where it does not.
 */
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
#include "phase/reset.h"
#include "phase/reset_cluster.h"
#include "phase/reset_etcd.h"

#define CLUSTER(more) \
        "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.27.16\n" more
#define LOCAL CLUSTER("certificatesDir: /srv/pki\netcd: {local: {dataDir: /srv/etcd}}\n")
#define EXTERNAL CLUSTER("etcd: {external: {endpoints: ['https://10.0.0.9:2379']}}\n")
#define POD                                                                          \
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: etcd\n"          \
        "    command: [etcd, --initial-advertise-peer-urls=https://10.0.0.1:2380]\n" \
        "  volumes:\n  - name: etcd-data\n    hostPath: {path: /srv/other}\n"
#define NO_CONFIG "[reset] No kubeadm config, using etcd pod spec to get data directory\n"
#define DELETED(dir) "[reset] Deleted contents of the etcd data directory: " dir "\n"

static struct reset_options options;
static const char *cluster; /* what fetch gives; NULL: the server refuses */
static int asked;
static char *left_by; /* the certificates directory by which the member left */

static int fetch(void *userdata, char **ret, struct err *err)
{
        assert_ptr_equal(userdata, &asked);
        asked++;
        if (!cluster)
                return err_set(err, ERR_REMOTE, "failed to get config map: forbidden");
        *ret = xstrdup(cluster);
        return 0;
}

static int no_kubeconfig(void *userdata, char **ret, struct err *err)
{
        (void)userdata;
        (void)ret;
        (void)err;
        return 1;
}

static int leave_etcd(struct phase *phase, const struct reset_etcd *etcd, const char *certificates_dir, struct err *err)
{
        (void)phase;
        (void)err;
        assert_string_equal(etcd->peer_url, "https://10.0.0.1:2380");
        free(left_by);
        left_by = xstrdup(certificates_dir);
        return 0;
}

static int reset(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_reset(phase, &options, err);
}

static int setup(void **state)
{
        options = (struct reset_options){.force = true, .fetch = fetch, .fetch_userdata = &asked};
        cluster = LOCAL;
        asked = 0;
        if (fixture_setup(state) < 0)
                return -1;
        ((struct fixture *)*state)->no_config = true; /* as the command has it */
        fixture_put(*state, RESET_ETCD_MANIFEST, POD);
        fixture_put(*state, "/srv/etcd/member", "x");
        fixture_put(*state, "/srv/other/member", "x");
        fixture_put(*state, "/srv/pki/ca.crt", "x");
        fixture_put(*state, "/etc/kubernetes/pki/ca.crt", "x");
        return 0;
}

static int teardown(void **state)
{
        free(left_by);
        left_by = NULL;
        return fixture_teardown(state);
}

static void good(struct fixture *f)
{
        if (fixture_run(f, reset, NULL) < 0)
                fail_msg("%s", f->err.msg);
}

static void assert_holds(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

static void test_data_and_certificates_of_the_cluster(void **state)
{
        struct fixture *f = *state;

        options.leave_etcd = leave_etcd;
        good(f);
        assert_int_equal(asked, 1);
        assert_holds(f->out, "[preflight] Running pre-flight checks\n" DELETED("/srv/etcd"));
        assert_null(strstr(f->log, NO_CONFIG));
        assert_string_equal(left_by, "/srv/pki");
        assert_false(fixture_has(f, "/srv/etcd/member"));
        assert_true(fixture_has(f, "/srv/other/member"));
        /* As kubeadm, whose own default stands before what it asked; but that is said. */
        assert_false(fixture_has(f, "/etc/kubernetes/pki/ca.crt"));
        assert_true(fixture_has(f, "/srv/pki/ca.crt"));
        assert_holds(f->log, "[reset] The certificates directory of the cluster, \"/srv/pki\", is not cleaned: that "
                             "takes --cert-dir\n");
        /* It is out, and its data is deleted whether there is any or not. */
        fixture_put(f, RESET_ETCD_MANIFEST, POD);
        options.cert_dir = "/srv/pki";
        good(f);
        assert_holds(f->out, DELETED("/srv/etcd"));
        assert_null(strstr(f->log, "is not cleaned"));
        assert_false(fixture_has(f, "/srv/pki/ca.crt"));
}

static void test_server_that_refuses(void **state)
{
        struct fixture *f = *state;

        options.leave_etcd = leave_etcd;
        cluster = NULL;
        good(f);
        assert_holds(f->log, "[reset] Unable to fetch the kubeadm-config ConfigMap from cluster: failed to get config "
                             "map: forbidden\n");
        assert_holds(f->log, NO_CONFIG);
        assert_holds(f->out, DELETED("/srv/other"));
        assert_string_equal(left_by, "/etc/kubernetes/pki");
        assert_true(fixture_has(f, "/srv/etcd/member"));
}

static void test_no_kubeconfig(void **state)
{
        struct fixture *f = *state;

        options.fetch = no_kubeconfig;
        good(f);
        assert_null(strstr(f->log, "Unable to fetch"));
        assert_holds(f->log, NO_CONFIG);
        assert_holds(f->out, DELETED("/srv/other"));
}

static void test_what_is_no_configuration(void **state)
{
        static const char *const texts[] = {"", "[", "kind: Pod\n", CLUSTER("etcd: 5\n"),
                                            "apiVersion: kubeadm.k8s.io/v9\nkind: ClusterConfiguration\n"};
        struct fixture *f = *state;

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                cluster = texts[i];
                good(f);
                assert_holds(f->log, "[reset] Unable to fetch the kubeadm-config ConfigMap from cluster: ");
        }
}

/* A path that the directory of the caller would complete is not taken. */
static void test_relative_data_directory(void **state)
{
        struct fixture *f = *state;

        cluster = CLUSTER("etcd: {local: {dataDir: srv/etcd}}\n");
        good(f);
        assert_holds(f->out, DELETED("/srv/other"));
        assert_true(fixture_has(f, "/srv/etcd/member"));
}

static void test_external_etcd(void **state)
{
        struct fixture *f = *state;

        options.leave_etcd = leave_etcd;
        cluster = EXTERNAL;
        fixture_remove(f, RESET_ETCD_MANIFEST);
        good(f);
        assert_holds(f->log, NO_CONFIG);
        assert_null(strstr(f->log, "Failed to remove etcd member"));
        assert_holds(f->out, DELETED("/var/lib/etcd"));
        assert_true(fixture_has(f, "/srv/other/member"));
        assert_null(left_by);
}

/* The cluster has a member here, and nothing says which. */
static void test_manifest_that_is_gone(void **state)
{
        struct fixture *f = *state;

        options.leave_etcd = leave_etcd;
        fixture_remove(f, RESET_ETCD_MANIFEST);
        good(f);
        assert_null(left_by);
        assert_holds(f->log, "[reset] Failed to remove etcd member: " RESET_ETCD_MANIFEST
                             " does not name it, please manually remove this etcd member using etcdctl\n");
        assert_false(fixture_has(f, "/srv/etcd/member"));
        fixture_put(f, RESET_ETCD_MANIFEST, "[");
        fixture_put(f, "/srv/etcd/member", "x");
        good(f);
        assert_holds(f->log, "[reset] Failed to remove etcd member: " RESET_ETCD_MANIFEST ":");
        assert_false(fixture_has(f, "/srv/etcd/member"));
}

static void test_dry_run(void **state)
{
        struct fixture *f = *state;
        char *before CLEANUP_FREE = fixture_digest(f);

        f->dry_run = true;
        good(f);
        assert_holds(f->out, "[dryrun] Would remove the etcd member on this node from the etcd cluster\n[dryrun] Would "
                             "delete contents of the etcd data directory: /srv/etcd\n");
        /* Up to 1.25 it is one of the directories that come last. */
        f->version = "v1.25.16";
        good(f);
        assert_holds(f->out, "[reset] Would remove the etcd member on this node from the etcd cluster\n[reset] Would ");
        assert_null(strstr(f->out, "contents of the etcd data directory"));
        assert_holds(f->out, "[reset] Would delete contents of stateful directories: [/srv/etcd]\n");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void test_stateful_directories(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.25.16";
        fixture_put(f, "/var/lib/kubelet/config.yaml", "x");
        options.only = "remove-etcd-member";
        good(f);
        assert_true(fixture_has(f, "/srv/etcd/member"));
        assert_string_equal(f->out, "");
        options.only = NULL;
        good(f);
        assert_holds(f->out, "[reset] Deleting contents of stateful directories: [/srv/etcd /var/lib/kubelet]\n");
        assert_false(fixture_has(f, "/srv/etcd/member"));
        assert_false(fixture_has(f, "/var/lib/kubelet/config.yaml"));
        /* Nothing stands for a manifest that is gone. */
        options.fetch = NULL;
        good(f);
        assert_holds(f->out, "[reset] No etcd config found. Assuming external etcd\n");
}

/* The gate counts, not what a manifest has. */
static void test_rootless(void **state)
{
        static const char would[] = "[dryrun] Would remove users and groups created for rootless control-plane\n";
        struct fixture *f = *state;

        f->dry_run = true;
        cluster = CLUSTER("featureGates: {RootlessControlPlane: true}\n");
        good(f);
        assert_holds(f->out, would);
        fixture_put(f, "/etc/passwd", "kubeadm-ks:x:103:103:::/bin/false\n");
        fixture_put(f, "/etc/kubernetes/manifests/kube-scheduler.yaml",
                    "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsUser: 103}\n");
        cluster = LOCAL;
        good(f);
        assert_null(strstr(f->out, would));
        cluster = NULL;
        good(f);
        assert_holds(f->out, would);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_data_and_certificates_of_the_cluster),
                TEST(test_server_that_refuses),
                TEST(test_no_kubeconfig),
                TEST(test_what_is_no_configuration),
                TEST(test_relative_data_directory),
                TEST(test_external_etcd),
                TEST(test_manifest_that_is_gone),
                TEST(test_dry_run),
                TEST(test_stateful_directories),
                TEST(test_rootless),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

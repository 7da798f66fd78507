/* SPDX-License-Identifier: Apache-2.0
 *
 * reset: what goes, in which order, and what stays.
 */
#include <errno.h>
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
#include "base/err.h"
#include "base/file.h"
#include "fixture.h"
#include "phase/proxy.h"
#include "phase/reset.h"
#include "phase/reset_etcd.h"
#include "phase/reset_files.h"

#define MANIFEST "/etc/kubernetes/manifests/etcd.yaml"
#define ETCD_POD(dir) \
        "apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n  - name: etcd-data\n    hostPath: {path: " dir "}\n"
#define DELETED                                                                                                      \
        "[preflight] Running pre-flight checks\n[reset] Deleted contents of the etcd data directory: /srv/etcd\n"    \
        "[reset] Unmounting mounted directories in \"/var/lib/kubelet\"\n[reset] Deleting contents of directories: " \
        "[/etc/kubernetes/manifests /var/lib/kubelet /etc/kubernetes/pki]\n[reset] Deleting files: "                 \
        "[/etc/kubernetes/admin.conf /etc/kubernetes/super-admin.conf /etc/kubernetes/kubelet.conf "                 \
        "/etc/kubernetes/bootstrap-kubelet.conf /etc/kubernetes/controller-manager.conf "                            \
        "/etc/kubernetes/scheduler.conf]\n"

/* What reset_etcd_read makes of a manifest, and reset of its member's leave. */
static struct {
        int called;
        bool fails, data_there;
        int64_t timeout_nsec;
        char *endpoints, *peer_url, *certificates_dir;
} left;

static int leave_etcd(struct phase *phase, const struct reset_etcd *etcd, const char *certificates_dir, struct err *err)
{
        left.called++;
        left.timeout_nsec = phase->config->init.timeouts.etcd_api_call.nsec;
        left.data_there = phase_exists(phase, "/srv/etcd/member/snap/db");
        free(left.endpoints);
        left.endpoints = strv_join(&etcd->endpoints, " ");
        free(left.peer_url);
        left.peer_url = xstrdup(etcd->peer_url);
        free(left.certificates_dir);
        left.certificates_dir = xstrdup(certificates_dir);
        return left.fails ? err_set(err, ERR_REMOTE, "no quorum") : 0;
}

static struct reset_options options;

static int reset(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_reset(phase, &options, err);
}

static int setup(void **state)
{
        options = (struct reset_options){.force = true, .wait_sec = 2};
        if (fixture_setup(state) < 0)
                return -1;
        ((struct fixture *)*state)->no_config = true; /* as the command has it */
        fixture_put(*state, MANIFEST, ETCD_POD("/srv/etcd"));
        fixture_put(*state, "/srv/etcd/member/snap/db", "x");
        fixture_put(*state, "/etc/kubernetes/pki/etcd/ca.key", "x");
        fixture_put(*state, "/etc/kubernetes/admin.conf", "x");
        fixture_put(*state, "/etc/kubernetes/mine.conf", "x");
        fixture_put(*state, "/var/lib/kubelet/config.yaml", "x");
        return 0;
}

static int teardown(void **state)
{
        strv_release(&options.skipped);
        strv_release(&options.ignored);
        free(left.endpoints);
        free(left.peer_url);
        free(left.certificates_dir);
        memset(&left, 0, sizeof(left));
        return fixture_teardown(state);
}

static void good(struct fixture *f)
{
        if (fixture_run(f, reset, NULL) < 0)
                fail_msg("%s", f->err.msg);
}

static void bad(struct fixture *f, const char *text)
{
        char *before CLEANUP_FREE = fixture_digest(f);

        assert_true(fixture_run(f, reset, NULL) < 0);
        assert_string_equal(f->err.msg, text);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void assert_holds(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

static void test_whole(void **state)
{
        struct fixture *f = *state;

        good(f);
        assert_int_equal(strncmp(f->out, DELETED, strlen(DELETED)), 0);
        assert_holds(f->out, "\nThe reset process does not perform cleanup of CNI plugin configuration,\n");
        assert_false(fixture_has(f, MANIFEST));
        assert_false(fixture_has(f, "/etc/kubernetes/pki/etcd"));
        assert_false(fixture_has(f, "/etc/kubernetes/admin.conf"));
        assert_false(fixture_has(f, "/srv/etcd/member"));
        assert_false(fixture_has(f, "/var/lib/kubelet/config.yaml"));
        assert_true(fixture_has(f, "/etc/kubernetes/manifests"));
        assert_true(fixture_has(f, "/etc/kubernetes/mine.conf"));
        assert_true(fixture_has(f, "/srv/etcd"));
        /* Again: nothing is there any more, and that is fine. */
        good(f);
}

/* Below another root a link leads below it, whatever this machine has there. */
static void test_links(void **state)
{
        struct fixture *f = *state;
        char *pki CLEANUP_FREE = file_join(f->root, "/etc/kubernetes/pki");
        char *kubelet CLEANUP_FREE = file_join(f->root, "/var/lib/kubelet");
        char *outside CLEANUP_FREE = file_join(f->dir, "outside");

        fixture_put(f, "/../outside/ca.key", "x");
        fixture_put(f, "/srv/kubelet/config.yaml", "x");
        assert_int_equal(file_remove_tree(pki, &f->err), 0);
        assert_int_equal(file_remove_tree(kubelet, &f->err), 0);
        assert_int_equal(symlink(outside, pki), 0);
        assert_int_equal(symlink("../../../../../../../../srv/kubelet", kubelet), 0);
        good(f);
        assert_true(fixture_has(f, "/../outside/ca.key"));
        assert_true(fixture_has(f, "/srv/kubelet"));
        assert_false(fixture_has(f, "/srv/kubelet/config.yaml"));
}

static void test_dry_run(void **state)
{
        struct fixture *f = *state;
        char *before CLEANUP_FREE = fixture_digest(f);

        f->dry_run = true;
        options.podwatch = true;
        good(f);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        assert_holds(f->out,
                     "[dryrun] Would delete the manifests in /etc/kubernetes/manifests and wait until podwatch has "
                     "stopped their pods\n");
        assert_holds(f->out, "[dryrun] Would remove Kubernetes-managed containers\n[dryrun] Would delete contents of "
                             "directories: [/etc/kubernetes/manifests /etc/kubernetes/pki]\n");
        f->version = "v1.31.14";
        good(f);
        assert_holds(f->out, "[reset] Would delete contents of directories: ");
        assert_holds(f->out, "If your cluster was setup to utilize IPVS, run ipvsadm --clear (or similar)\n");
}

/* What a podwatch does meanwhile: it is seen twice, then the containers are gone. */
struct seen {
        const struct fixture *f;
        int looked, removed;
        bool manifest_there, config_gone, etcd_stopped;
};

static int count(void *userdata, const char *container, size_t *ret, struct err *err)
{
        struct seen *seen = userdata;

        if (container) {
                seen->etcd_stopped = !fixture_has(seen->f, MANIFEST) && fixture_has(seen->f, "/srv/etcd/member");
                *ret = 0;
                return 0;
        }
        (void)err;
        seen->manifest_there |= fixture_has(seen->f, MANIFEST);
        seen->config_gone |= !fixture_has(seen->f, "/var/lib/kubelet/config.yaml");
        *ret = ++seen->looked < 3 ? 2 : 0;
        return 0;
}

static int remove_all(void *userdata, const struct phase *phase, struct err *err)
{
        struct seen *seen = userdata;

        (void)phase;
        (void)err;
        seen->removed++;
        return 0;
}

static void test_podwatch(void **state)
{
        struct fixture *f = *state;
        struct seen seen = {.f = f};

        options.podwatch = true;
        options.run = (struct reset_runtime){count, remove_all, &seen};
        good(f);
        assert_int_equal(seen.looked, 3);
        assert_int_equal(seen.removed, 1);
        assert_true(seen.etcd_stopped);
        assert_false(seen.manifest_there);
        assert_false(seen.config_gone);
        assert_holds(f->out,
                     "[reset] Deleting the manifests in /etc/kubernetes/manifests and waiting until podwatch has "
                     "stopped their pods\n");
        assert_holds(f->out, "podwatch's own record of what it ran stays in /var/lib/podwatch.\n");
        assert_null(strstr(f->log, "still there"));
}

/* Users that init makes for the gate RootlessControlPlane go where a manifest shows that they are in use. */
static void test_rootless(void **state)
{
        static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                                     "kubeadm-etcd:x:100:100:::/bin/false\n"
                                     "kubeadm-ks:x:103:103:::/bin/false\n"
                                     "kubeadm-ks2:x:200:200:::/bin/false\n";
        static const char group[] = "kubeadm-ks:x:103:kubeadm-ks\nroot:x:0:\n"
                                    "kubeadm-sa-key-readers:x:104:kubeadm-kas,kubeadm-kcm\n";
        static const char would[] = "[dryrun] Would remove users and groups created for rootless control-plane\n";
        static const char pod[] = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsUser: %d}\n";
        struct fixture *f = *state;
        char *own CLEANUP_FREE = xasprintf(pod, 103), *other CLEANUP_FREE = xasprintf(pod, 1000);

        fixture_put(f, "/etc/passwd", passwd);
        fixture_put(f, "/etc/group", group);
        fixture_put(f, "/etc/kubernetes/manifests/kube-scheduler.yaml", other);
        good(f);
        char *kept CLEANUP_FREE = fixture_get(f, "/etc/passwd");
        assert_string_equal(kept, passwd);

        fixture_put(f, "/etc/kubernetes/manifests/kube-scheduler.yaml", own);
        f->dry_run = true;
        good(f);
        assert_holds(f->out, would);
        char *still CLEANUP_FREE = fixture_get(f, "/etc/passwd");
        assert_string_equal(still, passwd);

        f->dry_run = false;
        options.only = "cleanup-node";
        good(f);
        char *users CLEANUP_FREE = fixture_get(f, "/etc/passwd"), *groups CLEANUP_FREE = fixture_get(f, "/etc/group");
        assert_string_equal(users, "root:x:0:0:root:/root:/bin/sh\nkubeadm-ks2:x:200:200:::/bin/false\n");
        assert_string_equal(groups, "root:x:0:\n");

        f->dry_run = true;
        good(f);
        assert_null(strstr(f->out, "users and groups"));
        f->dry_run = false;

        fixture_put(f, "/etc/passwd", passwd);
        fixture_put(f, "/etc/kubernetes/manifests/kube-scheduler.yaml", own);
        fixture_remove(f, "/etc/group");
        good(f);
        assert_holds(f->log, "[reset] Failed to remove users and groups: open /etc/group: no such file or directory\n");
        char *whole CLEANUP_FREE = fixture_get(f, "/etc/passwd");
        assert_string_equal(whole, passwd);
}

static int count_stuck(void *userdata, const char *container, size_t *ret, struct err *err)
{
        (void)userdata;
        (void)err;
        *ret = container ? 0 : 1;
        return 0;
}

static void test_podwatch_that_does_not_stop(void **state)
{
        struct fixture *f = *state;

        options.podwatch = true;
        options.wait_sec = 0;
        options.run = (struct reset_runtime){count_stuck, NULL, NULL};
        good(f);
        assert_holds(f->log, "1 containers of pods are still there after 0 seconds\n");
        assert_false(fixture_has(f, "/etc/kubernetes/pki/etcd"));
}

static void test_answer(void **state)
{
        static const char *const no = "error execution phase preflight: won't proceed; the user didn't answer (Y|y) in "
                                      "order to continue";
        struct fixture *f = *state;
        char yes[] = "YES\n", other[] = "maybe\n";

        options.force = false;
        bad(f, no);
        options.in = fmemopen(other, strlen(other), "r");
        bad(f, no);
        (void)fclose(options.in);
        options.in = fmemopen(yes, strlen(yes), "r");
        good(f);
        (void)fclose(options.in);
        assert_int_equal(strncmp(f->out, "[reset] Are you sure you want to proceed? [y/N]: [preflight] ", 60), 0);
}

static void test_configuration(void **state)
{
        struct fixture *f = *state;
        char *file CLEANUP_FREE = file_join(f->root, "reset.yaml");

        options.config_file = file;
        bad(f, "can not mix '--config' with arguments [force]");
        options.cri_socket = "";
        bad(f, "can not mix '--config' with arguments [cri-socket force]");
        options.cri_socket = NULL;
        options.force = false;
        fixture_put(f, "/reset.yaml",
                    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforce: true\n"
                    "certificatesDir: /srv/pki\nskipPhases: [remove-etcd-member]\n");
        fixture_put(f, "/srv/pki/ca.crt", "x");
        good(f);
        assert_false(fixture_has(f, "/srv/pki/ca.crt"));
        assert_true(fixture_has(f, "/srv/etcd/member/snap/db"));
        assert_holds(f->log, "WARNING: Cleaning a non-default certificates directory: \"/srv/pki\"\n");
        fixture_put(f, "/reset.yaml", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforced: true\n");
        assert_true(fixture_run(f, reset, NULL) < 0);
        assert_holds(f->log, "reset.yaml:3:1: unknown field \"forced\"; did you mean \"force\"?");
        assert_holds(f->err.msg, "strict decoding error: unknown field \"forced\"");
        fixture_put(f, "/reset.yaml", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforce: 1\n");
        assert_true(fixture_run(f, reset, NULL) < 0);
        assert_holds(f->err.msg, "reset.yaml:3:8: force: ");
        fixture_put(f, "/reset.yaml", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n");
        bad(f, "no ResetConfiguration found in the supplied config");
        f->version = "v1.33.13";
        bad(f, "no JoinConfiguration found in the supplied config");
        f->version = NULL;
        fixture_put(f, "/reset.yaml", "kind: ResetConfiguration\n");
        bad(f,
            "invalid configuration for GroupVersionKind /, Kind=ResetConfiguration: kind and apiVersion is mandatory "
            "information that must be specified");
}

/* What the document says is looked at before anything is deleted. */
static void test_configuration_is_validated(void **state)
{
        static const char head[] = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforce: true\n";
        static const struct {
                const char *line, *err, *log;
        } wrong[] = {
                {"certificatesDir: pki\n", "certificatesDir: Invalid value: \"pki\": path is not absolute",
                 "reset.yaml:4:18: "},
                {"unmountFlags: [MNT_DETACH, MNT_LAZY]\n",
                 "unmountFlags: Invalid value: \"index 1\": unknown unmount flag MNT_LAZY", "reset.yaml:4:28: "},
                {"unmountFlags: [MNT_EXPIRE, MNT_DETACH]\n",
                 "unmountFlags: MNT_EXPIRE cannot stand beside MNT_FORCE or MNT_DETACH", "reset.yaml:4:15: "},
        };
        struct fixture *f = *state;
        char *file CLEANUP_FREE = file_join(f->root, "reset.yaml");

        options.config_file = file;
        options.force = false;
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                char *text CLEANUP_FREE = xasprintf("%s%s", head, wrong[i].line);
                fixture_put(f, "/reset.yaml", text);
                f->version = "v1.33.13";
                bad(f, wrong[i].err);
                assert_int_equal(f->exit_code, 3);
                assert_holds(f->log, wrong[i].log);
                f->version = NULL;
                bad(f, wrong[i].err);
                assert_int_equal(f->exit_code, 1);
        }
}

static int reset_clean_directory_of(struct phase *phase, const char *path, struct err *err)
{
        return reset_clean_directory(phase, path, err);
}

static void test_certificates_directory(void **state)
{
        struct fixture *f = *state;

        options.cert_dir = "pki";
        bad(f, "certificatesDir: Invalid value: \"pki\": path is not absolute");
        fixture_put(f, "/srv/kept", "x");
        options.cert_dir = "";
        good(f);
        assert_true(fixture_has(f, "/srv/kept"));
        assert_false(fixture_has(f, "/etc/kubernetes/pki/etcd"));
        assert_int_equal(strncmp(f->out, DELETED, strlen(DELETED)), 0);
        assert_int_equal(fixture_run(f, reset_clean_directory_of, "srv"), -EINVAL);
        assert_string_equal(f->err.msg, "open srv: path is not absolute");
        assert_int_equal(fixture_run(f, reset_clean_directory_of, ""), -EINVAL);
        assert_true(fixture_has(f, "/srv/kept"));
}

static void test_options(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, "/etc/kubernetes/tmp/old", "x");
        fixture_put(f, PROXY_KUBECONFIG, "x");
        strv_add(&options.skipped, "remove-etcd-member");
        options.cleanup_tmp_dir = true;
        good(f);
        assert_true(fixture_has(f, "/srv/etcd/member"));
        assert_false(fixture_has(f, "/etc/kubernetes/tmp/old"));
        assert_false(fixture_has(f, PROXY_KUBECONFIG));
        strv_add(&options.skipped, "nonsense");
        bad(f, "invalid phase name: nonsense");
        strv_release(&options.skipped);
        strv_add(&options.ignored, "all");
        strv_add(&options.ignored, "Swap");
        bad(f,
            "ignore-preflight-errors: Invalid value: \"all,swap\": don't specify individual checks if 'all' is used");
        assert_int_equal(f->exit_code, 1);
        f->version = "v1.33.13";
        bad(f,
            "ignore-preflight-errors: Invalid value: \"all,swap\": don't specify individual checks if 'all' is used");
        assert_int_equal(f->exit_code, 3);
}

#define ETCD_COMMAND(...) \
        ETCD_POD("/srv/etcd") "  containers:\n  - name: etcd\n    command: [etcd, '" __VA_ARGS__ "']\n"

static void test_member_leaves(void **state)
{
        struct fixture *f = *state;

        options.leave_etcd = leave_etcd;
        fixture_put(f, MANIFEST,
                    ETCD_COMMAND("--advertise-client-urls=https://10.0.0.1:2379', "
                                 "'--initial-advertise-peer-urls=https://10.0.0.1:2380', "
                                 "'--initial-cluster=a=https://10.0.0.1:2380,b=https://[fd00::2]:2380,c=nonsense"));
        f->dry_run = true;
        good(f);
        assert_int_equal(left.called, 0);
        assert_holds(f->out, "[dryrun] Would remove the etcd member on this node from the etcd cluster\n[dryrun] Would "
                             "delete contents of the etcd data directory: /srv/etcd\n");
        f->dry_run = false;
        good(f);
        assert_int_equal(left.called, 1);
        assert_true(left.data_there);
        assert_string_equal(left.endpoints, "https://10.0.0.1:2379 https://[fd00::2]:2379");
        assert_string_equal(left.peer_url, "https://10.0.0.1:2380");
        assert_string_equal(left.certificates_dir, "/etc/kubernetes/pki");
        assert_false(fixture_has(f, "/srv/etcd/member"));
}

static void test_member_that_cannot_leave(void **state)
{
        struct fixture *f = *state;

        options.leave_etcd = leave_etcd;
        left.fails = true;
        fixture_put(f, MANIFEST, ETCD_COMMAND("--initial-advertise-peer-urls=https://10.0.0.1:2380"));
        good(f);
        assert_int_equal(left.called, 1);
        assert_holds(f->log, "[reset] Failed to remove etcd member: no quorum, please manually remove this etcd member "
                             "using etcdctl\n");
        assert_false(fixture_has(f, "/srv/etcd/member"));
}

static void test_timeout_of_etcd(void **state)
{
        struct fixture *f = *state;
        char *file CLEANUP_FREE = file_join(f->root, "reset.yaml");

        options.leave_etcd = leave_etcd;
        fixture_put(f, MANIFEST, ETCD_COMMAND("--initial-advertise-peer-urls=https://10.0.0.1:2380"));
        good(f);
        assert_int_equal(left.timeout_nsec, INT64_C(120) * 1000000000);
        fixture_put(f, MANIFEST, ETCD_COMMAND("--initial-advertise-peer-urls=https://10.0.0.1:2380"));
        fixture_put(f, "/reset.yaml",
                    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforce: true\n"
                    "timeouts: {etcdAPICall: 1m7s}\n");
        options.config_file = file;
        options.force = false;
        good(f);
        assert_int_equal(left.called, 2);
        assert_int_equal(left.timeout_nsec, INT64_C(67) * 1000000000);
}

/* Somebody else's etcd, or one without a peer: there is no cluster to leave. */
static void test_manifest_without_a_peer(void **state)
{
        struct fixture *f = *state;

        options.leave_etcd = leave_etcd;
        fixture_put(f, MANIFEST, ETCD_COMMAND("--advertise-client-urls=https://10.0.0.1:2379"));
        good(f);
        assert_int_equal(left.called, 0);
        assert_false(fixture_has(f, "/srv/etcd/member"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_whole),
                TEST(test_links),
                TEST(test_dry_run),
                TEST(test_podwatch),
                TEST(test_podwatch_that_does_not_stop),
                TEST(test_rootless),
                TEST(test_answer),
                TEST(test_configuration),
                TEST(test_configuration_is_validated),
                TEST(test_certificates_directory),
                TEST(test_options),
                TEST(test_member_leaves),
                TEST(test_member_that_cannot_leave),
                TEST(test_timeout_of_etcd),
                TEST(test_manifest_without_a_peer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

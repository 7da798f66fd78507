/* SPDX-License-Identifier: Apache-2.0
 *
 * preflight in a tree: what is looked at there, by kubeadm's names; and what is told how. The checks of a machine are
 * shown beside a real kubeadm (test/integration/test_preflight.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "codec/value.h"
#include "fixture.h"
#include "phase/preflight.h"
#include "phase/service.h"

#define MANIFEST "/etc/kubernetes/manifests/kube-scheduler.yaml"
#define FAILED "error execution phase preflight: preflight checks failed"

static struct strv ignored;
static struct preflight_runtime runtime;

static int preflight(struct phase *phase, const char *arg, struct err *err)
{
        const struct preflight_options options = {.docker_socket = "/nonexistent.sock", .runtime = runtime};

        (void)arg;
        return phase_preflight(phase, &options, err);
}

static int setup(void **state)
{
        runtime = (struct preflight_runtime){NULL};
        (void)unsetenv("HTTPS_PROXY");
        (void)unsetenv("https_proxy");
        (void)unsetenv("NO_PROXY");
        (void)unsetenv("no_proxy");
        return fixture_setup(state);
}

static int teardown(void **state)
{
        strv_release(&ignored);
        return fixture_teardown(state);
}

static void test_clean(void **state)
{
        struct fixture *f = *state;

        if (fixture_run(f, preflight, NULL) < 0)
                fail_msg("%s", f->err.msg);
        assert_string_equal(f->out, "[preflight] Running pre-flight checks\n[preflight] Would pull the required images "
                                    "(like 'kubeadm config images pull')\n");
        assert_string_equal(f->log, "");
}

static void test_what_is_there_already(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, MANIFEST, "");
        fixture_put(f, "/var/lib/etcd/member/x", "");
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_string_equal(f->err.msg, FAILED);
        assert_string_equal(f->log, "[preflight] Some fatal errors occurred:\n"
                                    "\t[ERROR FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml]: " MANIFEST
                                    " already exists\n"
                                    "\t[ERROR DirAvailable--var-lib-etcd]: /var/lib/etcd is not empty\n"
                                    "[preflight] If you know what you are doing, you can make a check non-fatal with "
                                    "`--ignore-preflight-errors=...`\n");
        f->version = "v1.33.13";
        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: "
                          "{advertiseAddress: 192.0.2.10}\n");
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_int_equal(strncmp(f->err.msg,
                                 "error execution phase preflight: [preflight] Some fatal errors occurred:\n\t[ERROR "
                                 "FileAvailable--",
                                 90),
                         0);
}

static void test_ignored(void **state)
{
        struct fixture *f = *state;

        f->ignored_checks = &ignored;
        fixture_put(f, MANIFEST, "");
        fixture_put(f, "/var/lib/etcd/member/x", "");
        strv_add(&ignored, "fileavailable--ETC-kubernetes-manifests-kube-scheduler.yaml");
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_int_equal(strncmp(f->log, "\t[WARNING FileAvailable--", 25), 0);
        assert_null(strstr(f->log, "[ERROR FileAvailable"));
        strv_release(&ignored);
        strv_add(&ignored, "all");
        assert_int_equal(fixture_run(f, preflight, NULL), 0);
        assert_non_null(strstr(f->log, "\t[WARNING DirAvailable--var-lib-etcd]: /var/lib/etcd is not empty\n"));
        strv_add(&ignored, "Swap");
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_non_null(strstr(f->err.msg, "don't specify individual checks if 'all' is used"));
        assert_int_equal(f->exit_code, 1);
        assert_string_equal(f->out, "");
        f->version = "v1.33.13";
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_int_equal(f->exit_code, 3);
        /* Names are of the file and of the flag together. */
        strv_release(&ignored);
        strv_add(&ignored, "ALL");
        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: "
                          "{advertiseAddress: 192.0.2.10}\nnodeRegistration: {ignorePreflightErrors: [Swap]}\n");
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_non_null(strstr(f->err.msg, "\"all,swap\": don't specify individual checks if 'all' is used"));
}

static void test_external_etcd(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"
                          "etcd: {external: {endpoints: ['https://192.0.2.20:2379'], caFile: /etcd/ca.crt, certFile: "
                          "/etcd/c.crt, keyFile: /etcd/c.key}}\n---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: "
                          "InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: 192.0.2.10}\n");
        fixture_put(f, "/etcd/ca.crt", "");
        fixture_put(f, "/etcd/c.crt", "");
        fixture_put(f, "/var/lib/etcd/member/x", "");
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_non_null(strstr(f->log,
                               "occurred:\n\t[ERROR ExternalEtcdClientCertificates]: /etcd/c.key doesn't exist\n"
                               "[preflight] If"));
}

static void test_proxies(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(setenv("HTTPS_PROXY", "proxy.example:3128", 1), 0);
        assert_int_equal(fixture_run(f, preflight, NULL), 0);
        assert_string_equal(
                f->log, "\t[WARNING HTTPProxy]: Connection to \"https://192.0.2.10\" uses proxy "
                        "\"http://proxy.example:3128\". If that is not intended, adjust your proxy settings\n"
                        "\t[WARNING HTTPProxyCIDR]: connection to \"10.96.0.0/12\" uses proxy "
                        "\"http://proxy.example:3128\". This may lead to malfunctional cluster setup. Make sure that "
                        "Pod and Services IP ranges specified correctly as exceptions in proxy configuration\n");
        assert_int_equal(setenv("NO_PROXY", "example.com, 10.96.0.0/12,192.0.2.10", 1), 0);
        assert_int_equal(fixture_run(f, preflight, NULL), 0);
        assert_string_equal(f->log, "");
        assert_int_equal(setenv("NO_PROXY", "10.96.0.1:1234,192.0.2.10:80", 1), 0);
        assert_int_equal(fixture_run(f, preflight, NULL), 0);
        assert_non_null(strstr(f->log, "[WARNING HTTPProxy]"));
        assert_null(strstr(f->log, "[WARNING HTTPProxyCIDR]"));
        assert_int_equal(setenv("NO_PROXY", "*", 1), 0);
        assert_int_equal(fixture_run(f, preflight, NULL), 0);
        assert_string_equal(f->log, "");
}

static int pulled;

static int pull(void *userdata, struct phase *phase, const char *image, bool always, struct err *err)
{
        (void)userdata;
        (void)phase;
        assert_false(always);
        pulled++;
        return strstr(image, "etcd:") ? err_set(err, ERR_REMOTE, "failed to pull image %s: no", image) : 0;
}

static void test_images(void **state)
{
        struct fixture *f = *state;

        runtime.pull = pull;
        pulled = 0;
        assert_true(fixture_run(f, preflight, NULL) < 0);
        assert_true(pulled > 5);
        assert_non_null(strstr(f->out, "[preflight] You can also perform this action beforehand using 'kubeadm config "
                                       "images pull'\n"));
        assert_non_null(strstr(f->log, "\t[ERROR ImagePull]: failed to pull image registry.k8s.io/etcd:"));
        f->dry_run = true;
        pulled = 0;
        assert_int_equal(fixture_run(f, preflight, NULL), 0);
        assert_int_equal(pulled, 0);
}

static int report_port(struct phase *phase, const char *address, struct err *err)
{
        struct preflight_report report CLEANUP(preflight_report_release) = {.phase = phase};
        struct sockaddr_in taken = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t len = sizeof(taken);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        preflight_report_init(&report, phase, NULL, NULL);
        assert_int_equal(bind(fd, (void *)&taken, sizeof(taken)), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, (void *)&taken, &len), 0);
        preflight_check_port(&report, address, ntohs(taken.sin_port));
        (void)close(fd);
        return preflight_report_end(&report, err);
}

static void test_ports(void **state)
{
        struct fixture *f = *state;

        assert_true(fixture_run(f, report_port, NULL) < 0);
        assert_non_null(strstr(f->log, " is in use\n"));
        assert_true(fixture_run(f, report_port, "127.0.0.1") < 0);
        assert_int_equal(fixture_run(f, report_port, "127.0.0.2"), 0);
        /* An address that this machine does not have. */
        assert_true(fixture_run(f, report_port, "192.0.2.77") < 0);
}

static int report_content(struct phase *phase, const char *path, struct err *err)
{
        struct preflight_report report CLEANUP(preflight_report_release) = {.phase = phase};

        preflight_report_init(&report, phase, NULL, NULL);
        preflight_check_content(&report, path, "1");
        return preflight_report_end(&report, err);
}

static void test_content(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = file_join(f->root, "forward");

        assert_true(fixture_run(f, report_content, path) < 0);
        assert_non_null(strstr(f->log, "forward does not exist\n"));
        fixture_put(f, "/forward", "0\n");
        assert_true(fixture_run(f, report_content, path) < 0);
        assert_non_null(strstr(f->log, "forward contents are not set to 1\n"));
        fixture_put(f, "/forward", "1\n");
        assert_int_equal(fixture_run(f, report_content, path), 0);
}

static void open_era(struct phase *phase, const char *version)
{
        struct kube_version v;

        memset(phase, 0, sizeof(*phase));
        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &phase->era, NULL), 0);
        assert_int_equal(kube_version_parse(version, false, &v, NULL), 0);
        assert_int_equal(era_set_version(phase->era, &v, NULL), 0);
}

/* The patterns of k8s.io/system-validators in the release that each kubeadm was built with. A recorded host has the
 * machine's kernel. */
static void test_kernels(void **state)
{
        static const struct {
                const char *version, *good[4], *bad[4];
        } eras[] = {
                {"1.31.2", {"3.10.0-1160.el7", "4.4.0", "5.11.22", "10.0.1"}, {"3.2.0", "2.6.32", "4.4", "x"}},
                {"1.33.2", {"4.19.0-1", "4.20.1", "5.4.0", "6.1.0-1-amd64"}, {"3.10.0", "4.18.0-553", "4.4.0", "5.4"}},
                {"1.37.1", {"5.4.0", "5.10.1", "5.15.0-1", "6.1.0-1-amd64"}, {"4.19.0", "5.11.22", "3.10.0", "6.1"}},
        };
        struct phase phase;

        (void)state;
        for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++) {
                open_era(&phase, eras[i].version);
                for (size_t k = 0; k < 4; k++) {
                        if (!preflight_kernel_is_good(&phase, eras[i].good[k]))
                                fail_msg("%s: %s is not good", eras[i].version, eras[i].good[k]);
                        if (preflight_kernel_is_good(&phase, eras[i].bad[k]))
                                fail_msg("%s: %s is good", eras[i].version, eras[i].bad[k]);
                }
                era_free(phase.era);
        }
}

static void expect_option(const char *version, const char *list, const char *item, bool expected)
{
        struct phase phase;
        bool found = false;

        open_era(&phase, version);
        const struct value *items = value_map_get(era_value(phase.era, "preflight", "kernelOptions"), list);
        assert_non_null(items);
        for (size_t i = 0; i < items->list.count; i++)
                found |= strcmp(value_string(items->list.items[i], ""), item) == 0;
        assert_int_equal(found, expected);
        era_free(phase.era);
}

/* system-validators 1.2.0, 1.4.0 and 1.5.0 */
static void test_options_of_old_kernels(void **state)
{
        (void)state;
        expect_option("1.20.15", "required", "CGROUP_PIDS", false);
        expect_option("1.21.0", "required", "CGROUP_PIDS", true);
        expect_option("1.21.14", "required", "CGROUP_BPF", false);
        expect_option("1.21.14", "optional", "SECCOMP - Required for seccomp.", false);
        expect_option("1.22.0", "optional", "SECCOMP - Required for seccomp.", true);
}

static void expect_docker(const char *version, const char *latest, const char *cgroup_driver, bool btrfs)
{
        struct phase phase;
        bool found = false;

        open_era(&phase, version);
        const struct value *row = era_value(phase.era, "preflight", "docker");
        const struct value *drivers = value_map_get(row, "graphDrivers");
        assert_string_equal(value_string(value_map_get(row, "latest"), ""), latest);
        assert_string_equal(value_string(value_map_get(row, "cgroupDriver"), ""), cgroup_driver);
        for (size_t i = 0; drivers && i < drivers->list.count; i++)
                found |= strcmp(value_string(drivers->list.items[i], ""), "btrfs") == 0;
        assert_int_equal(found, btrfs);
        era_free(phase.era);
}

/* DockerSpec of system-validators 1.2.0, 1.4.0, 1.5.0 and 1.6.0; IsDockerSystemdCheck went away in 1.22. */
static void test_docker_behind_the_dockershim(void **state)
{
        (void)state;
        expect_docker("1.20.15", "19.03", "systemd", false);
        expect_docker("1.21.14", "20.10", "systemd", false);
        expect_docker("1.22.17", "20.10", "", false);
        expect_docker("1.23.17", "20.10", "", true);
        expect_docker("1.24.0", "", "", false);
}

static void test_standard_error_apart(void **state)
{
        struct buf out CLEANUP_BUF = BUF_INIT(64), errors CLEANUP_BUF = BUF_INIT(64);
        struct strv argv CLEANUP_STRV = STRV_INIT;

        (void)state;
        strv_add(&argv, "sh");
        strv_add(&argv, "-c");
        strv_add(&argv, "echo out; echo not so well >&2; exit 3");
        assert_int_equal(service_run_apart(&argv, &out, &errors, NULL), 3);
        assert_string_equal(buf_str(&out), "out\n");
        assert_string_equal(buf_str(&errors), "not so well\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_clean),
                TEST(test_kernels),
                TEST(test_options_of_old_kernels),
                TEST(test_docker_behind_the_dockershim),
                TEST(test_standard_error_apart),
                TEST(test_what_is_there_already),
                TEST(test_ignored),
                TEST(test_external_etcd),
                TEST(test_proxies),
                TEST(test_images),
                TEST(test_ports),
                TEST(test_content),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

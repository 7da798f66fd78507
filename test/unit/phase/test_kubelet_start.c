/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that the kubelet reads. What is expected here is what real kubeadm binaries wrote; the integration test
 * test_kubelet_start.py runs one beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "fixture.h"
#include "phase/kubelet_start.h"

#define INIT                                                            \
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n" \
        "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n"
#define NODE "nodeRegistration: {criSocket: 'unix:///run/containerd/containerd.sock', name: node1}\n"
#define CLUSTER "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"
#define KUBELET "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
#define OLD(api)                                                                                             \
        "apiVersion: kubeadm.k8s.io/" api "\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: " \
        "192.0.2.10}\nnodeRegistration: {name: node1, kubeletExtraArgs: {node-ip: 192.0.2.10, a: b}}\n---\n" \
        "apiVersion: kubeadm.k8s.io/" api "\nkind: ClusterConfiguration\n"

static int start(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_kubelet_start(phase, err);
}

static void run(struct fixture *f, const char *version, const char *config)
{
        f->version = version;
        fixture_config(f, config);
        if (fixture_run(f, start, NULL) < 0)
                fail_msg("%s", f->err.msg);
}

static void assert_holds(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

static void assert_file(const struct fixture *f, const char *path, const char *expected)
{
        char *text CLEANUP_FREE = fixture_get(f, path);

        assert_string_equal(text, expected);
}

static void test_files(void **state)
{
        struct fixture *f = *state;
        char *config CLEANUP_FREE = NULL;

        run(f, NULL, INIT NODE CLUSTER);
        assert_string_equal(
                f->out,
                "[kubelet-start] No supported init system detected, won't make sure the kubelet not running for a "
                "short period of time while setting up configuration for it.\n"
                "[kubelet-start] Writing kubelet environment file with flags to file "
                "\"/var/lib/kubelet/kubeadm-flags.env\"\n"
                "[kubelet-start] Writing kubelet configuration to file \"/var/lib/kubelet/instance-config.yaml\"\n"
                "[patches] Applied patch of type \"application/strategic-merge-patch+json\" to target "
                "\"kubeletconfiguration\"\n"
                "[kubelet-start] Writing kubelet configuration to file \"/var/lib/kubelet/config.yaml\"\n"
                "[kubelet-start] Starting the kubelet\n"
                "[kubelet-start] No supported init system detected, won't make sure the kubelet is running "
                "properly.\n");
        assert_file(f, KUBELET_FLAGS_FILE, "KUBELET_KUBEADM_ARGS=\"--hostname-override=node1\"\n");
        assert_file(f, KUBELET_INSTANCE_FILE, "containerRuntimeEndpoint: \"unix:///run/containerd/containerd.sock\"\n");
        config = fixture_get(f, KUBELET_CONFIG_FILE);
        assert_holds(config, "apiVersion: kubelet.config.k8s.io/v1beta1\nauthentication:\n  anonymous:\n    enabled: "
                             "false\n  webhook:\n    cacheTTL: 0s\n    enabled: true\n  x509:\n    clientCAFile: "
                             "/etc/kubernetes/pki/ca.crt\nauthorization:\n  mode: Webhook\n");
        assert_holds(config, "\ncgroupDriver: systemd\nclusterDNS:\n- 10.96.0.10\nclusterDomain: cluster.local\n"
                             "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n");
        assert_holds(config, "\nlogging:\n  flushFrequency: 0\n  options:\n    json:\n      infoBufferSize: \"0\"\n");
        assert_holds(config, "\nrotateCertificates: true\n");
        assert_holds(config, "\nstaticPodPath: /etc/kubernetes/manifests\n");
        assert_null(strstr(config, "resolvConf"));
        assert_int_equal(fixture_mode(f, KUBELET_CONFIG_FILE), 0644);
        assert_int_equal(fixture_mode(f, KUBELET_DIRECTORY), 0700);
}

/* A file that kubeadm 1.36.3 wrote for the same configuration. Free it. */
static char *recorded(const char *name)
{
        char *path CLEANUP_FREE = xasprintf("%s/kubelet-start/%s", getenv("TEST_DATA"), name);
        struct buf text CLEANUP_BUF = BUF_INIT(1 << 16);
        struct err err = ERR_INIT;

        if (file_read(path, &text, &err) < 0)
                fail_msg("%s", err.msg);
        return buf_steal(&text, NULL);
}

static void test_recorded(void **state)
{
        static const char *const names[] = {"config.yaml", "instance-config.yaml", "kubeadm-flags.env"};
        struct fixture *f = *state;

        run(f, "v1.36.3",
            INIT "nodeRegistration: {criSocket: 'unix:///run/containerd/containerd.sock', name: node1, "
                 "kubeletExtraArgs: [{name: node-ip, value: 192.0.2.10}]}\n" CLUSTER);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char *path CLEANUP_FREE = xasprintf(KUBELET_DIRECTORY "/%s", names[i]);
                char *expected CLEANUP_FREE = recorded(names[i]);
                assert_file(f, path, expected);
        }
}

static void test_document_of_the_user(void **state)
{
        struct fixture *f = *state;
        char *config CLEANUP_FREE = NULL;

        run(f, NULL,
            INIT NODE CLUSTER "networking: {serviceSubnet: fd00::/108, dnsDomain: k8s.example}\n" KUBELET
                              "syncFrequency: 90s\nhealthzPort: 10999\nclusterDNS: []\ncgroupDriver: cgroupfs\n"
                              "rotateCertificates: false\nreservedMemory: [{numaNode: 0, limits: {memory: 1024Mi}}]\n"
                              "logging: {flushFrequency: 5s}\nmaxPods: 0\n");
        config = fixture_get(f, KUBELET_CONFIG_FILE);
        assert_holds(config, "\nsyncFrequency: 1m30s\n");
        assert_holds(config, "\nhealthzPort: 10999\n");
        assert_holds(config, "\ncgroupDriver: cgroupfs\nclusterDomain: k8s.example\n");
        assert_holds(config, "\nrotateCertificates: true\n");
        assert_holds(config, "    memory: 1Gi\n");
        assert_holds(config, "\n  flushFrequency: 5s\n");
        assert_null(strstr(config, "maxPods"));
        assert_holds(f->log,
                     "warning: The recommended value for \"healthzPort\" in \"KubeletConfiguration\" is: 10248; "
                     "the provided value is: 10999\n");
        assert_holds(f->log, "\"clusterDNS\" in \"KubeletConfiguration\" is: [fd00::a]; the provided value is: []\n");
        assert_null(strstr(f->log, "cgroupDriver"));
}

static void test_mistakes(void **state)
{
        struct fixture *f = *state;
        char *before CLEANUP_FREE = fixture_digest(f);

        fixture_config(f, INIT CLUSTER KUBELET "maxPod: 5\nsyncFrequency: soon\nevictionHard: []\n");
        assert_true(fixture_run(f, start, NULL) < 0);
        assert_holds(f->log, "kubeadm.yaml:11:1: unknown field \"maxPod\"; did you mean \"maxPods\"?\n");
        assert_holds(f->log, "kubeadm.yaml:12:16: syncFrequency: expected a duration (1h30m), found a string\n");
        assert_holds(f->log, "kubeadm.yaml:13:15: evictionHard: expected a map, found a list\n");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void test_patches(void **state)
{
        struct fixture *f = *state;
        const char config[] = INIT NODE "patches: {directory: /patches}\n" CLUSTER;
        char *text CLEANUP_FREE = NULL;

        fixture_put(f, "/patches/kubeletconfiguration.yaml", "maxPods: 7\nsyncFrequency: 120s\n");
        run(f, NULL, config);
        text = fixture_get(f, KUBELET_CONFIG_FILE);
        assert_holds(text, "\nmaxPods: 7\n");
        /* A patch is written as it is. */
        assert_holds(text, "\nsyncFrequency: 120s\n");
        fixture_put(f, "/patches/kubeletconfiguration.yaml", "maxPod: 7\n");
        assert_true(fixture_run(f, start, NULL) < 0);
        assert_holds(f->log, "unknown field \"maxPod\"; did you mean \"maxPods\"?\n");
        f->version = "v1.36.3";
        assert_int_equal(fixture_run(f, start, NULL), 0);
        char *unknown CLEANUP_FREE = fixture_get(f, KUBELET_CONFIG_FILE);
        assert_holds(unknown, "\nmaxPod: 7\n");
}

static void test_eras(void **state)
{
        static const struct {
                const char *version, *config, *flags, *part;
                bool instance;
        } cases[] = {
                {"v1.37.1", INIT NODE CLUSTER, "--hostname-override=node1", "\ncgroupDriver: systemd\n", true},
                {"v1.35.4", INIT NODE CLUSTER "featureGates: {NodeLocalCRISocket: false}\n",
                 "--container-runtime-endpoint=unix:///run/containerd/containerd.sock --hostname-override=node1",
                 "\ncontainerRuntimeEndpoint: \"\"\n", false},
                {"v1.34.4", INIT NODE CLUSTER,
                 "--hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.10.1",
                 "\ncrashLoopBackOff: {}\n", true},
                {"v1.33.13", INIT NODE CLUSTER,
                 "--container-runtime-endpoint=unix:///run/containerd/containerd.sock --hostname-override=node1 "
                 "--pod-infra-container-image=registry.k8s.io/pause:3.10",
                 "\ncrashLoopBackOff: {}\n", false},
                {"v1.30.14", OLD("v1beta3") "kubernetesVersion: v1.30.14\n",
                 "--a=b --container-runtime-endpoint=unix:///var/run/containerd/containerd.sock "
                 "--hostname-override=node1 --node-ip=192.0.2.10 "
                 "--pod-infra-container-image=registry.k8s.io/pause:3.9",
                 "\ncontainerRuntimeEndpoint: \"\"\n", false},
                {"v1.25.16", OLD("v1beta3") "kubernetesVersion: v1.25.16\n",
                 "--a=b --container-runtime=remote "
                 "--container-runtime-endpoint=unix:///var/run/containerd/containerd.sock --hostname-override=node1 "
                 "--node-ip=192.0.2.10 --pod-infra-container-image=registry.k8s.io/pause:3.8",
                 "\nmemorySwap: {}\n", false},
                {"v1.22.17", OLD("v1beta3") "kubernetesVersion: v1.22.17\nfeatureGates: {IPv6DualStack: true}\n",
                 "--a=b --hostname-override=node1 --network-plugin=cni --node-ip=192.0.2.10 "
                 "--pod-infra-container-image=registry.k8s.io/pause:3.5",
                 "\nfeatureGates:\n  IPv6DualStack: true\n", false},
                {"v1.20.15", OLD("v1beta2") "kubernetesVersion: v1.20.15\n",
                 "--a=b --hostname-override=node1 --network-plugin=cni --node-ip=192.0.2.10 "
                 "--pod-infra-container-image=k8s.gcr.io/pause:3.2",
                 "  mode: Webhook\n", false},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                run(f, cases[i].version, cases[i].config);
                char *expected CLEANUP_FREE = xasprintf("KUBELET_KUBEADM_ARGS=\"%s\"\n", cases[i].flags);
                char *flags CLEANUP_FREE = fixture_get(f, KUBELET_FLAGS_FILE);
                char *config CLEANUP_FREE = fixture_get(f, KUBELET_CONFIG_FILE);
                if (strcmp(flags, expected) != 0)
                        fail_msg("%s: %s", cases[i].version, flags);
                assert_holds(config, cases[i].part);
                assert_int_equal(fixture_has(f, KUBELET_INSTANCE_FILE), cases[i].instance);
                if (cases[i].instance)
                        fixture_remove(f, KUBELET_INSTANCE_FILE);
        }
        char *last CLEANUP_FREE = fixture_get(f, KUBELET_CONFIG_FILE);
        assert_null(strstr(last, "cgroupDriver"));
}

static void test_dry_run(void **state)
{
        struct fixture *f = *state;
        char *before CLEANUP_FREE = fixture_digest(f);

        f->dry_run = true;
        run(f, NULL, INIT NODE CLUSTER);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        assert_holds(f->out, "[kubelet-start] Writing kubelet configuration to file");
        assert_null(strstr(f->out, "Starting the kubelet"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_files, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_recorded, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_document_of_the_user, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_mistakes, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_patches, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_eras, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_dry_run, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "phase/proxy.h"

#define CLUSTER "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"
#define INIT                                                                                                 \
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: " \
        "'fd00::10'}\n"                                                                                      \
        "nodeRegistration: {name: node1}\n"
#define PROXY "---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"

static int proxy(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_proxy(phase, err);
}

static void assert_holds(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

static void test_manifest_and_configuration(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, INIT CLUSTER "networking: {podSubnet: 10.244.0.0/16}\n");
        if (fixture_run(f, proxy, NULL) < 0)
                fail_msg("%s", f->err.msg);
        char *config CLEANUP_FREE = fixture_get(f, PROXY_CONFIG_FILE);
        assert_holds(config, "\nbindAddress: '::'\n");
        assert_holds(config, "\nclusterCIDR: 10.244.0.0/16\n");
        assert_holds(config, "  kubeconfig: /etc/kubernetes/proxy.conf\n");
        assert_holds(config, "\nmode: \"\"\n");
        char *pod CLEANUP_FREE = fixture_get(f, "/etc/kubernetes/manifests/kube-proxy.yaml");
        assert_holds(pod, "    - --config=/etc/kubernetes/kube-proxy/config.yaml\n    - --hostname-override=node1\n");
        assert_holds(pod, "image: registry.k8s.io/kube-proxy:v1.36.3\n");
        assert_holds(pod, "      privileged: true\n");
        assert_int_equal(fixture_mode(f, PROXY_CONFIG_FILE), 0600);
}

static void test_document_of_the_user(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, INIT CLUSTER PROXY "mode: nftables\nconntrack: {maxPerCore: 0, tcpEstablishedTimeout: 1h}\n"
                                             "iptables: {syncPeriod: 90s}\nfeatureGates: {A: true}\nbindAddress: ''\n"
                                             "nodePortAddresses: [primary]\nclientConnection: {qps: 5}\n");
        if (fixture_run(f, proxy, NULL) < 0)
                fail_msg("%s", f->err.msg);
        char *config CLEANUP_FREE = fixture_get(f, PROXY_CONFIG_FILE);
        assert_holds(config, "\nmode: nftables\n");
        assert_holds(config, "  maxPerCore: 0\n  min: null\n");
        assert_holds(config, "  syncPeriod: 1m30s\n");
        assert_holds(config, "\nfeatureGates:\n  A: true\n");
        assert_holds(config, "\nbindAddress: '::'\n");
        assert_holds(config, "\nnodePortAddresses:\n- primary\n");
        assert_holds(config, "  kubeconfig: /etc/kubernetes/proxy.conf\n  qps: 5\n");
}

/* Up to 1.22 kubeadm's own gate is the proxy's too, whatever the user's document says. */
static void test_gate_of_kubeadm(void **state)
{
        static const char configuration[] =
                "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nkubernetesVersion: v1.22.0\n"
                "featureGates: {IPv6DualStack: true}\n---\napiVersion: kubeadm.k8s.io/v1beta2\nkind: "
                "InitConfiguration\n"
                "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1}\n";
        char *with_document CLEANUP_FREE =
                xasprintf("%s%s", configuration, PROXY "featureGates: {A: true, IPv6DualStack: false}\n");
        struct fixture *f = *state;

        fixture_config(f, configuration);
        if (fixture_run(f, proxy, NULL) < 0)
                fail_msg("%s", f->err.msg);
        char *alone CLEANUP_FREE = fixture_get(f, PROXY_CONFIG_FILE);
        assert_holds(alone, "\nfeatureGates:\n  IPv6DualStack: true\n");
        fixture_config(f, with_document);
        if (fixture_run(f, proxy, NULL) < 0)
                fail_msg("%s", f->err.msg);
        char *both CLEANUP_FREE = fixture_get(f, PROXY_CONFIG_FILE);
        assert_holds(both, "\nfeatureGates:\n  A: true\n  IPv6DualStack: true\n");
}

static void test_mistakes(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, INIT PROXY "mod: x\niptables: {syncPeriod: soon}\nipvs: []\n");
        assert_true(fixture_run(f, proxy, NULL) < 0);
        assert_holds(f->log, "kubeadm.yaml:8:1: unknown field \"mod\"; did you mean \"mode\"?\n");
        assert_holds(f->log, "kubeadm.yaml:9:24: iptables.syncPeriod: time: invalid duration \"soon\"\n");
        assert_holds(f->log, "kubeadm.yaml:10:7: ipvs: expected a map, found a list\n");
        assert_false(fixture_has(f, "/etc"));
}

static void test_disabled(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, INIT CLUSTER "proxy: {disabled: true}\n");
        assert_int_equal(fixture_run(f, proxy, NULL), 0);
        assert_false(fixture_has(f, "/etc"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_manifest_and_configuration, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_document_of_the_user, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_mistakes, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_gate_of_kubeadm, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_disabled, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

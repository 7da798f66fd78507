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
#include "codec/value.h"
#include "fixture.h"
#include "phase/addon.h"

#define INIT                                                                                                 \
        "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: " \
        "'192.0.2.10'}\n"                                                                                    \
        "nodeRegistration: {name: node1}\n"
#define CLUSTER "---\napiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"

static int print(struct phase *phase, const char *addon, struct err *err)
{
        return phase_addon_print(phase, addon, err);
}

static void assert_holds(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

/* Every object reads as the YAML that is applied, and says what it is. */
static int read_all(struct phase *phase, const char *addon, struct err *err)
{
        struct addon_objects objects CLEANUP_ADDON_OBJECTS = {0};
        int r = addon_render(phase, addon, 3, &objects, err);

        if (r < 0)
                return r;
        assert_int_equal(objects.count, 6);
        for (size_t i = 0; i < objects.count && r == 0; i++) {
                struct value *v CLEANUP_VALUE = NULL;

                r = addon_object_value(&objects.items[i], &v, err);
                assert_non_null(value_map_get(v, "kind"));
                assert_non_null(value_get(v, "metadata", "name", NULL));
                if (strcmp(objects.items[i].name, "deployment") == 0) {
                        int64_t replicas = 0;
                        assert_int_equal(value_int(value_get(v, "spec", "replicas", NULL), &replicas), 0);
                        assert_int_equal(replicas, 3);
                }
        }
        return r;
}

static void test_objects(void **state)
{
        static const char *const versions[] = {"v1.22.17", "v1.25.3", "v1.30.4"};
        struct fixture *f = *state;

        for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
                char *text CLEANUP_FREE = xasprintf(INIT CLUSTER "kubernetesVersion: %s\n", versions[i]);
                fixture_config(f, text);
                if (fixture_run(f, read_all, "coredns") < 0 || fixture_run(f, read_all, "kube-proxy") < 0)
                        fail_msg("%s: %s", versions[i], f->err.msg);
        }
        assert_int_equal(fixture_run(f, read_all, "dns"), -ERR_UNSUPPORTED);
}

static void test_settings(void **state)
{
        struct fixture *f = *state;

        fixture_config(f,
                       INIT CLUSTER "kubernetesVersion: v1.22.17\nimageRepository: r.example/k8s\n"
                                    "controlPlaneEndpoint: cp.example.org\n"
                                    "dns: {imageTag: v9.9.9}\n"
                                    "networking: {serviceSubnet: 'fd00:7::/112,10.0.0.0/16', dnsDomain: d.example}\n");
        if (fixture_run(f, print, "coredns") < 0)
                fail_msg("%s", f->err.msg);
        assert_holds(f->out, "---\napiVersion: apps/v1\nkind: Deployment\n");
        assert_holds(f->out, "        image: r.example/k8s/coredns:v9.9.9\n");
        assert_holds(f->out, "  clusterIP: fd00:7::a\n");
        assert_holds(f->out, "        kubernetes d.example in-addr.arpa ip6.arpa {\n");
        assert_holds(f->out, "      - key: node-role.kubernetes.io/master\n        effect: NoSchedule\n      - key: "
                             "node-role.kubernetes.io/control-plane\n");
        if (fixture_run(f, print, NULL) < 0)
                fail_msg("%s", f->err.msg);
        assert_holds(f->out, "        server: https://cp.example.org:6443\n");
        assert_holds(f->out, "    clientConnection:\n      acceptContentTypes: \"\"\n");
        assert_holds(f->out, "        - --hostname-override=$(NODE_NAME)\n");
        assert_holds(f->out, "kind: DaemonSet\n");
}

/* Each kubeadm refuses in its own way. */
static void test_refusals(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, INIT CLUSTER "kubernetesVersion: v1.25.3\nnetworking: {serviceSubnet: 10.0.0.0/16}\n");
        f->version = "v1.25.3";
        f->print_manifest = true;
        assert_true(fixture_run(f, print, "coredns") < 0);
        assert_string_equal(f->err.msg, "can not mix '--config' with arguments [print-manifest]");
        f->version = "v1.24.17";
        f->command = "addon coredns --print-manifest";
        assert_true(fixture_run(f, print, "coredns") < 0);
        assert_string_equal(f->err.msg, "unknown flag: --print-manifest");
        f->version = NULL;
        if (fixture_run(f, print, "coredns") < 0)
                fail_msg("%s", f->err.msg);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_objects, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_settings, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

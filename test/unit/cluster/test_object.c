/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server may answer to a read before a write: an error tells of what is no object, or has another form than
 * kubeadm gives it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api_rig.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "cluster/phases.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/phase.h"

#include "../phase/fixture.h"

#define CONFIG_MAPS "/api/v1/namespaces/kube-system/configmaps"
#define ROLES "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles"
#define ROLE_BINDINGS "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings"

static const char old_config[] = "apiVersion: kubeadm.k8s.io/v1beta2\n"
                                 "kind: InitConfiguration\n"
                                 "localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 6443}\n"
                                 "nodeRegistration: {criSocket: /run/c.sock, name: node1}\n"
                                 "---\n"
                                 "apiVersion: kubeadm.k8s.io/v1beta2\n"
                                 "kind: ClusterConfiguration\n"
                                 "kubernetesVersion: v1.21.14\n";

static int setup(void **state)
{
        int r = fixture_setup(state);

        if (r == 0) {
                struct fixture *f = *state;
                f->version = "v1.21.14";
                fixture_config(f, old_config);
        }
        return r;
}

static int teardown(void **state)
{
        api_rig_reset();
        return fixture_teardown(state);
}

static int upload(struct phase *phase, const char *arg, struct err *err)
{
        struct cluster cluster = {.phase = phase, .api = api_rig_wait()};

        (void)arg;
        return cluster_upload_kubeadm_config(&cluster, err);
}

static void expect_status(struct fixture *f, const char *answer, int code, const char *message)
{
        api_rig_answer("GET " CONFIG_MAPS "/kubeadm-config", 200, answer);
        assert_int_equal(fixture_run(f, upload, NULL), -code);
        assert_string_equal(f->err.msg, message);
}

static void test_cluster_status(void **state)
{
        expect_status(*state, "{\"data\": {\"ClusterStatus\": \"apiEndpoints: {}\"}}", 0, "");
        expect_status(*state, "{\"data\": {\"ClusterStatus\": \"apiEndpoints: [1]\"}}", 0, "");
        expect_status(*state, "{\"data\": {\"ClusterStatus\": \"some words\"}}", ERR_PROTOCOL,
                      "error uploading the kubeadm ClusterConfiguration: ClusterStatus of ConfigMap "
                      "kube-system/kubeadm-config is a string, expected a map");
        expect_status(*state, "{\"data\": {\"ClusterStatus\": \"- a\"}}", ERR_PROTOCOL,
                      "error uploading the kubeadm ClusterConfiguration: ClusterStatus of ConfigMap "
                      "kube-system/kubeadm-config is a list, expected a map");
}

static int mutate(struct phase *phase, const char *arg, struct err *err)
{
        struct cluster cluster = {.phase = phase, .api = api_rig_wait()};
        struct value *object CLEANUP_VALUE = NULL;
        int r = yaml_load_one("object", arg, strlen(arg), 0, &object, err);

        return r < 0 ? r : object_create_or_mutate(&cluster, object, err);
}

static void expect_mutated(struct fixture *f, const char *answer, int code, const char *message)
{
        api_rig_answer("POST " CONFIG_MAPS, 409, NULL);
        api_rig_answer("PUT " CONFIG_MAPS "/some", 200, "{}");
        api_rig_answer("GET " CONFIG_MAPS "/some", 200, answer);
        assert_int_equal(fixture_run(f, mutate,
                                     "{apiVersion: v1, kind: ConfigMap, metadata: {name: some, namespace: "
                                     "kube-system}, data: {a: b}}"),
                         -code);
        assert_string_equal(f->err.msg, message);
}

static void test_what_is_mutated(void **state)
{
        static const char *const no_objects[] = {NULL, "[]", "7", "\"text\"", "null"};

        expect_mutated(*state, "{}", 0, "");
        expect_mutated(*state, "{\"data\": [1], \"metadata\": 1}", 0, "");
        for (size_t i = 0; i < ARRAY_SIZE(no_objects); i++) {
                api_rig_reset();
                expect_mutated(*state, no_objects[i], ERR_PROTOCOL,
                               "unable to get ConfigMap: the server's answer is no JSON object (ConfigMap "
                               "kube-system/some)");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_cluster_status, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_is_mutated, setup, teardown),
        };

        return cmocka_run_group_tests_name("cluster/object", tests, NULL, NULL);
}

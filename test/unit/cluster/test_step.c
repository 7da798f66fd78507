/* SPDX-License-Identifier: Apache-2.0
 *
 * What each step of templates/cluster.yaml is in the eras, and the paths of its objects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "cluster/object.h"
#include "cluster/step.h"
#include "codec/value.h"
#include "phase/phase.h"

/* A phase of which only the era counts. */
static void open_era(const char *version, struct phase *ret)
{
        struct kube_version v;

        memset(ret, 0, sizeof(*ret));
        ret->options.out = ret->options.log = stderr;
        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &ret->era, NULL), 0);
        assert_int_equal(kube_version_parse(version, false, &v, NULL), 0);
        assert_int_equal(era_set_version(ret->era, &v, NULL), 0);
}

static void load(const char *version, const char *step, struct value **ret)
{
        static const char *const names[] = {"clusterConfiguration",
                                            "clusterStatus",
                                            "kubeletConfigMap",
                                            "kubeletConfiguration",
                                            "kubeletConfigNote",
                                            "kubeletConfigHash",
                                            "tokenSecret",
                                            "tokenSecretUID",
                                            "clusterInfo",
                                            "criSocket",
                                            "runtime",
                                            "runtimeCommand",
                                            "error",
                                            "kubeConfigPath",
                                            "joinControlPlane",
                                            "joinWorker",
                                            "joinUploaded"};
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct phase phase;
        struct err err = ERR_INIT;

        open_era(version, &phase);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                template_set_text(&variables, names[i], names[i], NULL);
        template_set_text(&variables, "joinCopied", NULL, NULL);
        if (step_load(&phase, step, &variables, ret, &err) < 0)
                fail_msg("%s of %s: %s", step, version, err.msg);
        era_free(phase.era);
}

static const struct value *item(const struct value *items, const char *name)
{
        for (size_t i = 0; i < items->list.count; i++)
                if (strcmp(value_string(value_map_get(items->list.items[i], "name"), ""), name) == 0)
                        return items->list.items[i];
        return NULL;
}

static void test_every_step_in_every_era(void **state)
{
        static const char *const steps[] = {
                "admins",          "upload-config-kubeadm", "upload-config-kubelet", "upload-certs",
                "bootstrap-token", "help-kubelet",          "help-control-plane",    "init-done"};
        char version[16];

        (void)state;
        for (int minor = 20; minor <= 37; minor++) {
                (void)snprintf(version, sizeof(version), "1.%d.0", minor);
                for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                        struct value *items CLEANUP_VALUE = NULL;

                        load(version, steps[i], &items);
                        for (size_t k = 0; k < items->list.count; k++) {
                                const struct value *object = value_map_get(items->list.items[k], "object");
                                char *path CLEANUP_FREE = object ? object_path(object, true) : NULL;
                                assert_true(!object || path);
                        }
                }
        }
}

static void expect_item(const char *version, const char *step, const char *name, bool there)
{
        struct value *items CLEANUP_VALUE = NULL;

        load(version, step, &items);
        assert_int_equal(item(items, name) != NULL, there);
}

static void test_kubelet_api_access_by_patch_release(void **state)
{
        (void)state;
        expect_item("1.32.13", "bootstrap-token", "kubelet-api", false);
        expect_item("1.33.11", "bootstrap-token", "kubelet-api", false);
        expect_item("1.33.12", "bootstrap-token", "kubelet-api", true);
        expect_item("1.34.7", "bootstrap-token", "kubelet-api", false);
        expect_item("1.35.4", "bootstrap-token", "kubelet-api", false);
        expect_item("1.36.0", "bootstrap-token", "kubelet-api", false);
        expect_item("1.36.1", "bootstrap-token", "kubelet-api", true);
        expect_item("1.37.1", "bootstrap-token", "kubelet-api", true);
}

static void test_texts_of_older_versions(void **state)
{
        struct value *old CLEANUP_VALUE = NULL, *new CLEANUP_VALUE = NULL, *status CLEANUP_VALUE = NULL;

        (void)state;
        load("1.23.17", "bootstrap-token", &old);
        load("1.24.17", "bootstrap-token", &new);
        assert_non_null(strstr(value_string(value_map_get(item(old, "post-csrs"), "say"), ""), "] configured RBAC"));
        assert_non_null(strstr(value_string(value_map_get(item(new, "post-csrs"), "say"), ""), "] Configured RBAC"));
        load("1.21.14", "upload-config-kubeadm", &status);
        assert_non_null(value_get(item(status, "config-map"), "object", "data", "ClusterStatus", NULL));
}

static void test_paths(void **state)
{
        struct value *items CLEANUP_VALUE = NULL;

        (void)state;
        load("1.36.3", "upload-config-kubeadm", &items);
        const struct value *map = value_map_get(item(items, "config-map"), "object");
        char *all CLEANUP_FREE = object_path(map, false), *one CLEANUP_FREE = object_path(map, true);
        char *text CLEANUP_FREE = object_text(map);
        char *role CLEANUP_FREE = object_path(value_map_get(item(items, "role"), "object"), false);
        assert_string_equal(all, "/api/v1/namespaces/kube-system/configmaps");
        assert_string_equal(one, "/api/v1/namespaces/kube-system/configmaps/kubeadm-config");
        assert_string_equal(text, "ConfigMap kube-system/kubeadm-config");
        assert_string_equal(role, "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles");
}

static void expect_kind(const char *version, const char *kind, const char *expected)
{
        struct phase phase;

        open_era(version, &phase);
        char *text CLEANUP_FREE = object_kind_text(&phase, kind);
        assert_string_equal(text, expected);
        era_free(phase.era);
}

/* The texts of util/apiclient/idempotency.go. */
static void test_kinds_in_errors(void **state)
{
        static const struct {
                const char *kind, *old, *middle;
        } kinds[] = {
                {"ConfigMap", "ConfigMap", "ConfigMap"},
                {"Secret", "secret", "Secret"},
                {"ServiceAccount", "serviceaccount", "ServicAccount"},
                {"Deployment", "deployment", "Deployment"},
                {"DaemonSet", "daemonset", "DaemonSet"},
                {"Role", "RBAC role", "Role"},
                {"RoleBinding", "RBAC rolebinding", "RoleBinding"},
                {"ClusterRole", "RBAC clusterrole", "ClusterRole"},
                {"ClusterRoleBinding", "RBAC clusterrolebinding", "ClusterRoleBinding"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                char *go CLEANUP_FREE = xasprintf("*v1.%s", kinds[i].kind);

                expect_kind("1.20.15", kinds[i].kind, kinds[i].old);
                expect_kind("1.29.15", kinds[i].kind, kinds[i].old);
                expect_kind("1.30.0", kinds[i].kind, kinds[i].middle);
                expect_kind("1.32.13", kinds[i].kind, kinds[i].middle);
                expect_kind("1.33.0", kinds[i].kind, go);
        }
}

static void expect_once(const char *version, const char *kind, const char *name, bool expected)
{
        struct value *object CLEANUP_VALUE = value_new_map();
        struct value *metadata = value_map_set(object, "metadata", value_new_map());
        struct phase phase;

        value_map_set(object, "kind", value_new_string(kind));
        value_map_set(metadata, "name", value_new_string(name));
        value_map_set(metadata, "namespace", value_new_string("kube-system"));
        open_era(version, &phase);
        assert_int_equal(object_is_tried_once(&phase, object), expected);
        era_free(phase.era);
}

/* Up to 1.29 most writes were not repeated; tokens were, by their caller. createDNSService never does. */
static void test_what_is_tried_once(void **state)
{
        (void)state;
        expect_once("1.29.15", "Secret", "kubeadm-certs", true);
        expect_once("1.29.15", "Secret", "bootstrap-token-abcdef", false);
        expect_once("1.29.15", "ClusterRole", "kubeadm:get-nodes", true);
        expect_once("1.29.15", "Role", "kubeadm:get-nodes", false);
        expect_once("1.29.15", "Service", "kube-dns", true);
        expect_once("1.30.0", "Secret", "kubeadm-certs", false);
        expect_once("1.30.0", "ClusterRole", "kubeadm:get-nodes", false);
        expect_once("1.37.1", "Service", "kube-dns", true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_step_in_every_era),
                cmocka_unit_test(test_kinds_in_errors),
                cmocka_unit_test(test_what_is_tried_once),
                cmocka_unit_test(test_kubelet_api_access_by_patch_release),
                cmocka_unit_test(test_texts_of_older_versions),
                cmocka_unit_test(test_paths),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

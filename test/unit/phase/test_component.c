/* SPDX-License-Identifier: Apache-2.0 */
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
#include "base/strv.h"
#include "fixture.h"
#include "phase/component.h"
#include "phase/images.h"

#define CONFIG(cluster)                                                                              \
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n"                              \
        "localAPIEndpoint: {advertiseAddress: '192.0.2.10'}\nnodeRegistration: {name: node1}\n---\n" \
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n" cluster

/* The pod's container of the component `arg` names, kept for the assertions. */
static struct value *pod;

static int render(struct phase *phase, const char *arg, struct err *err)
{
        static const struct component *const all[] = {&component_apiserver, &component_controller_manager,
                                                      &component_scheduler, &component_etcd};

        pod = value_free(pod);
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                if (strcmp(all[i]->name, arg) == 0)
                        return component_render(phase, all[i], &pod, err);
        return -1;
}

static void render_config(struct fixture *f, const char *component, const char *yaml)
{
        fixture_config(f, yaml);
        if (fixture_run(f, render, component) < 0)
                fail_msg("%s", f->err.msg);
}

static struct value *container(void)
{
        return value_get(pod, "spec", "containers", NULL)->list.items[0];
}

/* The arguments that hold `part`, joined by spaces; free it. */
static char *arguments(const char *part)
{
        const struct value *command = value_map_get(container(), "command");
        struct strv found CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < command->list.count; i++)
                if (strstr(command->list.items[i]->text, part))
                        strv_add(&found, command->list.items[i]->text);
        return strv_join(&found, " ");
}

static void assert_arguments(const char *part, const char *expected)
{
        char *found CLEANUP_FREE = arguments(part);

        assert_string_equal(found, expected);
}

/* name=hostPath:type of each volume; free it. */
static char *volumes(void)
{
        const struct value *list = value_get(pod, "spec", "volumes", NULL);
        struct strv found CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < list->list.count; i++)
                strv_addf(&found, "%s=%s:%s", value_string(value_map_get(list->list.items[i], "name"), "?"),
                          value_string(value_get(list->list.items[i], "hostPath", "path", NULL), "?"),
                          value_string(value_get(list->list.items[i], "hostPath", "type", NULL), "-"));
        return strv_join(&found, " ");
}

static void test_argument_order(void **state)
{
        static const char config[] =
                CONFIG("scheduler:\n  extraArgs:\n  - {name: v, value: '3'}\n  - {name: leader-elect, value: b}\n"
                       "  - {name: leader-elect, value: a}\n");
        struct fixture *f = *state;

        f->version = "v1.36.3";
        render_config(f, "kube-scheduler", config);
        assert_arguments("--", "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf "
                               "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf --bind-address=127.0.0.1 "
                               "--kubeconfig=/etc/kubernetes/scheduler.conf --v=3 --leader-elect=b --leader-elect=a");
        /* where each comes from */
        const struct value *command = value_map_get(container(), "command");
        assert_int_equal(command->list.items[5]->place.line, 11);
        assert_non_null(strstr(command->list.items[1]->place.file, "templates/kube-scheduler.yaml"));
        f->version = "v1.35.0";
        render_config(f, "kube-scheduler", config);
        assert_arguments("--", "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf "
                               "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf --bind-address=127.0.0.1 "
                               "--kubeconfig=/etc/kubernetes/scheduler.conf --leader-elect=a --leader-elect=b --v=3");
}

static void test_authorization_mode(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        render_config(f, "kube-apiserver",
                      CONFIG("apiServer: {extraArgs: [{name: authorization-config, value: /a}]}\n"));
        assert_arguments("authorization", "--authorization-config=/a");
        render_config(f, "kube-apiserver",
                      CONFIG("apiServer: {extraArgs: [{name: authorization-mode, value: 'Node, RBAC'}]}\n"));
        assert_arguments("authorization", "--authorization-mode=Node, RBAC");
        f->version = "v1.29.0";
        render_config(f, "kube-apiserver",
                      "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\n"
                      "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n---\n"
                      "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.29.0\n"
                      "apiServer: {extraArgs: {authorization-mode: 'Node, RBAC'}}\n");
        assert_arguments("authorization", "--authorization-mode=Node");
        assert_non_null(strstr(f->log, "ignoring unknown kube-apiserver authorization-mode \" RBAC\""));
}

static void test_external_etcd(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        render_config(
                f, "kube-apiserver",
                CONFIG("etcd: {external: {endpoints: ['https://a:2379', 'https://b:2379'], caFile: /opt/a/b/ca.crt, "
                       "certFile: /opt/a/c.crt, keyFile: /etc/pki2/c.key}}\n"));
        assert_arguments("etcd",
                         "--etcd-cafile=/opt/a/b/ca.crt --etcd-certfile=/opt/a/c.crt --etcd-keyfile=/etc/pki2/c.key "
                         "--etcd-servers=https://a:2379,https://b:2379");
        char *found CLEANUP_FREE = volumes();
        assert_string_equal(found,
                            "ca-certs=/etc/ssl/certs:DirectoryOrCreate etcd-certs-0=/etc/pki2:DirectoryOrCreate "
                            "etcd-certs-1=/opt/a:DirectoryOrCreate k8s-certs=/etc/kubernetes/pki:DirectoryOrCreate");
        render_config(f, "kube-apiserver", CONFIG("etcd: {external: {endpoints: ['http://a:2379']}}\n"));
        assert_arguments("etcd", "--etcd-servers=http://a:2379");
}

static void test_certificate_directories(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        fixture_put(f, "/etc/pki/tls/certs", "a file counts too");
        render_config(f, "kube-controller-manager", CONFIG("certificatesDir: /srv/pki/\n"));
        assert_arguments("root-ca", "--root-ca-file=/srv/pki/ca.crt");
        char *found CLEANUP_FREE = volumes();
        assert_string_equal(
                found,
                "ca-certs=/etc/ssl/certs:DirectoryOrCreate etc-pki-tls-certs=/etc/pki/tls/certs:DirectoryOrCreate "
                "k8s-certs=/srv/pki/:DirectoryOrCreate "
                "kubeconfig=/etc/kubernetes/controller-manager.conf:FileOrCreate");
        render_config(f, "etcd", CONFIG("certificatesDir: /srv/pki/\n"));
        char *etcd CLEANUP_FREE = volumes();
        assert_string_equal(etcd,
                            "etcd-certs=/srv/pki//etcd:DirectoryOrCreate etcd-data=/var/lib/etcd:DirectoryOrCreate");
}

static void test_extra_volumes(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        render_config(f, "kube-scheduler",
                      CONFIG("scheduler: {extraVolumes: [{name: zz, hostPath: /a, mountPath: /b, pathType: File}, "
                             "{name: aa, hostPath: /c/, mountPath: /d}, {name: zz, hostPath: /e, mountPath: /f, "
                             "readOnly: true}]}\n"));
        char *found CLEANUP_FREE = volumes();
        assert_string_equal(found, "aa=/c/: kubeconfig=/etc/kubernetes/scheduler.conf:FileOrCreate zz=/e:");
        const struct value *mounts = value_map_get(container(), "volumeMounts");
        assert_int_equal(mounts->list.count, 3);
        assert_null(value_map_get(mounts->list.items[0], "readOnly"));
        assert_string_equal(value_string(value_map_get(mounts->list.items[2], "mountPath"), ""), "/f");
        assert_true(value_map_get(mounts->list.items[2], "readOnly")->boolean);
}

static void test_environment(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        assert_int_equal(setenv("ZZ_Proxy", "http://z", 1) | setenv("AA_PROXY", "", 1) | setenv("NOPROXY", "x", 1), 0);
        assert_int_equal(setenv("B_proxy", "b", 1), 0);
        render_config(
                f, "kube-scheduler",
                CONFIG("scheduler: {extraEnvs: [{name: FOO, value: '1'}, {name: B_proxy, value: mine}, {name: NN, "
                       "valueFrom: "
                       "{resourceFieldRef: {resource: limits.cpu}}}, {name: H, valueFrom: {fieldRef: {fieldPath: "
                       "a}}}]}\n"));
        const struct value *env = value_map_get(container(), "env");
        struct strv names CLEANUP_STRV = STRV_INIT;
        for (size_t i = 0; i < env->list.count; i++)
                strv_addf(&names, "%s=%s", value_string(value_map_get(env->list.items[i], "name"), "?"),
                          value_string(value_map_get(env->list.items[i], "value"), ""));
        char *joined CLEANUP_FREE = strv_join(&names, " ");
        assert_string_equal(joined, "B_proxy=mine FOO=1 H= NN= ZZ_Proxy=http://z");
        assert_string_equal(
                value_string(value_get(env->list.items[2], "valueFrom", "fieldRef", "apiVersion", NULL), ""), "v1");
        assert_string_equal(
                value_string(value_get(env->list.items[3], "valueFrom", "resourceFieldRef", "divisor", NULL), ""), "0");
        /* etcd takes no proxies */
        render_config(f, "etcd", CONFIG(""));
        assert_null(value_map_get(container(), "env"));
        (void)unsetenv("ZZ_Proxy");
        (void)unsetenv("AA_PROXY");
        (void)unsetenv("NOPROXY");
        (void)unsetenv("B_proxy");
}

static void test_etcd(void **state)
{
        static const struct {
                const char *urls, *host, *scheme;
                int port;
        } rows[] = {
                {"http://0.0.0.0:2381", "0.0.0.0", "HTTP", 2381},
                {"https://[::1]:2385,http://x", "::1", "HTTPS", 2385},
                {"http://:99999", "127.0.0.1", "HTTP", 2381},
                {"garbage", "127.0.0.1", "HTTP", 2381},
                {"http://m.example.org", "m.example.org", "HTTP", 2381},
                {"http://h:x", "127.0.0.1", "HTTP", 2381},
        };
        struct fixture *f = *state;

        f->version = "v1.36.3";
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *yaml CLEANUP_FREE =
                        xasprintf(CONFIG("etcd: {local: {extraArgs: [{name: listen-metrics-urls, value: '%s'}]}}\n"),
                                  rows[i].urls);
                int64_t port;

                render_config(f, "etcd", yaml);
                const struct value *get = value_get(container(), "livenessProbe", "httpGet", NULL);
                assert_string_equal(value_string(value_map_get(get, "host"), "?"), rows[i].host);
                assert_string_equal(value_string(value_map_get(get, "scheme"), "?"), rows[i].scheme);
                assert_int_equal(
                        value_int(value_map_get(value_map_get(container(), "ports")->list.items[0], "containerPort"),
                                  &port),
                        0);
                assert_int_equal(port, rows[i].port);
        }
        f->version = "v1.34.4";
        render_config(f, "etcd",
                      "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n"
                      "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n---\n"
                      "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.33.1\n"
                      "etcd: {local: {imageTag: 3.5.24-0}}\n");
        assert_arguments("corrupt", "--experimental-initial-corrupt-check=true");
        assert_arguments("feature", "");
}

static void test_probe_host_and_timeout(void **state)
{
        struct fixture *f = *state;
        int64_t failures;

        f->version = "v1.36.3";
        render_config(f, "kube-controller-manager",
                      CONFIG("controllerManager: {extraArgs: [{name: bind-address, value: 10.0.0.1}, {name: "
                             "bind-address, value: '::'}]}\n"
                             "clusterName: ''\n"));
        assert_null(value_get(container(), "livenessProbe", "httpGet", "host", NULL));
        assert_arguments("cluster-name", "--cluster-name=kubernetes");
        render_config(f, "kube-scheduler",
                      "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\ntimeouts: "
                      "{controlPlaneComponentHealthCheck: 4m5s}\nlocalAPIEndpoint: {advertiseAddress: 192.0.2.10}\n");
        assert_int_equal(value_int(value_get(container(), "startupProbe", "failureThreshold", NULL), &failures), 0);
        assert_int_equal(failures, 25);
        render_config(f, "kube-scheduler",
                      "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\ntimeouts: "
                      "{controlPlaneComponentHealthCheck: 0s}\nlocalAPIEndpoint: {advertiseAddress: 192.0.2.10}\n");
        assert_null(value_get(container(), "startupProbe", "failureThreshold", NULL));
}

static int list_images(struct phase *phase, const char *arg, struct err *err)
{
        struct strv images CLEANUP_STRV = STRV_INIT;

        (void)err;
        images_list(phase, &images);
        char *joined CLEANUP_FREE = strv_join(&images, " ");
        assert_string_equal(joined, arg);
        return 0;
}

static void test_images(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        fixture_config(f, CONFIG("imageRepository: mirror.example.org/a\n"));
        assert_int_equal(
                fixture_run(f, list_images,
                            "mirror.example.org/a/kube-apiserver:v1.36.3 "
                            "mirror.example.org/a/kube-controller-manager:v1.36.3 "
                            "mirror.example.org/a/kube-scheduler:v1.36.3 mirror.example.org/a/kube-proxy:v1.36.3 "
                            "mirror.example.org/a/coredns:v1.14.2 mirror.example.org/a/pause:3.10.2 "
                            "mirror.example.org/a/etcd:3.6.8-0"),
                0);
        fixture_config(f, CONFIG("proxy: {disabled: true}\ndns: {imageTag: x, imageRepository: d}\n"
                                 "etcd: {external: {endpoints: ['http://a']}}\n"));
        assert_int_equal(
                fixture_run(f, list_images,
                            "registry.k8s.io/kube-apiserver:v1.36.3 registry.k8s.io/kube-controller-manager:v1.36.3 "
                            "registry.k8s.io/kube-scheduler:v1.36.3 d/coredns:x registry.k8s.io/pause:3.10.2"),
                0);
}

static int free_pod(void **state)
{
        pod = value_free(pod);
        return fixture_teardown(state);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_argument_order, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_authorization_mode, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_external_etcd, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_certificate_directories, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_extra_volumes, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_environment, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_etcd, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_probe_host_and_timeout, fixture_setup, free_pod),
                cmocka_unit_test_setup_teardown(test_images, fixture_setup, free_pod),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

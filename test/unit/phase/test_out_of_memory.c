/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers, writers and whole phases with memory refused (refuse.h).
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
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fixture.h"
#include "kube/kubeconfig.h"
#include "kube/pod.h"
#include "phase/addon.h"
#include "phase/certs.h"
#include "phase/config_migrate.h"
#include "phase/config_print.h"
#include "phase/config_verbs.h"
#include "phase/control_plane.h"
#include "phase/diff.h"
#include "phase/explain.h"
#include "phase/kubeconfig_phase.h"
#include "phase/kubelet_start.h"
#include "phase/proxy.h"
#include "refuse.h"

static int read_file(void *path, struct buf *out, struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        int r = file_read(path, &b, err);

        if (r == 0)
                refuse_keep(out, b.data, b.len);
        return r;
}

static const char manifest[] =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {a: \"b\\u00e4\"}}\nspec:\n  containers:\n"
        "  - name: app\n    image: registry.example.com/a:1\n    args: [\"--x=$(W)\", 'a  b', \"c\\td\"]\n"
        "    env: [{name: W, value: \"1\"}]\n    resources: {requests: {cpu: 250m, memory: 1Gi}}\n"
        "  volumes:\n  - {name: v, hostPath: {path: /v, type: DirectoryOrCreate}}\n";

static int through_yaml(void *text, struct buf *out, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        int r = yaml_load_one("input", text, strlen(text), 0, &v, err);

        if (r == 0) {
                yaml_write(v, 0, &b);
                r = buf_check(&b, "written", err);
        }
        if (r == 0)
                refuse_keep(out, b.data, b.len);
        return r;
}

static int through_json(void *text, struct buf *out, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        int r = json_load("input", text, strlen(text), &v, err);

        if (r == 0) {
                json_write(v, JSON_INDENT | JSON_SORT_KEYS, &b);
                r = buf_check(&b, "written", err);
        }
        if (r == 0)
                refuse_keep(out, b.data, b.len);
        return r;
}

static int through_pod(void *text, struct buf *out, struct err *err)
{
        const struct pod_source source = {.node_name = "node", .file = "input", .seen = 1700000000000000};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = NULL, *again CLEANUP_POD = NULL;
        int r = pod_from_manifest(text, strlen(text), &source, false, &pod, &findings, err);

        if (r == 0)
                r = pod_from_json(pod->json, pod->json_len, &again, err);
        if (r == 0) {
                refuse_keep(out, again->json, again->json_len);
                refuse_keep(out, pod->uid, strlen(pod->uid));
        }
        return r;
}

static int through_kubeconfig(void *text, struct buf *out, struct err *err)
{
        struct kubeconfig config CLEANUP_KUBECONFIG = {.cluster = NULL};
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = kubeconfig_parse("/nonexistent", "/k.conf", text, strlen(text), &config, err);

        if (r == 0) {
                kubeconfig_write(&config, false, &b);
                r = buf_check(&b, "written", err);
        }
        if (r == 0)
                refuse_keep(out, b.data, b.len);
        return r;
}

static void test_files_and_codecs(void **state)
{
        const struct fixture *f = *state;
        char *path CLEANUP_FREE = file_join(f->dir, "kubeadm.yaml");
        char json[] = "{\"a\":[1,2.50,\"x\\u00e4\\n\\ud83d\\ude00\",null],\"b\":{\"c\":true,\"d\":\"<&>\"}}";
        char config[] = "apiVersion: v1\nkind: Config\ncurrent-context: a@b\nclusters:\n- name: b\n  cluster:\n"
                        "    server: https://192.0.2.1:6443\ncontexts:\n- name: a@b\n  context: {cluster: b, user: a}\n"
                        "users:\n- name: a\n  user: {token: secret}\n";

        char pod_text[sizeof(manifest)];

        memcpy(pod_text, manifest, sizeof(manifest));
        refuse_until_success("a file", read_file, path);
        refuse_until_success("YAML", through_yaml, pod_text);
        refuse_until_success("JSON", through_json, json);
        refuse_until_success("a kubeconfig", through_kubeconfig, config);
        refuse_until_success("a pod", through_pod, pod_text);
}

/* --- whole phases ----------------------------------------------------------------------------------------------- */

struct run {
        struct fixture *fixture;
        int (*fn)(struct phase *phase, const char *arg, struct err *err);
        const char *const *files;
};

static int render(void *userdata, struct buf *out, struct err *err)
{
        const struct run *run = userdata;
        int r = fixture_run(run->fixture, run->fn, NULL);

        *err = run->fixture->err;
        long at = refuse_pause();
        for (const char *const *file = run->files; *file; file++) {
                /* All or none. */
                assert_int_equal(fixture_has(run->fixture, *file), r == 0);
                if (r < 0)
                        continue;
                char *text CLEANUP_FREE = fixture_get(run->fixture, *file);
                refuse_keep(out, text, strlen(text));
                fixture_remove(run->fixture, *file);
        }
        refuse_go_on(at);
        return r;
}

static int control_plane(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_control_plane(phase, NULL, err);
}

static int etcd(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_etcd_local(phase, err);
}

static int proxy(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_proxy(phase, err);
}

static void test_phases(void **state)
{
        static const char *const control_plane_files[] = {"/etc/kubernetes/manifests/kube-apiserver.yaml",
                                                          "/etc/kubernetes/manifests/kube-controller-manager.yaml",
                                                          "/etc/kubernetes/manifests/kube-scheduler.yaml", NULL};
        static const char *const etcd_files[] = {"/etc/kubernetes/manifests/etcd.yaml", NULL};
        static const char *const proxy_files[] = {"/etc/kubernetes/manifests/kube-proxy.yaml", NULL};
        struct run runs[] = {
                {*state, control_plane, control_plane_files}, {*state, etcd, etcd_files}, {*state, proxy, proxy_files}};

        for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
                refuse_until_success(runs[i].files[0], render, &runs[i]);
}

static int kubelet(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_kubelet_start(phase, err);
}

/* Its files are written one after the other, so those that are there are whole. */
static void test_kubelet_start(void **state)
{
        static const char *const files[] = {"/var/lib/kubelet/config.yaml", "/var/lib/kubelet/instance-config.yaml",
                                            "/var/lib/kubelet/kubeadm-flags.env", NULL};
        struct run run = {*state, kubelet, files};

        refuse_until_success("kubelet-start", render, &run);
}

static int user(struct phase *phase, const char *arg, struct err *err)
{
        const struct kubeconfig_user user = {.client_name = arg, .token = "abcdef.0123456789abcdef"};

        return kubeconfig_user_print(phase, &user, err);
}

static int ca(struct phase *phase, const char *arg, struct err *err)
{
        return certs_run(phase, arg, KUBECONFIG_PHASE_DIR, err);
}

struct print {
        struct fixture *fixture;
        const char *what;
        int (*fn)(struct phase *phase, const char *arg, struct err *err);
        const char *arg;
};

/* All of it or nothing is printed. */
static int printed(void *userdata, struct buf *out, struct err *err)
{
        const struct print *print = userdata;
        struct fixture *f = print->fixture;
        int r = fixture_run(f, print->fn, print->arg);

        *err = f->err;
        if (r == 0)
                refuse_keep(out, f->out, strlen(f->out));
        else
                assert_string_equal(f->out, "");
        return r;
}

static void test_kubeconfig_user(void **state)
{
        struct print run = {*state, "kubeconfig user", user, "someone"};

        assert_int_equal(fixture_run(*state, ca, "ca"), 0);
        refuse_until_success(run.what, printed, &run);
}

static int images(struct phase *phase, const char *arg, struct err *err)
{
        phase->options.output = arg;
        return phase_config_images_list(phase, err);
}

static int migrate(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_config_migrate(phase, NULL, err);
}

static int addons(struct phase *phase, const char *arg, struct err *err)
{
        return phase_addon_print(phase, arg, err);
}

static int explain(struct phase *phase, const char *arg, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;

        phase->options.output = arg;
        strv_add(&names, "scheduler");
        return phase_explain(phase, &names, err);
}

static int differences(struct phase *phase, const char *arg, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        const struct diff_options options = {.from = NULL};
        bool differs;

        phase->options.output = arg;
        strv_add(&names, "scheduler");
        return phase_diff(phase, &names, &options, &differs, err);
}

static const char token_config[] =
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: "
        "192.0.2.10}\n"
        "nodeRegistration: {name: node1, criSocket: unix:///run/containerd/containerd.sock}\n"
        "bootstrapTokens: [{token: abcdef.0123456789abcdef}]\n---\napiVersion: kubeadm.k8s.io/v1beta4\n"
        "kind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n";

static void test_prints(void **state)
{
        struct print runs[] = {
                {*state, "config images list", images, NULL},
                {*state, "config images list -o json", images, "json"},
                {*state, "config images list -o yaml", images, "yaml"},
                {*state, "config migrate", migrate, NULL},
                {*state, "addon coredns", addons, "coredns"},
                {*state, "addon kube-proxy", addons, "kube-proxy"},
                {*state, "explain", explain, NULL},
                {*state, "explain -o json", explain, "json"},
                {*state, "diff", differences, NULL},
                {*state, "diff -o json", differences, "json"},
        };

        fixture_config(*state, token_config);
        fixture_put(*state, "/etc/kubernetes/manifests/kube-scheduler.yaml", manifest);
        for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
                refuse_until_success(runs[i].what, printed, &runs[i]);
}

static int defaults(struct phase *phase, const char *arg, struct err *err)
{
        struct strv kinds CLEANUP_STRV = STRV_INIT;

        strv_add(&kinds, "KubeProxyConfiguration");
        strv_add(&kinds, "KubeletConfiguration");
        return phase_config_print(phase, arg, &kinds, err);
}

static void test_prints_without_configuration(void **state)
{
        struct fixture *f = *state;
        struct print runs[] = {{f, "config print init-defaults", defaults, "init"},
                               {f, "config print join-defaults", defaults, "join"}};

        f->no_config = true;
        for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
                refuse_until_success(runs[i].what, printed, &runs[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_files_and_codecs, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_phases, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_kubelet_start, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_kubeconfig_user, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_prints, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_prints_without_configuration, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests_name("phase/out of memory", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of a bounded buffer that is refused: each allocation of a run in its turn, from the first on, until a run has
 * been through. Every such run ends with ENOMEM, or went without what was refused; what it gives is never cut short,
 * and nothing half-written is left.
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
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fixture.h"
#include "kube/kubeconfig.h"
#include "kube/pod.h"
#include "phase/control_plane.h"
#include "phase/proxy.h"

#define TURNS_MAX 20000

/* The linker puts this in place of the library's realloc (-Wl,--wrap=realloc); of all allocations only the bounded
 * buffers' go there. */
static long refuse_at = -1; /* how many are granted before one is refused; -1: all */
static bool refused;
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
        if (refuse_at == 0) {
                refuse_at = -1;
                refused = true;
                return NULL;
        }
        refuse_at -= refuse_at > 0;
        return __real_realloc(p, size);
}

/* What is tried: appends what it made to out, whose memory is never refused. */
typedef int (*attempt_fn)(void *userdata, struct buf *out, struct err *err);

static void keep(struct buf *out, const char *text, size_t len)
{
        long at = refuse_at;

        refuse_at = -1;
        buf_add(out, text, len);
        refuse_at = at;
}

static void until_success(const char *what, attempt_fn attempt, void *userdata)
{
        struct buf good CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct err err = ERR_INIT;
        long turn = 0;

        refuse_at = -1;
        if (attempt(userdata, &good, &err) != 0)
                fail_msg("%s: %s", what, err.msg);
        do {
                struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
                err = ERR_INIT;
                refused = false;
                refuse_at = turn++;
                int r = attempt(userdata, &out, &err);
                refuse_at = -1;
                if (r != 0 && (r != -ENOMEM || !strstr(err.msg, "memory")))
                        fail_msg("%s, allocation %ld: %d, %s", what, turn, r, err.msg);
                if (r == 0 && !str_eq(buf_str(&good), buf_str(&out)))
                        fail_msg("%s, allocation %ld: another result: %s", what, turn, buf_str(&out));
                assert_true(turn < TURNS_MAX);
        } while (refused);
        /* There was something to refuse. */
        assert_true(turn > 1);
}

static int read_file(void *path, struct buf *out, struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        int r = file_read(path, &b, err);

        if (r == 0)
                keep(out, b.data, b.len);
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
                keep(out, b.data, b.len);
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
                keep(out, b.data, b.len);
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
                keep(out, again->json, again->json_len);
                keep(out, pod->uid, strlen(pod->uid));
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
                keep(out, b.data, b.len);
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
        until_success("a file", read_file, path);
        until_success("YAML", through_yaml, pod_text);
        until_success("JSON", through_json, json);
        until_success("a kubeconfig", through_kubeconfig, config);
        until_success("a pod", through_pod, pod_text);
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
        long at = refuse_at;
        refuse_at = -1;
        for (const char *const *file = run->files; *file; file++) {
                /* All or none. */
                assert_int_equal(fixture_has(run->fixture, *file), r == 0);
                if (r < 0)
                        continue;
                char *text CLEANUP_FREE = fixture_get(run->fixture, *file);
                keep(out, text, strlen(text));
                fixture_remove(run->fixture, *file);
        }
        refuse_at = at;
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
                until_success(runs[i].files[0], render, &runs[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_files_and_codecs, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_phases, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests_name("phase/out of memory", tests, NULL, NULL);
}

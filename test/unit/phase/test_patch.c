/* SPDX-License-Identifier: Apache-2.0
 *
 * The patches directory as a phase uses it: what is read, said, refused and written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fixture.h"
#include "phase/control_plane.h"
#include "phase/era.h"
#include "phase/patch.h"
#include "phase/patch_json.h"

#define PATCHES "/etc/kubernetes/patches"
#define MANIFEST "/etc/kubernetes/manifests/kube-scheduler.yaml"

static const char patched_config[] = "apiVersion: kubeadm.k8s.io/v1beta4\n"
                                     "kind: InitConfiguration\n"
                                     "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n"
                                     "nodeRegistration: {criSocket: 'unix:///run/x.sock', name: node1}\n"
                                     "patches: {directory: " PATCHES "}\n"
                                     "---\n"
                                     "apiVersion: kubeadm.k8s.io/v1beta4\n"
                                     "kind: ClusterConfiguration\n"
                                     "kubernetesVersion: v1.36.3\n";

static int setup(void **state)
{
        int r = fixture_setup(state);

        if (r == 0)
                fixture_config(*state, patched_config);
        return r;
}

static int scheduler(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_control_plane(phase, &component_scheduler, err);
}

static int all(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_control_plane(phase, NULL, err);
}

static void test_order_and_messages(void **state)
{
        struct fixture *f = *state;

        /* Lexical, and a directory stands among the files. */
        fixture_put(f, PATCHES "/kube-scheduler1+merge.yaml", "metadata: {labels: {order: '1'}}\n");
        fixture_put(f, PATCHES "/a/kube-scheduler+json.json",
                    "[{\"op\": \"add\", \"path\": \"/metadata/labels/order\", \"value\": \"a\"}]");
        fixture_put(f, PATCHES "/z/kube-scheduler.yaml",
                    "metadata: {labels: {order: z}}\n---\n# nothing\n---\nmetadata: {labels: {last: x}}\n");
        fixture_put(f, PATCHES "/etcd.yaml", "spec: {}\n");
        fixture_put(f, PATCHES "/README", "x");
        fixture_put(f, PATCHES "/kube-scheduler.json", "");
        fixture_put(f, PATCHES "/web.yaml", "x");
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_string_equal(
                f->out,
                "[control-plane] Creating static Pod manifest for \"kube-scheduler\"\n"
                "[patches] Reading patches from path \"" PATCHES "\"\n"
                "[patches] Ignoring file \"README\": the file extension must be one of [json yaml]\n"
                "[patches] Ignoring empty file: \"kube-scheduler.json\"\n"
                "[patches] Ignoring file \"web.yaml\": unknown target, must be one of [etcd kube-apiserver "
                "kube-controller-manager kube-scheduler kubeletconfiguration corednsdeployment]\n"
                "[patches] Found the following patch files: [kube-scheduler+json.json etcd.yaml "
                "kube-scheduler1+merge.yaml kube-scheduler.yaml]\n"
                "[patches] Ignored the following files: [README kube-scheduler.json web.yaml]\n"
                "[patches] Applied patch of type \"application/json-patch+json\" to target \"kube-scheduler\"\n"
                "[patches] Applied patch of type \"application/merge-patch+json\" to target \"kube-scheduler\"\n"
                "[patches] Applied patch of type \"application/strategic-merge-patch+json\" to target "
                "\"kube-scheduler\"\n"
                "[patches] Applied patch of type \"application/strategic-merge-patch+json\" to target "
                "\"kube-scheduler\"\n"
                "[patches] Applied patch of type \"application/strategic-merge-patch+json\" to target "
                "\"kube-scheduler\"\n");
        char *manifest CLEANUP_FREE = fixture_get(f, MANIFEST);
        assert_non_null(strstr(manifest, "    last: x\n    order: z\n"));
        /* The directory is read once a run. */
        assert_int_equal(fixture_run(f, all, NULL), 0);
        const char *first = strstr(f->out, "Reading patches");
        assert_non_null(first);
        assert_null(strstr(first + 1, "Reading patches"));
}

static void test_typed(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, PATCHES "/kube-scheduler.yaml",
                    "metadata: {labels: {a10: x, a2: ''}}\n"
                    "spec:\n"
                    "  containers:\n"
                    "  - name: kube-scheduler\n"
                    "    resources: {requests: {cpu: 0.25, memory: 1024Mi}, limits: {}}\n"
                    "    readinessProbe: null\n"
                    "  volumes:\n"
                    "  - {name: zz, emptyDir: {}}\n");
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_string_equal(f->log, "");
        char *manifest CLEANUP_FREE = fixture_get(f, MANIFEST);
        assert_non_null(strstr(manifest, "    resources:\n      requests:\n        cpu: 250m\n        memory: 1Gi\n"));
        assert_null(strstr(manifest, "readinessProbe"));
        assert_non_null(strstr(manifest, "    a2: \"\"\n    a10: x\n"));
        assert_non_null(strstr(manifest, "  volumes:\n  - emptyDir: {}\n    name: zz\n  - hostPath:\n"));
}

static void expect_failure(struct fixture *f, const char *file, const char *text, const char *cause, const char *log)
{
        char *path CLEANUP_FREE = xasprintf(PATCHES "/%s", file);

        fixture_put(f, path, text);
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_true(fixture_run(f, scheduler, NULL) < 0);
        char *message CLEANUP_FREE =
                xasprintf("error execution phase control-plane/scheduler: failed to patch static Pod "
                          "manifest file for \"kube-scheduler\": %s",
                          cause);
        assert_string_equal(f->err.msg, message);
        assert_string_equal(f->log, log);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        fixture_remove(f, PATCHES);
}

static void test_failures(void **state)
{
        struct fixture *f = *state;

        expect_failure(f, "etcd+bad.yaml", "x",
                       "could not list patch files for path \"" PATCHES
                       "\": unknown or missing patch type after '+', must "
                       "be one of [json merge strategic]",
                       PATCHES "/etcd+bad.yaml: unknown or missing patch type after '+', must be one of [json merge "
                               "strategic]\n");
        expect_failure(
                f, "kube-scheduler+json.yaml", "- {op: test, path: /kind, value: Pod}\n- {op: remove, path: /x}\n",
                "could not apply the following patch of type \"application/json-patch+json\" to target "
                "\"kube-scheduler\":\n[{\"op\":\"test\",\"path\":\"/kind\",\"value\":\"Pod\"},{\"op\":\"remove\","
                "\"path\":\"/x\"}]\n: error in remove for path: '/x': Unable to remove nonexistent key: x: missing "
                "value",
                PATCHES "/kube-scheduler+json.yaml:2:3: error in remove for path: '/x': Unable to remove nonexistent "
                        "key: x: missing value\n");
        expect_failure(
                f, "kube-scheduler.yaml", "a: b\n---\n\nmetadata:\n  labels: {x: true}\n  nam: y\n",
                "failed to unmarshal patched manifest: [metadata.labels.x: expected a string, found the boolean true "
                "(put it in quotes), unknown field \"metadata.nam\"; did you mean \"name\"?, unknown field \"a\"]",
                PATCHES "/kube-scheduler.yaml:5:15: metadata.labels.x: expected a string, found the boolean true "
                        "(put it in quotes)\n" PATCHES
                        "/kube-scheduler.yaml:6:8: unknown field \"metadata.nam\"; did you mean \"name\"?\n" PATCHES
                        "/kube-scheduler.yaml:1:4: unknown field \"a\"\n");
        expect_failure(f, "kube-scheduler+merge.yaml", "kind: Service\n",
                       "failed to unmarshal patched manifest: kind: a patch cannot change Pod",
                       PATCHES "/kube-scheduler+merge.yaml:1:7: kind: a patch cannot change Pod\n");
        expect_failure(f, "kube-scheduler.yaml", "a: [b\n",
                       "could not list patch files for path \"" PATCHES "\": could not convert patch to JSON: " PATCHES
                       "/kube-scheduler.yaml:2:1: did not find expected ',' or ']', while parsing a flow sequence that "
                       "began at line 1",
                       "");
}

/* The operations on {a: {}}; how the document ends. */
static void expect_patched(const char *operations, int code, const char *message)
{
        struct value *document CLEANUP_VALUE = value_new_map(), *patch CLEANUP_VALUE = NULL;
        struct era *era = NULL;
        struct err err = ERR_INIT;
        size_t operation;

        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &era, NULL), 0);
        value_map_set(document, "a", value_new_map());
        assert_int_equal(yaml_load_one("patch", operations, strlen(operations), 0, &patch, &err), 0);
        assert_int_equal(patch_json(&document, patch, era, &operation, &err), -code);
        assert_string_equal(err.msg, message);
        (void)era_free(era);
}

/* Each copy doubles the document, or its depth; what was taken out again does not count. */
static void test_growth(void **state)
{
        struct buf doubled CLEANUP_BUF = BUF_INIT(LIMIT_PATCH_BYTES), kept CLEANUP_BUF = BUF_INIT(LIMIT_PATCH_BYTES),
                           deep CLEANUP_BUF = BUF_INIT(LIMIT_PATCH_BYTES);

        (void)state;
        for (unsigned i = 0; i < 40; i++)
                buf_addf(&doubled, "- {op: copy, from: /a, path: /%u}\n- {op: move, from: /%u, path: /a/%u}\n", i, i,
                         i);
        expect_patched(buf_str(&doubled), ERR_LIMIT,
                       "error while adding value during copy: more than 200000 values in "
                       "the patched document");
        for (unsigned i = 0; i < 12; i++)
                buf_addf(&kept, "- {op: copy, from: /a, path: /b}\n- {op: move, from: /b, path: /a/%u}\n", i);
        for (unsigned i = 0; i < 100; i++)
                buf_addstr(&kept, "- {op: copy, from: /a, path: /b}\n- {op: remove, path: /b}\n"
                                  "- {op: replace, path: /a/11, value: {}}\n- {op: move, from: /a, path: /a}\n"
                                  "- {op: copy, from: /a, path: /c}\n- {op: copy, from: /a, path: /c}\n");
        expect_patched(buf_str(&kept), 0, "");
        for (unsigned i = 0; i < 12; i++) {
                buf_addstr(&deep, "- {op: copy, from: /a, path: /a");
                for (unsigned level = 1; level < 1U << i; level++)
                        buf_addstr(&deep, "/n");
                buf_addstr(&deep, "/n}\n");
        }
        assert_false(kept.failed || deep.failed);
        expect_patched(buf_str(&deep), ERR_LIMIT,
                       "error while adding value during copy: more than 100 levels in the "
                       "patched document");
}

/* Up to 1.28 what was patched was YAML. kubeadm's decoder goes on in its own words, so no recording tells this. */
static void test_failure_of_old(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.28.15";
        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nlocalAPIEndpoint: "
                          "{advertiseAddress: 192.0.2.10}\npatches: {directory: " PATCHES "}\n---\napiVersion: "
                          "kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.28.15\n");
        fixture_put(f, PATCHES "/kube-scheduler.yaml", "metadata: {labels: {x: true}}\n");
        assert_true(fixture_run(f, scheduler, NULL) < 0);
        assert_non_null(strstr(f->err.msg, "failed to unmarshal patched manifest from YAML: metadata.labels.x: "));
}

/* As kubeadm: what a Pod does not have vanishes. */
static void test_lenient(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        fixture_put(f, PATCHES "/kube-scheduler.yaml", "spec: {hostNet: true, hostPID: true}\n");
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_non_null(strstr(f->log, ":1:17: warning: unknown field \"spec.hostNet\""));
        char *manifest CLEANUP_FREE = fixture_get(f, MANIFEST);
        assert_non_null(strstr(manifest, "hostPID: true"));
        assert_null(strstr(manifest, "hostNet:"));
        /* hostUsers came with 1.25. */
        f->version = "v1.36.3";
        fixture_put(f, PATCHES "/kube-scheduler.yaml", "spec: {hostUsers: false}\n");
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        assert_string_equal(f->log, "");
}

static void test_directories(void **state)
{
        struct fixture *f = *state;
        char *link CLEANUP_FREE = xasprintf("%s" PATCHES, f->root);
        char *big CLEANUP_FREE = xcalloc(1, LIMIT_PATCH_BYTES + 2);

        assert_true(fixture_run(f, scheduler, NULL) < 0);
        assert_non_null(strstr(f->err.msg, "could not list patch files for path \"" PATCHES "\": lstat " PATCHES
                                           ": no such file or directory"));
        fixture_put(f, "/etc/kubernetes/other/kube-scheduler.yaml", "spec: {hostPID: true}\n");
        assert_int_equal(symlink("other", link), 0);
        assert_true(fixture_run(f, scheduler, NULL) < 0);
        assert_non_null(strstr(f->err.msg, "getPatchSetsFromPath patches: not a directory"));
        fixture_remove(f, PATCHES);
        memset(big, '#', LIMIT_PATCH_BYTES + 1);
        fixture_put(f, PATCHES "/kube-scheduler.yaml", big);
        assert_true(fixture_run(f, scheduler, NULL) < 0);
        assert_non_null(strstr(f->err.msg, "could not read the file \"" PATCHES "/kube-scheduler.yaml\": "));
        /* One that is empty changes nothing. */
        fixture_remove(f, PATCHES);
        assert_int_equal(mkdir(link, 0755), 0);
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
}

static int origins(struct phase *phase, const char *arg, struct err *err)
{
        struct value *object CLEANUP_VALUE = value_new_map();

        (void)arg;
        value_map_set(object, "apiVersion", value_new_string("v1"));
        value_map_set(object, "kind", value_new_string("Pod"));
        int r = patch_object(phase, "etcd", "Pod", &object, err);
        const struct value *label = value_get(object, "metadata", "labels", "a", NULL);
        const struct value *cpu = value_get(object, "spec", "overhead", "cpu", NULL);
        assert_non_null(label);
        assert_string_equal(label->place.origin, "patch " PATCHES "/etcd.yaml");
        assert_string_equal(label->place.file, PATCHES "/etcd.yaml");
        assert_int_equal(label->place.line, 4);
        assert_string_equal(cpu->text, "1500m");
        assert_string_equal(cpu->place.origin, "patch " PATCHES "/etcd.yaml");
        return r;
}

static void test_origin(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, PATCHES "/etcd.yaml", "spec: {overhead: {cpu: 1.5}}\n---\nmetadata:\n  labels: {a: b}\n");
        assert_int_equal(fixture_run(f, origins, NULL), 0);
}

/* Links in a directory below --rootfs stay below it. */
static void test_links(void **state)
{
        struct fixture *f = *state;
        char *outside CLEANUP_FREE = file_join(f->dir, "outside.yaml");

        fixture_put(f, "/srv/real.yaml", "metadata: {labels: {order: inside}}\n");
        fixture_link(f, PATCHES "/kube-scheduler1.yaml", "/srv/real.yaml");
        assert_int_equal(fixture_run(f, scheduler, NULL), 0);
        char *text CLEANUP_FREE = fixture_get(f, MANIFEST);
        assert_non_null(strstr(text, "order: inside"));
        assert_int_equal(file_write_atomic(outside, "spec: {}\n", 9, 0644, 0, NULL), 0);
        fixture_link(f, PATCHES "/kube-scheduler2.yaml", outside);
        assert_int_equal(fixture_run(f, scheduler, NULL), -ENOENT);
        assert_non_null(strstr(f->err.msg, "could not read the file \"" PATCHES "/kube-scheduler2.yaml\": open " PATCHES
                                           "/kube-scheduler2.yaml: no such file or directory"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_growth),
                cmocka_unit_test_setup_teardown(test_order_and_messages, setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_typed, setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_failures, setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_failure_of_old, setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_lenient, setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_directories, setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_links, setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_origin, setup, fixture_teardown),
        };

        return cmocka_run_group_tests_name("patch", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "kube/config_object.h"
#include "kube/pod.h"

#define MAP "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {b: two, a: one}\nbinaryData: {c: AAE=}\n"
#define SECRET                                                                                                        \
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: x}\ndata: {p: cGFzcw==}\nstringData: {p: q, " \
        "r: s}\n"

static int read(const char *text, struct config_objects *ret, struct pod_findings *findings, struct err *err)
{
        return config_objects_read("c.yaml", text, strlen(text), false, ret, findings, err);
}

static void test_both_kinds(void **state)
{
        struct config_objects objects CLEANUP(config_objects_release) = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(read(MAP "---\n" SECRET, &objects, &findings, &err), 0);
        assert_int_equal(findings.count, 0);
        const struct config_object *map = config_objects_find(&objects, CONFIG_MAP, "default", "web");
        assert_non_null(map);
        assert_int_equal(map->count, 3);
        assert_string_equal(map->items[0].key, "a");
        assert_string_equal(config_object_item(map, "b")->data, "two");
        assert_int_equal(config_object_item(map, "c")->len, 2);
        const struct config_object *secret = config_objects_find(&objects, CONFIG_SECRET, "x", "web");
        assert_string_equal(config_object_item(secret, "p")->data, "q");
        assert_null(config_objects_find(&objects, CONFIG_SECRET, "default", "web"));
        assert_true(config_object_equal(map, map));
        assert_false(config_object_equal(map, secret));
}

static void test_other_files_are_none(void **state)
{
        struct config_objects objects = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(
                read("kind: Pod\nspec: {volumes: [{configMap: {name: ConfigMap}}]}\n", &objects, &findings, &err), 1);
        assert_int_equal(findings.count, 0);
        assert_null(objects.items);
}

static void wrong(const char *text, const char *expected)
{
        struct config_objects objects = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct err err = ERR_INIT;

        assert_int_equal(read(text, &objects, &findings, &err), -ERR_INVALID);
        assert_string_equal(err.msg, expected);
        assert_null(objects.items);
        for (size_t i = 0; i < findings.count; i++)
                assert_null(strstr(findings.items[i].text, "topsecret"));
}

/* No message may have a value in it. */
static void test_mistakes_have_places_and_no_values(void **state)
{
        (void)state;
        wrong("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {p: topsecret!}\n",
              "c.yaml:4:11: data[p]: is no base64");
        wrong("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: [topsecret]}\n",
              "c.yaml:4:17: stringData[p]: must be a string, not a list");
}

static void test_mistakes(void **state)
{
        (void)state;
        wrong("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {p: 1}\n",
              "c.yaml:4:11: data[p]: must be a string, not a number");
        wrong("apiVersion: v1\nkind: ConfigMap\ndata: {}\n", "c.yaml:1:1: metadata.name: Required value");
        wrong(MAP "---\n" MAP, "c.yaml:7:1: ConfigMap default/web is in this file twice");
        wrong(MAP "---\nkind: Pod\n",
              "c.yaml:7:1: a file with ConfigMaps or Secrets holds nothing else; give a pod its own file");
}

/* --- references of pods ------------------------------------------------------------------------------------------- */

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec:\n  containers:\n  - name: c\n    image: i\n"
#define USES                                                                                                         \
        POD "    env:\n    - {name: A, valueFrom: {configMapKeyRef: {name: web, key: a}}}\n"                         \
            "    - {name: B, value: b}\n    envFrom:\n    - {secretRef: {name: nope, optional: true}, prefix: X_}\n" \
            "    volumeMounts: [{name: v, mountPath: /v}, {name: e, mountPath: /e}]\n"                               \
            "  volumes:\n  - {name: e, emptyDir: {}}\n"                                                              \
            "  - {name: v, projected: {sources: [{configMap: {name: web, items: [{key: a, path: x/a, mode: "         \
            "256}]}}]}}\n"

static int take(const char *text, const struct config_objects *configs, struct pod **ret, struct pod_findings *findings)
{
        const struct pod_source source = {.node_name = "n", .file = "w.yaml", .seen = 1, .configs = configs};
        struct err err = ERR_INIT;

        return pod_from_manifest(text, strlen(text), &source, false, ret, findings, &err);
}

static void test_served_references(void **state)
{
        struct config_objects objects CLEANUP(config_objects_release) = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = NULL, *again CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(read(MAP, &objects, &findings, &err), 0);
        assert_int_equal(take(USES, &objects, &pod, &findings), 0);
        assert_int_equal(findings.count, 0);
        assert_string_equal(pod->containers[0].env[0].config_name, "web");
        assert_string_equal(pod->containers[0].env_from[0].prefix, "X_");
        assert_int_equal(pod->volumes[1].source_count, 1);
        assert_int_equal(pod->volumes[1].sources[0].items[0].mode, 256);
        /* What the API server admits as a mirror. */
        assert_non_null(strstr(pod->json, "configMapKeyRef"));
        assert_null(strstr(pod->mirror_json, "configMap"));
        assert_null(strstr(pod->mirror_json, "secretRef"));
        assert_null(strstr(pod->mirror_json, "\"/v\""));
        assert_non_null(strstr(pod->mirror_json, "\"/e\""));
        assert_non_null(strstr(pod->mirror_json, "\"name\":\"B\""));
        /* Read back from disk it is taken whatever serves it then. */
        assert_int_equal(pod_from_json(pod->json, pod->json_len, &again, &err), 0);
        assert_string_equal(again->spec_hash, pod->spec_hash);
}

static void test_references_that_nothing_serves(void **state)
{
        struct config_objects none = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod = NULL;

        (void)state;
        assert_int_equal(take(USES, &none, &pod, &findings), -ERR_INVALID);
        assert_int_equal(findings.count, 2);
        assert_string_equal(findings.items[0].text,
                            "w.yaml:9:46: spec.containers[0].env[0].valueFrom.configMapKeyRef: Forbidden: static pods "
                            "may not reference configmaps: no document in the manifest directory serves ConfigMap "
                            "default/web");
        assert_non_null(strstr(findings.items[1].text, "spec.volumes[1].projected.sources[0].configMap: Forbidden"));
}

static void test_secret_files_are_for_their_owner(void **state)
{
        struct config_objects objects CLEANUP(config_objects_release) = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(read("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n", &objects, &findings, &err), 0);
        assert_int_equal(take(POD "  volumes:\n  - {name: a, secret: {secretName: s}}\n"
                                  "  - {name: b, secret: {secretName: s, defaultMode: 420}}\n",
                              &objects, &pod, &findings),
                         0);
        assert_int_equal(pod->volumes[0].type, POD_VOLUME_SECRET);
        assert_int_equal(pod->volumes[0].default_mode, 0400);
        assert_int_equal(pod->volumes[1].default_mode, 0644);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_kinds),
                cmocka_unit_test(test_other_files_are_none),
                cmocka_unit_test(test_mistakes_have_places_and_no_values),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_served_references),
                cmocka_unit_test(test_references_that_nothing_serves),
                cmocka_unit_test(test_secret_files_are_for_their_owner),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

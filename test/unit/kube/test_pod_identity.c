/* SPDX-License-Identifier: Apache-2.0 */
#include "pod_test.h"

#define MANIFEST(image) \
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: a, image: " image "}]\n"

static struct pod *pod_with(const char *manifest, const char *node, const char *file, usec_t seen)
{
        const struct pod_source source = {.node_name = node, .file = file, .seen = seen};

        return test_pod(manifest, &source);
}

static bool is_hex(const char *s)
{
        return strspn(s, "0123456789abcdef") == strlen(s);
}

static void test_fields(void **state)
{
        struct pod *pod CLEANUP_POD = pod_with(MANIFEST("b"), "node", "/m/web.yaml", 1700000000123456);

        (void)state;
        assert_string_equal(pod->name, "web-node");
        assert_string_equal(pod->namespace, "default");
        assert_string_equal(pod->node_name, "node");
        assert_int_equal(strlen(pod->uid), 32);
        assert_true(is_hex(pod->uid));
        assert_string_equal(pod_map_get(&pod->annotations, "kubernetes.io/config.hash"), pod->uid);
        assert_string_equal(pod_map_get(&pod->annotations, "kubernetes.io/config.source"), "file");
        assert_string_equal(pod_map_get(&pod->annotations, "kubernetes.io/config.seen"), "2023-11-14T22:13:20.123456Z");
        assert_non_null(strstr(pod->json, "\"tolerations\":[{\"effect\":\"NoExecute\",\"operator\":\"Exists\"}]"));
        assert_non_null(strstr(pod->json, "\"nodeName\":\"node\""));
        assert_null(strstr(pod->json, "\"status\""));
}

/* What the UID depends on, and what not. A change of this value restarts every static pod at an upgrade. */
static void test_uid(void **state)
{
        struct pod *pod CLEANUP_POD = pod_with(MANIFEST("b"), "node", "/m/web.yaml", 1);
        static const struct {
                const char *manifest, *node, *file;
                bool same;
        } rows[] = {
                {"{kind: Pod, spec: {containers: [{image: \"b\", 'name': a}]}, metadata: {name: web}, apiVersion: v1}",
                 "node", "/m/web.yaml", true}, /* as written differs, what is said does not */
                {"# comment\n" MANIFEST("b"), "node", "/m/web.yaml", true},
                {MANIFEST("c"), "node", "/m/web.yaml", false},
                {MANIFEST("b, imagePullPolicy: Always"), "node", "/m/web.yaml", false}, /* a default, written out */
                {MANIFEST("b"), "other", "/m/web.yaml", false},
                {MANIFEST("b"), "node", "/m/other.yaml", false},
        };

        (void)state;
        assert_string_equal(pod->uid, "c2421dac1130d821dbe50db151d2698e");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pod *other CLEANUP_POD = pod_with(rows[i].manifest, rows[i].node, rows[i].file, 2);

                if (str_eq(other->uid, pod->uid) != rows[i].same)
                        fail_msg("row %zu: %s", i, other->uid);
        }
}

static void test_given_uid(void **state)
{
        struct pod *pod CLEANUP_POD = pod_with("apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: Abc-1.x}\n"
                                               "spec: {containers: [{name: a, image: b}]}",
                                               "node", "f", 1);

        (void)state;
        assert_string_equal(pod->uid, "Abc-1.x");
        assert_string_equal(pod_map_get(&pod->annotations, "kubernetes.io/config.hash"), "Abc-1.x");
}

/* With a UID given by hand an edit shows in the spec hash alone; when it was seen does not. */
static void test_spec_hash(void **state)
{
#define FIXED(image, more)                                             \
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: x" more \
        "}\nspec:\n  containers: [{name: a, image: " image "}]\n"
        struct pod *pod CLEANUP_POD = pod_with(FIXED("b", ""), "node", "f", 1);
        static const struct {
                const char *manifest;
                bool same;
        } rows[] = {
                {FIXED("b", ""), true},
                {FIXED("b, stdin: false, ports: []", ""), true},
                {FIXED("b, imagePullPolicy: Always", ""), true},
                {FIXED("c", ""), false},
                {FIXED("b", ", labels: {a: b}"), false},
                {FIXED("b", ", annotations: {a: b}"), false},
        };

        (void)state;
        assert_string_equal(pod->spec_hash, "1-61f439e31c5a0efa4dff6dfaf95ee4a5");
        assert_true(str_starts(pod->spec_hash, "1-"));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pod *other CLEANUP_POD = pod_with(rows[i].manifest, "node", "f", 99);

                if (str_eq(other->spec_hash, pod->spec_hash) != rows[i].same)
                        fail_msg("row %zu: %s", i, other->spec_hash);
        }
}

/* The vector of reference kuberuntime: since Kubernetes 1.31 over image and name. */
static void test_container_hash(void **state)
{
        struct pod_container c = {.name = (char *)"test_container", .image = (char *)"foo/image:v1"};
        char text[9];

        (void)state;
        pod_container_hash(&c, text);
        assert_string_equal(text, "8e45cbd0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),         cmocka_unit_test(test_uid),
                cmocka_unit_test(test_given_uid),      cmocka_unit_test(test_spec_hash),
                cmocka_unit_test(test_container_hash),
        };

        return cmocka_run_group_tests_name("kube/pod_identity", tests, NULL, NULL);
}

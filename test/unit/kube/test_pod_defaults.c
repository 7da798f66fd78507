/* SPDX-License-Identifier: Apache-2.0
 *
 * The object that a manifest becomes, against what the code of Kubernetes 1.36.3 made of it:
 * test/data/pods/defaults.jsonl was recorded by test/peer/podcheck. And manifests that kubeadm wrote pass without a
 * word.
 */
#include <dirent.h>

#include "pod_test.h"

#include "codec/json.h"
#include "codec/value.h"

/* What only the kubelet's file source adds is not in the recording. */
static void strip(struct value *pod)
{
        struct value *annotations = value_get(pod, "metadata", "annotations", NULL);

        (void)value_map_remove(annotations, "kubernetes.io/config.seen");
        (void)value_map_remove(annotations, "kubernetes.io/config.source");
}

static void check_recorded(const char *line, size_t len)
{
        struct value *recorded CLEANUP_VALUE = NULL, *got CLEANUP_VALUE = NULL;
        struct buf want_text CLEANUP_BUF = BUF_INIT(1 << 20), got_text CLEANUP_BUF = BUF_INIT(1 << 20);
        struct pod *pod CLEANUP_POD = NULL, *again CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        if (json_load("defaults.jsonl", line, len, &recorded, &err) < 0)
                fail_msg("%s", err.msg);
        pod = test_pod(value_string(value_get(recorded, "manifest", NULL), ""), &test_source);
        if (json_load("pod", pod->json, pod->json_len, &got, &err) < 0)
                fail_msg("%s", err.msg);
        strip(got);
        json_write(value_get(recorded, "pod", NULL), JSON_SORT_KEYS, &want_text);
        json_write(got, JSON_SORT_KEYS, &got_text);
        assert_string_equal(buf_str(&got_text), buf_str(&want_text));
        assert_string_equal(pod_qos_name(pod->qos), value_string(value_get(recorded, "qos", NULL), ""));

        /* What was stored reads back as the same pod. */
        if (pod_from_json(pod->json, pod->json_len, &again, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(again->json, pod->json);
        assert_string_equal(again->spec_hash, pod->spec_hash);
        assert_string_equal(again->uid, pod->uid);
        assert_int_equal(again->qos, pod->qos);
}

static void test_recorded(void **state)
{
        struct buf data CLEANUP_BUF = BUF_INIT(1 << 22);
        size_t count = 0;

        (void)state;
        test_read("pods/defaults.jsonl", &data);
        for (const char *line = buf_str(&data), *end; *line; line = end + 1, count++) {
                end = line + strcspn(line, "\n");
                check_recorded(line, (size_t)(end - line));
        }
        assert_int_equal(count, 40);
}

static void test_kubeadm(void **state)
{
        char *path CLEANUP_FREE = file_join(getenv("TEST_DATA"), "pods/kubeadm");
        DIR *dir = opendir(path);
        size_t count = 0;

        (void)state;
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir));) {
                struct pod_findings findings CLEANUP(pod_findings_release) = {0};
                struct buf data CLEANUP_BUF = BUF_INIT(1 << 20);
                struct pod *pod CLEANUP_POD = NULL;
                char *name CLEANUP_FREE = NULL;
                struct err err = ERR_INIT;

                if (!str_ends(entry->d_name, ".yaml"))
                        continue;
                name = file_join("pods/kubeadm", entry->d_name);
                test_read(name, &data);
                if (pod_from_manifest(buf_str(&data), data.len, &test_source, true, &pod, &findings, &err) < 0)
                        fail_msg("%s: %s", entry->d_name, err.msg);
                if (findings.count > 0)
                        fail_msg("%s: %s", entry->d_name, findings.items[0].text);
                assert_string_equal(pod->namespace, "kube-system");
                assert_true(pod->host_network);
                assert_int_equal(pod->container_count, 1);
                assert_int_equal(pod->containers[0].probes[POD_PROBE_LIVENESS].handler.type, POD_HANDLER_HTTP_GET);
                count++;
        }
        (void)closedir(dir);
        assert_int_equal(count, 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded),
                cmocka_unit_test(test_kubeadm),
        };

        return cmocka_run_group_tests_name("kube/pod_defaults", tests, NULL, NULL);
}

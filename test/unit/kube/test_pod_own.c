/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "kube/pod.h"
#include "kube/pod_own.h"

static void test_after(void **state)
{
        struct pod_after_list list CLEANUP_POD_AFTER = {0};
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(pod_after_parse(" etcd:ready, kube-system/api:started,web ,", "default", &list, &err), 0);
        assert_int_equal(list.count, 3);
        assert_string_equal(list.items[0].namespace, "default");
        assert_true(list.items[0].ready);
        assert_string_equal(list.items[1].namespace, "kube-system");
        assert_string_equal(list.items[1].name, "api");
        assert_false(list.items[1].ready);
        assert_true(list.items[2].ready);
        assert_true(pod_after_names(&list.items[0], "default", "etcd-n1", "n1"));
        assert_true(pod_after_names(&list.items[0], "default", "etcd", "n1"));
        assert_false(pod_after_names(&list.items[0], "default", "etcd-n2", "n1"));
        assert_false(pod_after_names(&list.items[0], "other", "etcd-n1", "n1"));
}

static void test_after_that_is_none(void **state)
{
        struct pod_after_list list = {0};
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(pod_after_parse("etcd:up", "default", &list, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "\"up\" is no state to wait for: ready or started");
        assert_int_equal(pod_after_parse("Etcd", "default", &list, &err), -ERR_INVALID);
        assert_int_equal(pod_after_parse("a/b/c", "default", &list, &err), -ERR_INVALID);
        assert_int_equal(list.count, 0);
}

static void findings(const char *annotations, const char *expected)
{
        const struct pod_source source = {.node_name = "n1", .file = "w.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata:\n  name: w\n  annotations:\n    %s\n"
                                            "spec: {containers: [{name: c, image: i}]}\n",
                                            annotations);
        struct pod_findings found CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        (void)pod_from_manifest(text, strlen(text), &source, false, &pod, &found, &err);
        assert_int_equal(found.count, *expected != '\0');
        if (found.count)
                assert_string_equal(found.items[0].text, expected);
        if (!found.count)
                assert_int_equal(pod->revert_seconds, 90);
}

static void test_findings(void **state)
{
        (void)state;
        findings("podwatch.io/revert-after: 1m30s", "");
        findings("podwatch.io/revert-after: soon",
                 "w.yaml:6:31: metadata.annotations[podwatch.io/revert-after]: Invalid value: \"soon\": not a duration "
                 "such as 90s or 2m, nor never");
        findings("podwatch.io/revert-after: 200h", "w.yaml:6:31: metadata.annotations[podwatch.io/revert-after]: "
                                                   "Invalid value: \"200h\": must be from 1s to 24h");
        findings("podwatch.io/aftr: etcd",
                 "w.yaml:6:23: metadata.annotations[podwatch.io/aftr]: not known to podwatch; "
                 "did you mean \"podwatch.io/after\"?");
        findings("podwatch.io/after: etcd:up", "w.yaml:6:24: metadata.annotations[podwatch.io/after]: Invalid value: "
                                               "\"etcd:up\": \"up\" is no state to wait for: ready or started");
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_after), cmocka_unit_test(test_after_that_is_none),
                                           cmocka_unit_test(test_findings)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "kube/pod.h"
#include "node/env_file.h"
#include "node/host.h"
#include "node/volume.h"

/* The same as pkg/kubelet/util/env/env_util_test.go asks for; error NULL: value is found. */
static void test_lines(void **state)
{
        static const struct {
                const char *text, *key, *value, *error;
        } cases[] = {
                {"A='1'\nB='2'\n", "B", "2", NULL},
                {"A='1'", "A", "1", NULL},
                {"A='1'\r\nB='2'\r\n", "B", "2", NULL},
                {"", "A", "", NULL},
                {"\n  \t\n# A='0'\n   A='1' # said\n", "A", "1", NULL},
                {"A=''\n", "A", "", NULL},
                {"A='one\ntwo\n\nthree'\nB='x'", "A", "one\ntwo\n\nthree", NULL},
                {"A='one\nB=two'\nB='x'", "B", "x", NULL},
                {"A='$x \\n \"#'\n", "A", "$x \\n \"#", NULL},
                {"A='1'\nA='2'\n", "A", "1", NULL},
                {"AB='1'\n", "A", "", NULL},
                {"A= '1'\n", "A", "", NULL},
                {"A= nothing\nB='2'\n", "B", "2", NULL},
                {"A='1'\nwrong", "A", "1", NULL}, /* nobody looks behind it */
                {"wrong\n", "A", NULL, "line 1: no `=`"},
                {"='1'\n", "A", NULL, "line 1: no name before `=`"},
                {"\nA ='1'\n", "A", NULL, "line 2: white space before `=`"},
                {"A=1\n", "A", NULL, "line 1: the value is not in single quotes"},
                {"A=\n", "A", NULL, "line 1: the value is not in single quotes"},
                {"A=\"1\"\n", "A", NULL, "line 1: the value is not in single quotes"},
                {"A='1'x\n", "A", NULL, "line 1: content behind the closing quote"},
                {"B='1'\nA='1\n2\n", "A", NULL, "line 2: the quote is not closed"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *value CLEANUP_FREE = NULL;
                struct err err = ERR_INIT;
                int r = env_file_find(cases[i].text, strlen(cases[i].text), cases[i].key, &value, &err);

                if (cases[i].error) {
                        assert_int_equal(r, -ERR_INVALID);
                        assert_string_equal(err.msg, cases[i].error);
                        assert_null(value);
                } else {
                        if (r < 0)
                                fail_msg("case %zu: %s", i, err.msg);
                        assert_string_equal(value, cases[i].value);
                }
        }
}

struct fixture {
        char root[64];
        struct host host;
        struct pod *pod;
        char *volume;
};

static int setup(void **state)
{
        static const char text[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
                                   "  containers:\n  - {name: c, image: i, env: [{name: A, valueFrom: {fileKeyRef: "
                                   "{volumeName: v, path: d/f, key: K}}}]}\n  volumes: [{name: v, emptyDir: {}}]\n";
        const struct pod_source source = {.node_name = "n1", .file = "/m/web.yaml", .seen = 1};
        struct pod_findings findings = {0};
        struct fixture *f = xcalloc(1, sizeof(*f));
        struct err err = ERR_INIT;

        (void)snprintf(f->root, sizeof(f->root), "/tmp/test-env-file-XXXXXX");
        if (!mkdtemp(f->root))
                return -1;
        f->host = (struct host){.root_dir = f->root};
        if (pod_from_manifest(text, strlen(text), &source, false, &f->pod, &findings, &err) < 0)
                fail_msg("%s", err.msg);
        pod_findings_release(&findings);
        f->volume = volume_path(&f->host, f->pod, &f->pod->volumes[0]);
        char *directory CLEANUP_FREE = file_join(f->volume, "d");
        assert_true(file_mkdir_p(directory, 0755, NULL) >= 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        (void)file_remove_tree(f->root, NULL);
        f->pod = pod_unref(f->pod);
        free(f->volume);
        free(f);
        return 0;
}

static int look(struct fixture *f, bool optional, char **ret, struct err *err)
{
        struct pod_env ref = f->pod->containers[0].env[0];

        ref.file_optional = optional;
        return env_file_value(&f->host, f->pod, &ref, ret, err);
}

static void assert_refused(struct fixture *f, const char *words)
{
        char *value CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        assert_true(look(f, false, &value, &err) < 0);
        if (!strstr(err.msg, words))
                fail_msg("%s", err.msg);
        assert_null(value);
}

static void put(struct fixture *f, const char *text, size_t len)
{
        char *path CLEANUP_FREE = file_join(f->volume, "d/f");

        assert_true(file_write_atomic(path, text, len, 0644, FILE_WRITE_NO_SYNC, NULL) >= 0);
}

static void test_value_of_a_file(void **state)
{
        struct fixture *f = *state;
        char *value CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        assert_refused(f, "file d/f of volume v: opening: No such file");
        put(f, "K='it'\n", 7);
        assert_int_equal(look(f, false, &value, &err), 0);
        assert_string_equal(value, "it");
        put(f, "X='it'\n", 7);
        assert_refused(f, "couldn't find key K in file d/f of volume v");
        assert_int_equal(look(f, true, &value, &err), 1);
        put(f, "K='a\0b'\n", 8);
        assert_refused(f, "is no text");
        put(f, "K='\xff'\n", 6);
        assert_refused(f, "is no text");
        put(f, "K\n", 2);
        assert_refused(f, "line 1: no `=`");
}

/* What the container makes of its volume must not have podwatch read or wait for anything else. */
static void test_links_stay_in_the_volume(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = file_join(f->volume, "d/f"), *inside CLEANUP_FREE = file_join(f->volume, "inside");
        char *outside CLEANUP_FREE = file_join(f->root, "outside"), *value CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        assert_true(file_write_atomic(outside, "K='secret'\n", 11, 0644, FILE_WRITE_NO_SYNC, NULL) >= 0);
        assert_int_equal(symlink(outside, path), 0);
        assert_refused(f, "No such file");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("../../../../../../../../outside", path), 0);
        assert_refused(f, "No such file");
        assert_int_equal(unlink(path), 0);
        /* The root of a link is the volume. */
        assert_true(file_write_atomic(inside, "K='mine'\n", 9, 0644, FILE_WRITE_NO_SYNC, NULL) >= 0);
        assert_int_equal(symlink("/inside", path), 0);
        assert_int_equal(look(f, false, &value, &err), 0);
        assert_string_equal(value, "mine");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_refused(f, "file d/f of volume v");
}

static void assert_finding(const char *reference, const char *volume, const char *words)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/web.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
                                            "  containers:\n  - {name: c, image: i, env: [{name: A, valueFrom: "
                                            "{fileKeyRef: {%s}}}]}\n  volumes: [{name: v, %s}]\n",
                                            reference, volume);
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        assert_true(pod_from_manifest(text, strlen(text), &source, false, &pod, &findings, &err) < 0);
        assert_int_equal(findings.count, 1);
        if (!strstr(findings.items[0].text, words))
                fail_msg("%s", findings.items[0].text);
}

/* Words of pkg/apis/core/validation. */
static void test_reference_is_checked(void **state)
{
        static const char at[] = "spec.containers[0].env[0].valueFrom.fileKeyRef.";
        char *key CLEANUP_FREE = xasprintf("%skey: Required value", at);
        char *path CLEANUP_FREE = xasprintf("%spath: Invalid value: \"a/../b\": must not contain '..'", at);
        char *absent CLEANUP_FREE = xasprintf("%svolumeName: Not found: \"w\"", at);
        char *other CLEANUP_FREE =
                xasprintf("%svolumeName: Invalid value: \"v\": referenced volume must be of type emptyDir", at);

        (void)state;
        assert_finding("volumeName: v, path: f", "emptyDir: {}", key);
        assert_finding("volumeName: v, path: a/../b, key: K", "emptyDir: {}", path);
        assert_finding("volumeName: w, path: f, key: K", "emptyDir: {}", absent);
        assert_finding("volumeName: v, path: f, key: K", "hostPath: {path: /x}", other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_reference_is_checked),
                cmocka_unit_test_setup_teardown(test_value_of_a_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_links_stay_in_the_volume, setup, teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

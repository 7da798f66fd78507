/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "kube/pod.h"
#include "node/revision.h"
#include "node/revision_history.h"
#include "node/rollback.h"

struct fixture {
        char root[64];
        char *file;
        struct revisions *revisions;
};

static char *text_of(int version)
{
        return xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
                         "spec:\n  containers:\n  - {name: c, image: \"i:%d\"}\n",
                         version);
}

static void save(struct fixture *f, int version)
{
        const struct pod_source source = {.node_name = "n1", .file = f->file, .seen = 1};
        char *text CLEANUP_FREE = text_of(version);
        struct pod_findings findings = {0};
        struct err err = ERR_INIT;
        struct pod *pod CLEANUP_POD = NULL;
        unsigned number;

        assert_int_equal(pod_from_manifest(text, strlen(text), &source, false, &pod, &findings, &err), 0);
        assert_int_equal(revision_save(f->revisions, pod, f->file, text, strlen(text), 0, 0, &number, &err), 0);
        assert_int_equal(file_write_atomic(f->file, text, strlen(text), 0640, FILE_WRITE_KEEP_MODE, &err), 0);
        pod_findings_release(&findings);
}

static int setup(void **state)
{
        struct fixture *f = xcalloc(1, sizeof(*f));

        (void)snprintf(f->root, sizeof(f->root), "/tmp/test-history-XXXXXX");
        if (!mkdtemp(f->root))
                return -1;
        f->file = xasprintf("%s/web.yaml", f->root);
        f->revisions = revisions_new(f->root, 0);
        for (int i = 1; i <= 3; i++)
                save(f, i);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        f->revisions = revisions_free(f->revisions);
        (void)file_remove_tree(f->root, NULL);
        free(f->file);
        free(f);
        return 0;
}

static void find(struct fixture *f, struct revision_pod *ret)
{
        struct err err = ERR_INIT;

        if (revision_history_find(f->revisions, "web", ret, &err) < 0)
                fail_msg("%s", err.msg);
}

static void test_history_names_what_changed(void **state)
{
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct buf table CLEANUP_BUF = BUF_INIT(65536);
        cJSON *history CLEANUP_CJSON = NULL;
        struct err err = ERR_INIT;

        find(*state, &pod);
        assert_string_equal(pod.name, "web-n1");
        assert_int_equal(pod.count, 3);
        assert_int_equal(pod.current, 3);
        assert_int_equal(revision_history_json(((struct fixture *)*state)->revisions, &pod, &history, &err), 0);
        const cJSON *last = cJSON_GetArrayItem(cjson_get(history, "revisions", NULL), 2);
        assert_true(cjson_bool(last, "current"));
        assert_int_equal(cJSON_GetArraySize(cjson_get(last, "changed", NULL)), 1);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(cjson_get(last, "changed", NULL), 0)),
                            "spec.containers[c].image");
        revision_history_table(history, 0, &table);
        assert_non_null(strstr(buf_str(&table), "in force  spec.containers[c].image\n"));
        assert_non_null(strstr(buf_str(&table), "first that is kept\n"));
}

static void test_diff(void **state)
{
        struct fixture *f = *state;
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct buf out CLEANUP_BUF = BUF_INIT(65536);
        struct err err = ERR_INIT;

        find(f, &pod);
        assert_int_equal(revision_history_diff(f->revisions, &pod, 1, 3, &out, &err), 0);
        assert_non_null(strstr(buf_str(&out), "\n-  - {name: c, image: \"i:1\"}\n+  - {name: c, image: \"i:3\"}\n"));
        buf_clear(&out);
        assert_int_equal(revision_history_diff(f->revisions, &pod, 3, 0, &out, &err), 0);
        assert_int_equal(out.len, 0);
        assert_int_equal(revision_history_diff(f->revisions, &pod, 9, 1, &out, &err), -ENOENT);
        assert_string_equal(err.msg, "no revision 9 of default/web-n1 is kept: there are 1 to 3");
}

static void expect_file(const struct fixture *f, int version)
{
        struct buf data CLEANUP_BUF = BUF_INIT(65536);
        char *text CLEANUP_FREE = text_of(version);
        struct stat st;

        assert_int_equal(file_read(f->file, &data, NULL), 0);
        assert_string_equal(buf_str(&data), text);
        assert_int_equal(stat(f->file, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_rollback_undoes_the_last_edit(void **state)
{
        struct fixture *f = *state;
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct err err = ERR_INIT;
        unsigned number = 0;

        find(f, &pod);
        assert_int_equal(rollback(f->revisions, &pod, 0, &number, &err), 0);
        assert_int_equal(number, 2);
        expect_file(f, 2);
        assert_int_equal(rollback(f->revisions, &pod, 1, &number, &err), 0);
        expect_file(f, 1);
        assert_int_equal(rollback(f->revisions, &pod, 1, &number, &err), 1);
        assert_int_equal(rollback(f->revisions, &pod, 7, &number, &err), -ENOENT);
        expect_file(f, 1);
}

/* What does not parse was never in force: one step back is what still runs. */
static void test_rollback_of_a_broken_edit(void **state)
{
        struct fixture *f = *state;
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct err err = ERR_INIT;
        unsigned number = 0;

        assert_int_equal(file_write_atomic(f->file, "spec: [", 7, 0640, FILE_WRITE_KEEP_MODE, &err), 0);
        find(f, &pod);
        assert_int_equal(rollback(f->revisions, &pod, 0, &number, &err), 0);
        assert_int_equal(number, 3);
        expect_file(f, 3);
}

static void test_rollback_of_a_removed_pod(void **state)
{
        struct fixture *f = *state;
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct err err = ERR_INIT;
        unsigned number = 0;

        assert_int_equal(revision_forget(f->revisions, "default", "web-n1", &err), 0);
        find(f, &pod);
        assert_int_equal(rollback(f->revisions, &pod, 2, &number, &err), -ENOENT);
        assert_non_null(strstr(err.msg, "no manifest is in force for default/web-n1"));
        expect_file(f, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_history_names_what_changed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_diff, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rollback_undoes_the_last_edit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rollback_of_a_broken_edit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rollback_of_a_removed_pod, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
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
#include "base/str.h"
#include "kube/pod.h"
#include "node/revision.h"
#include "node/revision_reject.h"

#include "../pod_of_text.h"

struct fixture {
        char root[64];
        struct revisions *revisions;
};

static int setup(void **state)
{
        struct fixture *f = xcalloc(1, sizeof(*f));

        (void)snprintf(f->root, sizeof(f->root), "/tmp/test-revision-XXXXXX");
        if (!mkdtemp(f->root))
                return -1;
        f->revisions = revisions_new(f->root, 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        f->revisions = revisions_free(f->revisions);
        (void)file_remove_tree(f->root, NULL);
        free(f);
        return 0;
}

static struct pod *pod_with(const char *command)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/web.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
                                            "spec: {containers: [{name: c, image: i, command: [\"%s\"]}]}\n",
                                            command);

        return test_pod(text, &source);
}

static unsigned save(struct fixture *f, const char *command)
{
        struct pod *pod CLEANUP_POD = pod_with(command);
        struct err err = ERR_INIT;
        unsigned number = 0;

        assert_int_equal(revision_save(f->revisions, pod, "/m/web.yaml", "raw", 3, 0, 0, &number, &err), 0);
        return number;
}

static void test_save_and_read_back(void **state)
{
        struct fixture *f = *state;
        struct revision revision = {0};
        struct pod *first CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(revision_current(f->revisions, "default", "web-n1", &revision, &err), 1);
        assert_int_equal(save(f, "one"), 1);
        assert_int_equal(save(f, "two"), 2);
        assert_int_equal(revision_current(f->revisions, "default", "web-n1", &revision, &err), 0);
        assert_int_equal(revision.number, 2);
        assert_string_equal(revision.file, "/m/web.yaml");
        assert_string_equal(revision.pod->containers[0].command.items[0], "two");
        revision_release(&revision);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 1, &first, &err), 0);
        assert_string_equal(first->containers[0].command.items[0], "one");
}

static void test_forget_keeps_the_versions(void **state)
{
        struct fixture *f = *state;
        struct revision revision = {0};
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        (void)save(f, "one");
        assert_int_equal(revision_forget(f->revisions, "default", "web-n1", &err), 0);
        assert_int_equal(revision_forget(f->revisions, "default", "web-n1", &err), 0);
        assert_int_equal(revision_current(f->revisions, "default", "web-n1", &revision, &err), 1);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 1, &pod, &err), 0);
        assert_int_equal(save(f, "two"), 2);
}

static void test_twenty_are_kept(void **state)
{
        struct fixture *f = *state;
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;
        char name[16];

        for (int i = 1; i <= REVISIONS_KEPT + 3; i++) {
                (void)snprintf(name, sizeof(name), "v%d", i);
                assert_int_equal(save(f, name), i);
        }
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 3, &pod, &err), -ENOENT);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 4, &pod, &err), 0);
}

/* A new version may go on trial: what it goes back to stays, and what an earlier trial goes back to. */
static void test_the_version_before_is_kept(void **state)
{
        struct fixture *f = *state;
        struct pod *pod CLEANUP_POD = NULL, *two CLEANUP_POD = NULL, *three CLEANUP_POD = pod_with("three");
        struct err err = ERR_INIT;
        unsigned number = 0;

        f->revisions = revisions_free(f->revisions);
        f->revisions = revisions_new(f->root, 1);
        (void)save(f, "one");
        (void)save(f, "two");
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 1, &pod, &err), 0);
        pod = pod_unref(pod);
        assert_int_equal(revision_save(f->revisions, three, "/m/web.yaml", "raw", 3, 0, 1, &number, &err), 0);
        assert_int_equal(number, 3);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 1, &pod, &err), 0);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 2, &two, &err), 0);
        assert_int_equal(save(f, "four"), 4);
        pod = pod_unref(pod);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 1, &pod, &err), -ENOENT);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 2, &pod, &err), -ENOENT);
        assert_int_equal(revision_load(f->revisions, "default", "web-n1", 3, &pod, &err), 0);
}

static void test_sync(void **state)
{
        struct fixture *f = *state;
        struct pod *pod CLEANUP_POD = pod_with("one");
        struct err err = ERR_INIT;

        assert_int_equal(revision_sync(f->revisions, pod, 1, &err), 0); /* nothing is there */
        (void)save(f, "one");
        assert_int_equal(revision_sync(f->revisions, pod, 1, &err), 0);
        assert_int_equal(revision_forget(f->revisions, "default", "web-n1", &err), 0);
        assert_int_equal(revision_sync(f->revisions, pod, 1, &err), 0);
}

static void damage(struct fixture *f, const char *file, const char *text)
{
        char *path CLEANUP_FREE = xasprintf("%s/pods/default_web-n1/%s", f->root, file);

        assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, 0, NULL), 0);
}

static void test_damage_is_told(void **state)
{
        struct fixture *f = *state;
        struct revision revision = {0};
        struct err err = ERR_INIT;

        (void)save(f, "one");
        (void)save(f, "two");
        /* A power failure left the old content under the new name. */
        struct pod *other CLEANUP_POD = pod_with("three");
        damage(f, "2.json", other->json);
        assert_true(revision_current(f->revisions, "default", "web-n1", &revision, &err) < 0);
        assert_non_null(strstr(err.msg, "2.json"));
        damage(f, "2.json", "");
        assert_true(revision_current(f->revisions, "default", "web-n1", &revision, &err) < 0);
        damage(f, "current", "{\"revision\":");
        assert_true(revision_current(f->revisions, "default", "web-n1", &revision, &err) < 0);
        assert_null(revision.pod);
}

static void count_one(void *userdata, const char *directory, const struct revision *revision, const struct err *err)
{
        int *counts = userdata;

        assert_string_equal(directory, "default_web-n1");
        counts[revision ? 0 : 1]++;
        assert_true((revision == NULL) == (err != NULL));
}

static void test_each(void **state)
{
        struct fixture *f = *state;
        int counts[2] = {0, 0};

        revisions_each(f->revisions, count_one, counts);
        assert_int_equal(counts[0] + counts[1], 0);
        (void)save(f, "one");
        revisions_each(f->revisions, count_one, counts);
        damage(f, "current", "x");
        revisions_each(f->revisions, count_one, counts);
        assert_int_equal(counts[0], 1);
        assert_int_equal(counts[1], 1);
}

static void test_unwritable(void **state)
{
        struct fixture *f = *state;
        struct pod *pod CLEANUP_POD = pod_with("one");
        struct err err = ERR_INIT;
        unsigned number = 0;
        char *blocker CLEANUP_FREE = xasprintf("%s/pods", f->root);

        assert_int_equal(file_write_atomic(blocker, "", 0, 0600, 0, NULL), 0);
        assert_true(revision_save(f->revisions, pod, "/m/web.yaml", "raw", 3, 0, 0, &number, &err) < 0);
        assert_int_equal(number, 1);
}

/* The last of its files could not be written: the others keep no number from the next try. */
static void test_half_of_it_is_taken_away(void **state)
{
        struct fixture *f = *state;
        struct pod *pod CLEANUP_POD = pod_with("one");
        char *blocker CLEANUP_FREE = xasprintf("%s/pods/default_web-n1/current", f->root);
        char *below CLEANUP_FREE = file_join(blocker, "x");
        struct err err = ERR_INIT;
        unsigned number = 0;

        assert_true(file_mkdir_p(below, 0700, &err) >= 0);
        assert_true(revision_save(f->revisions, pod, "/m/web.yaml", "raw", 3, 0, 0, &number, &err) < 0);
        assert_int_equal(number, 1);
        assert_int_equal(file_remove_tree(blocker, &err), 0);
        assert_int_equal(save(f, "one"), 1);
}

/* Half of it must not make the version that failed the one that is recalled. */
static void test_reject_that_is_not_stored(void **state)
{
        struct fixture *f = *state;
        struct pod *one CLEANUP_POD = pod_with("one"), *two CLEANUP_POD = pod_with("two");
        char *blocker CLEANUP_FREE = xasprintf("%s/pods/default_web-n1/current/x", f->root);
        char *current CLEANUP_FREE = xasprintf("%s/pods/default_web-n1/current", f->root);
        char *why CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(save(f, "one"), 1);
        assert_int_equal(save(f, "two"), 2);
        assert_int_equal(unlink(current), 0);
        assert_true(file_mkdir_p(blocker, 0700, &err) >= 0);
        assert_true(revision_reject(f->revisions, two, 2, "why", one, 1, "/m/web.yaml", &err) < 0);
        assert_false(revision_is_rejected(f->revisions, two, &why));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_save_and_read_back, setup, teardown),
                cmocka_unit_test_setup_teardown(test_forget_keeps_the_versions, setup, teardown),
                cmocka_unit_test_setup_teardown(test_twenty_are_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_the_version_before_is_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sync, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damage_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(test_each, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unwritable, setup, teardown),
                cmocka_unit_test_setup_teardown(test_half_of_it_is_taken_away, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reject_that_is_not_stored, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

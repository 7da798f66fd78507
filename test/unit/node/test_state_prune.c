/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "node/state_prune.h"

struct fixture {
        char root[64];
        struct strv live;
};

static int setup(void **state)
{
        struct fixture *f = xcalloc(1, sizeof(*f));

        (void)snprintf(f->root, sizeof(f->root), "/tmp/test-state-prune-XXXXXX");
        if (!mkdtemp(f->root))
                return -1;
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        (void)file_remove_tree(f->root, NULL);
        strv_release(&f->live);
        free(f);
        return 0;
}

static void put(const struct fixture *f, const char *name)
{
        char *path CLEANUP_FREE = file_join(f->root, name);
        char *directory CLEANUP_FREE = file_dirname(path);

        assert_true(file_mkdir_p(directory, 0700, NULL) >= 0);
        assert_true(file_write_atomic(path, "{}", 2, 0600, FILE_WRITE_NO_SYNC, NULL) >= 0);
}

static bool is_there(const struct fixture *f, const char *name)
{
        char *path CLEANUP_FREE = file_join(f->root, name);

        return file_exists(path);
}

/* All that is kept of a pod; since: seconds. */
static void put_pod(const struct fixture *f, const char *name, bool in_force, long since)
{
        static const char *const kinds[] = {"state", "gaps", "status"};
        char *json CLEANUP_FREE = xasprintf("pods/%s/1.json", name);
        char *raw CLEANUP_FREE = xasprintf("pods/%s/1.raw", name);
        char *current CLEANUP_FREE = xasprintf("pods/%s/current", name);
        char *directory CLEANUP_FREE = xasprintf("%s/pods/%s", f->root, name);
        const struct timespec times[2] = {{.tv_sec = since}, {.tv_sec = since}};

        put(f, json);
        put(f, raw);
        if (in_force)
                put(f, current);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                char *file CLEANUP_FREE = xasprintf("%s/%s.json", kinds[i], name);
                put(f, file);
        }
        assert_int_equal(utimensat(AT_FDCWD, directory, times, 0), 0);
}

static void assert_kept(const struct fixture *f, const char *name, bool versions, bool status)
{
        char *json CLEANUP_FREE = xasprintf("pods/%s/1.json", name);
        char *state CLEANUP_FREE = xasprintf("state/%s.json", name);
        char *gaps CLEANUP_FREE = xasprintf("gaps/%s.json", name);
        char *shown CLEANUP_FREE = xasprintf("status/%s.json", name);

        assert_int_equal(is_there(f, json), versions);
        assert_int_equal(is_there(f, state), versions);
        assert_int_equal(is_there(f, gaps), versions);
        assert_int_equal(is_there(f, shown), status);
}

static void test_latest_of_those_that_are_gone_stay(void **state)
{
        struct fixture *f = *state;
        struct err err = ERR_INIT;

        put_pod(f, "default_a-n1", false, 3000);
        put_pod(f, "default_b-n1", false, 1000);
        put_pod(f, "default_c-n1", false, 2000);
        put_pod(f, "default_old-n1", true, 1);
        assert_int_equal(state_prune(f->root, 2, &f->live, &err), 0);
        assert_kept(f, "default_a-n1", true, false);
        assert_kept(f, "default_c-n1", true, false);
        assert_kept(f, "default_b-n1", false, false);
        assert_false(is_there(f, "pods/default_b-n1"));
        /* In force, however long its last version is old. */
        assert_kept(f, "default_old-n1", true, true);
        assert_int_equal(state_prune(f->root, 0, &f->live, &err), 0);
        assert_kept(f, "default_a-n1", false, false);
        assert_kept(f, "default_old-n1", true, true);
}

/* Its manifest is gone and its containers still end, or the disk took no version of it. */
static void test_live_pods_stay_whatever_the_disk_says(void **state)
{
        struct fixture *f = *state;
        struct err err = ERR_INIT;

        put_pod(f, "default_ends-n1", false, 1);
        put(f, "state/default_unstored-n1.json");
        put(f, "status/default_unstored-n1.json");
        strv_add(&f->live, "default_ends-n1");
        strv_add(&f->live, "default_unstored-n1");
        assert_int_equal(state_prune(f->root, 0, &f->live, &err), 0);
        assert_kept(f, "default_ends-n1", true, true);
        assert_true(is_there(f, "state/default_unstored-n1.json"));
        assert_true(is_there(f, "status/default_unstored-n1.json"));
}

static void test_files_that_belong_to_nothing_go(void **state)
{
        struct fixture *f = *state;
        struct err err = ERR_INIT;

        put(f, "state/default_x-n1.json");
        put(f, "gaps/default_x-n1.json");
        put(f, "status/default_x-n1.json");
        put(f, "state/.hidden");
        put(f, "journal/1");
        put(f, "drained");
        assert_int_equal(state_prune(f->root, 5, &f->live, &err), 0);
        assert_false(is_there(f, "state/default_x-n1.json"));
        assert_false(is_there(f, "gaps/default_x-n1.json"));
        assert_false(is_there(f, "status/default_x-n1.json"));
        assert_true(is_there(f, "state/.hidden") && is_there(f, "journal/1") && is_there(f, "drained"));
}

static void test_nothing_there_is_fine(void **state)
{
        struct fixture *f = *state;
        struct err err = ERR_INIT;

        assert_int_equal(state_prune(f->root, 1, &f->live, &err), 0);
        assert_int_equal(state_prune("/nonexistent", 1, &f->live, &err), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_latest_of_those_that_are_gone_stay, setup, teardown),
                cmocka_unit_test_setup_teardown(test_live_pods_stay_whatever_the_disk_says, setup, teardown),
                cmocka_unit_test_setup_teardown(test_files_that_belong_to_nothing_go, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing_there_is_fine, setup, teardown),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

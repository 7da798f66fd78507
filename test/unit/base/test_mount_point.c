/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts of a mount namespace of this test's own, of another file system and of the same one.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mount_point.h"

static char root[] = "/tmp/test-mount-XXXXXX";

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(root) || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        return chdir(root);
}

static int teardown(void **state)
{
        (void)state;
        return chdir("/") < 0 ? -1 : file_remove_tree(root, NULL);
}

/* Both ways of asking. */
static void is_point(const char *path, int expected)
{
        struct err err = ERR_INIT;
        int by_attribute = mount_point_at(path, &err), by_id = mount_point_by_id(path, &err);

        if (by_attribute != expected || by_id != expected)
                fail_msg("%s: %d and %d, expected %d: %s", path, by_attribute, by_id, expected, err.msg);
}

static void test_directories(void **state)
{
        (void)state;
        assert_int_equal(file_mkdir_p("source/inner", 0755, NULL), 0);
        assert_int_equal(file_mkdir_p("bind", 0755, NULL), 0);
        assert_int_equal(file_mkdir_p("tmpfs", 0755, NULL), 0);
        is_point("bind", 0);
        assert_int_equal(mount("source", "bind", NULL, MS_BIND, NULL), 0);
        assert_int_equal(mount("tmpfs", "tmpfs", "tmpfs", 0, NULL), 0);
        assert_int_equal(symlink("bind", "link"), 0);
        is_point("bind", 1);
        is_point("bind/", 1);
        is_point("tmpfs", 1);
        is_point("bind/inner", 0);
        is_point("source", 0);
        is_point("link", 0);
        is_point(".", 0);
        /* A tree with a mount in it, of whatever device, loses nothing. */
        assert_int_equal(file_mkdir_p("tree/a/b", 0755, NULL), 0);
        assert_int_equal(mount("source", "tree/a/b", NULL, MS_BIND, NULL), 0);
        assert_int_equal(file_remove_tree("tree", NULL), -EBUSY);
        assert_int_equal(file_remove_tree("tree/a/b", NULL), -EBUSY);
        assert_true(file_exists("source/inner"));
        assert_int_equal(umount("tree/a/b"), 0);
        assert_int_equal(umount("bind"), 0);
        assert_int_equal(umount("tmpfs"), 0);
        is_point("bind", 0);
        is_point("tmpfs", 0);
}

static void test_files(void **state)
{
        (void)state;
        assert_int_equal(file_write_atomic("one", "1", 1, 0600, 0, NULL), 0);
        assert_int_equal(file_write_atomic("two", "2", 1, 0600, 0, NULL), 0);
        assert_int_equal(mount("one", "two", NULL, MS_BIND, NULL), 0);
        is_point("one", 0);
        is_point("two", 1);
        assert_int_equal(umount("two"), 0);
        is_point("none", -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_directories), cmocka_unit_test(test_files)};

        return cmocka_run_group_tests(tests, setup, teardown);
}

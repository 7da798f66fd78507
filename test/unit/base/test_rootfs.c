/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
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
#include "base/fd.h"
#include "base/file.h"
#include "base/rootfs.h"

static char dir[] = "/tmp/test_rootfs.XXXXXX";
static char *root;

static void put(const char *in, const char *name, const char *text)
{
        char *path CLEANUP_FREE = file_join(in, name);

        assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, 0, NULL), 0);
}

static void make(const char *name)
{
        char *path CLEANUP_FREE = file_join(root, name);

        assert_true(file_mkdir_p(path, 0755, NULL) >= 0);
}

static void make_link(const char *name, const char *target)
{
        char *path CLEANUP_FREE = file_join(root, name);

        assert_return_code(symlink(target, path), errno);
}

/* root/ with the directory a/b, links to it and to nothing, and links out of it. */
static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        root = file_join(dir, "root");
        make("a/b");
        put(root, "a/b/file", "inside");
        put(dir, "secret", "outside");
        make_link("to-b", "/a/b");
        make_link("a/up", "../../../../../a/b");
        make_link("out", dir);
        make_link("nothing", "/none");
        make_link("a/b/again", "../../to-b/file");
        make_link("circle", "circle");
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        free(root);
        return file_remove_tree(dir, NULL);
}

static void reads(void **state)
{
        static const struct {
                const char *path;
                int r;
        } cases[] = {
                {"/a/b/file", 0},       {"a/b/file", 0},         {"/to-b/file", 0},        {"/a/up/again", 0},
                {"/../../a/b/file", 0}, {"/../secret", -ENOENT}, {"/out/secret", -ENOENT}, {"/nothing", -ENOENT},
                {"/a/b", -EISDIR},      {"/circle", -ELOOP},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct buf b CLEANUP_BUF = BUF_INIT(100);
                struct err err = ERR_INIT;

                assert_int_equal(rootfs_read(root, cases[i].path, &b, &err), cases[i].r);
                assert_string_equal(buf_str(&b), cases[i].r == 0 ? "inside" : "");
                assert_true(cases[i].r == 0 || strncmp(err.msg, cases[i].path, strlen(cases[i].path)) == 0);
        }
        char *secret CLEANUP_FREE = file_join(dir, "secret");
        int none CLEANUP_FD = rootfs_open(NULL, secret, O_RDONLY), empty CLEANUP_FD = rootfs_open("", secret, O_RDONLY);
        assert_true(none >= 0 && empty >= 0);
}

static void walks(void **state)
{
        static const struct {
                const char *path;
                enum rootfs_last last;
                int r;
                const char *to;
                const char *wrong; /* the part of path that the error is about */
        } cases[] = {
                {"/a/b/file", ROOTFS_FOLLOW, 0, "/a/b/file", NULL},
                {"//a/./b//", ROOTFS_FOLLOW, 0, "/a/b", NULL},
                {"/", ROOTFS_DIRECTORY, 0, "/", NULL},
                {"/to-b/file", ROOTFS_FOLLOW, 0, "/a/b/file", NULL},
                {"/to-b", ROOTFS_KEEP, 0, "/to-b", NULL},
                {"/a/up/new/file", ROOTFS_FOLLOW, 0, "/a/b/new/file", NULL},
                {"/a/b/again", ROOTFS_FOLLOW, 0, "/a/b/file", NULL},
                {"/a/../../../to-b", ROOTFS_DIRECTORY, 0, "/a/b", NULL},
                /* made on the way, as os.MkdirAll does */
                {"/new/../a", ROOTFS_FOLLOW, 0, "/new/../a", NULL},
                {"/new/../../../a", ROOTFS_FOLLOW, 0, "/new/../a", NULL},
                {"/new/../to-b", ROOTFS_FOLLOW, 0, "/a/b", NULL},
                {"/nothing", ROOTFS_FOLLOW, 0, "/none", NULL},
                {"/nothing", ROOTFS_DIRECTORY, -EEXIST, "/none", "/nothing"},
                {"/a//../nothing/x/y", ROOTFS_FOLLOW, -EEXIST, "/none/x/y", "/a//../nothing"},
                {"/out/x", ROOTFS_FOLLOW, -EEXIST, NULL, "/out"},
                {"/circle/x", ROOTFS_FOLLOW, -ELOOP, NULL, "/circle"},
                {"/circle", ROOTFS_KEEP, 0, "/circle", NULL},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct rootfs_walk walk CLEANUP(rootfs_walk_release) = {.root = root};
                size_t wrong;

                assert_int_equal(rootfs_walk(&walk, cases[i].path, cases[i].last, &wrong), cases[i].r);
                char *at CLEANUP_FREE = rootfs_walked(&walk), *to CLEANUP_FREE = file_join(root, cases[i].to ?: "");
                if (cases[i].to)
                        assert_string_equal(at, to);
                assert_int_equal(strncmp(at, root, strlen(root)), 0);
                if (cases[i].wrong)
                        assert_int_equal(wrong, strlen(cases[i].wrong));
        }
}

/* A directory, then a name in it; forty links together. */
static void goes_on(void **state)
{
        struct rootfs_walk walk CLEANUP(rootfs_walk_release) = {.root = root};

        (void)state;
        assert_int_equal(rootfs_walk(&walk, "/to-b", ROOTFS_DIRECTORY, NULL), 0);
        assert_int_equal(rootfs_walk(&walk, "again", ROOTFS_FOLLOW, NULL), 0);
        char *at CLEANUP_FREE = rootfs_walked(&walk), *to CLEANUP_FREE = file_join(root, "a/b/file");
        assert_string_equal(at, to);
        assert_int_equal(walk.links, 3);
        for (int i = 0; i < 37; i++)
                assert_int_equal(rootfs_walk(&walk, "../../../to-b", ROOTFS_FOLLOW, NULL), 0);
        assert_int_equal(rootfs_walk(&walk, "../../../to-b", ROOTFS_FOLLOW, NULL), -ELOOP);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(walks), cmocka_unit_test(goes_on)};

        return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees that are removed in slices. Mounts are made in a mount namespace of this test's own.
 */
#include <errno.h>
#include <fcntl.h>
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
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "node/host_mount.h"
#include "node/trash.h"
#include "../loop_wait.h"

/* More than a slice has. */
#define MANY 3000
#define TURNS_MIN 6
/* Deeper than a path can be long. */
#define DEPTH 1000

struct state {
        char root[64];
        char *directory;
        struct loop *loop;
        struct trash *trash;
        struct loop_source *other;
        unsigned turns; /* of other */
        unsigned failures;
        char failure[512];
};

static void on_failed(void *userdata, const char *message)
{
        struct state *s = userdata;

        s->failures++;
        (void)snprintf(s->failure, sizeof(s->failure), "%s", message);
}

/* Has something to do in each turn of the loop. */
static void on_other(void *userdata)
{
        struct state *s = userdata;

        s->turns++;
        loop_defer_schedule(s->other);
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct err err = ERR_INIT;

        (void)snprintf(s->root, sizeof(s->root), "/tmp/test-trash-XXXXXX");
        if (!mkdtemp(s->root) || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        s->directory = file_join(s->root, "pods/.trash");
        assert_int_equal(loop_new(&s->loop, &err), 0);
        s->trash = trash_new(s->loop, s->directory, on_failed, s);
        s->other = loop_defer_new(s->loop, "other", on_other, s);
        loop_source_set_priority(s->other, 100); /* in turns with it */
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        int r = host_mount_detach_below(s->root, NULL);

        if (r >= 0)
                r = file_remove_tree(s->root, NULL);

        (void)trash_free(s->trash);
        (void)loop_source_free(s->other);
        (void)loop_free(s->loop);
        free(s->directory);
        free(s);
        return r;
}

static void make(const char *path)
{
        char *parent CLEANUP_FREE = file_dirname(path);

        assert_true(file_mkdir_p(parent, 0755, NULL) >= 0);
        assert_int_equal(file_write_atomic(path, "x", 1, 0600, FILE_WRITE_NO_SYNC, NULL), 0);
}

/* A pod's directory with files in it, in the trash. */
static void put(struct state *s, const char *uid, unsigned files)
{
        char *path CLEANUP_FREE = xasprintf("%s/pods/%s", s->root, uid);
        char *first CLEANUP_FREE = file_join(path, "first");
        struct err err = ERR_INIT;

        make(first);
        for (unsigned i = 0; i < files; i++) {
                char *file CLEANUP_FREE = xasprintf("%s/volumes/%u/f%u", path, i % 7, i);
                char *parent CLEANUP_FREE = file_dirname(file);

                assert_true(file_mkdir_p(parent, 0755, &err) >= 0);
                assert_int_equal(link(first, file), 0);
        }
        if (trash_put(s->directory, path, &err) < 0)
                fail_msg("%s", err.msg);
        assert_false(file_exists(path));
}

static void test_slices(void **state)
{
        struct state *s = *state;

        put(s, "u", MANY);
        put(s, "none", 0);
        assert_true(file_exists(s->directory));
        loop_defer_schedule(s->other);
        trash_empty(s->trash);
        LOOP_WAIT(s->loop, !file_exists(s->directory));
        assert_true(s->turns >= TURNS_MIN);
        assert_int_equal(s->failures, 0);
        /* The same name again, while the first is not yet gone. */
        put(s, "u", MANY);
        trash_empty(s->trash);
        loop_wait_step(s->loop);
        put(s, "u", MANY);
        trash_empty(s->trash);
        LOOP_WAIT(s->loop, !file_exists(s->directory));
}

static uint64_t runs;

static void count_trash(void *userdata, const struct loop_cause *cause)
{
        (void)userdata;
        if (str_eq(cause->name, "trash"))
                runs = cause->runs;
}

static void test_nothing_is_no_work(void **state)
{
        struct state *s = *state;
        uint64_t before;

        trash_empty(s->trash);
        loop_wait_step(s->loop);
        put(s, "u", 1);
        trash_empty(s->trash);
        LOOP_WAIT(s->loop, !file_exists(s->directory));
        loop_causes(s->loop, count_trash, NULL);
        before = runs;
        for (int i = 0; i < 10; i++)
                loop_wait_step(s->loop);
        loop_causes(s->loop, count_trash, NULL);
        assert_int_equal(runs, before);
}

/* What one run leaves another one removes. */
static void test_goes_on(void **state)
{
        struct state *s = *state;

        put(s, "u", MANY);
        trash_empty(s->trash);
        for (int i = 0; i < 3; i++)
                loop_wait_step(s->loop);
        assert_true(file_exists(s->directory));
        (void)trash_free(s->trash);
        s->trash = trash_new(s->loop, s->directory, on_failed, s);
        trash_empty(s->trash);
        LOOP_WAIT(s->loop, !file_exists(s->directory));
        assert_int_equal(s->failures, 0);
}

static void test_deep_and_odd(void **state)
{
        struct state *s = *state;
        char *pod CLEANUP_FREE = xasprintf("%s/pods/u", s->root), *outside CLEANUP_FREE = file_join(s->root, "outside");
        char *link CLEANUP_FREE = file_join(pod, "link"), *fifo CLEANUP_FREE = file_join(pod, "fifo");
        char *kept CLEANUP_FREE = file_join(outside, "kept");
        struct err err = ERR_INIT;
        int fd CLEANUP_FD = -1;

        make(kept);
        assert_true(file_mkdir_p(pod, 0755, NULL) >= 0);
        assert_int_equal(symlink(outside, link), 0);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        fd = open(pod, O_DIRECTORY | O_CLOEXEC);
        for (int i = 0; i < DEPTH; i++) {
                int inner;

                assert_int_equal(mkdirat(fd, "deep", 0), 0);
                assert_int_equal(mknodat(fd, "file", S_IFREG, 0), 0);
                inner = openat(fd, "deep", O_DIRECTORY | O_CLOEXEC);
                assert_true(inner >= 0);
                (void)fd_close(fd);
                fd = inner;
        }
        assert_int_equal(trash_put(s->directory, pod, &err), 0);
        /* Neither a directory nor in one. */
        char *stray CLEANUP_FREE = file_join(s->directory, "stray"), *to CLEANUP_FREE = file_join(s->directory, "to");
        make(stray);
        assert_int_equal(symlink(outside, to), 0);
        trash_empty(s->trash);
        LOOP_WAIT(s->loop, !file_exists(s->directory));
        assert_true(file_exists(kept));
        assert_int_equal(s->failures, 0);
}

/* Of another file system or, by a bind mount, of the same one; in the tree or on it. */
static void test_mounts_are_left_alone(void **state)
{
        struct state *s = *state;
        char *kept CLEANUP_FREE = file_join(s->root, "outside/kept"), *outside CLEANUP_FREE = file_dirname(kept);
        char *pod CLEANUP_FREE = xasprintf("%s/pods/u", s->root);
        char *in CLEANUP_FREE = file_join(pod, "a/b/in"), *seen CLEANUP_FREE = file_join(in, "kept");
        char *file CLEANUP_FREE = file_join(pod, "a/file"), *on CLEANUP_FREE = file_join(s->directory, "on");
        struct err err = ERR_INIT;

        make(kept);
        make(file);
        assert_true(file_mkdir_p(in, 0755, NULL) >= 0);
        assert_int_equal(mount(outside, in, NULL, MS_BIND, NULL), 0);
        assert_true(file_exists(seen));
        assert_int_equal(trash_put(s->directory, pod, &err), 0);
        assert_true(file_mkdir_p(on, 0755, NULL) >= 0);
        assert_int_equal(mount("none", on, "tmpfs", 0, ""), 0);
        char *tmpfs CLEANUP_FREE = file_join(on, "kept");
        make(tmpfs);
        trash_empty(s->trash);
        LOOP_WAIT(s->loop, s->failures == 1);
        for (int i = 0; i < 20; i++)
                loop_wait_step(s->loop);
        assert_int_equal(s->failures, 1);
        assert_non_null(strstr(s->failure, strerror(EBUSY)));
        assert_true(file_exists(kept));
        assert_true(file_exists(tmpfs));
        assert_true(file_exists(s->directory));
        /* The mount has moved along with its tree. */
        assert_int_equal(umount2(on, UMOUNT_NOFOLLOW), 0);
        trash_empty(s->trash);
        LOOP_WAIT(s->loop, s->failures == 2);
        assert_non_null(strstr(s->failure, "/in: "));
        assert_true(file_exists(kept));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_slices, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing_is_no_work, setup, teardown),
                cmocka_unit_test_setup_teardown(test_goes_on, setup, teardown),
                cmocka_unit_test_setup_teardown(test_deep_and_odd, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mounts_are_left_alone, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

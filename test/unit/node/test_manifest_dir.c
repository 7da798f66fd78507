/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest directory under writers of every habit, on a real file system.
 */
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
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "net/loop.h"
#include "node/manifest_dir.h"
#include "node/manifest_file.h"

struct fixture {
        char root[64];
        char *path; /* root/manifests */
        struct loop *loop;
        struct manifest_dir *dir;
        struct strv log; /* "content a.yaml=...", "removed a.yaml", ... */
        int completes;
        bool each_removal;
};

static void on_content(void *userdata, const char *name, const char *data, size_t len)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "content %s=%.*s", name, (int)len, data);
}

static void on_unreadable(void *userdata, const char *name, bool busy, const char *message)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "%s %s%s%s", busy ? "busy" : "unreadable", name, busy ? "" : ": ", busy ? "" : message);
}

static void on_removed(void *userdata, const char *name)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "removed %s", name);
}

static void on_directory(void *userdata, const char *message)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "directory %s", message ? "missing" : "there");
}

static void on_complete(void *userdata)
{
        struct fixture *f = userdata;

        f->completes++;
        strv_add(&f->log, "complete");
}

static void on_ignored(void *userdata)
{
        struct fixture *f = userdata;

        strv_add(&f->log, "ignored");
}

static const struct manifest_dir_handlers handlers = {
        .content = on_content,
        .unreadable = on_unreadable,
        .removed = on_removed,
        .directory = on_directory,
        .complete = on_complete,
        .ignored = on_ignored,
};

static int setup(void **state)
{
        struct fixture *f = xcalloc(1, sizeof(*f));
        struct err err = ERR_INIT;

        (void)snprintf(f->root, sizeof(f->root), "/tmp/test-manifest-dir-XXXXXX");
        if (!mkdtemp(f->root))
                return -1;
        f->path = file_join(f->root, "manifests");
        if (mkdir(f->path, 0755) < 0 || loop_new(&f->loop, &err) < 0)
                return -1;
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        f->dir = manifest_dir_free(f->dir);
        f->loop = loop_free(f->loop);
        (void)file_remove_tree(f->root, NULL);
        strv_release(&f->log);
        free(f->path);
        free(f);
        return 0;
}

static void start(struct fixture *f)
{
        struct err err = ERR_INIT;

        assert_int_equal(
                manifest_dir_new(f->loop, f->path, 20 * USEC_PER_SEC, f->each_removal, &handlers, f, &f->dir, &err), 0);
}

static void run_for(struct fixture *f, unsigned msec)
{
        usec_t until = usec_add(clock_boottime(), msec * USEC_PER_MSEC);
        struct err err = ERR_INIT;

        while (clock_boottime() < until)
                assert_true(loop_step(f->loop, until, &err) >= 0);
}

/* Runs until the log's line number n is there (from 0), at most 3 s. */
static void run_until_line(struct fixture *f, size_t n)
{
        usec_t until = usec_add(clock_boottime(), 3 * USEC_PER_SEC);
        struct err err = ERR_INIT;

        while (f->log.len <= n && clock_boottime() < until)
                assert_true(loop_step(f->loop, until, &err) >= 0);
        assert_true(f->log.len > n);
}

static void clear_log(struct fixture *f)
{
        strv_release(&f->log);
}

static char *in_dir(struct fixture *f, const char *name)
{
        return file_join(f->path, name);
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
        char *path CLEANUP_FREE = in_dir(f, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        (void)close(fd);
}

static void rename_file(struct fixture *f, const char *from, const char *to)
{
        char *a CLEANUP_FREE = in_dir(f, from);
        char *b CLEANUP_FREE = in_dir(f, to);

        assert_int_equal(rename(a, b), 0);
}

static void remove_file(struct fixture *f, const char *name)
{
        char *path CLEANUP_FREE = in_dir(f, name);

        assert_int_equal(unlink(path), 0);
}

/* The watch runs and knows a.yaml=one. */
static void start_with_one(struct fixture *f)
{
        write_file(f, "a.yaml", "one");
        start(f);
        run_until_line(f, 2);
        assert_string_equal(f->log.items[0], "directory there");
        assert_string_equal(f->log.items[1], "content a.yaml=one");
        assert_string_equal(f->log.items[2], "complete");
        clear_log(f);
}

static void test_start_empty(void **state)
{
        struct fixture *f = *state;

        start(f);
        assert_int_equal(f->log.len, 0);
        run_until_line(f, 1);
        assert_string_equal(f->log.items[0], "directory there");
        assert_string_equal(f->log.items[1], "complete");
}

static void test_new_file(void **state)
{
        struct fixture *f = *state;

        start(f);
        run_until_line(f, 1);
        clear_log(f);
        write_file(f, "b.yaml", "two");
        run_until_line(f, 0);
        assert_string_equal(f->log.items[0], "content b.yaml=two");
        run_for(f, 150);
        assert_int_equal(f->log.len, 1);
}

static void test_rename_is_whole(void **state)
{
        struct fixture *f = *state;
        usec_t best = USEC_INFINITY;

        start_with_one(f);
        /* A busy machine is slow now and then: one rename that is not waited for shows that none is. */
        for (int tries = 0; tries < 10 && best >= MANIFEST_SETTLE_USEC; tries++) {
                char text[2] = {(char)('2' + tries), '\0'}, expected[32];

                write_file(f, ".a.yaml.tmp", text);
                run_for(f, 120);
                clear_log(f);
                usec_t before = clock_boottime();
                rename_file(f, ".a.yaml.tmp", "a.yaml");
                run_until_line(f, 0);
                usec_t took = clock_boottime() - before;
                best = took < best ? took : best;
                (void)snprintf(expected, sizeof(expected), "content a.yaml=%s", text);
                assert_string_equal(f->log.items[0], expected);
        }
        assert_true(best < MANIFEST_SETTLE_USEC);
}

static void test_each_removal_counts(void **state)
{
        struct fixture *f = *state;

        f->each_removal = true;
        start_with_one(f);
        remove_file(f, "a.yaml");
        write_file(f, "a.yaml", "one");
        run_until_line(f, 1);
        assert_string_equal(f->log.items[0], "removed a.yaml");
        assert_string_equal(f->log.items[1], "content a.yaml=one");
        /* What takes a file's place by rename removes nothing, and what is written over neither. */
        write_file(f, ".a.yaml.tmp", "two");
        run_for(f, 120);
        clear_log(f);
        rename_file(f, ".a.yaml.tmp", "a.yaml");
        run_until_line(f, 0);
        assert_string_equal(f->log.items[0], "content a.yaml=two");
        run_for(f, 120);
        clear_log(f);
        write_file(f, "a.yaml", "three");
        run_until_line(f, 0);
        assert_string_equal(f->log.items[0], "content a.yaml=three");
        clear_log(f);
        usec_t before = clock_boottime();
        remove_file(f, "a.yaml");
        run_until_line(f, 0);
        assert_true(clock_boottime() - before < MANIFEST_REMOVE_USEC);
        assert_string_equal(f->log.items[0], "removed a.yaml");
        assert_int_equal(f->log.len, 1);
}

static void test_cp_over(void **state)
{
        struct fixture *f = *state;

        start_with_one(f);
        write_file(f, "a.yaml", "two");
        run_for(f, 200);
        assert_int_equal(f->log.len, 1);
        assert_string_equal(f->log.items[0], "content a.yaml=two");
}

static void test_byte_by_byte(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = in_dir(f, "a.yaml");
        int fd;

        start_with_one(f);
        fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_true(fd >= 0);
        for (const char *p = "abcd"; *p; p++) {
                assert_int_equal(write(fd, p, 1), 1);
                /* Longer than it takes to settle: only the open writer tells that it goes on. */
                run_for(f, 120);
        }
        assert_int_equal(f->log.len, 1);
        assert_string_equal(f->log.items[0], "busy a.yaml");
        (void)close(fd);
        run_until_line(f, 1);
        assert_string_equal(f->log.items[1], "content a.yaml=abcd");
}

/* As file_write_atomic writes: the close is told under no name of the file. */
static void test_written_without_a_name(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = in_dir(f, "a.yaml"), *temp CLEANUP_FREE = in_dir(f, ".a.yaml.tmp");
        char proc[40];
        int fd;

        start_with_one(f);
        fd = open(f->path, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "two", 3), 3);
        (void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        assert_int_equal(linkat(AT_FDCWD, proc, AT_FDCWD, temp, AT_SYMLINK_FOLLOW), 0);
        assert_int_equal(rename(temp, path), 0);
        /* Tries without an event come 50, 150, 350, 750 and 1550 ms after the first. */
        run_for(f, 800);
        assert_int_equal(f->log.len, 1);
        assert_string_equal(f->log.items[0], "busy a.yaml");
        (void)close(fd);
        run_for(f, 500);
        assert_int_equal(f->log.len, 2);
        assert_string_equal(f->log.items[1], "content a.yaml=two");
}

/* No event tells of a close by a name in another directory. */
static void test_written_by_another_name(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = in_dir(f, "a.yaml"), *other CLEANUP_FREE = file_join(f->root, "other");
        int fd;

        start_with_one(f);
        assert_int_equal(link(path, other), 0);
        fd = open(other, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "two", 3), 3);
        assert_int_equal(chmod(path, 0640), 0);
        run_until_line(f, 0);
        assert_string_equal(f->log.items[0], "busy a.yaml");
        run_for(f, 200);
        (void)close(fd);
        run_until_line(f, 1);
        assert_string_equal(f->log.items[1], "content a.yaml=two");
}

static void test_vim_backup(void **state)
{
        struct fixture *f = *state;

        start_with_one(f);
        write_file(f, "4913", "");
        remove_file(f, "4913");
        rename_file(f, "a.yaml", "a.yaml~");
        run_for(f, 30);
        write_file(f, "a.yaml", "two");
        run_for(f, 20);
        remove_file(f, "a.yaml~");
        run_for(f, 700);
        assert_true(strv_contains(&f->log, "content a.yaml=two"));
        assert_false(strv_contains(&f->log, "removed a.yaml"));
}

static void test_remove_and_create(void **state)
{
        struct fixture *f = *state;

        start_with_one(f);
        remove_file(f, "a.yaml");
        run_for(f, 300);
        write_file(f, "a.yaml", "one");
        run_for(f, 700);
        /* Gone for a moment and the same again: nothing happened. */
        assert_int_equal(f->log.len, 0);
}

static void test_removal(void **state)
{
        struct fixture *f = *state;

        start_with_one(f);
        remove_file(f, "a.yaml");
        run_for(f, 300);
        assert_int_equal(f->log.len, 0);
        run_until_line(f, 0);
        assert_string_equal(f->log.items[0], "removed a.yaml");
}

static void test_symlink_swap(void **state)
{
        struct fixture *f = *state;
        char *data CLEANUP_FREE = file_join(f->path, "..data");
        char *fresh CLEANUP_FREE = file_join(f->path, "..data_tmp");
        char *link CLEANUP_FREE = in_dir(f, "a.yaml");
        char *v1 CLEANUP_FREE = file_join(f->path, "..v1");
        char *v2 CLEANUP_FREE = file_join(f->path, "..v2");

        assert_int_equal(mkdir(v1, 0755), 0);
        assert_int_equal(mkdir(v2, 0755), 0);
        write_file(f, "..v1/a.yaml", "one");
        write_file(f, "..v2/a.yaml", "two");
        assert_int_equal(symlink("..v1", data), 0);
        assert_int_equal(symlink("..data/a.yaml", link), 0);
        start(f);
        run_for(f, 200);
        assert_true(strv_contains(&f->log, "content a.yaml=one"));
        clear_log(f);
        assert_int_equal(symlink("..v2", fresh), 0);
        assert_int_equal(rename(fresh, data), 0);
        run_for(f, 200);
        assert_true(strv_contains(&f->log, "content a.yaml=two"));
}

static void test_link_target_edited(void **state)
{
        struct fixture *f = *state;
        char *target CLEANUP_FREE = file_join(f->root, "elsewhere");
        char *link CLEANUP_FREE = in_dir(f, "a.yaml");

        write_file(f, "../elsewhere", "one");
        assert_int_equal(symlink(target, link), 0);
        start(f);
        run_for(f, 150);
        assert_true(strv_contains(&f->log, "content a.yaml=one"));
        clear_log(f);
        write_file(f, "../elsewhere", "two");
        run_for(f, 200);
        assert_true(strv_contains(&f->log, "content a.yaml=two"));
}

static void test_directory_goes_and_comes(void **state)
{
        struct fixture *f = *state;

        start_with_one(f);
        remove_file(f, "a.yaml");
        assert_int_equal(rmdir(f->path), 0);
        run_for(f, 800);
        assert_int_equal(f->log.len, 1);
        assert_string_equal(f->log.items[0], "directory missing");
        clear_log(f);
        assert_int_equal(mkdir(f->path, 0755), 0);
        run_for(f, 800);
        /* It is empty for the moment: what was in it is not given up at once. */
        assert_int_equal(f->log.len, 1);
        assert_string_equal(f->log.items[0], "directory there");
        write_file(f, "a.yaml", "three");
        run_until_line(f, 1);
        assert_string_equal(f->log.items[1], "content a.yaml=three");
}

static void test_missing_from_the_start(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(rmdir(f->path), 0);
        start(f);
        run_until_line(f, 1);
        assert_string_equal(f->log.items[0], "directory missing");
        assert_string_equal(f->log.items[1], "complete");
        assert_int_equal(mkdir(f->path, 0755), 0);
        write_file(f, "a.yaml", "one");
        run_until_line(f, 3);
        assert_string_equal(f->log.items[2], "directory there");
        assert_string_equal(f->log.items[3], "content a.yaml=one");
        assert_int_equal(f->completes, 1);
}

/* What was there when podwatch ran last, and comes into a directory that was not there at start, one by one. */
static void test_filled_slowly(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(rmdir(f->path), 0);
        start(f);
        manifest_dir_expect(f->dir, "a.yaml");
        run_until_line(f, 1);
        assert_int_equal(mkdir(f->path, 0755), 0);
        run_until_line(f, 2);
        assert_string_equal(f->log.items[2], "directory there");
        run_for(f, 700);
        assert_int_equal(f->log.len, 3);
        write_file(f, "a.yaml", "one");
        run_until_line(f, 3);
        assert_string_equal(f->log.items[3], "content a.yaml=one");
}

/* The same content once more, and not before it is whole. */
static void test_told_again(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = in_dir(f, "a.yaml");
        int fd;

        start_with_one(f);
        manifest_dir_again(f->dir, "b.yaml"); /* nobody knows it */
        manifest_dir_again(f->dir, "a.yaml");
        run_for(f, 120);
        assert_int_equal(f->log.len, 1);
        assert_string_equal(f->log.items[0], "content a.yaml=one");
        clear_log(f);
        fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "o", 1), 1);
        manifest_dir_again(f->dir, "a.yaml");
        run_for(f, 120);
        assert_int_equal(f->log.len, 1);
        assert_string_equal(f->log.items[0], "busy a.yaml");
        assert_int_equal(write(fd, "ne", 2), 2);
        (void)close(fd);
        run_until_line(f, 1);
        assert_string_equal(f->log.items[1], "content a.yaml=one");
}

static void add_ignored(void *userdata, const char *name, const char *why)
{
        strv_addf(userdata, "%s: %s", name, why);
}

static void test_ignored(void **state)
{
        struct fixture *f = *state;
        struct strv list CLEANUP_STRV = STRV_INIT;
        char *sub CLEANUP_FREE = in_dir(f, "sub.yaml");

        write_file(f, "a.yaml~", "x");
        write_file(f, "a.yaml.bak", "x");
        write_file(f, ".hidden.yaml", "x");
        write_file(f, "4913", "x");
        write_file(f, "notes.txt", "x");
        assert_int_equal(mkdir(sub, 0755), 0);
        write_file(f, "a.yaml", "one");
        start(f);
        run_for(f, 150);
        assert_true(strv_contains(&f->log, "ignored"));
        manifest_dir_ignored(f->dir, add_ignored, &list);
        assert_int_equal(list.len, 6);
        assert_string_equal(list.items[0], ".hidden.yaml: a hidden file");
        assert_string_equal(list.items[1], "4913: a backup or temporary file");
        assert_string_equal(list.items[2], "a.yaml.bak: a backup or temporary file");
        assert_string_equal(list.items[3], "a.yaml~: a backup or temporary file");
        assert_string_equal(list.items[4], "notes.txt: not named .yaml, .yml or .json");
        assert_string_equal(list.items[5], "sub.yaml: a directory");
}

static void test_unreadable(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = in_dir(f, "a.yaml");

        start_with_one(f);
        remove_file(f, "a.yaml");
        assert_int_equal(symlink("nowhere", path), 0);
        run_until_line(f, 0);
        assert_string_equal(f->log.items[0], "unreadable a.yaml: opening a.yaml: No such file or directory");
        remove_file(f, "a.yaml");
        assert_int_equal(mkfifo(path, 0600), 0);
        run_until_line(f, 1);
        assert_string_equal(f->log.items[1], "unreadable a.yaml: a.yaml is not a regular file");
        remove_file(f, "a.yaml");
        write_file(f, "a.yaml", "one");
        run_until_line(f, 2);
        /* The same content as before the trouble is told again, so that the trouble is over. */
        assert_string_equal(f->log.items[2], "content a.yaml=one");
}

static void test_single_file(void **state)
{
        struct fixture *f = *state;

        write_file(f, "pod.manifest", "one");
        write_file(f, "b.yaml", "no");
        free(f->path);
        f->path = xasprintf("%s/manifests/pod.manifest", f->root);
        start(f);
        run_until_line(f, 2);
        assert_string_equal(f->log.items[1], "content pod.manifest=one");
        assert_string_equal(f->log.items[2], "complete");
}

static void test_idle_is_idle(void **state)
{
        struct fixture *f = *state;
        uint64_t before;

        start_with_one(f);
        run_for(f, 100);
        before = loop_wakes(f->loop);
        run_for(f, 600);
        /* Only the end of run_for itself. */
        assert_true(loop_wakes(f->loop) - before <= 1);
}

static void test_name_classes(void **state)
{
        (void)state;
        assert_int_equal(manifest_name_class("etcd.yaml"), MANIFEST_NAME_TAKEN);
        assert_int_equal(manifest_name_class("etcd.yml"), MANIFEST_NAME_TAKEN);
        assert_int_equal(manifest_name_class("etcd.json"), MANIFEST_NAME_TAKEN);
        assert_int_equal(manifest_name_class(".yaml"), MANIFEST_NAME_HIDDEN);
        assert_int_equal(manifest_name_class("#etcd.yaml#"), MANIFEST_NAME_BACKUP);
        assert_int_equal(manifest_name_class("etcd.yaml.swp"), MANIFEST_NAME_BACKUP);
        assert_int_equal(manifest_name_class("README"), MANIFEST_NAME_OTHER);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_start_empty, setup, teardown),
                cmocka_unit_test_setup_teardown(test_new_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rename_is_whole, setup, teardown),
                cmocka_unit_test_setup_teardown(test_each_removal_counts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cp_over, setup, teardown),
                cmocka_unit_test_setup_teardown(test_byte_by_byte, setup, teardown),
                cmocka_unit_test_setup_teardown(test_written_without_a_name, setup, teardown),
                cmocka_unit_test_setup_teardown(test_written_by_another_name, setup, teardown),
                cmocka_unit_test_setup_teardown(test_vim_backup, setup, teardown),
                cmocka_unit_test_setup_teardown(test_remove_and_create, setup, teardown),
                cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
                cmocka_unit_test_setup_teardown(test_symlink_swap, setup, teardown),
                cmocka_unit_test_setup_teardown(test_link_target_edited, setup, teardown),
                cmocka_unit_test_setup_teardown(test_directory_goes_and_comes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_missing_from_the_start, setup, teardown),
                cmocka_unit_test_setup_teardown(test_filled_slowly, setup, teardown),
                cmocka_unit_test_setup_teardown(test_told_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_ignored, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
                cmocka_unit_test_setup_teardown(test_single_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_idle_is_idle, setup, teardown),
                cmocka_unit_test(test_name_classes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "fixture.h"

static int write_two(struct phase *phase, const char *arg, struct err *err)
{
        phase_add_file(phase, "/a/b/one", "1", 1, 0640, 0750, 0);
        phase_file_context(phase, "first");
        phase_add_file(phase, arg ? arg : "/a/c/two", "22", 2, 0600, 0700, PHASE_FILE_EXCL);
        phase_file_context(phase, "second");
        return phase_commit(phase, err);
}

static void test_modes(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(fixture_run(f, write_two, NULL), 0);
        assert_int_equal(fixture_mode(f, "/a"), 0750);
        assert_int_equal(fixture_mode(f, "/a/b"), 0750);
        assert_int_equal(fixture_mode(f, "/a/c"), 0700);
        assert_int_equal(fixture_mode(f, "/a/b/one"), 0640);
        assert_int_equal(fixture_mode(f, "/a/c/two"), 0600);
}

static void test_failure_leaves_nothing(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, "/x/taken", "mine");
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_int_equal(fixture_run(f, write_two, "/x/taken"), -EEXIST);
        assert_string_equal(f->err.msg, "second: open /x/taken: file exists");
        assert_int_equal(fixture_run(f, write_two, "/x/taken/below"), -ENOTDIR);
        assert_string_equal(f->err.msg, "second: mkdir /x/taken/below: not a directory");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

/* A run that was killed between two names of a file left one of them: the next one takes it away, though it has nothing
 * to write there. */
static void test_abandoned_names_go(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, "/a/b/one", "1");
        fixture_put(f, "/a/b/.one.01abcdef.tmp", "half");
        fixture_put(f, "/a/b/.mine.tmp", "not ours");
        assert_int_equal(fixture_run(f, write_two, NULL), 0);
        assert_false(fixture_has(f, "/a/b/.one.01abcdef.tmp"));
        assert_true(fixture_has(f, "/a/b/.mine.tmp"));
}

static void test_links_stay_below_the_root(void **state)
{
        struct fixture *f = *state;
        char *link CLEANUP_FREE = file_join(f->root, "/a/b/one");

        fixture_put(f, "/elsewhere/real", "old");
        fixture_put(f, "/a/b/x", "");
        assert_int_equal(symlink("/elsewhere/real", link), 0);
        assert_int_equal(fixture_run(f, write_two, NULL), 0);
        char *text CLEANUP_FREE = fixture_get(f, "/elsewhere/real");
        assert_string_equal(text, "1");
        struct stat st;
        assert_int_equal(lstat(link, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
}

/* Directories too: one that is a link leads below the root, however far up it goes, and one to nothing is an error. */
static void test_directories_stay_below_the_root(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, "/elsewhere/x", "");
        fixture_put(f, "/a/x", "");
        fixture_link(f, "/a/b", "../../../../../../../../../elsewhere");
        fixture_link(f, "/a/c", "/elsewhere/../a/./b");
        assert_int_equal(fixture_run(f, write_two, NULL), 0);
        char *one CLEANUP_FREE = fixture_get(f, "/elsewhere/one"), *two CLEANUP_FREE = fixture_get(f, "/elsewhere/two");
        assert_string_equal(one, "1");
        assert_string_equal(two, "22");
        fixture_link(f, "/a/d", f->root); /* is there on this machine, and not below the root */
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_int_equal(fixture_run(f, write_two, "/a//./d/sub/two"), -EEXIST);
        assert_string_equal(f->err.msg, "second: mkdir /a//./d: file exists");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        assert_int_equal(fixture_run(f, write_two, "/new/sub/../../../over/two"), 0);
        assert_int_equal(fixture_mode(f, "/new"), 0700); /* as os.MkdirAll does */
        assert_true(fixture_has(f, "/over/two"));
        fixture_link(f, "/a/e", "e/e");
        assert_int_equal(fixture_run(f, write_two, "/a/e/two"), -ELOOP);
}

/* A file beside the root that a run must not change; /out is a link to its directory. Free the path. */
static char *put_outside(const struct fixture *f)
{
        char *dir CLEANUP_FREE = file_join(f->dir, "outside"), *file = file_join(dir, "two");

        assert_return_code(mkdir(dir, 0755), errno);
        assert_int_equal(file_write_atomic(file, "theirs", 6, 0644, 0, NULL), 0);
        fixture_link(f, "/out", dir);
        return file;
}

static void assert_theirs(const char *file)
{
        struct buf text CLEANUP_BUF = BUF_INIT(100);

        assert_int_equal(file_read(file, &text, NULL), 0);
        assert_string_equal(buf_str(&text), "theirs");
}

static int write_over(struct phase *phase, const char *arg, struct err *err)
{
        phase_add_file(phase, arg, "ours", 4, 0600, 0700, 0);
        return phase_commit(phase, err);
}

static void test_nothing_outside_is_written(void **state)
{
        struct fixture *f = *state;
        char *file CLEANUP_FREE = put_outside(f);

        /* The link is met behind a directory that is not there yet. */
        (void)fixture_run(f, write_over, "/new/../out/two");
        assert_theirs(file);
        fixture_link(f, "/name", file);
        (void)fixture_run(f, write_over, "/new2/../name");
        assert_theirs(file);
}

/* The kernel follows forty links. The one behind them is not followed by us either. */
static void test_many_links(void **state)
{
        struct fixture *f = *state;
        char *file CLEANUP_FREE = put_outside(f);

        fixture_link(f, "/l/0", file);
        fixture_put(f, "/m/0", "old");
        for (int i = 1; i <= 41; i++) {
                char *from CLEANUP_FREE = xasprintf("/l/%d", i), *to CLEANUP_FREE = xasprintf("%d", i - 1);
                char *other CLEANUP_FREE = xasprintf("/m/%d", i);

                fixture_link(f, from, to);
                fixture_link(f, other, to);
        }
        assert_int_equal(fixture_run(f, write_over, "/m/40"), 0);
        char *text CLEANUP_FREE = fixture_get(f, "/m/0");
        assert_string_equal(text, "ours");
        for (int i = 38; i <= 41; i++) {
                char *from CLEANUP_FREE = xasprintf("/l/%d", i);

                (void)fixture_run(f, write_over, from);
                assert_theirs(file);
        }
        assert_int_equal(fixture_run(f, write_over, "/m/41"), -ELOOP);
        assert_string_equal(f->err.msg, "open /m/41: too many levels of symbolic links");
}

static int look(struct phase *phase, const char *arg, struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        size_t len;

        (void)arg;
        assert_true(phase_exists(phase, "/etc/dir"));
        assert_true(phase_exists(phase, "/etc/link")); /* absolute, and meant below the root */
        assert_false(phase_exists(phase, "/etc/none"));
        assert_int_equal(phase_read_file(phase, "/etc/none", 10, &text, &len, err), 1);
        assert_null(text);
        assert_int_equal(phase_read_file(phase, "/etc/link/file", 10, &text, &len, err), 0);
        assert_int_equal(len, 4);
        assert_string_equal(text, "text");
        free(TAKE_PTR(text));
        assert_int_equal(phase_read_file(phase, "/etc/link/file", 3, &text, &len, err), -ERR_LIMIT);
        assert_string_equal(err->msg, "/etc/link/file: larger than 3 bytes");
        assert_int_equal(phase_read_file(phase, "/etc/dir", 10, &text, &len, err), -EISDIR);
        assert_string_equal(err->msg, "read /etc/dir: is a directory");
        return 0;
}

static void test_reading(void **state)
{
        struct fixture *f = *state;
        char *link CLEANUP_FREE = file_join(f->root, "/etc/link");

        fixture_put(f, "/etc/dir/file", "text");
        assert_int_equal(symlink("/etc/dir", link), 0);
        assert_int_equal(fixture_run(f, look, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_modes, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_failure_leaves_nothing, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_abandoned_names_go, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_links_stay_below_the_root, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_directories_stay_below_the_root, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_nothing_outside_is_written, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_many_links, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_reading, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

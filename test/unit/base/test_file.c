/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"

#define NOBODY 65534

static char *dir;
static char shown[PATH_MAX];

/* A path in the test's directory; good until the next call but three. */
static const char *at(const char *name)
{
        static char *paths[4];
        static unsigned next;
        char **p = &paths[next++ % 4];

        free(*p);
        *p = xasprintf("%s/%s", dir, name);
        return *p;
}

static int make_dir(void **state)
{
        char template[] = "/tmp/test_file.XXXXXX";

        (void)state;
        if (!mkdtemp(template) || chmod(template, 0755) < 0)
                return -1;
        dir = xstrdup(template);
        return 0;
}

static int remove_dir(void **state)
{
        (void)state;
        int r = file_remove_tree(dir, NULL);
        free(dir);
        return r;
}

static void put(const char *name, const char *text, mode_t mode)
{
        assert_int_equal(file_write_atomic(at(name), text, strlen(text), mode, 0, NULL), 0);
}

static void holds(const char *name, const char *text)
{
        struct buf b CLEANUP_BUF = BUF_INIT(1 << 20);
        struct err err = ERR_INIT;

        assert_int_equal(file_read(at(name), &b, &err), 0);
        assert_string_equal(buf_str(&b), text);
}

static mode_t mode_of(const char *name)
{
        struct stat st;

        assert_int_equal(lstat(at(name), &st), 0);
        return st.st_mode & 07777;
}

static size_t entries(const char *name)
{
        size_t n = 0;
        DIR *d = opendir(at(name));

        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d));)
                n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
        (void)closedir(d);
        return n;
}

static const char *expect(const char *name, const char *text)
{
        (void)snprintf(shown, sizeof(shown), "%s/%s%s", dir, name, text);
        return shown;
}

static void test_read(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(10);
        struct err err = ERR_INIT;

        put("file", "0123456789", 0644);
        assert_int_equal(symlink("file", at("link")), 0);
        assert_int_equal(file_read(at("link"), &b, &err), 0);
        assert_string_equal(buf_str(&b), "0123456789");
        assert_int_equal(file_read(at("file"), &b, &err), -ERR_LIMIT);
        assert_string_equal(err.msg, expect("file", ": larger than 10 bytes"));
        assert_int_equal(file_read(at("none"), &b, &err), -ENOENT);
        assert_string_equal(err.msg, expect("none", ": No such file or directory"));
        assert_int_equal(file_read(dir, &b, &err), -EISDIR);
        assert_int_equal(mkfifo(at("fifo"), 0600), 0);
        alarm(10); /* a reader that hangs on a FIFO */
        assert_int_equal(file_read(at("fifo"), &b, &err), -EINVAL);
        alarm(0);
        assert_string_equal(err.msg, expect("fifo", ": not a regular file"));
        int fd CLEANUP_FD = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        buf_clear(&b);
        assert_int_equal(file_read_at(fd, "file", &b, NULL), 0);
        assert_int_equal(b.len, 10);
}

static void test_write(void **state)
{
        (void)state;
        mode_t old = umask(077);

        assert_int_equal(mkdir(at("d"), 0755), 0);
        put("d/new", "one", 0644);
        assert_int_equal(mode_of("d/new"), 0644); /* no umask */
        put("d/new", "two", 0600);
        assert_int_equal(mode_of("d/new"), 0600);
        holds("d/new", "two");
        put("d/empty", "", 0600);
        holds("d/empty", "");
        put("d/new", "quick", 0640);
        assert_int_equal(entries("d"), 2);
        /* a name of 255 bytes leaves no room for a longer one beside it */
        char name[258] = "d/";
        memset(name + 2, 'n', 255);
        put(name, "long", 0600);
        holds(name, "long");
        (void)umask(old);
}

static void test_keep_mode(void **state)
{
        (void)state;
        struct stat st;

        put("kept", "one", 0640);
        if (geteuid() == 0)
                assert_int_equal(chown(at("kept"), NOBODY, NOBODY), 0);
        assert_int_equal(file_write_atomic(at("kept"), "two", 3, 0600, FILE_WRITE_KEEP_MODE, NULL), 0);
        holds("kept", "two");
        assert_int_equal(stat(at("kept"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(st.st_uid, geteuid() == 0 ? NOBODY : geteuid());
        assert_int_equal(file_write_atomic(at("fresh"), "x", 1, 0604, FILE_WRITE_KEEP_MODE, NULL), 0);
        assert_int_equal(mode_of("fresh"), 0604);
}

static void test_unchanged(void **state)
{
        (void)state;
        struct stat before, after;

        put("same", "bytes", 0600);
        assert_int_equal(stat(at("same"), &before), 0);
        assert_int_equal(file_write_atomic(at("same"), "bytes", 5, 0600, FILE_WRITE_SKIP_UNCHANGED, NULL), 1);
        assert_int_equal(stat(at("same"), &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(file_write_atomic(at("same"), "byte", 4, 0600, FILE_WRITE_SKIP_UNCHANGED, NULL), 0);
        assert_int_equal(file_write_atomic(at("same"), "bytes!", 6, 0600, FILE_WRITE_SKIP_UNCHANGED, NULL), 0);
        holds("same", "bytes!");
        put("nothing", "", 0600);
        assert_int_equal(file_write_atomic(at("nothing"), "", 0, 0600, FILE_WRITE_SKIP_UNCHANGED, NULL), 1);
}

static void test_exclusive(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        assert_int_equal(file_write_atomic(at("mine"), "1", 1, 0600, FILE_WRITE_EXCL, &err), 0);
        assert_int_equal(file_write_atomic(at("mine"), "2", 1, 0600, FILE_WRITE_EXCL, &err), -EEXIST);
        assert_string_equal(err.msg, expect("mine", ": File exists"));
        holds("mine", "1");
}

static void test_symlinks(void **state)
{
        (void)state;
        char target[PATH_MAX];
        struct err err = ERR_INIT;

        assert_int_equal(mkdir(at("s"), 0755), 0);
        put("s/real", "old", 0600);
        assert_int_equal(symlink("real", at("s/two")), 0);
        assert_int_equal(symlink(at("s/two"), at("s/one")), 0);
        assert_int_equal(file_write_atomic(at("s/one"), "new", 3, 0600, FILE_WRITE_FOLLOW, NULL), 0);
        holds("s/real", "new");
        assert_true(readlink(at("s/one"), target, sizeof(target)) > 0);
        assert_true(readlink(at("s/two"), target, sizeof(target)) > 0);
        /* a link to nothing: what it names is made */
        assert_int_equal(symlink("made", at("s/dangling")), 0);
        assert_int_equal(file_write_atomic(at("s/dangling"), "x", 1, 0600, FILE_WRITE_FOLLOW, NULL), 0);
        holds("s/made", "x");
        assert_true(readlink(at("s/dangling"), target, sizeof(target)) > 0);
        /* without the flag the link itself gives way, and what it led to stays */
        assert_int_equal(file_write_atomic(at("s/two"), "own", 3, 0600, 0, NULL), 0);
        assert_int_equal(readlink(at("s/two"), target, sizeof(target)), -1);
        holds("s/real", "new");
        assert_int_equal(symlink("loop", at("s/loop")), 0);
        assert_int_equal(file_write_atomic(at("s/loop"), "x", 1, 0600, FILE_WRITE_FOLLOW, &err), -ELOOP);
        assert_int_equal(symlink("nodir/x", at("s/far")), 0);
        assert_int_equal(file_write_atomic(at("s/far"), "x", 1, 0600, FILE_WRITE_FOLLOW, &err), -ENOENT);
        assert_int_equal(entries("s"), 7);
}

static void test_no_directory(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        assert_int_equal(file_write_atomic(at("no/such"), "x", 1, 0600, 0, &err), -ENOENT);
        assert_string_equal(err.msg, expect("no/such", ": No such file or directory"));
        assert_int_equal(mkdir(at("isdir"), 0755), 0);
        assert_int_equal(file_write_atomic(at("isdir"), "x", 1, 0600, 0, &err), -EISDIR);
        assert_int_equal(entries("isdir"), 0);
        assert_null(strstr(err.msg, ".tmp"));
}

static void test_unwritable(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        assert_int_equal(mkdir(at("ro"), 0755), 0);
        put("ro/file", "old", 0644);
        assert_int_equal(chmod(at("ro"), 0555), 0);
        uid_t old = geteuid();
        if (old == 0)
                assert_int_equal(seteuid(NOBODY), 0); /* root may write anywhere */
        int r = file_write_atomic(at("ro/file"), "new", 3, 0644, 0, &err);
        int made = file_mkdir_p(at("ro/sub/dir"), 0755, NULL);
        assert_int_equal(seteuid(old), 0);
        assert_int_equal(r, -EACCES);
        assert_string_equal(err.msg, expect("ro/file", ": Permission denied"));
        assert_int_equal(made, -EACCES);
        holds("ro/file", "old");
        assert_int_equal(entries("ro"), 1);
}

/* A directory that can be written but not listed cannot be synced; the file is written all the same. */
static void test_unlistable(void **state)
{
        (void)state;
        assert_int_equal(mkdir(at("wx"), 0755), 0);
        uid_t old = geteuid();
        if (old == 0)
                assert_int_equal(chown(at("wx"), NOBODY, NOBODY), 0);
        assert_int_equal(chmod(at("wx"), 0300), 0);
        if (old == 0)
                assert_int_equal(seteuid(NOBODY), 0);
        int r = file_write_atomic(at("wx/file"), "new", 3, 0644, 0, NULL);
        assert_int_equal(seteuid(old), 0);
        assert_int_equal(r, 0);
        assert_int_equal(chmod(at("wx"), 0755), 0);
        holds("wx/file", "new");
}

static void fails_when_full(const char *name, int code)
{
        static char big[1 << 20];
        struct err err = ERR_INIT;
        char *path CLEANUP_FREE = xasprintf("%s/file", name);

        put(path, "old", 0644);
        memset(big, 'x', sizeof(big));
        assert_int_equal(file_write_atomic(at(path), big, sizeof(big), 0644, 0, &err), -code);
        assert_non_null(strstr(err.msg, code == ENOSPC ? "/file: No space left on device" : "/file: File too large"));
        holds(path, "old");
        assert_int_equal(entries(name), 1);
}

static void test_size_limit(void **state)
{
        (void)state;
        struct rlimit old, small;

        assert_int_equal(mkdir(at("limit"), 0755), 0);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = old;
        small.rlim_cur = 65536;
        (void)signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        fails_when_full("limit", EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
}

/* A tiny file system of its own, in a mount namespace that ends with this process. */
static bool small_disk(const char *path)
{
        return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0;
}

static void test_full_disk(void **state)
{
        (void)state;
        assert_int_equal(file_mkdir_p(at("outer/full"), 0755, NULL), 0);
        if (!small_disk(at("outer/full"))) {
                assert_int_not_equal(geteuid(), 0); /* root must be able to; others have test_size_limit */
                return;
        }
        fails_when_full("outer/full", ENOSPC);
        /* the tree has the mount in it, so it stays and says why */
        struct err err = ERR_INIT;
        assert_int_equal(file_remove_tree(at("outer"), &err), -EBUSY);
        assert_string_equal(err.msg, expect("outer", ": something is mounted there, which would be removed with it"));
        holds("outer/full/file", "old");
        assert_int_equal(umount(at("outer/full")), 0);
}

static void test_mkdir(void **state)
{
        (void)state;
        struct err err = ERR_INIT;
        mode_t old = umask(077);

        assert_int_equal(file_mkdir_p(at("m/a/b"), 0755, &err), 0);
        assert_int_equal(mode_of("m/a"), 0755);
        assert_int_equal(mode_of("m/a/b"), 0755);
        assert_int_equal(file_mkdir_p(at("m/a/b"), 0700, &err), 1);
        assert_int_equal(mode_of("m/a/b"), 0755);
        assert_int_equal(file_mkdir_p(at("m//a/./c/"), 0700, &err), 0);
        put("m/file", "x", 0600);
        assert_int_equal(file_mkdir_p(at("m/file"), 0700, &err), -ENOTDIR);
        assert_int_equal(file_mkdir_p(at("m/file/below"), 0700, &err), -ENOTDIR);
        assert_int_equal(symlink("nowhere", at("m/dangling")), 0);
        assert_int_equal(file_mkdir_p(at("m/dangling"), 0700, &err), -EEXIST);
        assert_int_equal(symlink("a", at("m/link")), 0);
        assert_int_equal(file_mkdir_p(at("m/link/d"), 0700, &err), 0);
        assert_int_equal(mode_of("m/a/d"), 0700);
        char *deep CLEANUP_FREE = xmalloc(200001);
        memset(deep, 'a', 200000);
        for (size_t i = 1; i < 200000; i += 2)
                deep[i] = '/';
        deep[200000] = '\0';
        assert_int_equal(file_mkdir_p(deep, 0700, &err), -ENAMETOOLONG);
        (void)umask(old);
}

static void test_remove_tree(void **state)
{
        (void)state;
        assert_int_equal(file_mkdir_p(at("r/a/b/c"), 0755, NULL), 0);
        put("outside", "safe", 0600);
        put("r/a/x", "x", 0000);
        assert_int_equal(symlink(at("outside"), at("r/a/link")), 0);
        assert_int_equal(symlink("..", at("r/a/b/up")), 0);
        assert_int_equal(symlink("r", at("to-r")), 0);
        assert_int_equal(file_remove_tree(at("to-r"), NULL), 0);
        assert_true(file_exists(at("r/a/b/c")));
        assert_int_equal(file_remove_tree(at("r"), NULL), 0);
        assert_false(file_exists(at("r")));
        holds("outside", "safe");
        assert_int_equal(file_remove_tree(at("r"), NULL), 0);
        assert_int_equal(file_remove_tree(at("outside"), NULL), 0);
        assert_false(file_exists(at("outside")));
}

static void path_is(char *got, const char *expected)
{
        assert_string_equal(got, expected);
        free(got);
}

static void write_empty(const char *name)
{
        assert_int_equal(file_write_atomic(at(name), "", 0, 0644, 0, NULL), 0);
}

/* What SIGKILL leaves between giving a temporary name and renaming it, and what only looks like it. */
static void test_remove_temporary(void **state)
{
        static const char *const gone[] = {".a.json.01abcdef.tmp", "sub/.b.00000000.tmp", "sub/deep/.c.d.ffffffff.tmp"};
        static const char *const stays[] = {".a.json.01ABCDEF.tmp",
                                            ".a.1abcdef.tmp",
                                            "a.01abcdef.tmp",
                                            ".01abcdef.tmp",
                                            ".a.01abcdef.tmp2",
                                            "sub/deep/more/.e.01abcdef.tmp",
                                            "sub/file",
                                            ".hidden/.f.01abcdef.tmp"};

        (void)state;
        assert_true(file_mkdir_p(at("sub/deep/more"), 0755, NULL) >= 0);
        assert_true(file_mkdir_p(at(".hidden"), 0755, NULL) >= 0);
        assert_true(file_mkdir_p(at("sub/.g.01abcdef.tmp"), 0755, NULL) >= 0);
        for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
                write_empty(gone[i]);
        for (size_t i = 0; i < ARRAY_SIZE(stays); i++)
                write_empty(stays[i]);
        file_remove_temporary(dir, 2);
        for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
                assert_false(file_exists(at(gone[i])));
        for (size_t i = 0; i < ARRAY_SIZE(stays); i++)
                assert_true(file_exists(at(stays[i])));
        assert_true(file_exists(at("sub/.g.01abcdef.tmp")));
        file_remove_temporary(at("nothing"), 2);
        assert_int_equal(file_remove_tree(at("sub"), NULL), 0);
}

/* A file that somebody is writing: it has a lock, as each that is staged. */
static void test_remove_temporary_beside_a_writer(void **state)
{
        struct file_staged staged = {0};
        const char *mine = at(".written.01abcdef.tmp");

        (void)state;
        write_empty(".written.01abcdef.tmp");
        int fd = open(mine, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
        file_remove_temporary(dir, 0);
        assert_true(file_exists(mine));
        fd = fd_close(fd);
        file_remove_temporary(dir, 0);
        assert_false(file_exists(mine));

        assert_int_equal(file_stage(at("staged"), "1", 1, 0644, 0, &staged, NULL), 0);
        assert_true(flock(staged.fd, LOCK_EX | LOCK_NB) == 0);
        int other = openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *name CLEANUP_FREE = xasprintf("%d", staged.fd);
        int again = openat(other, name, O_RDWR | O_CLOEXEC);
        assert_true(again >= 0 && flock(again, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
        assert_int_equal(file_commit(&staged, NULL), 0);
        assert_int_equal(flock(again, LOCK_EX | LOCK_NB), 0);
        (void)fd_close(again);
        (void)fd_close(other);
        file_staged_release(&staged);
}

static void test_list(void **state)
{
        struct strv names CLEANUP_STRV = STRV_INIT;

        (void)state;
        assert_true(file_mkdir_p(at("listed"), 0755, NULL) >= 0);
        write_empty("listed/b");
        write_empty("listed/a");
        write_empty("listed/.c");
        file_list(at("listed"), 10, &names);
        file_list(at("nothing"), 10, &names);
        strv_sort(&names);
        assert_int_equal(names.len, 2);
        assert_string_equal(names.items[0], "a");
        file_list(at("listed"), 3, &names);
        assert_int_equal(names.len, 3);
}

static void test_paths(void **state)
{
        (void)state;
        static const char *const clean[][2] = {
                {"", "."},
                {".", "."},
                {"/", "/"},
                {"//", "/"},
                {"a/", "a"},
                {"a//b", "a/b"},
                {"./a", "a"},
                {"a/..", "."},
                {"a/../..", ".."},
                {"../a", "../a"},
                {"/../a", "/a"},
                {"/a/../../b", "/b"},
                {"/etc/./x/", "/etc/x"},
                {"a/b/../../../c", "../c"},
        };
        for (size_t i = 0; i < ARRAY_SIZE(clean); i++)
                path_is(file_clean(clean[i][0]), clean[i][1]);
        path_is(file_join("/a", "b"), "/a/b");
        path_is(file_join("/a//", "/b"), "/a/b");
        path_is(file_join("/", "b"), "/b");
        path_is(file_join("", "/b"), "/b");
        path_is(file_join("root", "/etc/x"), "root/etc/x");
        path_is(file_dirname("/a/b"), "/a");
        path_is(file_dirname("/a//b"), "/a");
        path_is(file_dirname("/a"), "/");
        path_is(file_dirname("//a"), "/");
        path_is(file_dirname("a"), ".");
        path_is(file_dirname("/"), "/");
        assert_string_equal(file_basename("/a/b"), "b");
        assert_string_equal(file_basename("b"), "b");
        assert_string_equal(file_basename("b/"), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_keep_mode),
                cmocka_unit_test(test_unchanged),
                cmocka_unit_test(test_exclusive),
                cmocka_unit_test(test_symlinks),
                cmocka_unit_test(test_no_directory),
                cmocka_unit_test(test_unwritable),
                cmocka_unit_test(test_unlistable),
                cmocka_unit_test(test_size_limit),
                cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_mkdir),
                cmocka_unit_test(test_remove_tree),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_remove_temporary),
                cmocka_unit_test(test_remove_temporary_beside_a_writer),
        };
        return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

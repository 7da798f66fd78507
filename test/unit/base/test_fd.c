/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void test_close(void **state)
{
        (void)state;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        errno = EXDEV;
        assert_int_equal(fd_close(fd), -1);
        assert_false(is_open(fd));
        errno = EXDEV;
        assert_int_equal(fd_close(-1), -1);
        assert_int_equal(fd_close(fd), -1); /* EBADF does not show */
        assert_int_equal(errno, EXDEV);
}

static void test_cleanup(void **state)
{
        (void)state;
        int kept, closed;
        {
                int a CLEANUP_FD = open("/dev/null", O_RDONLY | O_CLOEXEC);
                int b CLEANUP_FD = open("/dev/null", O_RDONLY | O_CLOEXEC);
                assert_true(a >= 0 && b >= 0);
                closed = b;
                kept = TAKE_FD(a);
                assert_int_equal(a, -1);
        }
        assert_true(is_open(kept));
        assert_false(is_open(closed));
        (void)fd_close(kept);
}

static void *drain(void *arg)
{
        char chunk[4096];
        size_t *total = arg;
        int fd = (int)total[1];

        for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
                total[0] += (size_t)n;
        return NULL;
}

static void test_write_all(void **state)
{
        (void)state;
        static char data[1 << 20];
        int fds[2];
        size_t total[2] = {0};
        pthread_t reader;

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        total[1] = (size_t)fds[0];
        assert_int_equal(pthread_create(&reader, NULL, drain, total), 0);
        assert_int_equal(fd_write_all(fds[1], data, sizeof(data)), 0); /* in pieces of the pipe's size */
        assert_int_equal(fd_write_all(fds[1], NULL, 0), 0);
        (void)fd_close(fds[1]);
        (void)pthread_join(reader, NULL);
        assert_int_equal(total[0], sizeof(data));
        (void)fd_close(fds[0]);
}

static void test_write_fails(void **state)
{
        (void)state;
        int fd CLEANUP_FD = open("/dev/full", O_WRONLY | O_CLOEXEC);
        int fds[2];

        assert_int_equal(fd_write_all(fd, "x", 1), -ENOSPC);
        assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
        (void)signal(SIGPIPE, SIG_IGN);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        (void)fd_close(fds[0]);
        assert_int_equal(fd_write_all(fds[1], "x", 1), -EPIPE);
        (void)fd_close(fds[1]);
}

static void test_sync_all(void **state)
{
        char path[] = "/tmp/fd-sync-XXXXXX";
        int fds[5], pipes[2];
        size_t failed = 99;

        (void)state;
        assert_int_equal(fd_sync_all(NULL, 0, &failed), 0);
        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        fds[0] = mkostemp(path, O_CLOEXEC);
        assert_int_equal(unlink(path), 0);
        fds[1] = -1;
        fds[2] = pipes[1]; /* cannot be synced */
        fds[3] = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fds[4] = 1 << 20; /* is not open */
        assert_int_equal(fd_write_all(fds[0], "x", 1), 0);
        for (size_t count = 1; count <= 4; count++)
                assert_int_equal(fd_sync_all(fds, count, &failed), 0);
        assert_int_equal(failed, 99);
        assert_int_equal(fd_sync_all(fds, 5, &failed), -EBADF);
        assert_int_equal(failed, 4);
        failed = 99;
        assert_int_equal(fd_sync_all(&fds[4], 1, &failed), -EBADF);
        assert_int_equal(failed, 0);
        (void)fd_close(fds[0]);
        (void)fd_close(fds[3]);
        (void)fd_close(pipes[0]);
        (void)fd_close(pipes[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_close),       cmocka_unit_test(test_cleanup),  cmocka_unit_test(test_write_all),
                cmocka_unit_test(test_write_fails), cmocka_unit_test(test_sync_all),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

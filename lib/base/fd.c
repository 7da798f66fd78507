/* SPDX-License-Identifier: Apache-2.0 */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/fd.h"

int fd_close(int fd)
{
        if (fd >= 0) {
                int saved = errno;
                (void)close(fd);
                errno = saved;
        }
        return -1;
}

int fd_write_all(int fd, const void *data, size_t len)
{
        const char *p = data;

        while (len > 0) {
                ssize_t n = write(fd, p, len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                p += n;
                len -= (size_t)n;
        }
        return 0;
}

/* Asks for it; false: no thread is to be had, or there is nothing to do. */
static bool begin_sync(int fd, struct aiocb *request)
{
        request->aio_fildes = fd;
        request->aio_sigevent.sigev_notify = SIGEV_NONE;
        return fd >= 0 && aio_fsync(O_SYNC, request) == 0;
}

/* errno, or 0 once it is done. */
static int await_sync(struct aiocb *request)
{
        const struct aiocb *const wanted[] = {request};
        int why;

        while ((why = aio_error(request)) == EINPROGRESS)
                (void)aio_suspend(wanted, 1, NULL);
        (void)aio_return(request);
        return why;
}

/* The C library's threads wait for the disk; they hold all signals, and end by themselves. */
int fd_sync_all(const int *fds, size_t count, size_t *ret_failed)
{
        struct aiocb *requests CLEANUP_FREE = xcalloc(count + 1, sizeof(*requests));
        bool *begun CLEANUP_FREE = xcalloc(count + 1, sizeof(*begun));
        int failed = 0;

        for (size_t i = 0; i < count; i++)
                begun[i] = count > 1 && begin_sync(fds[i], &requests[i]);
        for (size_t i = 0; i < count; i++) {
                int why = 0;

                if (begun[i])
                        why = await_sync(&requests[i]);
                else if (fds[i] >= 0 && fsync(fds[i]) < 0)
                        why = errno;
                if (why && why != EINVAL && failed == 0) {
                        failed = -why;
                        *ret_failed = i;
                }
        }
        return failed;
}

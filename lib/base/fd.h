#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors: born with O_CLOEXEC, start at -1, leave a cleanup variable by TAKE_FD.
 */
#include <stddef.h>
#include <unistd.h>

/* Closes fd where it is >= 0, keeping errno; returns -1, so `fd = fd_close(fd)`. */
int fd_close(int fd);

static inline void cleanup_fd(int *fd)
{
        (void)fd_close(*fd);
}
/* int fd CLEANUP_FD = -1; */
#define CLEANUP_FD __attribute__((cleanup(cleanup_fd)))
#define TAKE_FD(fd)                \
        ({                         \
                int _taken = (fd); \
                (fd) = -1;         \
                _taken;            \
        })

/* Writes all of data; 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);

/* fsync(2) of several at once, so that one wait serves for all: a journal takes them into one commit, and a disk that
 * flushes does it once. fds is borrowed; -1 and what is of a kind that does not sync (EINVAL: some directories) is
 * passed over.
 * 0, or -errno of the first that failed and its index in *ret_failed; the others were synced all the same. */
int fd_sync_all(const int *fds, size_t count, size_t *ret_failed);

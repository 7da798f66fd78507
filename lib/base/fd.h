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

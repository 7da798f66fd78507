/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

static usec_t read_clock(clockid_t id)
{
        struct timespec ts;

        if (clock_gettime(id, &ts) < 0)
                return 0;
        return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

usec_t clock_boottime(void)
{
        return read_clock(CLOCK_BOOTTIME);
}

usec_t clock_realtime(void)
{
        return read_clock(CLOCK_REALTIME);
}

usec_t usec_add(usec_t a, usec_t b)
{
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

usec_t usec_sub(usec_t a, usec_t b)
{
        if (a == USEC_INFINITY)
                return a;
        return a > b ? a - b : 0;
}

void clock_boot_id(char ret_id[37])
{
        int fd CLEANUP_FD = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret_id, 36);

        ret_id[n == 36 ? 36 : 0] = '\0';
}

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Time. Deadlines are absolute microseconds on CLOCK_BOOTTIME (monotonic through suspend, comparable across our own
 * restarts within one boot id); wall clock is for display and for what other programs wrote. Code that decides takes
 * `now` as an argument and never calls these.
 */
#include <stdint.h>

typedef uint64_t usec_t; /* microseconds */

#define USEC_INFINITY UINT64_MAX
#define USEC_PER_SEC ((usec_t)1000000)
#define USEC_PER_MSEC ((usec_t)1000)

usec_t clock_boottime(void);
usec_t clock_realtime(void);

/* a + b without wrapping; USEC_INFINITY stays. */
usec_t usec_add(usec_t a, usec_t b);
/* a - b, 0 where b is later. */
usec_t usec_sub(usec_t a, usec_t b);

/* The kernel's boot id, 36 characters and NUL; "" where it cannot be read. */
void clock_boot_id(char ret_id[37]);

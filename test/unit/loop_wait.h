#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting on an event loop in a test. Needs cmocka.h before it.
 */
#include "base/clock.h"
#include "base/err.h"
#include "net/loop.h"

/* Longer than anything that a test waits for, also on a busy machine. */
#define LOOP_WAIT_MAX (20 * USEC_PER_SEC)

/* Lets the loop go on until something has happened or a moment has passed. */
static inline void loop_wait_step(struct loop *loop)
{
        struct err err = ERR_INIT;

        assert_true(loop_step(loop, clock_boottime() + 2 * USEC_PER_MSEC, &err) >= 0);
}

/* Until the condition holds; the test fails where it never does. */
#define LOOP_WAIT(loop, condition)                                                                             \
        do {                                                                                                   \
                for (usec_t _end = clock_boottime() + LOOP_WAIT_MAX; !(condition) && clock_boottime() < _end;) \
                        loop_wait_step(loop);                                                                  \
                assert_true(condition);                                                                        \
        } while (false)

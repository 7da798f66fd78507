#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop: sd-event with what this project asks of it on top. Every source has a name, and for each name the
 * loop counts how often it ran and how often it was what woke the process, so that "an idle podwatch does not wake" is
 * a thing that can be checked and shown. Deadlines are absolute CLOCK_BOOTTIME with an accuracy of 1 us (sd-event's
 * default is 250 ms).
 *
 * One loop, one thread. Callbacks never block. A callback may free any source, its own included, and start any other.
 * Sources belong to whoever made them and must be freed before the loop.
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "base/clock.h"

struct err;
struct loop;
struct loop_source;

int loop_new(struct loop **ret, struct err *err);
struct loop *loop_free(struct loop *loop); /* takes NULL, returns NULL */

/* Runs until loop_exit. 0 with *ret_code as loop_exit had it, or negative when the loop itself fails. */
int loop_run(struct loop *loop, int *ret_code, struct err *err);
/* Makes loop_run return once the running callback has. The first call wins. */
void loop_exit(struct loop *loop, int code);
/* One round for programs that wait for one thing: waits at most until deadline (USEC_INFINITY: for ever), then runs
 * what is pending. 1: something ran; 0: the deadline passed, or loop_exit was called (loop_exiting tells). */
int loop_step(struct loop *loop, usec_t deadline, struct err *err);
/* Rounds until *done, which a callback sets (NULL: it is for the time alone), the deadline (USEC_INFINITY: none) or
 * loop_exit. 0, or negative when the loop itself fails. */
int loop_wait(struct loop *loop, const bool *done, usec_t deadline, struct err *err);
bool loop_exiting(const struct loop *loop);

/* CLOCK_BOOTTIME when the loop woke last: what `now` is for everything that runs in this round. */
usec_t loop_now(const struct loop *loop);
usec_t loop_now_realtime(const struct loop *loop);

/* Answers the service manager's watchdog from the loop, at a half to three quarters of its period. 1: it is wanted and
 * on; 0: it is not asked for. Its wake-ups are counted as "watchdog". */
int loop_watchdog(struct loop *loop, struct err *err);

typedef void (*loop_timer_fn)(void *userdata, usec_t now);
typedef void (*loop_io_fn)(void *userdata, uint32_t events /* EPOLLIN ... */);
typedef void (*loop_defer_fn)(void *userdata);
typedef void (*loop_signal_fn)(void *userdata, const struct signalfd_siginfo *info);
typedef void (*loop_child_fn)(void *userdata, const siginfo_t *info);

/* Making a source aborts only when memory or descriptors are out for good; what the kernel can refuse for a reason of
 * the caller's returns an error. name: what it waits for ("docker event stream"), a short fixed text; a few dozen
 * different ones in a process. */

/* Off until loop_timer_set. Fires once for each set. */
struct loop_source *loop_timer_new(struct loop *loop, const char *name, loop_timer_fn fn, void *userdata);
void loop_timer_set(struct loop_source *timer, usec_t deadline); /* USEC_INFINITY: off; in the past: at once */
usec_t loop_timer_get(const struct loop_source *timer);          /* USEC_INFINITY: off */

/* Watches fd (not owned) for events, level-triggered. Errors: epoll's (a regular file: EPERM). */
int loop_io_new(struct loop *loop, const char *name, int fd, uint32_t events, loop_io_fn fn, void *userdata,
                struct loop_source **ret, struct err *err);
void loop_io_set(struct loop_source *io, uint32_t events); /* 0: none, but keeps the source */

/* Runs once, from the loop and before it waits again, for each loop_defer_schedule; several of them before it ran
 * count as one. */
struct loop_source *loop_defer_new(struct loop *loop, const char *name, loop_defer_fn fn, void *userdata);
void loop_defer_schedule(struct loop_source *defer);

/* Blocks the signal in this thread and takes it from the loop. */
int loop_signal_new(struct loop *loop, const char *name, int signo, loop_signal_fn fn, void *userdata,
                    struct loop_source **ret, struct err *err);

/* Waits for a child by pidfd and reaps it; fn is called once. SIGCHLD is not used. */
int loop_child_new(struct loop *loop, const char *name, pid_t pid, loop_child_fn fn, void *userdata,
                   struct loop_source **ret, struct err *err);

/* Smaller runs first among what is pending; 0 at birth. */
void loop_source_set_priority(struct loop_source *source, int64_t priority);
struct loop_source *loop_source_free(struct loop_source *source); /* takes NULL, returns NULL */

/* What woke the process, by name; counts outlive their sources. */
struct loop_cause {
        const char *name;
        uint64_t wakes; /* times that the process slept and this was the first to run */
        uint64_t runs;  /* times that it ran */
        usec_t last;    /* CLOCK_BOOTTIME of the last run, 0 never */
};
typedef void (*loop_cause_fn)(void *userdata, const struct loop_cause *cause);
/* Calls fn for each name, in the order in which they first appeared. */
void loop_causes(const struct loop *loop, loop_cause_fn fn, void *userdata);
/* Times that the process slept and woke, whatever the cause. */
uint64_t loop_wakes(const struct loop *loop);

static inline void cleanup_loop(struct loop **loop)
{
        *loop = loop_free(*loop);
}
#define CLEANUP_LOOP __attribute__((cleanup(cleanup_loop)))
static inline void cleanup_loop_source(struct loop_source **source)
{
        *source = loop_source_free(*source);
}
#define CLEANUP_LOOP_SOURCE __attribute__((cleanup(cleanup_loop_source)))

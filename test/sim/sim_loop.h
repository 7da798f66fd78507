#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * net/loop.h under virtual time: the same functions, so that executor and observer run as they are. Time goes from one
 * timer to the next; nothing else moves it.
 */
#include "net/loop.h"

struct loop *sim_loop_new(usec_t now, usec_t now_wall);
/* The simulator's own clock, which nothing sets: loop_now at first, and still after a reboot. */
usec_t sim_loop_elapsed(const struct loop *loop);
/* Sets the wall clock by so much. */
void sim_loop_jump(struct loop *loop, int64_t delta);
/* The boot clock begins anew at `now`; to be called outside sim_loop_run, with no timer of a node left. */
void sim_loop_reboot(struct loop *loop, usec_t now);
/* Runs everything that is due for this long. */
void sim_loop_run(struct loop *loop, usec_t span);

/* Calls fn once, `delay` from now. Cancel by loop_source_free; it frees itself after the call. */
typedef void (*sim_fn)(void *userdata);
struct loop_source *sim_after(struct loop *loop, usec_t delay, sim_fn fn, void *userdata);
/* Timers and deferrals that ran, to see that a schedule ends. */
uint64_t sim_loop_runs(const struct loop *loop);

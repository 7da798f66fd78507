#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Goes through the records of a journal again: makes each change, steps where podwatch stepped, and compares what is
 * decided with what was decided, byte for byte. So a decision can be looked at again with everything that led to it,
 * and another version of podwatch can be asked what it would have done.
 */
#include <stddef.h>
#include <stdint.h>

struct err;
struct replay;

struct replay_count {
        uint64_t records, changes, steps, actions;
        uint64_t runs;        /* of podwatch */
        uint64_t differences; /* steps that decide something else, views that do not fit together */
};

/* difference: called for each, with what was recorded and what is decided now (texts of one line each); what: "step" or
 * "view". May be NULL. */
typedef void (*replay_difference_fn)(void *userdata, const char *what, const char *recorded, const char *now);

struct replay *replay_new(replay_difference_fn difference, void *userdata);
struct replay *replay_free(struct replay *replay);
/* One record, in the order they were written. -ERR_INVALID: it is none, or does not fit where it stands. After a
 * difference the pod goes on as decided now, so others of the same pod may follow, up to the head of the next segment.
 */
int replay_record(struct replay *replay, const char *text, size_t len, struct err *err);
const struct replay_count *replay_counts(const struct replay *replay);

/* A whole journal: a segment or the directory. 0: all decisions are the same; 1: there are differences. */
int replay_journal(const char *path, replay_difference_fn difference, void *userdata, struct replay_count *ret,
                   struct err *err);

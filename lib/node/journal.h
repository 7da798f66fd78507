#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What happened to the pods of this node and what was decided, on disk, for `podwatch replay` and for people: the
 * records of pod_store.h, in segments of fixed number and size.
 *
 * A segment is a text file NNNNNNNN.journal; a line is "hhhhhhhh JSON", with the FNV-1a 32 of the JSON in front. The
 * first line names the run of podwatch that wrote it, then come all views as they were, then the records. So any
 * segment can be replayed alone, and one after the other within a run must fit together. A torn tail ends a segment.
 * Secrets are not in it: see pod_view_json.h.
 *
 * A disk that is full or broken stops the journal, never podwatch: the error is told once, and a new segment is tried
 * after JOURNAL_RETRY_USEC. The segments that are there stay: the oldest is removed when the head of a new one is
 * written, so for a moment there is one more than are kept.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct err;
struct journal;
struct journal_reader;
struct pod_store;

#define JOURNAL_RETRY_USEC (60 * USEC_PER_SEC)

struct journal_options {
        const char *directory; /* made where it is missing, 0700 */
        size_t segment_bytes;  /* a segment ends when it is larger; 0: LIMIT_JOURNAL_SEGMENT. A segment of which the
                                * views at its head take more than half may be up to twice as large as those. */
        unsigned segments;     /* that are kept, the one being written included; 0: LIMIT_JOURNAL_SEGMENTS */
        const char *boot_id;
};

/* Nothing is written yet: the first segment begins with the first journal_turn. */
struct journal *journal_new(const struct journal_options *options, usec_t now_wall);
struct journal *journal_free(struct journal *journal); /* writes what is left; takes NULL, returns NULL */

/* The recorder for pod_store_set_recorder; userdata is the journal. Kept in memory until the next turn. */
void journal_record(void *journal, const char *record, size_t len);

/* To be called after pod_store_step: writes out, begins a new segment where one is due (taking its head from store).
 * -errno or -ERR_LIMIT: nothing is written until JOURNAL_RETRY_USEC from now; told once for each time it stops. */
int journal_turn(struct journal *journal, struct pod_store *store, usec_t now, usec_t now_wall, struct err *err);

/* --- reading --- */

/* path: a segment, or the directory of all. Segments are read in the order of their numbers. */
int journal_reader_new(const char *path, struct journal_reader **ret, struct err *err);
struct journal_reader *journal_reader_free(struct journal_reader *reader);
/* The next record: its JSON, valid until the next call. 0: one; 1: the end. Torn tails end their segment silently and
 * are counted. */
int journal_reader_next(struct journal_reader *reader, const char **ret_text, size_t *ret_len, struct err *err);
/* "FILE:LINE" of the last record. */
const char *journal_reader_place(const struct journal_reader *reader);
unsigned journal_reader_torn(const struct journal_reader *reader);
unsigned journal_reader_segments(const struct journal_reader *reader);

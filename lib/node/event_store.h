#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The events of event_log.h on disk, so that a restart of podwatch forgets none: a file with one JSON object a line,
 * appended to and written anew when it has grown to twice what the events take. Nothing is synced: a machine that
 * crashes may lose the last of them, and a torn line is skipped.
 */
#include <stddef.h>

#include "base/clock.h"

struct err;
struct event_log;
struct event_log_entry;
struct event_store;

/* Reads the file's events into log (borrowed). A missing file is an empty one; what is wrong with one that is there is
 * in *ret_problem (free it; NULL: nothing), and the events that can be read count. */
struct event_store *event_store_new(const char *path, struct event_log *log, char **ret_problem);
struct event_store *event_store_free(struct event_store *store); /* takes NULL, returns NULL */
/* No sooner after a failure: a disk that is full or hangs is not tried with each event. */
#define EVENT_STORE_RETRY_USEC (10 * USEC_PER_SEC)

/* The entry was added to the log, or counted on. It is written by the next event_store_write. */
void event_store_add(struct event_store *store, const struct event_log_entry *entry);
/* Writes what was added; after a failure everything anew. now: the clock of the loop. 0: all is written; 1: there was
 * nothing to write, or it is too soon after a failure. Negative: it failed. */
int event_store_write(struct event_store *store, usec_t now, struct err *err);
/* When to write again after a failure, where something is to be written; else USEC_INFINITY. */
usec_t event_store_again(const struct event_store *store);

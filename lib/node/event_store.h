#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The events of event_log.h on disk, so that a restart of podwatch forgets none: a file with one JSON object a line,
 * appended to as they come and written anew when it has grown to twice what the events take. Nothing is synced: a
 * machine that crashes may lose the last of them, and a torn line is skipped.
 */
#include <stddef.h>

struct err;
struct event_log;
struct event_log_entry;
struct event_store;

/* Reads the file's events into log (borrowed). A missing file is an empty one; what is wrong with one that is there is
 * in *ret_problem (free it; NULL: nothing), and the events that can be read count. */
struct event_store *event_store_new(const char *path, struct event_log *log, char **ret_problem);
struct event_store *event_store_free(struct event_store *store); /* takes NULL, returns NULL */
/* The entry was added to the log, or counted on. After a failure the next call writes everything anew. */
int event_store_add(struct event_store *store, const struct event_log_entry *entry, struct err *err);

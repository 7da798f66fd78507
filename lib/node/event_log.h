#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The latest events of this node in memory, so that they can be seen with no API server: a ring of fixed size in which
 * an event that repeats a recent one counts on that. event_store.h keeps them on disk.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct cJSON;
struct event_log;

#define EVENT_LOG_MAX 1000

struct event_log_entry {
        usec_t first, last; /* wall clock */
        unsigned count;
        char *key; /* namespace/name of the pod; "" for the node */
        char *uid;
        char *object; /* spec.containers{name}, "" for the pod itself */
        bool warning;
        char *reason, *message;
};

struct event_log *event_log_new(size_t max);
struct event_log *event_log_free(struct event_log *log); /* takes NULL, returns NULL */
/* Strings are copied, the message as by pod_view_text, cut at LIMIT_EVENT_MESSAGE; first, last and count are set here.
 * Gives the entry, which may have been there: count says how often it was seen by now. Valid until the next call. */
const struct event_log_entry *event_log_add(struct event_log *log, const struct event_log_entry *entry,
                                            usec_t now_wall);
/* Puts back one that was kept, oldest first: one that is there takes times and count. NULL strings are "". */
void event_log_restore(struct event_log *log, const struct event_log_entry *entry);
/* Oldest first: index 0 to event_log_count - 1. */
size_t event_log_count(const struct event_log *log);
const struct event_log_entry *event_log_get(const struct event_log *log, size_t index);
/* Which entries are asked for. */
typedef bool (*event_log_match_fn)(void *userdata, const struct event_log_entry *entry);
/* A core/v1 EventList; free with cJSON_Delete. match NULL: all. */
struct cJSON *event_log_list(const struct event_log *log, event_log_match_fn match, void *userdata);
/* One as core/v1 Event. */
struct cJSON *event_log_json(const struct event_log_entry *entry);

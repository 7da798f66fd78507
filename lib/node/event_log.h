#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The latest events of this node in memory, so that they can be seen with no API server: a ring of fixed size in which
 * an event that repeats the last one of its pod counts on that.
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
/* Strings are copied; first, last and count are set here. How often it was seen by now. */
unsigned event_log_add(struct event_log *log, const struct event_log_entry *entry, usec_t now_wall);
/* Oldest first: index 0 to event_log_count - 1. */
size_t event_log_count(const struct event_log *log);
const struct event_log_entry *event_log_get(const struct event_log *log, size_t index);
/* A core/v1 EventList; free with cJSON_Delete. key NULL: all. */
struct cJSON *event_log_list(const struct event_log *log, const char *key);

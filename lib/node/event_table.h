#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as text for a person, as `podwatch events` and `describe` show them. Control characters are hidden
 * (buf_hide_controls): a message may have what a container wrote.
 */
#include "base/clock.h"

struct buf;
struct cJSON;

/* Columns, oldest first by when it was seen last. items: list of core/v1 Event (NULL is an empty one); now: wall clock,
 * for ages. Nothing where there is none. */
void event_table(const struct cJSON *items, usec_t now, struct buf *out);
/* One line with the time, for a list that goes on. */
void event_line(const struct cJSON *event, struct buf *out);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may stay connected to a server that strangers can reach. A connection either is served (its request is whole and
 * being answered) or keeps us waiting for a request; one that waits has an absolute deadline, however busily it drips,
 * and when all seats are taken the one that has waited longest gives way to who comes. So clients that hold
 * connections open keep nobody out, unless they come faster than an honest one needs for its handshake. Where honest
 * ones come in crowds themselves, a grace lets each that waits stay for so long before it gives way.
 */
#include "base/clock.h"

struct http_room;
struct http_seat;
struct loop;

/* name: of the wake-ups, borrowed. seats: connections beyond which the longest waiting is shown out. first: time for
 * the handshake and the first request; next: time for each further one; grace: what is left of these while more are
 * there than seats, 0: the longest waiting gives way at once. */
struct http_room *http_room_new(struct loop *loop, const char *name, unsigned seats, usec_t first, usec_t next,
                                usec_t grace);
struct http_room *http_room_free(struct http_room *room); /* all have left. Takes NULL, returns NULL */

/* A connection came; fd is borrowed, and only ever shut down: whoever owns it closes it and calls leave. */
struct http_seat *http_room_enter(struct http_room *room, int fd);
void http_room_leave(struct http_seat *seat);
void http_room_served(struct http_seat *seat);   /* its request is whole */
void http_room_answered(struct http_seat *seat); /* and done: it waits again */

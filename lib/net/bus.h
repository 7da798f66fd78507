#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Method calls over D-Bus, on the loop: the one place that drives sd-bus. A connection is made when there is something
 * to call and closed with the last answer, so that nothing a bus sends wakes an idle process, and one that restarts is
 * not noticed. Nothing blocks: connecting, too, is bounded by the deadline of the calls that wait for it.
 */
#include <stddef.h>

#include "base/clock.h"

struct err;
struct loop;

struct bus;
struct bus_call;
struct sd_bus_message;

/* Who is called. */
struct bus_peer {
        const char *address; /* as D-Bus writes it: "unix:path=..." */
        bool daemon;         /* a message bus is there, not the peer itself */
};

struct bus_method {
        const char *destination, *path, *interface, *member;
};

/* Appends the arguments; what sd_bus_message_append and its like return. */
typedef int (*bus_fill_fn)(void *userdata, struct sd_bus_message *message);
/* err NULL: answered. Else err->msg tells, and name is the D-Bus error's (org.freedesktop...) where the peer sent one,
 * "" where it did not: nobody listens, the connection ended, no answer in time (ETIMEDOUT). */
typedef void (*bus_done_fn)(void *userdata, const struct err *err, const char *name);

/* peers (borrowed): the first that can be connected to is called. */
struct bus *bus_new(struct loop *loop, const struct bus_peer *peers, size_t count);
/* Calls under way end without a word. Not from a callback. Takes NULL, returns NULL. */
struct bus *bus_free(struct bus *bus);

/* fill is called before it returns, done never is, and then once, within the timeout. Calls are sent in their order. A
 * callback may make and cancel calls. method is borrowed while it runs. */
struct bus_call *bus_call(struct bus *bus, const struct bus_method *method, usec_t timeout, bus_fill_fn fill,
                          bus_done_fn done, void *userdata);
/* done is not called any more; the peer may do it nevertheless. */
void bus_cancel(struct bus_call *call);

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include <systemd/sd-bus.h>

#include "base/alloc.h"
#include "base/err.h"
#include "net/bus.h"
#include "net/loop.h"

struct bus_call {
        struct bus *bus;
        struct bus_call *prev, *next;
        sd_bus_slot *slot;
        usec_t deadline; /* 0: it could not be sent, and why says it */
        int code;
        char *why;
        char *what; /* what is called, for errors */
        bus_done_fn done;
        void *userdata;
};

struct bus {
        struct loop *loop;
        const struct bus_peer *peers;
        size_t peer_count;
        sd_bus *sd; /* NULL: not connected */
        struct loop_source *io, *timer;
        struct bus_call *calls; /* in the order of their making */
};

static void call_free(struct bus_call *call)
{
        DL_DELETE(call->bus->calls, call);
        (void)sd_bus_slot_unref(call->slot);
        free(call->why);
        free(call->what);
        free(call);
}

static void call_over(struct bus_call *call, const struct err *err, const char *name)
{
        bus_done_fn done = call->done;
        void *userdata = call->userdata;

        call_free(call);
        done(userdata, err, name);
}

static void call_failed(struct bus_call *call, int code, const char *why)
{
        struct err err = ERR_INIT;

        if (why)
                (void)err_set(&err, code, "%s: %s", call->what, why);
        else
                (void)err_set_errno(&err, code, "%s", call->what);
        call_over(call, &err, "");
}

static void disconnect(struct bus *bus)
{
        bus->io = loop_source_free(bus->io);
        bus->sd = sd_bus_close_unref(bus->sd);
}

/* What is to be waited for after something was sent, answered or given up. */
static void settle(struct bus *bus)
{
        usec_t deadline = USEC_INFINITY;
        const struct bus_call *call;
        int events;

        DL_FOREACH (bus->calls, call)
                if (call->deadline < deadline)
                        deadline = call->deadline;
        loop_timer_set(bus->timer, deadline);
        if (!bus->sd)
                return;
        if (!bus->calls) {
                disconnect(bus);
                return;
        }
        events = sd_bus_get_events(bus->sd);
        /* Of a connection that has ended the end is to be read. */
        loop_io_set(bus->io, events < 0 ? EPOLLIN : (uint32_t)events);
}

/* The timer tells who waited; what is called meanwhile connects anew. */
static void lost(struct bus *bus, int code)
{
        struct bus_call *call;

        disconnect(bus);
        DL_FOREACH (bus->calls, call) {
                if (call->deadline == 0)
                        continue;
                call->slot = sd_bus_slot_unref(call->slot);
                call->deadline = 0;
                call->code = code;
        }
}

static void on_io(void *userdata, uint32_t events)
{
        struct bus *bus = userdata;
        int r;

        (void)events;
        do
                r = sd_bus_process(bus->sd, NULL);
        while (r > 0);
        if (r < 0)
                lost(bus, -r);
        settle(bus);
}

static struct bus_call *first_due(const struct bus *bus, usec_t now)
{
        struct bus_call *call;

        DL_FOREACH (bus->calls, call)
                if (call->deadline <= now)
                        return call;
        return NULL;
}

static void on_timer(void *userdata, usec_t now)
{
        struct bus *bus = userdata;
        struct bus_call *call;

        while ((call = first_due(bus, now))) {
                bool sent = call->deadline > 0;

                call_failed(call, sent ? ETIMEDOUT : call->code, sent ? "no answer in time" : call->why);
        }
        settle(bus);
}

/* 1: sd_bus_process goes on to what else it has. */
static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
        const sd_bus_error *error = sd_bus_message_get_error(message);
        struct bus_call *call = userdata;
        struct err err = ERR_INIT;

        (void)ret_error;
        if (!error) {
                call_over(call, NULL, "");
                return 1;
        }
        (void)err_set(&err, ERR_REMOTE, "%s: %s", call->what, error->message ? error->message : error->name);
        call_over(call, &err, error->name);
        return 1;
}

static int start(const struct bus_peer *peer, sd_bus **ret)
{
        sd_bus *sd = NULL;
        int r = sd_bus_new(&sd);

        if (r >= 0)
                r = sd_bus_set_address(sd, peer->address);
        if (r >= 0)
                r = sd_bus_set_bus_client(sd, peer->daemon);
        if (r >= 0)
                r = sd_bus_start(sd);
        if (r < 0) {
                (void)sd_bus_unref(sd);
                return r;
        }
        *ret = sd;
        return 0;
}

static int connect_first(struct bus *bus, struct err *err)
{
        int r = -ENOENT;

        for (size_t i = 0; i < bus->peer_count && !bus->sd; i++) {
                r = start(&bus->peers[i], &bus->sd);
                if (r < 0)
                        (void)err_set_errno(err, -r, "connecting to %s", bus->peers[i].address);
        }
        if (!bus->sd)
                return r;
        r = sd_bus_get_fd(bus->sd);
        if (r >= 0)
                r = loop_io_new(bus->loop, "D-Bus", r, EPOLLIN, on_io, bus, &bus->io, err);
        else
                (void)err_set_errno(err, -r, "connecting over D-Bus");
        if (r < 0)
                disconnect(bus);
        return r;
}

static int send(struct bus_call *call, const struct bus_method *method, bus_fill_fn fill, void *userdata,
                struct err *err)
{
        struct bus *bus = call->bus;
        sd_bus_message *message = NULL;
        int r = bus->sd ? 0 : connect_first(bus, err);

        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(bus->sd, &message, method->destination, method->path, method->interface,
                                           method->member);
        if (r >= 0)
                r = fill(userdata, message);
        if (r >= 0)
                r = sd_bus_call_async(bus->sd, &call->slot, message, on_answer, call, UINT64_MAX);
        (void)sd_bus_message_unref(message);
        return r < 0 ? err_set_errno(err, -r, "sending over D-Bus") : 0;
}

struct bus_call *bus_call(struct bus *bus, const struct bus_method *method, usec_t timeout, bus_fill_fn fill,
                          bus_done_fn done, void *userdata)
{
        struct bus_call *call = xcalloc(1, sizeof(*call));
        struct err err = ERR_INIT;

        call->bus = bus;
        call->what = xstrdup(method->member);
        call->deadline = usec_add(loop_now(bus->loop), timeout);
        call->done = done;
        call->userdata = userdata;
        DL_APPEND(bus->calls, call);
        if (send(call, method, fill, userdata, &err) < 0) {
                call->deadline = 0;
                call->code = err.code;
                call->why = xstrdup(err.msg);
        }
        settle(bus);
        return call;
}

void bus_cancel(struct bus_call *call)
{
        struct bus *bus = call->bus;

        call_free(call);
        /* Not settle(): it may come from an answer, whose connection is in use. */
        if (!bus->calls)
                loop_timer_set(bus->timer, bus->sd ? 0 : USEC_INFINITY);
}

struct bus *bus_new(struct loop *loop, const struct bus_peer *peers, size_t count)
{
        struct bus *bus = xcalloc(1, sizeof(*bus));

        bus->loop = loop;
        bus->peers = peers;
        bus->peer_count = count;
        bus->timer = loop_timer_new(loop, "D-Bus deadline", on_timer, bus);
        return bus;
}

struct bus *bus_free(struct bus *bus)
{
        if (!bus)
                return NULL;
        while (bus->calls)
                call_free(bus->calls);
        disconnect(bus);
        (void)loop_source_free(bus->timer);
        free(bus);
        return NULL;
}

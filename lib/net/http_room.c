/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <utlist.h>

#include "base/alloc.h"
#include "net/http_room.h"
#include "net/loop.h"

struct http_seat {
        struct http_room *room;
        int fd;
        usec_t since, deadline;
        bool waits; /* in room->waiting */
        struct http_seat *prev, *next;
};

struct http_room {
        struct loop *loop;
        struct loop_source *timer;
        unsigned seats, taken;
        usec_t first, next, grace;
        struct http_seat *waiting; /* who waits longest first */
};

static void stop_waiting(struct http_seat *seat)
{
        if (seat->waits)
                DL_DELETE(seat->room->waiting, seat);
        seat->waits = false;
}

/* Its owner sees the end of the stream and closes it. */
static void show_out(struct http_seat *seat)
{
        stop_waiting(seat);
        (void)shutdown(seat->fd, SHUT_RDWR);
}

static void on_timer(void *userdata, usec_t now)
{
        struct http_room *room = userdata;
        struct http_seat *seat, *following;
        usec_t next = USEC_INFINITY;

        DL_FOREACH_SAFE (room->waiting, seat, following) {
                if (seat->deadline <= now)
                        show_out(seat);
                else if (seat->deadline < next)
                        next = seat->deadline;
        }
        loop_timer_set(room->timer, next);
}

static void set_deadline(struct http_seat *seat, usec_t timeout)
{
        struct http_room *room = seat->room;

        seat->deadline = usec_add(seat->since, timeout);
        if (seat->deadline < loop_timer_get(room->timer))
                loop_timer_set(room->timer, seat->deadline);
}

static bool is_full(const struct http_room *room)
{
        return room->taken > room->seats;
}

static void wait_from_now(struct http_seat *seat, usec_t timeout)
{
        struct http_room *room = seat->room;

        seat->since = loop_now(room->loop);
        seat->waits = true;
        DL_APPEND(room->waiting, seat);
        set_deadline(seat, is_full(room) && room->grace && room->grace < timeout ? room->grace : timeout);
}

/* One more came than there are seats. */
static void make_room(struct http_room *room)
{
        struct http_seat *seat;

        if (!room->grace) {
                if (room->waiting)
                        show_out(room->waiting);
                return;
        }
        DL_FOREACH (room->waiting, seat) {
                if (seat->deadline > usec_add(seat->since, room->grace))
                        set_deadline(seat, room->grace);
        }
}

struct http_room *http_room_new(struct loop *loop, const char *name, unsigned seats, usec_t first, usec_t next,
                                usec_t grace)
{
        struct http_room *room = xcalloc(1, sizeof(*room));

        room->loop = loop;
        room->timer = loop_timer_new(loop, name, on_timer, room);
        room->seats = seats;
        room->first = first;
        room->next = next;
        room->grace = grace;
        return room;
}

struct http_room *http_room_free(struct http_room *room)
{
        if (!room)
                return NULL;
        assert(room->taken == 0);
        (void)loop_source_free(room->timer);
        free(room);
        return NULL;
}

struct http_seat *http_room_enter(struct http_room *room, int fd)
{
        struct http_seat *seat = xcalloc(1, sizeof(*seat));

        seat->room = room;
        seat->fd = fd;
        room->taken++;
        if (is_full(room))
                make_room(room);
        wait_from_now(seat, room->first);
        return seat;
}

void http_room_leave(struct http_seat *seat)
{
        struct http_room *room = seat->room;

        stop_waiting(seat);
        room->taken--;
        if (!room->waiting)
                loop_timer_set(room->timer, USEC_INFINITY);
        free(seat);
}

void http_room_served(struct http_seat *seat)
{
        stop_waiting(seat);
}

void http_room_answered(struct http_seat *seat)
{
        stop_waiting(seat);
        wait_from_now(seat, seat->room->next);
}

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A D-Bus peer in the test's own process and on its loop: a socket, and sd-bus as a server on what connects to it, one
 * connection at a time. Needs cmocka.h before it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "net/loop.h"

struct fake_bus {
        struct loop *loop;
        bool daemon; /* it is a message bus: clients say Hello first */
        /* A method call; what it answers it sends. */
        void (*called)(void *userdata, sd_bus_message *message);
        void *userdata;
        char dir[64], path[80], address[96];
        int listening;
        struct loop_source *accepts, *io;
        sd_bus *sd;
        size_t connections; /* that there were */
};

static inline void fake_bus_hang_up(struct fake_bus *fake)
{
        fake->io = loop_source_free(fake->io);
        fake->sd = sd_bus_close_unref(fake->sd);
}

static inline int fake_bus_on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
        struct fake_bus *fake = userdata;

        (void)ret_error;
        if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus", "Hello") > 0)
                assert_true(sd_bus_reply_method_return(message, "s", ":1.7") >= 0);
        else if (sd_bus_message_is_method_call(message, NULL, NULL) > 0)
                fake->called(fake->userdata, message);
        return 1;
}

static inline void fake_bus_wait(struct fake_bus *fake)
{
        int events = sd_bus_get_events(fake->sd);

        loop_io_set(fake->io, events < 0 ? EPOLLIN : (uint32_t)events);
}

static inline void fake_bus_on_io(void *userdata, uint32_t events)
{
        struct fake_bus *fake = userdata;
        int r = 1;

        (void)events;
        while (fake->sd && r > 0)
                r = sd_bus_process(fake->sd, NULL);
        if (r < 0)
                fake_bus_hang_up(fake);
        if (fake->sd)
                fake_bus_wait(fake);
}

static inline void fake_bus_on_connect(void *userdata, uint32_t events)
{
        struct fake_bus *fake = userdata;
        int fd = accept4(fake->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        sd_id128_t id;

        (void)events;
        assert_true(fd >= 0);
        fake_bus_hang_up(fake);
        fake->connections++;
        assert_true(sd_id128_randomize(&id) >= 0);
        assert_true(sd_bus_new(&fake->sd) >= 0);
        assert_true(sd_bus_set_fd(fake->sd, fd, fd) >= 0);
        assert_true(sd_bus_set_server(fake->sd, true, id) >= 0);
        assert_true(sd_bus_add_filter(fake->sd, NULL, fake_bus_on_message, fake) >= 0);
        assert_true(sd_bus_start(fake->sd) >= 0);
        assert_int_equal(loop_io_new(fake->loop, "fake bus", fd, EPOLLIN, fake_bus_on_io, fake, &fake->io, NULL), 0);
        fake_bus_wait(fake);
}

/* loop, daemon, called and userdata are the caller's to set before. */
static inline void fake_bus_init(struct fake_bus *fake)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        (void)snprintf(fake->dir, sizeof(fake->dir), "/tmp/test-bus-XXXXXX");
        assert_non_null(mkdtemp(fake->dir));
        (void)snprintf(fake->path, sizeof(fake->path), "%s/sock", fake->dir);
        (void)snprintf(fake->address, sizeof(fake->address), "unix:path=%s", fake->path);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fake->path);
        fake->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fake->listening >= 0);
        assert_int_equal(bind(fake->listening, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fake->listening, 4), 0);
        assert_int_equal(loop_io_new(fake->loop, "fake bus", fake->listening, EPOLLIN, fake_bus_on_connect, fake,
                                     &fake->accepts, NULL),
                         0);
}

static inline void fake_bus_release(struct fake_bus *fake)
{
        fake_bus_hang_up(fake);
        fake->accepts = loop_source_free(fake->accepts);
        (void)fd_close(fake->listening);
        (void)unlink(fake->path);
        (void)rmdir(fake->dir);
}

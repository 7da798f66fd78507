#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of http_server.h, for http_server.c (connections, requests, answers) and http_stream.c.
 */
#include <microhttpd.h>

#include "base/buf.h"
#include "net/http_listen.h"
#include "net/http_server.h"

struct http_room;
struct http_seat;
struct http_tls;
struct loop_source;

#define MAX_EXTRA_HEADERS 8

struct http_server {
        struct loop *loop;
        struct MHD_Daemon *daemon;
        struct http_listen_path path;
        uint16_t port;
        char *io_name, *timer_name, *run_name, *hangup_name, *room_name; /* wake-up causes */
        struct loop_source *io;                                          /* libmicrohttpd's epoll descriptor */
        struct loop_source *timer;
        struct loop_source *run;
        struct http_server_request *requests;
        void (*connecting)(void *userdata);
        http_server_handler_fn handler;
        void *userdata;
        unsigned max_connections, mhd_limit;
        struct http_tls *tls;   /* NULL: plain */
        struct http_room *room; /* NULL: whoever came may stay */
        unsigned busy;          /* depth of calls into libmicrohttpd */
        bool dead;              /* freed from inside a callback */
};

struct extra_header {
        char *name, *value;
};

/* A request lives until libmicrohttpd has done with it, which is longer than its handle is the handler's. */
struct http_server_request {
        struct http_server *server;
        struct http_server_request *prev, *next;
        struct MHD_Connection *connection;
        char *method, *path;
        struct buf body;
        bool handled;               /* the handler was called */
        bool held;                  /* the handle is the handler's */
        bool suspended;             /* libmicrohttpd does not look at the connection */
        bool gone;                  /* the client went away meanwhile */
        struct loop_source *hangup; /* looks for that while suspended */
        struct extra_header headers[MAX_EXTRA_HEADERS];
        size_t header_count;
        /* the answer */
        struct MHD_Response *response;
        int status;
        bool queued;
        /* of a stream */
        bool stream, ended, ended_well, refused;
        size_t max_buffer;
        struct buf out;
        size_t out_sent; /* of out */
        http_server_closed_fn closed;
        void *closed_userdata;
        http_server_drained_fn drained;
        void *drained_userdata;
};

/* Puts the connection aside until it is resumed. libmicrohttpd does not see a client go meanwhile; we do. */
void http_request_suspend(struct http_server_request *request);
void http_request_resume(struct http_server_request *request);
/* Gives the answer to be queued; takes response. */
void http_request_answer(struct http_server_request *request, int status, const char *content_type,
                         struct MHD_Response *response);
/* Bytes of a stream that the client has not taken. */
size_t http_stream_pending(const struct http_server_request *request);

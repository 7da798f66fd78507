#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP server on the loop: libmicrohttpd with its epoll descriptor as one loop source. One listening socket
 * (unix path or TCP address, with TLS or without) per server. It is the only module that knows libmicrohttpd.
 *
 * The handler is called once a request is complete (its body too, at most LIMIT_LOCAL_REQUEST) and answers in one of
 * three ways: at once, later from the loop, or with a stream. A slow or silent client holds its own connection and
 * nothing else: at most LIMIT_LOCAL_CONNECTIONS of them, each closed when nothing moved for idle_timeout.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

struct err;
struct http_server;
struct http_tls;
struct http_server_request;
struct loop;

/* Who is at the other end of a unix socket, as the kernel saw it when it connected. */
struct http_server_peer {
        pid_t pid;
        uid_t uid;
        gid_t gid;
};

/* Must answer before it returns, or keep `request` and answer later; until then the client waits. */
typedef void (*http_server_handler_fn)(void *userdata, struct http_server_request *request);

struct http_server_options {
        const char *name;      /* for the wake-up causes: "local API"; a static string */
        const char *unix_path; /* either a path (what a dead server left there is replaced, a living one is an error) */
        mode_t unix_mode;      /* mode of the socket, and */
        gid_t unix_gid;        /* its group; (gid_t)-1 as it is */
        const char *address;   /* or a numeric IPv4 or IPv6 address */
        uint16_t port;         /* 0: any; http_server_port tells */
        unsigned max_connections; /* 0: LIMIT_LOCAL_CONNECTIONS */
        usec_t idle_timeout;      /* whole seconds; 0: 30 s */
        /* For a port that strangers reach: time for the handshake and a connection's first request (each further one
         * has idle_timeout), and when max_connections are there, who has waited longest gives way (net/http_room.h). 0:
         * who came may stay, and who comes waits. */
        usec_t request_timeout;
        /* With it: who has waited for less than this does not give way, so that a crowd which comes at once is served,
         * all of it. 0: at once. */
        usec_t request_grace;
        struct http_tls *tls; /* NULL: plain HTTP */
        /* A connection comes, and has sent nothing yet; may be NULL. */
        void (*connecting)(void *userdata);
        http_server_handler_fn handler;
        void *userdata;
};

/* Errors of the socket: EADDRINUSE (another program, or for a path another living server), EACCES, ... */
int http_server_new(struct loop *loop, const struct http_server_options *options, struct http_server **ret,
                    struct err *err);
/* Closes all connections; requests and streams under way end with `closed`. Takes NULL, returns NULL. The path of a
 * unix socket is removed. */
struct http_server *http_server_free(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);
unsigned http_server_connections(const struct http_server *server);

/* The request. Strings live as long as it does. */
const char *http_server_method(const struct http_server_request *request);
const char *http_server_path(const struct http_server_request *request); /* decoded, without the query */
/* Value of a query parameter (decoded; "" where it has none), or NULL where it is not there. Of several the first. */
const char *http_server_query(const struct http_server_request *request, const char *name);
/* True for ?name, ?name=true, ?name=1. */
bool http_server_query_flag(const struct http_server_request *request, const char *name);
const char *http_server_request_header(const struct http_server_request *request, const char *name); /* or NULL */
const char *http_server_body(const struct http_server_request *request, size_t *ret_len);
/* 0, or -ENOTSUP on TCP. */
int http_server_peer(const struct http_server_request *request, struct http_server_peer *ret_peer);

/* What a TLS client showed: its certificate (DER), then intermediates; they are verified by nobody yet, the client has
 * proved that it holds the key of the first. At most max are given; returns how many there are. */
struct http_server_certificate {
        const void *data;
        size_t len;
};
size_t http_server_client_certificates(const struct http_server_request *request, struct http_server_certificate *ret,
                                       size_t max);

/* Answers and ends the request: the handle is gone. content_type NULL: text/plain; charset=utf-8. data is copied;
 * http_server_reply_take takes it (malloc'ed) instead. A HEAD request gets the headers alone. */
void http_server_reply(struct http_server_request *request, int status, const char *content_type, const void *data,
                       size_t len);
void http_server_reply_take(struct http_server_request *request, int status, const char *content_type, char *data,
                            size_t len);
/* One line of text with a newline behind it. */
void http_server_replyf(struct http_server_request *request, int status, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* Extra header of the answer, before it is given; at most 8. */
void http_server_add_header(struct http_server_request *request, const char *name, const char *value);

/* A request that is kept for later, or is a stream, can lose its client; `closed` tells, once, and the handle is gone
 * after it, so whoever keeps a request sets this. It is not called once the answer was given (reply) or the stream was
 * ended (stream_end). */
typedef void (*http_server_closed_fn)(void *userdata);
void http_server_on_closed(struct http_server_request *request, http_server_closed_fn closed, void *userdata);

/* A stream: begin with the status line, then write as things come, then end. Output waits in a buffer of at most
 * max_buffer bytes while the client is slow. */
void http_server_stream_begin(struct http_server_request *request, int status, const char *content_type,
                              size_t max_buffer);
/* 0, or -EAGAIN where the buffer has no room for all of it (nothing is taken; `drained` tells when to try again). */
int http_server_stream_write(struct http_server_request *request, const void *data, size_t len);
/* How long the client may take nothing of what waits for it before the connection is closed, instead of the server's
 * idle_timeout: for what a person reads page by page. Whole seconds; 0: for ever. Before or after stream_begin. */
void http_server_stream_idle(struct http_server_request *request, usec_t idle);
typedef void (*http_server_drained_fn)(void *userdata);
/* Called from the loop once the buffer is empty after a write was refused. */
void http_server_on_drained(struct http_server_request *request, http_server_drained_fn drained, void *userdata);
/* The rest of the buffer is still sent, then the connection ends; the handle is gone. ok false: the connection is cut
 * instead, so that the client sees that something is missing. */
void http_server_stream_end(struct http_server_request *request, bool ok);

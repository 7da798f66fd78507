#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request to a unix socket, waited for: what a command needs that asks podwatch or Docker and ends. A
 * connection a request; HTTP/1.1, so that an answer that was cut is told from one that has ended. libcurl alone costs
 * more time to load than the whole answer.
 */
#include "net/http_answer.h"

struct buf;
struct err;

struct unix_ask {
        const char *socket;
        const char *method, *path; /* path with its query, encoded */
        const char *body;          /* JSON; NULL: none */
        unsigned timeout_seconds;  /* of connecting, each read and each write */
};

/* *ret_status: of the answer; its body is appended to out (whose max is the ceiling). Errors: ENOENT and ECONNREFUSED:
 * nobody listens there; EAGAIN: no answer in time; ERR_PROTOCOL: no HTTP; ECONNRESET: the answer was cut, or there was
 * none; ERR_LIMIT: it is too large. On an error out may hold a part. */
int unix_ask(const struct unix_ask *ask, int *ret_status, struct buf *out, struct err *err);

/* A stream: an answer that is shown as it comes. */
struct unix_ask_stream {
        struct unix_ask ask; /* timeout_seconds: of connecting and writing; reading waits for as long as it takes */
        http_answer_head_fn head; /* may be NULL */
        http_answer_data_fn data;
        /* Nothing came for tick_seconds (0: never called). */
        void (*tick)(void *userdata);
        unsigned tick_seconds;
        void *userdata;
};
/* 0: the answer is whole, or `data` has had enough. Errors: as unix_ask. */
int unix_ask_follow(const struct unix_ask_stream *stream, struct err *err);

/* Appends a parameter to the path of a request. */
void unix_ask_query(struct buf *path, const char *name, const char *value);

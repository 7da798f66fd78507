#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request to a unix socket, waited for: what a command needs that asks podwatch or Docker and ends. HTTP/1.0,
 * a connection a request; libcurl alone costs more time to load than the whole answer.
 */
#include "base/clock.h"

struct buf;
struct err;

struct unix_ask {
        const char *socket;
        const char *method, *path; /* path with its query, encoded */
        const char *body;          /* JSON; NULL: none */
        unsigned timeout_seconds;  /* of connecting, each read and each write */
};

/* *ret_status: of the answer; its body is appended to out (whose max is the ceiling). Errors: ENOENT and ECONNREFUSED:
 * nobody listens there; EAGAIN: no answer in time; ERR_PROTOCOL: no HTTP. */
int unix_ask(const struct unix_ask *ask, int *ret_status, struct buf *out, struct err *err);

/* Appends a parameter to the path of a request. */
void unix_ask_query(struct buf *path, const char *name, const char *value);

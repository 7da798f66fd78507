#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP/1.1 answer taken apart as it comes, in pieces of any size: for a command that shows a stream of podwatch's
 * line by line. Bodies in chunks, of a length that is told, and to the end of the connection. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

struct http_answer;

/* The status and headers are there. */
typedef void (*http_answer_head_fn)(void *userdata, const struct http_answer *answer);
/* False: enough, the rest is not wanted. */
typedef bool (*http_answer_data_fn)(void *userdata, const char *data, size_t len);

enum http_answer_state {
        HTTP_ANSWER_HEAD,
        HTTP_ANSWER_CHUNK_SIZE, /* the line in front of a chunk */
        HTTP_ANSWER_CHUNK,
        HTTP_ANSWER_CHUNK_END, /* the line end behind it */
        HTTP_ANSWER_TRAILER,
        HTTP_ANSWER_LENGTH,
        HTTP_ANSWER_CLOSE,
        HTTP_ANSWER_DONE,
};

struct http_answer {
        int status; /* 0 before the head is there */
        enum http_answer_state state;
        bool no_body;    /* to HEAD: what the headers say of a body is that of GET; set it after http_answer_init */
        uint64_t left;   /* of the chunk or body */
        struct buf head; /* as it came; stays */
        struct buf line; /* of a chunk's size, or of the trailer */
        http_answer_head_fn on_head;
        http_answer_data_fn on_data;
        void *userdata;
};

/* on_head may be NULL. */
void http_answer_init(struct http_answer *answer, http_answer_head_fn on_head, http_answer_data_fn on_data,
                      void *userdata);
void http_answer_release(struct http_answer *answer);
/* 0: go on; 1: the answer is whole, or data has had enough; -ERR_PROTOCOL: this is no HTTP; -ERR_LIMIT: too long a
 * head. */
int http_answer_feed(struct http_answer *answer, const char *bytes, size_t len, struct err *err);
/* The connection has ended: 0, or -ECONNRESET where something is missing. */
int http_answer_end(const struct http_answer *answer, struct err *err);
/* Value of a header, NULL without; free it. The first of several. */
char *http_answer_header(const struct http_answer *answer, const char *name);

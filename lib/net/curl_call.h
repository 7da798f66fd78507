#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * One call of curl_glue.h, as libcurl sees it: what a request means in options of an easy handle, the callbacks that
 * take its answer, and what a result code means as an error. curl_glue.c owns the calls and moves them.
 */
#include <curl/curl.h>

#include "base/buf.h"
#include "net/curl_glue.h"

struct curl_glue_call {
        struct curl_glue *glue;
        struct curl_glue_call *prev, *next; /* in the list of the glue that it is in */
        bool attention;                     /* which list: the one of calls that the glue's deferred run looks at */
        bool added;                         /* the multi handle has it */
        bool paused;                        /* nothing is read from its connection */
        CURL *easy;
        struct curl_slist *headers;
        struct curl_glue_identity *identity;
        char *shown; /* "GET http://...", for messages */
        char *unix_socket;
        unsigned flags;
        size_t max_body;
        int body_fd;
        size_t body_len, body_sent; /* of body_fd */
        curl_glue_head_fn head;
        curl_glue_data_fn data;
        curl_glue_done_fn done;
        void *userdata;
        /* the answer */
        struct buf body;
        size_t header_bytes;
        size_t data_bytes; /* given to data */
        bool head_done;
        bool truncated;
        /* why it ends although libcurl would go on */
        bool cancelled;
        bool too_large;
        struct err *failure; /* found before it could be sent */
        char curl_error[CURL_ERROR_SIZE];
};

/* Sets the options of call->easy for the request. Failures are left in call->failure. */
void curl_call_setup(struct curl_glue_call *call, const struct curl_glue_request *request, const char *user_agent);
/* Frees everything but the easy handle. */
void curl_call_free(struct curl_glue_call *call);
void curl_call_response(const struct curl_glue_call *call, struct curl_glue_response *ret);
/* What libcurl's result means: 0, or an error. */
int curl_call_result(const struct curl_glue_call *call, CURLcode result, struct err *err);

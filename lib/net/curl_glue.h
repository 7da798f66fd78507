#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP requests on the loop: libcurl's multi interface with its sockets and its one timer as loop sources. It is the
 * only module that knows libcurl.
 *
 *  - Nothing is called back before curl_glue_start has returned, and each started call ends with exactly one `done`,
 *    also after a cancel (ECANCELED) and when its deadline passes (ETIMEDOUT).
 *  - Connections are kept and used again, easy handles pooled. A call may be started or cancelled from any callback.
 *  - No proxy of the environment is used, no signal is raised, no redirect followed, no CA bundle loaded unless asked.
 *  - Bodies are bounded by what the call allows.
 *
 * err->code of a failed call: ECONNREFUSED, ENOENT, EACCES, ... (connecting; the OS's own), ECONNRESET (the peer went
 * away), ETIMEDOUT, ECANCELED, ERR_LIMIT (body too large), ERR_PROTOCOL (not HTTP, TLS or certificate refused),
 * EHOSTUNREACH (name does not resolve). An HTTP status of 400 and above is no error here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct curl_glue;
struct curl_glue_call;
struct curl_glue_identity;
struct err;
struct loop;

struct curl_glue_options {
        const char *name;          /* for the wake-up causes: "docker"; a static string */
        long max_kept_connections; /* idle connections that are kept; 0: libcurl's default */
        long max_connections;      /* at once; more calls wait; 0: no limit */
        const char *user_agent;    /* copied; NULL: none is sent */
};

int curl_glue_new(struct loop *loop, const struct curl_glue_options *options, struct curl_glue **ret, struct err *err);
/* Calls under way end without `done`. Takes NULL, returns NULL. */
struct curl_glue *curl_glue_free(struct curl_glue *glue);

/* Client certificate and CAs from memory (each may be NULL). Held in sealed memory files, as libcurl's GnuTLS back end
 * reads files only; nothing of it reaches a disk. Counted: calls under way keep theirs. A kept connection is used again
 * only for the identity object that it was made with, so new credentials never travel on an old connection. */
int curl_glue_identity_new(const char *cert_pem, const char *key_pem, const char *ca_pem,
                           struct curl_glue_identity **ret, struct err *err);
struct curl_glue_identity *curl_glue_identity_ref(struct curl_glue_identity *identity);
struct curl_glue_identity *curl_glue_identity_unref(struct curl_glue_identity *identity); /* NULL is fine */

enum curl_glue_flags {
        /* Any server certificate is taken, and no CA bundle is loaded (0.5 ms a request instead of 19 ms). */
        CURL_GLUE_INSECURE = 1 << 0,
        /* A connection of its own, closed at the end. */
        CURL_GLUE_NO_REUSE = 1 << 1,
        /* HTTP/1.1 even where TLS would agree on HTTP/2. */
        CURL_GLUE_HTTP1 = 1 << 2,
        /* A body beyond max_body is cut there: the call ends well, `truncated` is set and the rest is not read. */
        CURL_GLUE_TRUNCATE = 1 << 3,
        /* The system's CA bundle where the identity has no CA (registries; never for probes and the API server). */
        CURL_GLUE_SYSTEM_CA = 1 << 4,
        /* http_proxy, https_proxy, no_proxy of the environment count. */
        CURL_GLUE_ENV_PROXY = 1 << 5,
        /* `body` is borrowed until done instead of copied. */
        CURL_GLUE_BORROW_BODY = 1 << 6,
        /* The answer is a stream that lives long (watch, followed log): TCP keep-alive on, and Nagle's algorithm off.
         */
        CURL_GLUE_STREAM = 1 << 7,
        /* HTTP/2 from the first byte, without TLS (gRPC). */
        CURL_GLUE_H2C = 1 << 8,
};

struct curl_glue_response {
        int status;       /* 0: there was no answer */
        const char *body; /* NUL-terminated; "" where `data` took it */
        size_t body_len;
        bool truncated;
        const struct curl_glue_call *call; /* for curl_glue_header */
};

/* The final status and headers are there; the body follows. status is that of the last answer (no 100 Continue). */
typedef void (*curl_glue_head_fn)(void *userdata, const struct curl_glue_response *response);
/* A part of the body as it comes, each once. False ends the call (`done` with ECANCELED). */
typedef bool (*curl_glue_data_fn)(void *userdata, const char *data, size_t len);
/* err NULL: the exchange took place and response->status is set. With err, response has what there was of it.
 * Everything given is valid during this call only; the handle is gone afterwards. */
typedef void (*curl_glue_done_fn)(void *userdata, const struct curl_glue_response *response, const struct err *err);

struct curl_glue_request {
        const char *method;      /* NULL: "GET" */
        const char *url;         /* http:// or https:// */
        const char *unix_socket; /* path; the host of the URL is then only the Host header */
        const char *const
                *headers; /* "Name: value", ends with NULL; "Host: ..." replaces, "Accept:" removes; may be NULL */
        const void *body; /* NULL without */
        size_t body_len;
        int body_fd; /* when > 0 and body is NULL: the body_len bytes of this regular file from offset 0; not closed */
        size_t max_body; /* of the answer; with `data` set, 0 means no limit */
        usec_t deadline; /* absolute CLOCK_BOOTTIME for the whole exchange; 0 or USEC_INFINITY: none */
        usec_t max_idle; /* a kept connection that was idle for longer is closed instead of used; whole seconds, 0: 118
                            s */
        unsigned flags;  /* enum curl_glue_flags */
        struct curl_glue_identity *identity; /* a reference is taken; NULL without */
        curl_glue_head_fn head;              /* may be NULL */
        curl_glue_data_fn data; /* NULL: the body is collected. Else answers of 400 and above are still collected */
        curl_glue_done_fn done;
        void *userdata;
};

/* Starts a call; what is wrong with it is told through done. Never NULL. Strings are copied. */
struct curl_glue_call *curl_glue_start(struct curl_glue *glue, const struct curl_glue_request *request);
/* done follows from the loop, with ECANCELED; data and head are not called any more. */
void curl_glue_cancel(struct curl_glue_call *call);
/* Flow control of a call with `data`: after curl_glue_pause nothing more is read from its connection, so the peer
 * waits; data may still be called for what was received already (at most one buffer of libcurl, 16 KiB).
 * curl_glue_resume goes on, from the loop. Pausing twice is pausing once. A deadline goes on meanwhile. */
void curl_glue_pause(struct curl_glue_call *call);
void curl_glue_resume(struct curl_glue_call *call);

/* A header of the last answer, or NULL. Usable in head and done; a trailer as well, in done. */
const char *curl_glue_header(const struct curl_glue_response *response, const char *name);
/* Calls that were started and have not ended. */
size_t curl_glue_pending(const struct curl_glue *glue);

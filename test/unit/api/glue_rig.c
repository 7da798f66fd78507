/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "glue_rig.h"
#include "net/curl_glue.h"

#define ASKED_MAX 4096

struct curl_glue {
        struct loop *loop;
};

struct curl_glue_call {
        char *what, *body;
        unsigned flags;
        usec_t max_idle;
        curl_glue_head_fn head;
        curl_glue_data_fn data;
        curl_glue_done_fn done;
        void *userdata;
        bool cancelled;
        struct curl_glue_call *prev, *next;
};

static struct curl_glue_call *calls;
static char *asked[ASKED_MAX];
static size_t asked_count;

size_t glue_rig_asked(const char *text)
{
        size_t n = 0;

        for (size_t i = 0; i < asked_count; i++)
                n += strstr(asked[i], text) != NULL;
        return n;
}

static void call_free(struct curl_glue_call *call)
{
        DL_DELETE(calls, call);
        free(call->what);
        free(call->body);
        free(call);
}

static void end(struct curl_glue_call *call, int status, const char *body)
{
        const struct curl_glue_response response = {
                .status = status < 0 ? 0 : status, .body = body, .body_len = strlen(body)};
        curl_glue_done_fn done = call->done;
        void *userdata = call->userdata;
        struct err err = ERR_INIT;

        if (call->cancelled)
                (void)err_set(&err, ECANCELED, "cancelled");
        else if (status < 0)
                (void)err_set(&err, -status, "no connection");
        else if (!status)
                (void)err_set(&err, ECONNRESET, "the connection broke");
        call_free(call);
        done(userdata, &response, err.code ? &err : NULL);
}

size_t glue_rig_answer(const char *text, int status, const char *body)
{
        struct curl_glue_call *call, *next, *last = calls ? calls->prev : NULL;
        size_t n = 0;

        /* What an answer makes the client ask is not answered by the same call. */
        for (call = calls; call; call = next) {
                next = call == last ? NULL : call->next;
                if (!strstr(call->what, text))
                        continue;
                n += !call->cancelled;
                end(call, status, body);
        }
        return n;
}

static const struct curl_glue_call *find(const char *text)
{
        const struct curl_glue_call *call;

        DL_FOREACH (calls, call) {
                if (strstr(call->what, text))
                        return call;
        }
        return NULL;
}

unsigned glue_rig_flags(const char *text)
{
        const struct curl_glue_call *call = find(text);

        return call ? call->flags : 0;
}

usec_t glue_rig_max_idle(const char *text)
{
        const struct curl_glue_call *call = find(text);

        return call ? call->max_idle : USEC_INFINITY;
}

const char *glue_rig_body(const char *text)
{
        const struct curl_glue_call *call = find(text);

        return call ? call->body : "";
}

static struct curl_glue_call *stream_of(const char *text)
{
        struct curl_glue_call *call;

        DL_FOREACH (calls, call) {
                if (strstr(call->what, text) && call->data && !call->cancelled)
                        return call;
        }
        return NULL;
}

void glue_rig_head(const char *text, int status)
{
        struct curl_glue_call *call = stream_of(text);
        const struct curl_glue_response response = {.status = status, .body = "", .call = call};

        if (call && call->head)
                call->head(call->userdata, &response);
}

void glue_rig_data(const char *text, const char *data)
{
        struct curl_glue_call *call = stream_of(text);

        if (call)
                (void)call->data(call->userdata, data, strlen(data));
}

void glue_rig_reset(void)
{
        while (asked_count)
                free(asked[--asked_count]);
}

int curl_glue_new(struct loop *loop, const struct curl_glue_options *options, struct curl_glue **ret, struct err *err)
{
        (void)options;
        (void)err;
        *ret = xcalloc(1, sizeof(**ret));
        (*ret)->loop = loop;
        return 0;
}

struct curl_glue *curl_glue_free(struct curl_glue *glue)
{
        while (calls)
                call_free(calls);
        glue_rig_reset();
        free(glue);
        return NULL;
}

int curl_glue_identity_new(const char *cert_pem, const char *key_pem, const char *ca_pem,
                           struct curl_glue_identity **ret, struct err *err)
{
        (void)cert_pem;
        (void)key_pem;
        (void)ca_pem;
        (void)err;
        *ret = NULL;
        return 0;
}

struct curl_glue_identity *curl_glue_identity_unref(struct curl_glue_identity *identity)
{
        (void)identity;
        return NULL;
}

struct curl_glue_call *curl_glue_start(struct curl_glue *glue, const struct curl_glue_request *request)
{
        struct curl_glue_call *call = xcalloc(1, sizeof(*call));

        (void)glue;
        call->what = xasprintf("%s %s", request->method ? request->method : "GET", request->url);
        call->body = xstrdup(request->body ? request->body : "");
        call->flags = request->flags;
        call->max_idle = request->max_idle;
        call->head = request->head;
        call->data = request->data;
        call->done = request->done;
        call->userdata = request->userdata;
        DL_APPEND(calls, call);
        if (asked_count == ASKED_MAX)
                abort();
        asked[asked_count++] = xstrdup(call->what);
        return call;
}

const char *curl_glue_header(const struct curl_glue_response *response, const char *name)
{
        (void)response;
        (void)name;
        return NULL;
}

void curl_glue_cancel(struct curl_glue_call *call)
{
        call->cancelled = true;
}

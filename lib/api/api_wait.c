/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_wait.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "net/go_error.h"
#include "net/loop.h"

#define STATUS_OK_FIRST 200
#define STATUS_OK_LAST 299
#define ERROR_MAX 4096

struct api_wait {
        struct loop *loop;
        struct api_client *client;
        char *server;
        bool done;
        struct err err; /* of the request that ended */
        struct value *body;
};

int api_wait_new(const struct api_credentials *credentials, const char *user_agent, struct api_wait **ret,
                 struct err *err)
{
        struct api_client_options options = {.user_agent = user_agent};
        struct api_wait *wait = xcalloc(1, sizeof(*wait));
        int r = loop_new(&wait->loop, err);

        wait->server = xstrdup(credentials->server);
        if (r == 0)
                r = api_client_new(wait->loop, &options, &wait->client, err);
        if (r == 0)
                r = api_client_set_credentials(wait->client, credentials, err);
        if (r < 0) {
                (void)api_wait_free(wait);
                return r;
        }
        *ret = wait;
        return 0;
}

struct api_wait *api_wait_free(struct api_wait *wait)
{
        if (!wait)
                return NULL;
        (void)api_client_free(wait->client);
        (void)loop_free(wait->loop);
        (void)value_free(wait->body);
        free(wait->server);
        free(wait);
        return NULL;
}

static void on_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct api_wait *wait = userdata;

        wait->done = true;
        wait->err = err ? *err : ERR_INIT;
        /* A stream that the server closed before its answer ends without an error. */
        if (!err && (status < STATUS_OK_FIRST || status > STATUS_OK_LAST))
                (void)err_set(&wait->err, ECONNRESET, "the connection was closed before an answer came (status %d)",
                              status);
        wait->body = value_free(wait->body);
        if (!err && body)
                wait->body = json_from_cjson(body);
}

/* The client's "METHOD PATH: HTTP N: text" as client-go says it. */
static int failure(const struct api_wait *wait, const char *method, const char *path, struct err *err)
{
        const struct err *e = &wait->err;
        char *prefix CLEANUP_FREE =
                e->status ? xasprintf("%s %s: HTTP %d: ", method, path, e->status) : xasprintf("%s %s: ", method, path);
        const char *rest = str_after(e->msg, prefix);

        if (!rest)
                rest = e->msg;
        if (e->status) {
                (void)err_set(err, e->code, "%s", rest);
        } else {
                /* kubeadm gives its client a timeout, and client-go tells the server of it. */
                char *url CLEANUP_FREE =
                        xasprintf("%s%s%ctimeout=10s", wait->server, path, strchr(path, '?') ? '&' : '?');
                struct buf text CLEANUP_BUF = BUF_INIT(ERROR_MAX);
                struct err why = ERR_INIT;

                (void)err_set(&why, e->code, "%s", rest);
                go_error_request(&text, method, url, GO_ERROR_CLIENT_TIMEOUT, &why);
                (void)err_set(err, e->code, "%s", buf_str(&text));
        }
        if (err)
                err->status = e->status;
        return -e->code;
}

int api_wait_request(struct api_wait *wait, const char *method, enum api_patch patch, const char *path,
                     const struct value *body, struct value **ret_body, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        if (body)
                json_write(body, 0, &text);
        int r = buf_check(&text, path, err);
        if (r < 0)
                return r;
        wait->done = false;
        struct api_call *call =
                api_client_request(wait->client, method, patch, path, body ? buf_str(&text) : NULL, on_done, wait);
        r = loop_wait(wait->loop, &wait->done, USEC_INFINITY, err);
        if (r < 0) {
                /* Its end must not be taken for that of the next. */
                api_call_cancel(call);
                return r;
        }
        if (wait->err.code)
                return failure(wait, method, path, err);
        if (ret_body)
                *ret_body = TAKE_PTR(wait->body);
        return 0;
}

const char *api_wait_server(const struct api_wait *wait)
{
        return wait->server;
}

struct loop *api_wait_loop(struct api_wait *wait)
{
        return wait->loop;
}

int api_wait_pause(struct api_wait *wait, usec_t duration, struct err *err)
{
        return loop_wait(wait->loop, NULL, usec_add(clock_boottime(), duration), err);
}

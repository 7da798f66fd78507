/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "api/client.h"
#include "api/client_internal.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/curl_glue.h"
#include "net/loop.h"

#define PROBE_PAUSE_FIRST (250 * USEC_PER_MSEC)
#define PROBE_PAUSE_MAX (10 * USEC_PER_SEC)
#define PROBE_TIMEOUT (5 * USEC_PER_SEC)
/* A link that came up and is lost again before this was no good one: the pause goes on growing. Each subscriber begins
 * anew with each link, so one that flaps would otherwise be asked for everything four times a second. */
#define LINK_HELD (30 * USEC_PER_SEC)
#define REQUEST_TIMEOUT (10 * USEC_PER_SEC)
/* The API server ends what it was asked after a minute (--request-timeout), with its own words. */
#define WRITE_TIMEOUT (75 * USEC_PER_SEC)
#define API_CONNECTIONS 4
/* A kept connection that was idle for longer is not used again: there is no saying whether it leads anywhere. Above the
 * ten seconds between two renewals of the Lease. */
#define CONNECTION_IDLE_MAX (15 * USEC_PER_SEC)

struct subscriber {
        api_link_fn fn;
        void *userdata;
        bool gone; /* taken out while the list is walked */
        struct subscriber *next;
};

struct api_call {
        struct api_client *client;
        struct curl_glue_call *http;
        char *method, *path;
        api_done_fn done; /* NULL once cancelled */
        api_head_fn head; /* streams only */
        api_data_fn data; /* likewise */
        bool patient;     /* api_client_write(), api_client_review() */
        unsigned links;   /* of the client when it began */
        void *userdata;
        struct api_call *prev, *next;
};

struct api_client {
        struct loop *loop;
        usec_t request_timeout;
        char *user_agent;
        struct curl_glue *glue;
        struct curl_glue_identity *identity;
        char *server;       /* NULL: no credentials */
        bool insecure_http; /* http://: nothing to verify */
        char *headers[3];   /* ends with NULL; the first is owned */
        bool up;
        unsigned links; /* that came up so far */
        char reason[512];
        usec_t pause; /* before the next probe */
        usec_t up_since;
        struct curl_glue_call *probe; /* NULL: none under way */
        struct loop_source *probe_timer;
        struct api_call *calls;
        struct subscriber *subscribers;
        unsigned telling; /* depth of subscriber calls */
};

static void sweep_subscribers(struct api_client *client)
{
        struct subscriber *s, *next;

        LL_FOREACH_SAFE (client->subscribers, s, next) {
                if (!s->gone)
                        continue;
                LL_DELETE(client->subscribers, s);
                free(s);
        }
}

static void tell(struct api_client *client)
{
        struct subscriber *s;
        bool up = client->up;

        client->telling++;
        LL_FOREACH (client->subscribers, s) {
                if (!s->gone && client->up == up)
                        s->fn(s->userdata, up);
        }
        if (--client->telling == 0)
                sweep_subscribers(client);
}

static void plan_probe(struct api_client *client, usec_t pause)
{
        loop_timer_set(client->probe_timer, usec_add(loop_now(client->loop), pause));
}

/* The pause that is due, and a longer one for the next time. */
static void plan_next_probe(struct api_client *client)
{
        plan_probe(client, client->pause);
        client->pause = client->pause * 2 < PROBE_PAUSE_MAX ? client->pause * 2 : PROBE_PAUSE_MAX;
}

/* Notes that the link is down; true where it was up, and so others have to be told. */
static bool note_down(struct api_client *client, const char *reason)
{
        bool was_up = client->up;

        client->up = false;
        str_copy(client->reason, sizeof(client->reason), reason);
        if (was_up && usec_sub(loop_now(client->loop), client->up_since) >= LINK_HELD)
                client->pause = PROBE_PAUSE_FIRST;
        if (was_up && client->server)
                plan_next_probe(client);
        return was_up;
}

static void set_down(struct api_client *client, const char *reason)
{
        if (note_down(client, reason))
                tell(client);
}

static void set_up(struct api_client *client)
{
        client->up = true;
        client->links++;
        client->reason[0] = '\0';
        client->up_since = loop_now(client->loop);
        loop_timer_set(client->probe_timer, USEC_INFINITY);
        tell(client);
}

static void probe_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct api_client *client = userdata;

        /* A probe that was cancelled belongs to credentials that are gone. */
        if (err && err->code == ECANCELED)
                return;
        client->probe = NULL;
        if (!err && response->status >= 200 && response->status < 300) {
                set_up(client);
                return;
        }
        if (err)
                str_copy(client->reason, sizeof(client->reason), err->msg);
        else
                (void)snprintf(client->reason, sizeof(client->reason), "GET %s/readyz: HTTP %d: %.300s", client->server,
                               response->status, response->body);
        log_debug("API server: %s", client->reason);
        plan_next_probe(client);
}

/* On a connection of its own: a kept one may be what failed. */
static void start_probe(struct api_client *client)
{
        char *url CLEANUP_FREE = xasprintf("%s/readyz", client->server);
        struct curl_glue_request request = {
                .url = url,
                .headers = (const char *const *)client->headers,
                .max_body = LIMIT_PROBE_OUTPUT,
                .deadline = usec_add(loop_now(client->loop), PROBE_TIMEOUT),
                .flags = (client->insecure_http ? CURL_GLUE_INSECURE : 0u) | CURL_GLUE_TRUNCATE | CURL_GLUE_HTTP1 |
                         CURL_GLUE_NO_REUSE,
                .identity = client->identity,
                .done = probe_done,
                .userdata = client,
        };

        loop_timer_set(client->probe_timer, USEC_INFINITY);
        client->probe = curl_glue_start(client->glue, &request);
}

static void probe_timer(void *userdata, usec_t now)
{
        struct api_client *client = userdata;

        (void)now;
        if (!client->up && client->server && !client->probe)
                start_probe(client);
}

int api_client_new(struct loop *loop, const struct api_client_options *options, struct api_client **ret,
                   struct err *err)
{
        struct curl_glue_options glue = {
                .name = "API server",
                .max_kept_connections = API_CONNECTIONS,
                .max_connections = 0, /* watches hold theirs for ever; requests are bounded by who makes them */
        };
        struct api_client *client = xcalloc(1, sizeof(*client));

        client->loop = loop;
        client->request_timeout = options->request_timeout ? options->request_timeout : REQUEST_TIMEOUT;
        client->user_agent = xasprintf("User-Agent: %s", options->user_agent ? options->user_agent : "podwatch");
        client->pause = PROBE_PAUSE_FIRST;
        str_copy(client->reason, sizeof(client->reason), "no credentials");
        int r = curl_glue_new(loop, &glue, &client->glue, err);
        if (r < 0) {
                free(client->user_agent);
                free(client);
                return r;
        }
        client->probe_timer = loop_timer_new(loop, "API server retry", probe_timer, client);
        *ret = client;
        return 0;
}

static void forget_credentials(struct api_client *client)
{
        if (client->probe) {
                curl_glue_cancel(client->probe);
                client->probe = NULL;
        }
        loop_timer_set(client->probe_timer, USEC_INFINITY);
        client->identity = curl_glue_identity_unref(client->identity);
        free(client->server);
        client->server = NULL;
        free(client->headers[0]);
        memset(client->headers, 0, sizeof(client->headers));
}

struct api_client *api_client_free(struct api_client *client)
{
        struct api_call *call, *next_call;
        struct subscriber *s, *next;

        if (!client)
                return NULL;
        /* The glue first: it drops what is under way without calling back. */
        client->glue = curl_glue_free(client->glue);
        client->probe = NULL;
        DL_FOREACH_SAFE (client->calls, call, next_call) {
                DL_DELETE(client->calls, call);
                free(call->method);
                free(call->path);
                free(call);
        }
        client->probe_timer = loop_source_free(client->probe_timer);
        client->identity = curl_glue_identity_unref(client->identity);
        LL_FOREACH_SAFE (client->subscribers, s, next) {
                LL_DELETE(client->subscribers, s);
                free(s);
        }
        free(client->server);
        free(client->headers[0]);
        free(client->user_agent);
        free(client);
        return NULL;
}

int api_client_set_credentials(struct api_client *client, const struct api_credentials *credentials, struct err *err)
{
        struct curl_glue_identity *identity = NULL;

        if (!credentials) {
                forget_credentials(client);
                set_down(client, "no credentials");
                return 0;
        }
        int r = curl_glue_identity_new(credentials->cert_pem, credentials->key_pem, credentials->ca_pem, &identity,
                                       err);
        if (r < 0)
                return err_wrap(err, "credentials for %s", credentials->server);
        forget_credentials(client);
        set_down(client, "not tried yet");
        client->identity = identity;
        client->insecure_http = str_starts(credentials->server, "http://");
        client->server = xstrdup(credentials->server);
        for (size_t n = strlen(client->server); n > 0 && client->server[n - 1] == '/'; n--)
                client->server[n - 1] = '\0';
        if (!str_empty(credentials->token)) {
                client->headers[0] = xasprintf("Authorization: Bearer %s", credentials->token);
                client->headers[1] = client->user_agent;
        } else {
                client->headers[0] = xstrdup(client->user_agent);
        }
        client->pause = PROBE_PAUSE_FIRST;
        start_probe(client);
        return 0;
}

bool api_client_up(const struct api_client *client)
{
        return client->up;
}

const char *api_client_reason(const struct api_client *client)
{
        return client->reason;
}

usec_t api_client_next_try(const struct api_client *client)
{
        return loop_timer_get(client->probe_timer);
}

void api_client_poke(struct api_client *client)
{
        if (client->up || !client->server)
                return;
        client->pause = PROBE_PAUSE_FIRST;
        if (!client->probe)
                start_probe(client);
}

void api_client_subscribe(struct api_client *client, api_link_fn fn, void *userdata)
{
        struct subscriber *s = xcalloc(1, sizeof(*s));

        s->fn = fn;
        s->userdata = userdata;
        LL_APPEND(client->subscribers, s);
}

void api_client_unsubscribe(struct api_client *client, api_link_fn fn, void *userdata)
{
        struct subscriber *s;

        LL_FOREACH (client->subscribers, s) {
                if (s->fn == fn && s->userdata == userdata)
                        s->gone = true;
        }
        if (client->telling == 0)
                sweep_subscribers(client);
}

struct loop *api_client_loop(const struct api_client *client)
{
        return client->loop;
}

/* An HTTP failure as an error with the server's own words. */
static int refusal(const char *method, const char *path, int status, const char *body, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = cJSON_Parse(body);
        int r = err_set(err, ERR_REMOTE, "%s %s: HTTP %d: %.1000s", method, path, status,
                        cjson_text(c, "message", body));

        err->status = status;
        return r;
}

static void end_call(struct api_call *call, int status, const struct cJSON *body, const struct err *err)
{
        api_done_fn done = call->done;
        void *userdata = call->userdata;

        DL_DELETE(call->client->calls, call);
        free(call->method);
        free(call->path);
        free(call);
        if (done)
                done(userdata, status, body, err);
}

/* A stream that we end by its deadline, a write or review that somebody's webhook holds up, or what says too much,
 * tells nothing about the server. Nor does the end of what an earlier link began about the one that came after it. */
static bool link_is_lost(const struct api_call *call, const struct err *err)
{
        bool may_last = call->data || call->patient;

        if (call->links != call->client->links)
                return false;
        return err->code != ECANCELED && err->code != ERR_LIMIT && !(may_last && err->code == ETIMEDOUT);
}

static void call_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct api_call *call = userdata;
        struct api_client *client = call->client;
        struct err failure = ERR_INIT;

        if (err) {
                failure = *err;
                failure.status = 0;
                (void)err_wrap(&failure, "%s %s", call->method, call->path);
                /* The call ends before the others are told: one of them may be its owner, who must not cancel it. */
                bool lost = call->done && link_is_lost(call, err) && note_down(client, failure.msg);
                end_call(call, 0, NULL, &failure);
                if (lost)
                        tell(client);
                return;
        }
        if (response->status >= 300) {
                (void)refusal(call->method, call->path, response->status, response->body, &failure);
                end_call(call, response->status, NULL, &failure);
                return;
        }
        struct cJSON *body CLEANUP_CJSON = cJSON_ParseWithLength(response->body, response->body_len);
        end_call(call, response->status, body, NULL);
}

static void call_head(void *userdata, const struct curl_glue_response *response)
{
        struct api_call *call = userdata;

        if (call->done && call->head && response->status < 300)
                call->head(call->userdata);
}

static bool call_data(void *userdata, const char *data, size_t len)
{
        struct api_call *call = userdata;

        return call->done && call->data(call->userdata, data, len);
}

static struct api_call *call_new(struct api_client *client, const char *method, const char *path, api_done_fn done,
                                 void *userdata)
{
        struct api_call *call = xcalloc(1, sizeof(*call));

        call->client = client;
        call->links = client->links;
        call->method = xstrdup(method);
        call->path = xstrdup(path);
        call->done = done;
        call->userdata = userdata;
        DL_APPEND(client->calls, call);
        return call;
}

/* How long a connection may have been idle to be used again: those that are older than the link may have died with the
 * one before it. */
static usec_t idle_max(const struct api_client *client)
{
        usec_t age = usec_sub(loop_now(client->loop), client->up_since);

        if (age < USEC_PER_SEC)
                return USEC_PER_SEC;
        return age < CONNECTION_IDLE_MAX ? age : CONNECTION_IDLE_MAX;
}

/* Fills in what is the same for every call and starts it. Without credentials the address is one that nothing can be
 * behind, so that the call fails from the loop as any other. */
static struct api_call *call_start(struct api_call *call, struct curl_glue_request *request, const char *content_type)
{
        struct api_client *client = call->client;
        char *url CLEANUP_FREE = xasprintf("%s%s", client->server ? client->server : "http://127.0.0.1:0", call->path);
        const char *headers[6] = {"Accept: application/json"};
        size_t n = 1;

        for (size_t i = 0; client->headers[i]; i++)
                headers[n++] = client->headers[i];
        headers[n] = content_type;
        request->method = call->method;
        request->url = url;
        request->headers = headers;
        request->flags |= client->insecure_http ? CURL_GLUE_INSECURE : 0;
        request->max_idle = idle_max(client);
        request->identity = client->identity;
        request->done = call_done;
        request->userdata = call;
        call->http = curl_glue_start(client->glue, request);
        return call;
}

static struct api_call *request_start(struct api_call *call, enum api_patch patch, const char *body, usec_t timeout)
{
        static const char *const patch_types[API_PATCH_MAX] = {
                [API_PATCH_JSON_MERGE] = "Content-Type: application/merge-patch+json",
                [API_PATCH_STRATEGIC] = "Content-Type: application/strategic-merge-patch+json",
        };
        /* Not HTTP/2: with libcurl 7.88 a POST on a connection that is used again was now and then told as done while
         * the server was still at it, and lost when the connection ended. */
        struct curl_glue_request request = {
                .flags = CURL_GLUE_HTTP1,
                .body = body,
                .body_len = body ? strlen(body) : 0,
                .max_body = LIMIT_API_BODY,
                .deadline = usec_add(loop_now(call->client->loop), timeout),
        };
        const char *type = str_eq(call->method, "PATCH") ? patch_types[patch] : "Content-Type: application/json";

        return call_start(call, &request, body ? type : NULL);
}

struct api_call *api_client_request(struct api_client *client, const char *method, enum api_patch patch,
                                    const char *path, const char *body, api_done_fn done, void *userdata)
{
        return request_start(call_new(client, method, path, done, userdata), patch, body, client->request_timeout);
}

struct api_call *api_client_write(struct api_client *client, const char *method, enum api_patch patch, const char *path,
                                  const char *body, api_done_fn done, void *userdata)
{
        struct api_call *call = call_new(client, method, path, done, userdata);

        call->patient = true;
        return request_start(call, patch, body, WRITE_TIMEOUT);
}

struct api_call *api_client_review(struct api_client *client, const char *path, const char *body, api_done_fn done,
                                   void *userdata)
{
        struct api_call *call = call_new(client, "POST", path, done, userdata);

        call->patient = true;
        return request_start(call, API_PATCH_MAX, body, client->request_timeout);
}

struct api_call *api_client_stream(struct api_client *client, const char *path, usec_t deadline, api_head_fn head,
                                   api_data_fn data, api_done_fn done, void *userdata)
{
        struct api_call *call = call_new(client, "GET", path, done, userdata);
        struct curl_glue_request request = {
                .deadline = deadline,
                .flags = CURL_GLUE_STREAM | CURL_GLUE_HTTP1,
                .head = call_head,
                .data = call_data,
        };

        call->head = head;
        call->data = data;
        return call_start(call, &request, NULL);
}

void api_call_cancel(struct api_call *call)
{
        call->done = NULL;
        curl_glue_cancel(call->http);
}

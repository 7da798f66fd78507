/* SPDX-License-Identifier: Apache-2.0
 *
 * net/curl_glue.h in front of the modelled API server: calls that travel, wait for their deadline, break, and streams
 * that are given in pieces.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "model_api.h"
#include "net/curl_glue.h"
#include "sim_loop.h"

#define SERVER "https://api"
#define LINE_MAX_BYTES (1024 * 1024)

struct curl_glue_identity {
        unsigned refs;
};

struct curl_glue {
        struct model_api *api;
        struct curl_glue_call *calls;
        struct curl_glue *next;
};

struct held_event {
        char *line;
        usec_t delay;
};

struct curl_glue_call {
        struct curl_glue *glue; /* NULL: the client has given up, the request may still arrive */
        struct model_api *api;
        char *method, *path, *body;
        curl_glue_head_fn head;
        curl_glue_data_fn data;
        curl_glue_done_fn done;
        void *userdata;
        usec_t deadline;
        struct loop_source *timer; /* the next thing that happens to it */
        struct loop_source *end;   /* its deadline, or the end of a watch */
        bool cancelled, lose_answer, over;
        /* a watch that was accepted */
        bool watching;
        enum model_api_kind kind;
        char *held; /* an event that its successor overtakes */
        struct model_api_answer answer;
        struct err *err;
        struct curl_glue_call *prev, *next;
};

/* An event on its way to a watch. */
struct told {
        struct curl_glue_call *call; /* NULL: the watch has ended */
        char *line;
        struct loop_source *timer;
        struct told *prev, *next;
};

/* The functions replaced have no handle to hang these on. */
static struct model_api *server;
static struct curl_glue *glues;
static struct told *on_their_way;

void model_api_set(struct model_api *api)
{
        server = api;
}

/* --- identity, unused parts ------------------------------------------------------------------------------------- */

int curl_glue_identity_new(const char *cert_pem, const char *key_pem, const char *ca_pem,
                           struct curl_glue_identity **ret, struct err *err)
{
        (void)cert_pem;
        (void)key_pem;
        (void)ca_pem;
        (void)err;
        *ret = xcalloc(1, sizeof(**ret));
        (*ret)->refs = 1;
        return 0;
}

struct curl_glue_identity *curl_glue_identity_ref(struct curl_glue_identity *identity)
{
        if (identity)
                identity->refs++;
        return identity;
}

struct curl_glue_identity *curl_glue_identity_unref(struct curl_glue_identity *identity)
{
        if (identity && --identity->refs == 0)
                free(identity);
        return NULL;
}

const char *curl_glue_header(const struct curl_glue_response *response, const char *name)
{
        (void)response;
        (void)name;
        return NULL;
}

size_t curl_glue_pending(const struct curl_glue *glue)
{
        const struct curl_glue_call *call;
        size_t count = 0;

        DL_FOREACH (glue->calls, call)
                count++;
        return count;
}

/* --- ends ------------------------------------------------------------------------------------------------------- */

static void forget_told(struct curl_glue_call *call)
{
        struct told *t, *next;

        DL_FOREACH_SAFE (on_their_way, t, next) {
                if (t->call != call)
                        continue;
                DL_DELETE(on_their_way, t);
                (void)loop_source_free(t->timer);
                free(t->line);
                free(t);
        }
}

static void call_free(struct curl_glue_call *call)
{
        if (call->glue)
                DL_DELETE(call->glue->calls, call);
        if (call->watching)
                forget_told(call);
        (void)loop_source_free(call->timer);
        (void)loop_source_free(call->end);
        free(call->method);
        free(call->path);
        free(call->body);
        free(call->held);
        free(call->answer.body);
        free(call->err);
        free(call);
}

static void fail(struct curl_glue_call *call, int code, const char *what)
{
        if (!call->err)
                call->err = xcalloc(1, sizeof(*call->err));
        (void)err_set(call->err, code, "%s %s: %s", call->method, call->path, what);
}

static void on_done(void *userdata)
{
        struct curl_glue_call *call = userdata;
        const struct curl_glue_response response = {
                .status = call->err ? 0 : call->answer.status,
                .body = call->answer.body && !call->err ? call->answer.body : "",
                .body_len = call->answer.body && !call->err ? strlen(call->answer.body) : 0,
                .call = call,
        };
        curl_glue_done_fn done = call->done;

        call->timer = NULL;
        call->over = true;
        if (call->glue)
                DL_DELETE(call->glue->calls, call);
        if (call->glue)
                done(call->userdata, &response, call->err);
        call->glue = NULL;
        call_free(call);
}

static void finish(struct curl_glue_call *call, usec_t delay)
{
        if (call->watching)
                forget_told(call);
        call->watching = false;
        call->over = true;
        (void)loop_source_free(call->timer);
        call->end = loop_source_free(call->end);
        call->timer = sim_after(model_api_loop(call->api), delay, on_done, call);
}

/* What was sent may be carried out though nobody waits for it any more. */
static void leave_behind(struct curl_glue_call *call);

static void on_deadline(void *userdata)
{
        struct curl_glue_call *call = userdata;

        call->end = NULL;
        leave_behind(call);
        fail(call, ETIMEDOUT, "timed out");
        finish(call, 0);
}

/* --- watches ---------------------------------------------------------------------------------------------------- */

/* In pieces, as it comes from a socket. */
static bool give(struct curl_glue_call *call, const char *line)
{
        struct rng *rng = model_api_rng(call->api);
        size_t len = strlen(line), at = 0;

        while (at < len) {
                size_t n = rng_chance(rng, 700) ? len - at : (size_t)rng_between(rng, 1, len - at);

                if (call->cancelled || !call->glue)
                        return false;
                if (!call->data(call->userdata, line + at, n)) {
                        fail(call, ECANCELED, "cancelled");
                        finish(call, 0);
                        return false;
                }
                at += n;
        }
        return true;
}

static void on_told(void *userdata)
{
        struct told *t = userdata;
        struct curl_glue_call *call = t->call;
        char *line = t->line;

        DL_DELETE(on_their_way, t);
        free(t);
        if (!call->over)
                (void)give(call, line);
        free(line);
}

static void send_line(struct curl_glue_call *call, const char *line, usec_t delay)
{
        struct told *t = xcalloc(1, sizeof(*t));

        t->call = call;
        t->line = xstrdup(line);
        t->timer = sim_after(model_api_loop(call->api), delay, on_told, t);
        DL_APPEND(on_their_way, t);
}

static char *line_of(const struct model_api_event *event)
{
        return xasprintf("{\"type\":\"%s\",\"object\":%s}\n", event->type, event->object);
}

static void end_watch(struct curl_glue_call *call, int code)
{
        if (code)
                fail(call, code, "the stream broke");
        finish(call, USEC_PER_MSEC);
}

static void tell(struct curl_glue_call *call, const struct model_api_event *event)
{
        struct model_api *api = call->api;
        struct model_api_faults *f = model_api_faults(api);
        struct model_api_met *met = model_api_met(api);
        struct rng *rng = model_api_rng(api);
        char *line CLEANUP_FREE = line_of(event);
        usec_t delay = rng_between(rng, 0, 5) * USEC_PER_MSEC;

        if (rng_chance(rng, f->cut_watch)) {
                met->cut_watch++;
                end_watch(call, rng_chance(rng, 500) ? ECONNRESET : 0);
                return;
        }
        if (rng_chance(rng, f->lost_event)) {
                met->lost_event++;
                return;
        }
        if (rng_chance(rng, f->late_event)) {
                met->late_event++;
                delay += rng_between(rng, 0, 10000) * USEC_PER_MSEC;
        }
        if (!call->held && rng_chance(rng, f->swapped_event)) {
                met->swapped_event++;
                call->held = TAKE_PTR(line);
                return;
        }
        send_line(call, line, delay);
        if (call->held)
                send_line(call, call->held, delay);
        free(TAKE_PTR(call->held));
        if (rng_chance(rng, f->double_event)) {
                met->double_event++;
                send_line(call, line, delay);
        }
}

void model_http_event(struct model_api *api, const struct model_api_event *event)
{
        struct curl_glue *glue;
        struct curl_glue_call *call, *next;

        for (glue = glues; glue; glue = glue->next)
                DL_FOREACH_SAFE (glue->calls, call, next)
                        if (call->api == api && call->watching && call->kind == event->kind)
                                tell(call, event);
}

/* Events of the past come at once and in order. */
static void tell_past(void *userdata, const struct model_api_event *event)
{
        struct curl_glue_call *call = userdata;
        char *line CLEANUP_FREE = line_of(event);

        send_line(call, line, USEC_PER_MSEC);
}

static uint64_t parameter(const char *path, const char *name)
{
        const char *at = strstr(path, name);
        uint64_t n = 0;
        char *text CLEANUP_FREE = at ? xstrndup(at + strlen(name), strcspn(at + strlen(name), "&")) : NULL;

        if (text)
                (void)str_to_u64(text, &n);
        return n;
}

static void on_watch_end(void *userdata)
{
        struct curl_glue_call *call = userdata;

        call->end = NULL;
        end_watch(call, 0);
}

/* A watch has its head before the first event. */
static void answer_watch(struct curl_glue_call *call)
{
        const struct curl_glue_response response = {.status = 200, .body = "", .call = call};

        call->answer.status = 200;
        if (call->head && !call->cancelled && call->glue)
                call->head(call->userdata, &response);
}

static void too_old(struct curl_glue_call *call)
{
        static const char error[] =
                "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old "
                "resource version\"}}\n";

        model_api_met(call->api)->gone++;
        if (rng_chance(model_api_rng(call->api), 500)) {
                call->answer = (struct model_api_answer){.status = 410, .body = xstrdup("{\"message\":\"too old\"}")};
                finish(call, USEC_PER_MSEC);
                return;
        }
        answer_watch(call);
        if (give(call, error) && !call->over)
                end_watch(call, 0);
}

static void start_watch(struct curl_glue_call *call)
{
        usec_t lasts = parameter(call->path, "timeoutSeconds=") * USEC_PER_SEC;

        call->kind = str_starts(call->path, "/api/v1/nodes") ? API_NODES : API_PODS;
        call->watching = true;
        if (!model_api_history(call->api, call->kind, parameter(call->path, "resourceVersion="), tell_past, call)) {
                forget_told(call);
                call->watching = false;
                too_old(call);
                return;
        }
        answer_watch(call);
        (void)loop_source_free(call->end);
        call->end = sim_after(model_api_loop(call->api), lasts, on_watch_end, call);
}

/* --- travel ----------------------------------------------------------------------------------------------------- */

static void on_arrival(void *userdata)
{
        struct curl_glue_call *call = userdata;
        struct rng *rng = model_api_rng(call->api);

        call->timer = NULL;
        if (model_api_hangs(call->api) && call->glue)
                return; /* until the deadline */
        if (!model_api_is_up(call->api)) {
                if (call->glue)
                        model_api_unreached(call->api, call->method, call->path);
                fail(call, ECONNREFUSED, "cannot connect");
                finish(call, USEC_PER_MSEC);
                return;
        }
        if (strstr(call->path, "watch=true") && !call->glue) {
                call_free(call);
                return;
        }
        if (strstr(call->path, "watch=true")) {
                start_watch(call);
                return;
        }
        call->answer = model_api_request(call->api, call->method, call->path, call->body);
        if (call->lose_answer) {
                model_api_met(call->api)->lost_answer++;
                if (call->glue && rng_chance(rng, 300))
                        return;
                fail(call, ECONNRESET, "the connection ended without an answer");
        }
        finish(call, rng_between(rng, 0, 3) * USEC_PER_MSEC);
}

static struct curl_glue_call *call_new(struct model_api *api, const char *method, const char *path, const char *body)
{
        struct curl_glue_call *call = xcalloc(1, sizeof(*call));

        call->api = api;
        call->method = xstrdup(method);
        call->path = xstrdup(path);
        call->body = body ? xstrdup(body) : NULL;
        return call;
}

static void leave_behind(struct curl_glue_call *call)
{
        struct curl_glue_call *ghost;

        if (call->over || call->answer.status || str_eq(call->method, "GET") || !model_api_is_up(call->api) ||
            !rng_chance(model_api_rng(call->api), 500))
                return;
        ghost = call_new(call->api, call->method, call->path, call->body);
        ghost->timer = sim_after(model_api_loop(call->api),
                                 rng_between(model_api_rng(call->api), 1, 5000) * USEC_PER_MSEC, on_arrival, ghost);
}

/* Everything under way ends. */
void model_http_reset(struct model_api *api)
{
        struct curl_glue *glue;
        struct curl_glue_call *call, *next;

        for (glue = glues; glue; glue = glue->next)
                DL_FOREACH_SAFE (glue->calls, call, next) {
                        if (call->api != api || call->over)
                                continue;
                        fail(call, ECONNRESET, "the server went away");
                        finish(call, USEC_PER_MSEC);
                }
}

struct curl_glue_call *curl_glue_start(struct curl_glue *glue, const struct curl_glue_request *request)
{
        struct model_api *api = glue->api;
        struct model_api_faults *f = model_api_faults(api);
        struct model_api_met *met = model_api_met(api);
        struct rng *rng = model_api_rng(api);
        struct loop *loop = model_api_loop(api);
        const char *path = str_after(request->url, SERVER);
        usec_t delay = rng_between(rng, 0, 5) * USEC_PER_MSEC;
        struct curl_glue_call *call =
                call_new(api, request->method ? request->method : "GET", path ? path : request->url, request->body);

        call->glue = glue;
        call->head = request->head;
        call->data = request->data;
        call->done = request->done;
        call->userdata = request->userdata;
        DL_APPEND(glue->calls, call);
        met->requests++;
        if (request->deadline && request->deadline != USEC_INFINITY)
                call->end = sim_after(loop, usec_sub(request->deadline, loop_now(loop)), on_deadline, call);
        if (!path || rng_chance(rng, f->lost_request)) {
                met->lost_request++;
                fail(call, ECONNRESET, "the connection broke");
                finish(call, delay);
                return call;
        }
        if (call->end && rng_chance(rng, f->hangs)) {
                met->hangs++;
                return call;
        }
        if (rng_chance(rng, f->slow)) {
                met->slow++;
                delay += rng_between(rng, 0, 15000) * USEC_PER_MSEC;
        }
        call->lose_answer = rng_chance(rng, f->lost_answer) && call->end;
        call->timer = sim_after(loop, delay, on_arrival, call);
        return call;
}

void curl_glue_cancel(struct curl_glue_call *call)
{
        if (call->cancelled)
                return;
        call->cancelled = true;
        leave_behind(call);
        fail(call, ECANCELED, "cancelled");
        finish(call, 0);
}

/* --- birth and end ---------------------------------------------------------------------------------------------- */

int curl_glue_new(struct loop *loop, const struct curl_glue_options *options, struct curl_glue **ret, struct err *err)
{
        struct curl_glue *glue = xcalloc(1, sizeof(*glue));

        (void)loop;
        (void)options;
        (void)err;
        glue->api = server;
        LL_PREPEND(glues, glue);
        *ret = glue;
        return 0;
}

struct curl_glue *curl_glue_free(struct curl_glue *glue)
{
        struct curl_glue_call *call, *next;

        if (!glue)
                return NULL;
        DL_FOREACH_SAFE (glue->calls, call, next) {
                leave_behind(call);
                call_free(call);
        }
        LL_DELETE(glues, glue);
        free(glue);
        return NULL;
}

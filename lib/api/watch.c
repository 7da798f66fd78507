/* SPDX-License-Identifier: Apache-2.0
 *
 * List and watch of one collection. The list is one request, the watch a stream of JSON lines; every way in which the
 * stream can end leads back to the list, after a pause, so a missed event costs at most that.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/client_internal.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/loop.h"

#define PAUSE_FIRST (500 * USEC_PER_MSEC)
#define PAUSE_MAX (30 * USEC_PER_SEC)
/* A watch that lived this long was a good one: the pause starts small again. */
#define GOOD_WATCH (5 * USEC_PER_SEC)
/* The server ends a watch itself after this; ours ends later, in case it is dead (a half-open connection). */
#define WATCH_SECONDS 300
#define WATCH_GRACE (30 * USEC_PER_SEC)
/* An API server gives the head of a watch at once, before there is an event, unless it is too busy (its queues give up
 * after a quarter of its --request-timeout). One that does not come is a hung server or a connection that is dead. */
#define ANSWER_TIMEOUT (30 * USEC_PER_SEC)

struct api_watch {
        struct api_client *client;
        char *path;
        struct api_watch_handlers handlers;
        void *userdata;
        struct api_call *list;
        struct api_call *stream;
        struct loop_source *timer; /* the pause before the next list, or until a stream must have been answered */
        usec_t pause;
        usec_t stream_since; /* the head of its answer, USEC_INFINITY: not yet */
        char version[64];    /* resourceVersion to watch from */
        struct buf line;
        bool relist; /* the stream said ERROR: what it says after is of no use */
};

static void start_list(struct api_watch *watch);

static void plan_list(struct api_watch *watch)
{
        if (!api_client_up(watch->client))
                return; /* the link tells when it is up again */
        loop_timer_set(watch->timer, usec_add(loop_now(api_client_loop(watch->client)), watch->pause));
        watch->pause = watch->pause * 2 < PAUSE_MAX ? watch->pause * 2 : PAUSE_MAX;
}

static void take_event(struct api_watch *watch, const struct cJSON *event)
{
        const char *type = cjson_text(event, "type", "");
        const struct cJSON *object = cjson_get(event, "object", NULL);

        if (str_eq(type, "ERROR")) {
                log_debug("watch %s: %s", watch->path, cjson_text(object, "message", "ended by the server"));
                watch->relist = true;
                return;
        }
        str_copy(watch->version, sizeof(watch->version),
                 cjson_text(cjson_get(object, "metadata", NULL), "resourceVersion", watch->version));
        if (str_eq(type, "ADDED") || str_eq(type, "MODIFIED"))
                watch->handlers.object(watch->userdata, object);
        else if (str_eq(type, "DELETED"))
                watch->handlers.deleted(watch->userdata, object);
}

static bool stream_data(void *userdata, const char *data, size_t len)
{
        struct api_watch *watch = userdata;

        while (len > 0) {
                const char *end = memchr(data, '\n', len);
                size_t n = end ? (size_t)(end - data) : len;

                buf_add(&watch->line, data, n);
                if (watch->line.failed)
                        return false;
                if (!end)
                        return true;
                struct cJSON *event CLEANUP_CJSON = cJSON_ParseWithLength(buf_str(&watch->line), watch->line.len);
                buf_clear(&watch->line);
                if (event && !watch->relist)
                        take_event(watch, event);
                data += n + 1;
                len -= n + 1;
        }
        return true;
}

static void stream_head(void *userdata)
{
        struct api_watch *watch = userdata;

        watch->stream_since = loop_now(api_client_loop(watch->client));
        loop_timer_set(watch->timer, USEC_INFINITY);
}

static void stream_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct api_watch *watch = userdata;

        (void)status;
        (void)body;
        watch->stream = NULL;
        buf_release(&watch->line);
        if (err)
                log_debug("watch: %s", err->msg);
        if (usec_sub(loop_now(api_client_loop(watch->client)), watch->stream_since) >= GOOD_WATCH)
                watch->pause = PAUSE_FIRST;
        plan_list(watch);
}

static void start_stream(struct api_watch *watch)
{
        usec_t now = loop_now(api_client_loop(watch->client));
        char *path CLEANUP_FREE =
                xasprintf("%s%cwatch=true&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s", watch->path,
                          strchr(watch->path, '?') ? '&' : '?', WATCH_SECONDS, watch->version);

        buf_release(&watch->line); /* half an event, where the stream before was stopped */
        watch->relist = false;
        watch->stream_since = USEC_INFINITY;
        watch->stream = api_client_stream(watch->client, path, now + WATCH_SECONDS * USEC_PER_SEC + WATCH_GRACE,
                                          stream_head, stream_data, stream_done, watch);
        loop_timer_set(watch->timer, now + ANSWER_TIMEOUT);
}

static void stop_stream(struct api_watch *watch)
{
        if (watch->stream)
                api_call_cancel(watch->stream);
        watch->stream = NULL;
}

static void list_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct api_watch *watch = userdata;
        const struct cJSON *item;

        (void)status;
        watch->list = NULL;
        if (err || !cJSON_IsArray(cjson_get(body, "items", NULL))) {
                log_debug("list %s: %s", watch->path, err ? err->msg : "no items in the answer");
                plan_list(watch);
                return;
        }
        watch->handlers.listing(watch->userdata);
        cJSON_ArrayForEach (item, cjson_get(body, "items", NULL)) {
                watch->handlers.object(watch->userdata, item);
        }
        watch->handlers.listed(watch->userdata);
        str_copy(watch->version, sizeof(watch->version),
                 cjson_text(cjson_get(body, "metadata", NULL), "resourceVersion", ""));
        /* A handler may have lost the link or the credentials. */
        if (api_client_up(watch->client))
                start_stream(watch);
        else
                plan_list(watch);
}

static void start_list(struct api_watch *watch)
{
        loop_timer_set(watch->timer, USEC_INFINITY);
        if (watch->list || watch->stream)
                return;
        watch->list =
                api_client_request(watch->client, "GET", API_PATCH_JSON_MERGE, watch->path, NULL, list_done, watch);
}

static void timer_fired(void *userdata, usec_t now)
{
        struct api_watch *watch = userdata;

        (void)now;
        if (!watch->stream) {
                start_list(watch);
                return;
        }
        log_debug("watch %s: no answer", watch->path);
        stop_stream(watch);
        plan_list(watch);
}

static void link_changed(void *userdata, bool up)
{
        struct api_watch *watch = userdata;

        if (up) {
                watch->pause = PAUSE_FIRST;
                start_list(watch);
                return;
        }
        loop_timer_set(watch->timer, USEC_INFINITY);
        /* A stream of a dead server may hang for minutes. */
        stop_stream(watch);
}

struct api_watch *api_watch_new(struct api_client *client, const char *path, const struct api_watch_handlers *handlers,
                                void *userdata)
{
        struct api_watch *watch = xcalloc(1, sizeof(*watch));

        watch->client = client;
        watch->path = xstrdup(path);
        watch->handlers = *handlers;
        watch->userdata = userdata;
        watch->pause = PAUSE_FIRST;
        watch->line = BUF_INIT(LIMIT_API_WATCH_LINE);
        watch->timer = loop_timer_new(api_client_loop(client), "API watch retry", timer_fired, watch);
        api_client_subscribe(client, link_changed, watch);
        if (api_client_up(client))
                start_list(watch);
        return watch;
}

struct api_watch *api_watch_free(struct api_watch *watch)
{
        if (!watch)
                return NULL;
        api_client_unsubscribe(watch->client, link_changed, watch);
        if (watch->list)
                api_call_cancel(watch->list);
        stop_stream(watch);
        loop_source_free(watch->timer);
        buf_release(&watch->line);
        free(watch->path);
        free(watch);
        return NULL;
}

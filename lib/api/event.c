/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "api/client.h"
#include "api/event.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "net/loop.h"

/* client-go tools/record/events_cache.go: repeats count on the first for this long, */
#define REPEAT_WINDOW (600 * USEC_PER_SEC)
/* and each object has this budget. */
#define BUDGET_BURST 25
#define BUDGET_REFILL (300 * USEC_PER_SEC)
/* client-go tools/record/event.go: maxTriesPerEvent and defaultSleepDuration. It gives up at once what was answered
 * with 5xx; here that counts as not taken yet, since an API server whose etcd elects a leader answers so. */
#define TRIES_MAX 12
#define RETRY (10 * USEC_PER_SEC)

/* One text that was posted (or waits): what a repeat counts on. */
struct seen {
        char *identity; /* object, reason, message */
        char *object;   /* the budget's key */
        char *namespace, *name;
        struct cJSON *body;
        bool posted;    /* POSTed: a repeat is a PATCH */
        bool queued;    /* waits in the queue */
        unsigned tries; /* that have failed since it was queued */
        unsigned count;
        usec_t first, last;       /* wall clock */
        struct seen *prev, *next; /* queue */
        UT_hash_handle hh;
};

struct budget {
        char *object;
        double tokens;
        usec_t at; /* CLOCK_BOOTTIME */
        UT_hash_handle hh;
};

struct events {
        struct loop *loop;
        struct api_client *client;
        char *component, *host;
        struct seen *table, *queue;
        struct budget *budgets;
        size_t waiting;
        uint64_t dropped, serial;
        struct seen *sending;
        struct api_call *call;
        unsigned sending_count; /* of `sending` when it was sent */
        struct loop_source *timer, *defer;
};

static void seen_free(struct seen *s)
{
        cJSON_Delete(s->body);
        free(s->identity);
        free(s->object);
        free(s->namespace);
        free(s->name);
        free(s);
}

static void unqueue(struct events *events, struct seen *s)
{
        if (!s->queued)
                return;
        DL_DELETE(events->queue, s);
        s->queued = false;
        s->tries = 0;
        events->waiting--;
}

static void enqueue(struct events *events, struct seen *s)
{
        if (s->queued)
                return;
        if (events->waiting >= LIMIT_EVENT_QUEUE) {
                struct seen *oldest = events->queue;
                unqueue(events, oldest);
                HASH_DEL(events->table, oldest);
                if (oldest == events->sending)
                        events->sending = NULL;
                seen_free(oldest);
                events->dropped++;
        }
        DL_APPEND(events->queue, s);
        s->queued = true;
        events->waiting++;
}

/* Room for one more text: the one that was quiet for longest goes. uthash iterates in order of insertion, and a repeat
 * is inserted anew. */
static void forget_oldest(struct events *events)
{
        struct seen *s, *next;

        if (HASH_COUNT(events->table) < LIMIT_EVENT_TEXTS)
                return;
        HASH_ITER (hh, events->table, s, next) {
                if (s->queued || s == events->sending)
                        continue;
                HASH_DEL(events->table, s);
                seen_free(s);
                return;
        }
}

static bool take_budget(struct events *events, const char *object)
{
        usec_t now = loop_now(events->loop);
        struct budget *b;

        HASH_FIND_STR(events->budgets, object, b);
        if (!b) {
                if (HASH_COUNT(events->budgets) >= LIMIT_PODS) {
                        struct budget *oldest = events->budgets;
                        HASH_DEL(events->budgets, oldest);
                        free(oldest->object);
                        free(oldest);
                }
                b = xcalloc(1, sizeof(*b));
                b->object = xstrdup(object);
                b->tokens = BUDGET_BURST;
                b->at = now;
                HASH_ADD_KEYPTR(hh, events->budgets, b->object, strlen(b->object), b);
        }
        b->tokens += (double)(now - b->at) / (double)BUDGET_REFILL;
        if (b->tokens > BUDGET_BURST)
                b->tokens = BUDGET_BURST;
        b->at = now;
        if (b->tokens < 1)
                return false;
        b->tokens -= 1;
        return true;
}

/* Pods' events live beside the pod, a Node's in "default". */
static const char *event_namespace(const struct event *event)
{
        return str_empty(event->namespace) ? "default" : event->namespace;
}

static struct cJSON *event_body(struct events *events, const struct event *event, usec_t now_wall, const char *name)
{
        struct cJSON *body = cJSON_CreateObject();
        char message[LIMIT_EVENT_MESSAGE + 1];

        str_copy(message, sizeof(message), event->message);
        cJSON_AddStringToObject(body, "apiVersion", "v1");
        cJSON_AddStringToObject(body, "kind", "Event");
        struct cJSON *metadata = cJSON_AddObjectToObject(body, "metadata");
        cJSON_AddStringToObject(metadata, "name", name);
        cJSON_AddStringToObject(metadata, "namespace", event_namespace(event));
        struct cJSON *object = cJSON_AddObjectToObject(body, "involvedObject");
        cJSON_AddStringToObject(object, "apiVersion", "v1");
        cJSON_AddStringToObject(object, "kind", event->kind);
        cJSON_AddStringToObject(object, "name", event->name);
        if (!str_empty(event->namespace))
                cJSON_AddStringToObject(object, "namespace", event->namespace);
        cJSON_AddStringToObject(object, "uid", event->uid ? event->uid : "");
        if (event->field_path)
                cJSON_AddStringToObject(object, "fieldPath", event->field_path);
        cJSON_AddStringToObject(body, "type", event->warning ? "Warning" : "Normal");
        cJSON_AddStringToObject(body, "reason", event->reason);
        cJSON_AddStringToObject(body, "message", message);
        struct cJSON *source = cJSON_AddObjectToObject(body, "source");
        cJSON_AddStringToObject(source, "component", events->component);
        cJSON_AddStringToObject(source, "host", events->host);
        cJSON_AddStringToObject(body, "reportingComponent", events->component);
        cJSON_AddStringToObject(body, "reportingInstance", events->host);
        char first[TIMEFMT_MAX];
        timefmt_seconds(now_wall, first);
        cJSON_AddStringToObject(body, "firstTimestamp", first);
        return body;
}

static struct seen *seen_new(struct events *events, const struct event *event, const char *identity, const char *object,
                             usec_t now_wall)
{
        struct seen *s = xcalloc(1, sizeof(*s));

        s->identity = xstrdup(identity);
        s->object = xstrdup(object);
        s->namespace = xstrdup(event_namespace(event));
        /* As client-go: the object's name and a number that does not come twice. */
        s->name = xasprintf("%.200s.%" PRIx64, event->name, now_wall * 1000 + events->serial++ % 1000);
        s->body = event_body(events, event, now_wall, s->name);
        s->first = now_wall;
        return s;
}

void events_post(struct events *events, const struct event *event)
{
        char *object CLEANUP_FREE = xasprintf("%s/%s/%s/%s", event->kind, event_namespace(event), event->name,
                                              event->uid ? event->uid : "");
        char *identity CLEANUP_FREE = xasprintf("%s %s %s %s", object, event->field_path ? event->field_path : "",
                                                event->reason, event->message);
        usec_t now_wall = loop_now_realtime(events->loop);
        struct seen *s;

        if (!take_budget(events, object))
                return;
        HASH_FIND_STR(events->table, identity, s);
        if (s && usec_sub(now_wall, s->last) > REPEAT_WINDOW && !s->queued && s != events->sending) {
                HASH_DEL(events->table, s);
                seen_free(s);
                s = NULL;
        }
        if (s) {
                HASH_DEL(events->table, s);
        } else {
                forget_oldest(events);
                s = seen_new(events, event, identity, object, now_wall);
        }
        HASH_ADD_KEYPTR(hh, events->table, s->identity, strlen(s->identity), s);
        s->count++;
        s->last = now_wall;
        enqueue(events, s);
        loop_defer_schedule(events->defer);
}

static void drop(struct events *events, struct seen *s, const struct err *err)
{
        log_debug("event: %s", err->msg);
        unqueue(events, s);
        events->dropped++;
}

/* What the server refused, or did not take: true where the next try is due at once. */
static bool try_again(struct events *events, struct seen *s, int status, const struct err *err)
{
        /* A repeat of what has expired there is posted anew; what is there already is counted up. A server that says
         * the one and then the other is asked as seldom as any that refuses. */
        bool other_way = (status == 404 && s->posted) || (status == 409 && !s->posted);
        bool not_yet = other_way || status == 0 || status == 409 || status == 429 || status >= 500;

        if (other_way)
                s->posted = !s->posted;
        if (not_yet && ++s->tries < TRIES_MAX) {
                if (other_way && s->tries == 1)
                        return true;
                loop_timer_set(events->timer, usec_add(loop_now(events->loop), RETRY));
                return false;
        }
        drop(events, s, err); /* refused for good, or too often: as client-go */
        return true;
}

static void call_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct events *events = userdata;
        struct seen *s = events->sending;

        (void)body;
        events->call = NULL;
        events->sending = NULL;
        if (!s) {
                loop_defer_schedule(events->defer);
                return; /* pushed out of the queue meanwhile */
        }
        if (err && !try_again(events, s, status, err))
                return;
        if (!err) {
                s->posted = true;
                s->tries = 0;
                if (s->count == events->sending_count)
                        unqueue(events, s);
        }
        loop_defer_schedule(events->defer);
}

/* The request's method; its path (free it) and body. */
static const char *write_request(struct seen *s, char **ret_path, struct buf *body)
{
        char last[TIMEFMT_MAX];

        timefmt_seconds(s->last, last);
        if (s->posted) {
                *ret_path = xasprintf("/api/v1/namespaces/%s/events/%s", s->namespace, s->name);
                buf_addf(body, "{\"count\":%u,\"lastTimestamp\":\"%s\"}", s->count, last);
                return "PATCH";
        }
        *ret_path = xasprintf("/api/v1/namespaces/%s/events", s->namespace);
        cJSON_DeleteItemFromObjectCaseSensitive(s->body, "lastTimestamp");
        cJSON_DeleteItemFromObjectCaseSensitive(s->body, "count");
        cJSON_AddStringToObject(s->body, "lastTimestamp", last);
        cJSON_AddNumberToObject(s->body, "count", s->count);
        cjson_write(s->body, body);
        return "POST";
}

static void send_first(struct events *events)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_LOCAL_REQUEST);
        struct seen *s = events->queue;
        char *path CLEANUP_FREE = NULL;
        const char *method = write_request(s, &path, &text);
        struct err err = ERR_INIT;

        if (buf_check(&text, "the event as JSON", &err) < 0) {
                drop(events, s, &err);
                loop_defer_schedule(events->defer);
                return;
        }
        events->sending = s;
        events->sending_count = s->count;
        events->call =
                api_client_write(events->client, method, API_PATCH_STRATEGIC, path, buf_str(&text), call_done, events);
}

static void work(void *userdata)
{
        struct events *events = userdata;

        if (!events->queue || events->call || !api_client_up(events->client))
                return;
        loop_timer_set(events->timer, USEC_INFINITY);
        send_first(events);
}

static void timer_fired(void *userdata, usec_t now)
{
        (void)now;
        work(userdata);
}

static void link_changed(void *userdata, bool up)
{
        struct events *events = userdata;

        if (up) {
                loop_defer_schedule(events->defer);
                return;
        }
        loop_timer_set(events->timer, USEC_INFINITY);
        if (events->call)
                api_call_cancel(events->call);
        events->call = NULL;
        events->sending = NULL;
}

struct events *events_new(struct loop *loop, struct api_client *client, const char *component, const char *host)
{
        struct events *events = xcalloc(1, sizeof(*events));

        events->loop = loop;
        events->client = client;
        events->component = xstrdup(component);
        events->host = xstrdup(host);
        events->timer = loop_timer_new(loop, "event retry", timer_fired, events);
        events->defer = loop_defer_new(loop, "event work", work, events);
        api_client_subscribe(client, link_changed, events);
        return events;
}

struct events *events_free(struct events *events)
{
        struct seen *s, *next;
        struct budget *b, *next_budget;

        if (!events)
                return NULL;
        api_client_unsubscribe(events->client, link_changed, events);
        if (events->call)
                api_call_cancel(events->call);
        HASH_ITER (hh, events->table, s, next) {
                HASH_DEL(events->table, s);
                seen_free(s);
        }
        HASH_ITER (hh, events->budgets, b, next_budget) {
                HASH_DEL(events->budgets, b);
                free(b->object);
                free(b);
        }
        loop_source_free(events->timer);
        loop_source_free(events->defer);
        free(events->component);
        free(events->host);
        free(events);
        return NULL;
}

size_t events_waiting(const struct events *events)
{
        return events->waiting;
}

uint64_t events_dropped(const struct events *events)
{
        return events->dropped;
}

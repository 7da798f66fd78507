/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "docker/docker.h"
#include "net/loop.h"
#include "node/container_name.h"
#include "node/observer.h"

#define RETRY_FIRST_USEC (100 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (2 * USEC_PER_SEC)
/* dockerd 20.10 hangs in /info for as long as name servers do not answer. What it says was said before or is waited
 * for, with a word about it; the call itself has a longer limit. */
#define INFO_PATIENCE_USEC (3 * USEC_PER_SEC)
/* Inspects side by side; a list of a thousand containers must not open a thousand connections. */
#define INSPECTS_MAX 16

enum link {
        LINK_DOWN, /* waits for the next try */
        LINK_SUBSCRIBING,
        LINK_LISTING,
        LINK_INSPECTING, /* the first list's */
        LINK_READY,
        LINK_MAX
};

struct look {
        struct observer *observer;
        char *id;
        struct docker_call *call; /* NULL: waits for its turn */
        bool again;
        bool first; /* the runtime is ready only after it */
        UT_hash_handle hh;
};

struct observer {
        struct loop *loop;
        struct docker *docker;
        struct observer_handlers handlers;
        void *userdata;
        enum link link;
        struct docker_call *events, *list, *version, *info;
        struct look *looks; /* by id */
        size_t running;
        bool list_again;
        bool informed; /* /info has answered once */
        struct loop_source *retry, *timer, *patience;
        usec_t retry_delay;
        char *why; /* last told */
};

static void connect_now(struct observer *o);
static void start_looks(struct observer *o);

static void tell_down(struct observer *o, const char *why)
{
        if (str_eq(o->why, why))
                return;
        free(o->why);
        o->why = xstrdup(why);
        o->handlers.runtime(o->userdata, false, why);
}

static void look_free(struct observer *o, struct look *look)
{
        HASH_DEL(o->looks, look);
        free(look->id);
        free(look);
}

/* What is under way ends with errors of its own; nobody waits for it any more. */
static void go_down(struct observer *o, const char *why)
{
        struct look *look, *next;

        if (o->link == LINK_DOWN)
                return;
        o->link = LINK_DOWN;
        o->list_again = false;
        if (o->events)
                o->docker->ops->cancel(o->docker, o->events);
        if (o->list)
                o->docker->ops->cancel(o->docker, o->list);
        HASH_ITER (hh, o->looks, look, next) {
                if (look->call) {
                        look->again = look->first = false;
                        o->docker->ops->cancel(o->docker, look->call);
                } else {
                        look_free(o, look);
                }
        }
        loop_timer_set(o->timer, USEC_INFINITY);
        loop_timer_set(o->patience, USEC_INFINITY);
        loop_timer_set(o->retry, usec_add(loop_now(o->loop), o->retry_delay));
        o->retry_delay = o->retry_delay * 2 > RETRY_MAX_USEC ? RETRY_MAX_USEC : o->retry_delay * 2;
        tell_down(o, why);
}

void observer_lost(struct observer *observer, const char *why)
{
        go_down(observer, why);
}

static void check_ready(struct observer *o)
{
        struct look *look, *next;

        if (o->link != LINK_INSPECTING)
                return;
        HASH_ITER (hh, o->looks, look, next) {
                if (look->first)
                        return;
        }
        o->link = LINK_READY;
        o->retry_delay = RETRY_FIRST_USEC;
        free(TAKE_PTR(o->why));
        o->handlers.runtime(o->userdata, true, NULL);
}

static void on_inspected(void *userdata, const struct docker_container *container, const struct err *err)
{
        struct look *look = userdata;
        struct observer *o = look->observer;
        char *id CLEANUP_FREE = xstrdup(look->id);
        bool lost = err && err->status != 404;

        o->running--;
        look->call = NULL;
        if (look->again) {
                look->again = false;
        } else {
                look_free(o, look);
        }
        if (err && err->status == 404)
                o->handlers.gone(o->userdata, id);
        else if (!err)
                o->handlers.inspected(o->userdata, container);
        else if (o->link != LINK_DOWN)
                log_debug("inspecting %s: %s", id, err->msg);
        /* A first look that failed leaves the picture incomplete: begin again. */
        if (lost && o->link == LINK_INSPECTING)
                go_down(o, err->msg);
        start_looks(o);
        check_ready(o);
}

static void start_looks(struct observer *o)
{
        struct look *look, *next;

        HASH_ITER (hh, o->looks, look, next) {
                if (o->running >= INSPECTS_MAX)
                        return;
                if (look->call)
                        continue;
                o->running++;
                look->call = o->docker->ops->inspect(o->docker, look->id, on_inspected, look);
        }
}

void observer_inspect(struct observer *observer, const char *id)
{
        struct look *look;

        HASH_FIND_STR(observer->looks, id, look);
        if (look) {
                look->again = look->call != NULL;
                return;
        }
        if (observer->link == LINK_DOWN || observer->link == LINK_SUBSCRIBING)
                return; /* the list that follows shows it */
        look = xcalloc(1, sizeof(*look));
        look->observer = observer;
        look->id = xstrdup(id);
        look->first = observer->link == LINK_LISTING;
        HASH_ADD_KEYPTR(hh, observer->looks, look->id, strlen(look->id), look);
        start_looks(observer);
}

static void on_listed(void *userdata, const struct docker_containers *list, const struct err *err)
{
        struct observer *o = userdata;

        o->list = NULL;
        if (o->link == LINK_DOWN || o->link == LINK_SUBSCRIBING)
                return; /* of a connection that is over */
        if (err) {
                go_down(o, err->msg);
                return;
        }
        o->handlers.listed(o->userdata, list);
        if (o->link == LINK_LISTING) {
                o->link = LINK_INSPECTING;
                check_ready(o);
        }
        loop_timer_set(o->timer, usec_add(loop_now(o->loop), OBSERVER_LIST_USEC));
        if (o->list_again) {
                o->list_again = false;
                observer_list(o);
        }
}

void observer_list(struct observer *observer)
{
        if (observer->link == LINK_DOWN || observer->link == LINK_SUBSCRIBING)
                return;
        if (observer->list) {
                observer->list_again = true;
                return;
        }
        observer->list = observer->docker->ops->list(observer->docker, LABEL_TYPE, on_listed, observer);
}

/* Only now: bodies of containers depend on the API version and the cgroup driver. */
static void known(struct observer *o, bool without_info)
{
        if (o->link != LINK_SUBSCRIBING || o->version || (o->info && !without_info))
                return;
        loop_timer_set(o->patience, USEC_INFINITY);
        o->link = LINK_LISTING;
        observer_list(o);
}

static void on_info(void *userdata, const struct docker_info *info, const struct err *err)
{
        struct observer *o = userdata;

        o->info = NULL;
        if (o->link == LINK_DOWN)
                return;
        if (err) {
                if (o->link == LINK_SUBSCRIBING)
                        go_down(o, err->msg);
                return; /* it goes without */
        }
        o->informed = true;
        o->handlers.about(o->userdata, NULL, info);
        known(o, false);
}

static void on_patience(void *userdata, usec_t now)
{
        struct observer *o = userdata;

        (void)now;
        if (o->link != LINK_SUBSCRIBING || !o->info)
                return;
        if (!o->informed) {
                tell_down(o, "it does not answer /info; dockerd hangs in it while its name servers do not answer");
                return;
        }
        log_warning("Docker does not answer /info; what it said before counts");
        known(o, true);
}

static void on_version(void *userdata, const struct docker_version *version, const struct err *err)
{
        struct observer *o = userdata;

        o->version = NULL;
        if (o->link == LINK_DOWN)
                return;
        if (err) {
                go_down(o, err->msg);
                return;
        }
        o->handlers.about(o->userdata, version, NULL);
        known(o, false);
}

static void on_connected(void *userdata, const struct err *err)
{
        struct observer *o = userdata;

        if (err || o->link != LINK_SUBSCRIBING)
                return; /* `done` tells */
        if (!o->version)
                o->version = o->docker->ops->version(o->docker, on_version, o);
        if (!o->info)
                o->info = o->docker->ops->info(o->docker, on_info, o);
        loop_timer_set(o->patience, usec_add(loop_now(o->loop), INFO_PATIENCE_USEC));
}

static void on_event(void *userdata, const struct docker_event *event)
{
        static const char *const ends[] = {"die", "oom", "pause", "unpause", "rename"};
        struct observer *o = userdata;

        if (!str_eq(event->type, "container") || !docker_label(event->attributes, LABEL_TYPE))
                return;
        if (str_eq(event->action, "destroy")) {
                o->handlers.gone(o->userdata, event->id);
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                if (str_eq(event->action, ends[i]))
                        observer_inspect(o, event->id);
        if (str_eq(event->action, "start") && !o->handlers.busy(o->userdata, event->id))
                observer_inspect(o, event->id);
}

static void on_events_end(void *userdata, const struct err *err)
{
        struct observer *o = userdata;

        o->events = NULL;
        go_down(o, err ? err->msg : "Docker ended its event stream");
}

static void connect_now(struct observer *o)
{
        if (o->events) { /* the old stream has not said its last word */
                loop_timer_set(o->retry, usec_add(loop_now(o->loop), o->retry_delay));
                return;
        }
        o->link = LINK_SUBSCRIBING;
        o->events = o->docker->ops->events(o->docker, 0, on_connected, on_event, on_events_end, o);
}

static void on_retry(void *userdata, usec_t now)
{
        (void)now;
        connect_now(userdata);
}

static void on_timer(void *userdata, usec_t now)
{
        (void)now;
        observer_list(userdata);
}

struct observer *observer_new(struct loop *loop, struct docker *docker, const struct observer_handlers *handlers,
                              void *userdata)
{
        struct observer *o = xcalloc(1, sizeof(*o));

        o->loop = loop;
        o->docker = docker;
        o->handlers = *handlers;
        o->userdata = userdata;
        o->retry_delay = RETRY_FIRST_USEC;
        o->retry = loop_timer_new(loop, "docker connection", on_retry, o);
        o->timer = loop_timer_new(loop, "docker list", on_timer, o);
        o->patience = loop_timer_new(loop, "docker info", on_patience, o);
        connect_now(o);
        return o;
}

struct observer *observer_free(struct observer *observer)
{
        struct look *look, *next;

        if (!observer)
                return NULL;
        /* Freed after Docker's connection, whose calls end without `done` then. */
        HASH_ITER (hh, observer->looks, look, next) {
                look_free(observer, look);
        }
        (void)loop_source_free(observer->retry);
        (void)loop_source_free(observer->timer);
        (void)loop_source_free(observer->patience);
        free(observer->why);
        free(observer);
        return NULL;
}

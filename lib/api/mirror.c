/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "api/client.h"
#include "api/mirror.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/loop.h"

/* A refusal is tried again after 1 s, doubling to a minute (the kubelet's resync of a pod), and at once when the pod or
 * the object changes: nothing tells when a quota or a namespace that kept it out has changed. */
#define RETRY_FIRST (1 * USEC_PER_SEC)
#define RETRY_MAX (60 * USEC_PER_SEC)
/* Calls of mirrors under way at once: the API server of a small node serves others too. Of mirrors that were refused,
 * which a webhook that hangs may hold up, fewer, so that the others go on. */
#define CALLS_MAX 8
#define CALLS_REFUSED_MAX 2

struct mirror {
        struct mirrors *mirrors;
        char *key;                  /* namespace/name */
        struct cJSON *pod, *status; /* desired; NULL: not wanted */
        char *pod_json, *status_json;
        bool create;
        struct cJSON *observed; /* what the watch showed, NULL: nothing */
        bool listed;            /* seen in the list that is being read */
        bool settled;           /* nothing was to be done, or could be, and nothing has changed since */
        struct api_call *call;
        enum mirror_step step; /* of the call */
        bool again;            /* the call was made while the refusal stood */
        char refusal[1024];
        usec_t pause, retry_at;
        UT_hash_handle hh;
};

struct mirrors {
        struct loop *loop;
        struct api_client *client;
        char *node_name, *node_uid;
        mirrors_refused_fn refused;
        void *userdata;
        struct api_watch *watch;
        struct loop_source *timer, *defer;
        struct mirror *table;
        unsigned calls, again; /* under way, and those of them that are made again */
        bool listing;          /* objects that come are of a list */
        bool listed;           /* a whole list was read since the link came up */
        bool complete;         /* all pods were given */
};

static void look_again(struct mirrors *mirrors)
{
        loop_defer_schedule(mirrors->defer);
}

static struct mirror *mirror_get(struct mirrors *mirrors, const char *key, bool make)
{
        struct mirror *m;

        HASH_FIND_STR(mirrors->table, key, m);
        if (!m && make) {
                m = xcalloc(1, sizeof(*m));
                m->mirrors = mirrors;
                m->key = xstrdup(key);
                m->pause = RETRY_FIRST;
                HASH_ADD_KEYPTR(hh, mirrors->table, m->key, strlen(m->key), m);
        }
        return m;
}

static void clear_desired(struct mirror *m)
{
        cJSON_Delete(m->pod);
        cJSON_Delete(m->status);
        free(m->pod_json);
        free(m->status_json);
        m->pod = m->status = NULL;
        m->pod_json = m->status_json = NULL;
        m->settled = false;
}

static void call_ended(struct mirror *m)
{
        m->call = NULL;
        m->mirrors->calls--;
        m->mirrors->again -= m->again;
}

static void call_cancel(struct mirror *m)
{
        if (!m->call)
                return;
        api_call_cancel(m->call);
        call_ended(m);
}

static void mirror_drop(struct mirror *m)
{
        HASH_DEL(m->mirrors->table, m);
        call_cancel(m);
        clear_desired(m);
        cJSON_Delete(m->observed);
        free(m->key);
        free(m);
}

static void set_refusal(struct mirror *m, const char *message)
{
        bool had = m->refusal[0] != '\0';
        bool same = str_eq(m->refusal, message);

        str_copy(m->refusal, sizeof(m->refusal), message);
        if (!same && (had || *message))
                m->mirrors->refused(m->mirrors->userdata, m->key, message);
}

/* Something changed: no pause of an earlier refusal counts any more. */
static void mirror_touch(struct mirror *m)
{
        m->retry_at = 0;
        m->pause = RETRY_FIRST;
        look_again(m->mirrors);
}

static void take_observed(struct mirror *m, const struct cJSON *object)
{
        cJSON_Delete(m->observed);
        m->observed = object ? cJSON_Duplicate(object, true) : NULL;
        m->settled = false;
        /* A third of the object, and nothing here looks at it. */
        cJSON_DeleteItemFromObjectCaseSensitive(cjson_get(m->observed, "metadata", NULL), "managedFields");
}

/* Versions of one object are numbers that grow (comparable by contract since Kubernetes 1.35, in fact since etcd 3). */
static bool is_older(const struct cJSON *object, const struct cJSON *than)
{
        const struct cJSON *a = cjson_get(object, "metadata", NULL), *b = cjson_get(than, "metadata", NULL);
        uint64_t x, y;

        return str_eq(cjson_text(a, "uid", ""), cjson_text(b, "uid", "")) &&
               str_to_u64(cjson_text(a, "resourceVersion", ""), &x) == 0 &&
               str_to_u64(cjson_text(b, "resourceVersion", ""), &y) == 0 && x <= y;
}

static usec_t longer(usec_t pause)
{
        return pause * 2 < RETRY_MAX ? pause * 2 : RETRY_MAX;
}

static void call_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct mirror *m = userdata;
        enum mirror_step step = m->step;

        call_ended(m);
        bool changes = step == MIRROR_DELETE || step == MIRROR_PATCH;
        /* It is not there, whatever the watch said or has missed. */
        bool gone = status == 404 && changes;
        /* Another object has the name. The watch tells of it. */
        bool conflict = status == 409 && changes;
        if (!err || gone || conflict) {
                set_refusal(m, "");
                /* What the answer shows counts at once; the watch brings the same later. */
                if (!err && (step == MIRROR_CREATE || step == MIRROR_PATCH))
                        take_observed(m, body);
                else if (!conflict)
                        take_observed(m, NULL);
                if (!conflict)
                        m->pause = RETRY_FIRST;
                m->retry_at = err ? usec_add(loop_now(m->mirrors->loop), m->pause) : 0;
                if (conflict)
                        m->pause = longer(m->pause);
        } else {
                /* A server that went away is no refusal; the link's return starts over. */
                if (status > 0 || err->code == ETIMEDOUT)
                        set_refusal(m, err->msg);
                log_debug("mirror %s: %s", m->key, err->msg);
                m->retry_at = usec_add(loop_now(m->mirrors->loop), m->pause);
                m->pause = longer(m->pause);
        }
        look_again(m->mirrors);
}

static char *object_path(const struct mirror *m, const char *suffix)
{
        const char *slash = strchr(m->key, '/');

        return xasprintf("/api/v1/namespaces/%.*s/pods%s%s%s", (int)(slash - m->key), m->key, suffix ? "/" : "",
                         suffix ? slash + 1 : "", suffix ? suffix : "");
}

static void start_call(struct mirror *m, const char *method, const char *path, const struct cJSON *body)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES * 2);
        struct err err = ERR_INIT;

        cjson_write(body, &text);
        if (buf_check(&text, "the mirror pod as JSON", &err) < 0) {
                set_refusal(m, err.msg);
                m->settled = true;
                return;
        }
        m->again = m->refusal[0] != '\0';
        m->mirrors->calls++;
        m->mirrors->again += m->again;
        m->call = api_client_write(m->mirrors->client, method, API_PATCH_STRATEGIC, path, buf_str(&text), call_done, m);
}

static void do_create(struct mirror *m)
{
        struct cJSON *body CLEANUP_CJSON = mirror_body(m->pod, m->mirrors->node_name, m->mirrors->node_uid);
        char *path CLEANUP_FREE = object_path(m, NULL);

        log_debug("mirror %s: create", m->key);
        start_call(m, "POST", path, body);
}

static void do_delete(struct mirror *m)
{
        struct cJSON *body CLEANUP_CJSON = cJSON_CreateObject();
        struct cJSON *preconditions = cJSON_AddObjectToObject(body, "preconditions");
        char *path CLEANUP_FREE = object_path(m, "");

        cJSON_AddStringToObject(body, "apiVersion", "v1");
        cJSON_AddStringToObject(body, "kind", "DeleteOptions");
        cJSON_AddNumberToObject(body, "gracePeriodSeconds", 0);
        cJSON_AddStringToObject(preconditions, "uid", cjson_text(cjson_get(m->observed, "metadata", NULL), "uid", ""));
        log_debug("mirror %s: delete", m->key);
        start_call(m, "DELETE", path, body);
}

static void do_patch(struct mirror *m)
{
        struct cJSON *patch CLEANUP_CJSON = mirror_status_patch(m->status, m->observed);
        char *path CLEANUP_FREE = object_path(m, "/status");

        start_call(m, "PATCH", path, patch);
}

/* One look at one mirror; returns when it wants the next (USEC_INFINITY: on a change). */
static usec_t mirror_work(struct mirror *m, usec_t now)
{
        struct mirrors *mirrors = m->mirrors;

        if (m->call || m->settled)
                return USEC_INFINITY;
        if (m->retry_at > now)
                return m->retry_at;
        enum mirror_step step = mirror_decide(m->pod, m->status, m->create, m->observed, mirrors->node_uid);
        if (step == MIRROR_DELETE && !m->pod && !mirrors->complete)
                return USEC_INFINITY; /* whose it is is not known yet */
        bool busy = mirrors->calls >= CALLS_MAX || (m->refusal[0] && mirrors->again >= CALLS_REFUSED_MAX);
        if (step != MIRROR_NOTHING && busy)
                return USEC_INFINITY; /* the end of a call looks again */
        m->step = step;
        m->settled = step == MIRROR_NOTHING;
        switch (step) {
        case MIRROR_CREATE:
                do_create(m);
                break;
        case MIRROR_DELETE:
                do_delete(m);
                break;
        case MIRROR_PATCH:
                do_patch(m);
                break;
        case MIRROR_NOTHING:
        case MIRROR_STEP_MAX:
                if (!m->pod && !m->observed)
                        mirror_drop(m);
                else if (mirror_is_foreign(m->pod, m->observed))
                        set_refusal(m,
                                    "a pod of that name is in the API server that is no mirror pod: it is left alone, "
                                    "and has to go before there can be a mirror");
                break;
        }
        return USEC_INFINITY;
}

static void work(void *userdata)
{
        struct mirrors *mirrors = userdata;
        usec_t now = loop_now(mirrors->loop), next = USEC_INFINITY;
        struct mirror *m, *after;

        if (!api_client_up(mirrors->client) || !mirrors->listed)
                return;
        HASH_ITER (hh, mirrors->table, m, after) {
                usec_t at = mirror_work(m, now);
                if (at < next)
                        next = at;
        }
        loop_timer_set(mirrors->timer, next);
}

static void timer_fired(void *userdata, usec_t now)
{
        (void)now;
        work(userdata);
}

static char *object_key(const struct cJSON *object)
{
        const struct cJSON *metadata = cjson_get(object, "metadata", NULL);

        return xasprintf("%s/%s", cjson_text(metadata, "namespace", ""), cjson_text(metadata, "name", ""));
}

static void watch_listing(void *userdata)
{
        struct mirrors *mirrors = userdata;
        struct mirror *m, *next;

        mirrors->listing = true;
        HASH_ITER (hh, mirrors->table, m, next) {
                m->listed = false;
        }
}

static void watch_object(void *userdata, const struct cJSON *object)
{
        char *key CLEANUP_FREE = object_key(object);
        struct mirrors *mirrors = userdata;
        struct mirror *m = mirror_get(mirrors, key, true);

        m->listed = true;
        /* What an answer to a call of ours showed already comes by the watch again, later. But a list is what there is:
         * an etcd that was put back from a backup has older versions of the same objects. */
        if (!mirrors->listing && m->observed && is_older(object, m->observed))
                return;
        take_observed(m, object);
        mirror_touch(m);
}

static void watch_deleted(void *userdata, const struct cJSON *object)
{
        char *key CLEANUP_FREE = object_key(object);
        struct mirror *m = mirror_get(userdata, key, false);

        if (!m)
                return;
        /* A deletion that is older than what a create of ours has answered since. */
        const char *gone = cjson_text(cjson_get(object, "metadata", NULL), "uid", "");
        if (m->observed && !str_eq(gone, cjson_text(cjson_get(m->observed, "metadata", NULL), "uid", "")))
                return;
        take_observed(m, NULL);
        mirror_touch(m);
}

static void watch_listed(void *userdata)
{
        struct mirrors *mirrors = userdata;
        struct mirror *m, *next;

        HASH_ITER (hh, mirrors->table, m, next) {
                if (m->listed || !m->observed || m->call)
                        continue;
                take_observed(m, NULL);
                mirror_touch(m);
        }
        mirrors->listing = false;
        mirrors->listed = true;
        look_again(mirrors);
}

static void link_changed(void *userdata, bool up)
{
        struct mirrors *mirrors = userdata;
        struct mirror *m, *next;

        /* What was refused, lost or never answered before counts no more. */
        HASH_ITER (hh, mirrors->table, m, next) {
                call_cancel(m);
                m->retry_at = 0;
                m->pause = RETRY_FIRST;
        }
        mirrors->listed = false;
        if (up)
                look_again(mirrors);
        else
                loop_timer_set(mirrors->timer, USEC_INFINITY);
}

struct mirrors *mirrors_new(struct loop *loop, struct api_client *client, const char *node_name,
                            mirrors_refused_fn refused, void *userdata)
{
        static const struct api_watch_handlers handlers = {
                .listing = watch_listing,
                .object = watch_object,
                .deleted = watch_deleted,
                .listed = watch_listed,
        };
        char *path CLEANUP_FREE = xasprintf("/api/v1/pods?fieldSelector=spec.nodeName%%3D%s", node_name);
        struct mirrors *mirrors = xcalloc(1, sizeof(*mirrors));

        mirrors->loop = loop;
        mirrors->client = client;
        mirrors->node_name = xstrdup(node_name);
        mirrors->refused = refused;
        mirrors->userdata = userdata;
        mirrors->timer = loop_timer_new(loop, "mirror retry", timer_fired, mirrors);
        mirrors->defer = loop_defer_new(loop, "mirror work", work, mirrors);
        /* Before the watch, so that `listed` is reset before the watch's first list. */
        api_client_subscribe(client, link_changed, mirrors);
        mirrors->watch = api_watch_new(client, path, &handlers, mirrors);
        return mirrors;
}

struct mirrors *mirrors_free(struct mirrors *mirrors)
{
        struct mirror *m, *next;

        if (!mirrors)
                return NULL;
        api_client_unsubscribe(mirrors->client, link_changed, mirrors);
        mirrors->watch = api_watch_free(mirrors->watch);
        HASH_ITER (hh, mirrors->table, m, next) {
                mirror_drop(m);
        }
        loop_source_free(mirrors->timer);
        loop_source_free(mirrors->defer);
        free(mirrors->node_name);
        free(mirrors->node_uid);
        free(mirrors);
        return NULL;
}

void mirrors_set_node(struct mirrors *mirrors, const char *uid)
{
        struct mirror *m, *next;

        if (str_eq(uid, mirrors->node_uid))
                return;
        free(mirrors->node_uid);
        mirrors->node_uid = uid ? xstrdup(uid) : NULL;
        HASH_ITER (hh, mirrors->table, m, next) {
                m->settled = false;
        }
        look_again(mirrors);
}

int mirrors_set(struct mirrors *mirrors, const char *key, const char *pod_json, const char *status_json, bool create,
                struct err *err)
{
        struct mirror *m = mirror_get(mirrors, key, true);
        bool same_pod = str_eq(m->pod_json, pod_json), same_status = str_eq(m->status_json, status_json);

        if (same_pod && same_status && m->create == create)
                return 0;
        struct cJSON *pod CLEANUP_CJSON = same_pod ? NULL : cJSON_Parse(pod_json);
        struct cJSON *status CLEANUP_CJSON = cJSON_Parse(status_json);
        if ((!pod && !same_pod) || !status || !strchr(key, '/'))
                return err_set(err, ERR_INVALID, "mirror %s: not an object", key);
        if (same_pod)
                pod = TAKE_PTR(m->pod);
        clear_desired(m);
        m->pod = TAKE_PTR(pod);
        m->status = TAKE_PTR(status);
        m->pod_json = xstrdup(pod_json);
        m->status_json = xstrdup(status_json);
        m->create = create;
        /* A status that moves on is no reason to repeat what was refused. */
        if (!same_pod)
                mirror_touch(m);
        else
                look_again(mirrors);
        return 0;
}

void mirrors_remove(struct mirrors *mirrors, const char *key)
{
        struct mirror *m = mirror_get(mirrors, key, false);

        if (!m || !m->pod)
                return;
        clear_desired(m);
        set_refusal(m, "");
        mirror_touch(m);
}

void mirrors_complete(struct mirrors *mirrors)
{
        mirrors->complete = true;
        look_again(mirrors);
}

bool mirrors_state(const struct mirrors *mirrors, const char *key, struct mirror_state *ret)
{
        struct mirror *m = mirror_get((struct mirrors *)mirrors, key, false);

        *ret = (struct mirror_state){.refusal = "", .retry_at = USEC_INFINITY};
        if (!m)
                return false;
        bool foreign = mirror_is_foreign(m->pod, m->observed);
        ret->exists = m->observed != NULL && !foreign;
        if (ret->exists)
                str_copy(ret->uid, sizeof(ret->uid), cjson_text(cjson_get(m->observed, "metadata", NULL), "uid", ""));
        ret->refusal = m->refusal;
        if (m->retry_at > 0 && !m->call)
                ret->retry_at = m->retry_at;
        ret->status_current =
                m->pod && !foreign &&
                mirror_decide(m->pod, m->status, m->create, m->observed, mirrors->node_uid) == MIRROR_NOTHING;
        return true;
}

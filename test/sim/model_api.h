#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A model of an API server for the simulator: pods, the Node, its Lease and events under etcd's versions, with the
 * admission that mirror pods meet, watches that drop, repeat, delay and reorder, and a server that answers late,
 * wrongly or not at all, restarts, compacts its history, loses or restores its etcd. It stands behind the functions of
 * net/curl_glue.h (model_http.c), so the real client, watches, mirrors, Node, Lease and events run against it. It draws
 * from random numbers of its own: what happens here must not change what happens to containers. One server at a time.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "rng.h"

struct cJSON;
struct loop;
struct model_api;

/* Chances in a thousand; zero is a server as one wishes it. */
struct model_api_faults {
        unsigned lost_request, lost_answer; /* the connection breaks before or after it was done */
        unsigned hangs;                     /* nothing comes back until the client gives up; it may be done later */
        unsigned refused;                   /* 500 or 429, nothing was done */
        unsigned slow;                      /* up to 15 s more */
        unsigned cut_watch;                 /* at each event the stream ends */
        unsigned lost_event, double_event, late_event, swapped_event;
        bool quota;        /* creating pods is forbidden: 403 */
        bool no_namespace; /* the pods' namespace is not there: 404 */
        bool webhook;      /* an admission webhook cannot be called: 500 */
};

enum model_api_kind { API_PODS, API_NODES, API_LEASES, API_KIND_MAX };

struct model_api_object {
        struct cJSON *json; /* with uid and resourceVersion */
        char *name;         /* namespace/name, or name */
        struct model_api_object *prev, *next;
};

struct model_api_met {
        uint64_t requests, lost_request, lost_answer, hangs, refused, forbidden, slow, cut_watch, lost_event,
                double_event, late_event, swapped_event, gone, outages, wipes, restores, hands;
};

struct model_api_hooks {
        /* A request of podwatch was carried out, or refused with this status; path without query. name: of what a POST
         * was to make, else "". status 0: nobody was there to answer. */
        void (*answered)(void *userdata, const char *method, const char *path, const char *name, int status);
        /* podwatch set this status on this pod. */
        void (*status_set)(void *userdata, const struct cJSON *pod);
        void *userdata;
};

struct model_api *model_api_new(struct loop *loop, struct rng *rng, const struct model_api_hooks *hooks);
struct model_api *model_api_free(struct model_api *api);
/* Which one curl_glue_new connects to; NULL: none. */
void model_api_set(struct model_api *api);

struct model_api_faults *model_api_faults(struct model_api *api);
struct model_api_met *model_api_met(struct model_api *api);
struct model_api_object *model_api_objects(struct model_api *api, enum model_api_kind kind); /* a list by next */
struct model_api_object *model_api_find(struct model_api *api, enum model_api_kind kind, const char *name);

/* --- what people and controllers do --- */

/* Takes json (an object with metadata.name, and namespace for pods) into the store; the name must be free. */
void model_api_insert(struct model_api *api, enum model_api_kind kind, struct cJSON *json);
void model_api_remove(struct model_api *api, enum model_api_kind kind, struct model_api_object *object);
/* It was changed in place. */
void model_api_touch(struct model_api *api, enum model_api_kind kind, struct model_api_object *object);

/* --- the server --- */

/* It goes away: calls under way and watches end. hangs: nobody refuses connections, they stay without an answer. */
void model_api_down(struct model_api *api, bool hangs);
void model_api_up(struct model_api *api);
bool model_api_is_up(const struct model_api *api);
/* History that watches could begin from is gone: 410. */
void model_api_compact(struct model_api *api);
/* etcd is kept aside; is what was kept aside again (versions go back); is empty. */
void model_api_snapshot(struct model_api *api);
void model_api_restore(struct model_api *api);
void model_api_wipe(struct model_api *api);

/* --- model_http.c: watches --- */

struct model_api_event {
        uint64_t version;
        enum model_api_kind kind;
        const char *type;
        char *object; /* as JSON */
};

struct model_api_answer {
        int status;
        char *body; /* as JSON; NULL: nothing */
};

struct loop *model_api_loop(struct model_api *api);
struct rng *model_api_rng(struct model_api *api);
/* Carries out one request. body: JSON or NULL. */
struct model_api_answer model_api_request(struct model_api *api, const char *method, const char *path,
                                          const char *body);
/* Calls fn for each event of this kind after `version`. False: that far back is not known any more. */
typedef void (*model_api_event_fn)(void *userdata, const struct model_api_event *event);
bool model_api_history(struct model_api *api, enum model_api_kind kind, uint64_t version, model_api_event_fn fn,
                       void *userdata);
/* A request came to a server that is not there. */
void model_api_unreached(struct model_api *api, const char *method, const char *path);
/* model_http.c tells its watches. */
void model_http_event(struct model_api *api, const struct model_api_event *event);
void model_http_reset(struct model_api *api);
bool model_api_hangs(const struct model_api *api);

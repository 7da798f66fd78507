/* SPDX-License-Identifier: Apache-2.0
 *
 * The objects, their versions, and what each request does to them.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "model_api.h"
#include "model_api_merge.h"

#define HISTORY_MAX 1000
#define EVENTS_MAX 4096
#define BODY_MAX (4 * 1024 * 1024)
#define NODE_NAME "node"

struct model_api {
        struct loop *loop;
        struct rng *rng;
        struct model_api_hooks hooks;
        struct model_api_faults faults;
        struct model_api_met met;
        struct model_api_object *objects[API_KIND_MAX];
        struct model_api_event *history; /* ascending */
        size_t history_count;
        uint64_t version, compacted; /* the last version; events up to this one are forgotten */
        uint64_t uids;
        char *events[EVENTS_MAX]; /* names of posted events */
        size_t event_count;
        char *kept[API_KIND_MAX]; /* the snapshot, each a JSON list; NULL: none */
        uint64_t kept_version;
        bool down, hangs;
};

struct model_api *model_api_new(struct loop *loop, struct rng *rng, const struct model_api_hooks *hooks)
{
        struct model_api *api = xcalloc(1, sizeof(*api));

        api->loop = loop;
        api->rng = rng;
        api->hooks = *hooks;
        api->history = xcalloc(HISTORY_MAX, sizeof(*api->history));
        return api;
}

static void object_free(struct model_api_object *object)
{
        cJSON_Delete(object->json);
        free(object->name);
        free(object);
}

static void forget_history(struct model_api *api, size_t count)
{
        for (size_t i = 0; i < count; i++)
                free(api->history[i].object);
        if (count)
                api->compacted = api->history[count - 1].version;
        api->history_count -= count;
        memmove(api->history, api->history + count, api->history_count * sizeof(*api->history));
}

static void forget_objects(struct model_api *api)
{
        struct model_api_object *o, *next;

        for (int kind = 0; kind < API_KIND_MAX; kind++) {
                DL_FOREACH_SAFE (api->objects[kind], o, next)
                        object_free(o);
                api->objects[kind] = NULL;
        }
        for (size_t i = 0; i < api->event_count; i++)
                free(api->events[i]);
        api->event_count = 0;
}

struct model_api *model_api_free(struct model_api *api)
{
        if (!api)
                return NULL;
        forget_objects(api);
        forget_history(api, api->history_count);
        for (int kind = 0; kind < API_KIND_MAX; kind++)
                free(api->kept[kind]);
        free(api->history);
        free(api);
        return NULL;
}

struct model_api_faults *model_api_faults(struct model_api *api)
{
        return &api->faults;
}

struct model_api_met *model_api_met(struct model_api *api)
{
        return &api->met;
}

struct loop *model_api_loop(struct model_api *api)
{
        return api->loop;
}

struct rng *model_api_rng(struct model_api *api)
{
        return api->rng;
}

struct model_api_object *model_api_objects(struct model_api *api, enum model_api_kind kind)
{
        return api->objects[kind];
}

struct model_api_object *model_api_find(struct model_api *api, enum model_api_kind kind, const char *name)
{
        struct model_api_object *o;

        DL_FOREACH (api->objects[kind], o) {
                if (str_eq(o->name, name))
                        return o;
        }
        return NULL;
}

/* --- versions ------------------------------------------------------------------------------------------------- */

static char *print(const cJSON *json)
{
        struct buf text CLEANUP_BUF = BUF_INIT(BODY_MAX);

        cjson_write(json, &text);
        return xstrdup(buf_str(&text));
}

static void set_text(cJSON *object, const char *key, const char *text)
{
        cJSON_DeleteItemFromObjectCaseSensitive(object, key);
        cJSON_AddStringToObject(object, key, text);
}

static void changed(struct model_api *api, enum model_api_kind kind, struct model_api_object *o, const char *type)
{
        char version[24];
        struct model_api_event *event;

        (void)snprintf(version, sizeof(version), "%" PRIu64, ++api->version);
        set_text(cjson_get(o->json, "metadata", NULL), "resourceVersion", version);
        if (kind == API_LEASES)
                return; /* nobody watches them here */
        if (api->history_count == HISTORY_MAX)
                forget_history(api, HISTORY_MAX / 2);
        event = &api->history[api->history_count++];
        *event =
                (struct model_api_event){.version = api->version, .kind = kind, .type = type, .object = print(o->json)};
        model_http_event(api, event);
}

static bool is_namespaced(enum model_api_kind kind)
{
        return kind == API_PODS;
}

static struct model_api_object *keep(struct model_api *api, enum model_api_kind kind, cJSON *json)
{
        const cJSON *metadata = cjson_get(json, "metadata", NULL);
        struct model_api_object *o = xcalloc(1, sizeof(*o));

        o->json = json;
        o->name = is_namespaced(kind)
                          ? xasprintf("%s/%s", cjson_text(metadata, "namespace", ""), cjson_text(metadata, "name", ""))
                          : xstrdup(cjson_text(metadata, "name", ""));
        DL_APPEND(api->objects[kind], o);
        return o;
}

void model_api_insert(struct model_api *api, enum model_api_kind kind, cJSON *json)
{
        cJSON *metadata = cjson_get(json, "metadata", NULL);
        struct model_api_object *o = keep(api, kind, json);
        char uid[64];

        (void)snprintf(uid, sizeof(uid), "api-%" PRIu64, ++api->uids);
        set_text(metadata, "uid", uid);
        changed(api, kind, o, "ADDED");
}

void model_api_remove(struct model_api *api, enum model_api_kind kind, struct model_api_object *o)
{
        DL_DELETE(api->objects[kind], o);
        changed(api, kind, o, "DELETED");
        object_free(o);
}

void model_api_touch(struct model_api *api, enum model_api_kind kind, struct model_api_object *o)
{
        changed(api, kind, o, "MODIFIED");
}

bool model_api_history(struct model_api *api, enum model_api_kind kind, uint64_t version, model_api_event_fn fn,
                       void *userdata)
{
        if (version < api->compacted)
                return false;
        for (size_t i = 0; i < api->history_count; i++)
                if (api->history[i].kind == kind && api->history[i].version > version)
                        fn(userdata, &api->history[i]);
        return true;
}

/* --- the server ----------------------------------------------------------------------------------------------- */

bool model_api_is_up(const struct model_api *api)
{
        return !api->down;
}

bool model_api_hangs(const struct model_api *api)
{
        return api->down && api->hangs;
}

void model_api_down(struct model_api *api, bool hangs)
{
        api->met.outages += !api->down;
        api->down = true;
        api->hangs = hangs;
        model_http_reset(api);
}

void model_api_up(struct model_api *api)
{
        api->down = false;
}

void model_api_compact(struct model_api *api)
{
        forget_history(api, api->history_count);
        api->compacted = api->version;
}

void model_api_snapshot(struct model_api *api)
{
        struct model_api_object *o;

        for (int kind = 0; kind < API_KIND_MAX; kind++) {
                cJSON *list CLEANUP_CJSON = cJSON_CreateArray();

                DL_FOREACH (api->objects[kind], o) {
                        cJSON_AddItemToArray(list, cJSON_Duplicate(o->json, true));
                }
                free(api->kept[kind]);
                api->kept[kind] = print(list);
        }
        api->kept_version = api->version;
}

void model_api_restore(struct model_api *api)
{
        if (!api->kept[API_PODS])
                return;
        api->met.restores++;
        model_http_reset(api);
        forget_history(api, api->history_count);
        forget_objects(api);
        api->version = api->compacted = api->kept_version;
        for (int kind = 0; kind < API_KIND_MAX; kind++) {
                cJSON *list CLEANUP_CJSON = cJSON_Parse(api->kept[kind]);

                while (cJSON_GetArraySize(list) > 0)
                        (void)keep(api, (enum model_api_kind)kind, cJSON_DetachItemFromArray(list, 0));
        }
}

void model_api_wipe(struct model_api *api)
{
        api->met.wipes++;
        model_http_reset(api);
        forget_history(api, api->history_count);
        forget_objects(api);
        api->version = api->compacted = 0;
}

void model_api_unreached(struct model_api *api, const char *method, const char *path)
{
        api->hooks.answered(api->hooks.userdata, method, path, "", 0);
}

/* --- requests -------------------------------------------------------------------------------------------------- */

static struct model_api_answer refuse(int status, const char *message)
{
        cJSON *body CLEANUP_CJSON = cJSON_CreateObject();

        cJSON_AddStringToObject(body, "kind", "Status");
        cJSON_AddStringToObject(body, "message", message);
        cJSON_AddNumberToObject(body, "code", status);
        return (struct model_api_answer){.status = status, .body = print(body)};
}

static struct model_api_answer show(int status, const struct model_api_object *o)
{
        return (struct model_api_answer){.status = status, .body = print(o->json)};
}

static struct model_api_answer list(struct model_api *api, enum model_api_kind kind)
{
        cJSON *body CLEANUP_CJSON = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(body, "items");
        cJSON *metadata = cJSON_AddObjectToObject(body, "metadata");
        char version[24];
        struct model_api_object *o;

        (void)snprintf(version, sizeof(version), "%" PRIu64, api->version);
        cJSON_AddStringToObject(metadata, "resourceVersion", version);
        DL_FOREACH (api->objects[kind], o) {
                cJSON_AddItemReferenceToArray(items, o->json);
        }
        return (struct model_api_answer){.status = 200, .body = print(body)};
}

/* NodeRestriction: a mirror of this node, owned by the Node as it is now. */
static const char *forbidden(struct model_api *api, const cJSON *pod)
{
        const struct model_api_object *node = model_api_find(api, API_NODES, NODE_NAME);
        const cJSON *owners = cjson_get(pod, "metadata", "ownerReferences", NULL);
        const char *owner = cjson_text(cJSON_GetArrayItem(owners, 0), "uid", "");

        if (!cjson_get(pod, "metadata", "annotations", "kubernetes.io/config.mirror", NULL))
                return "pod does not have the mirror annotation, node can only create mirror pods";
        if (!str_eq(cjson_text(cjson_get(pod, "spec", NULL), "nodeName", ""), NODE_NAME))
                return "node can only create pods with spec.nodeName set to itself";
        if (!node || !str_eq(owner, cjson_text(cjson_get(node->json, "metadata", NULL), "uid", "")))
                return "pod with an owner reference of another UID than the node's";
        return api->faults.quota ? "exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0" : NULL;
}

static struct model_api_answer create(struct model_api *api, enum model_api_kind kind, cJSON *body, const char *name)
{
        const char *why = kind == API_PODS ? forbidden(api, body) : NULL;

        if (kind == API_PODS && api->faults.no_namespace)
                return refuse(404, "namespaces \"default\" not found");
        if (kind == API_PODS && api->faults.webhook)
                return refuse(500, "failed calling webhook \"check.example\"");
        if (why) {
                api->met.forbidden++;
                return refuse(403, why);
        }
        if (model_api_find(api, kind, name))
                return refuse(409, "it already exists");
        if (kind == API_PODS) {
                cJSON_DeleteItemFromObjectCaseSensitive(body, "status");
                cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "status"), "phase", "Pending");
        }
        model_api_insert(api, kind, cJSON_Duplicate(body, true));
        return show(201, model_api_find(api, kind, name));
}

static struct model_api_answer patch(struct model_api *api, enum model_api_kind kind, struct model_api_object *o,
                                     const cJSON *body, bool status_only)
{
        const char *uid = cjson_text(cjson_get(body, "metadata", NULL), "uid", NULL);
        cJSON *before CLEANUP_CJSON = cJSON_Duplicate(o->json, true);

        if (uid && !str_eq(uid, cjson_text(cjson_get(o->json, "metadata", NULL), "uid", "")))
                return refuse(409, "Precondition failed: UID in precondition");
        if (status_only && !cjson_get(o->json, "status", NULL))
                cJSON_AddObjectToObject(o->json, "status");
        if (status_only)
                model_api_merge(cjson_get(o->json, "status", NULL), cjson_get(body, "status", NULL));
        else
                model_api_merge(o->json, body);
        if (!cJSON_Compare(before, o->json, true))
                model_api_touch(api, kind, o);
        if (kind == API_PODS)
                api->hooks.status_set(api->hooks.userdata, o->json);
        return show(200, o);
}

static struct model_api_answer delete (struct model_api *api, enum model_api_kind kind, struct model_api_object *o,
                                       const cJSON *body)
{
        const char *uid = cjson_text(cjson_get(body, "preconditions", NULL), "uid", NULL);
        struct model_api_answer answer;

        if (uid && !str_eq(uid, cjson_text(cjson_get(o->json, "metadata", NULL), "uid", "")))
                return refuse(409, "Precondition failed: UID in precondition");
        answer = show(200, o);
        model_api_remove(api, kind, o);
        return answer;
}

/* Events are only names here; they expire. */
static struct model_api_answer event(struct model_api *api, const char *method, const char *name)
{
        bool known = false;

        for (size_t i = 0; i < api->event_count; i++)
                known |= str_eq(api->events[i], name);
        if (str_eq(method, "PATCH") && (!known || rng_chance(api->rng, 50)))
                return refuse(404, "events not found");
        if (str_eq(method, "POST") && api->faults.no_namespace)
                return refuse(404, "namespaces \"default\" not found");
        if (str_eq(method, "POST") && !known && api->event_count < EVENTS_MAX)
                api->events[api->event_count++] = xstrdup(name);
        return (struct model_api_answer){.status = str_eq(method, "POST") ? 201 : 200, .body = xstrdup("{}")};
}

static const struct {
        const char *path;
        enum model_api_kind kind;
} collections[] = {
        {"/api/v1/namespaces/default/pods", API_PODS},
        {"/api/v1/pods", API_PODS},
        {"/api/v1/nodes", API_NODES},
        {"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", API_LEASES},
};

static struct model_api_answer one(struct model_api *api, enum model_api_kind kind, const char *method,
                                   const char *rest, const cJSON *body)
{
        size_t len = strcspn(rest, "/");
        char *name CLEANUP_FREE = xasprintf("%s%.*s", is_namespaced(kind) ? "default/" : "", (int)len, rest);
        struct model_api_object *o = model_api_find(api, kind, name);

        if (!o)
                return refuse(404, "not found");
        if (str_eq(method, "PATCH"))
                return patch(api, kind, o, body, str_eq(rest + len, "/status"));
        if (str_eq(method, "DELETE"))
                return delete (api, kind, o, body);
        return show(200, o);
}

static struct model_api_answer route(struct model_api *api, const char *method, const char *path, cJSON *body)
{
        const char *rest = str_after(path, "/api/v1/namespaces/default/events");
        const cJSON *metadata = cjson_get(body, "metadata", NULL);

        if (str_eq(path, "/readyz"))
                return (struct model_api_answer){.status = 200, .body = xstrdup("ok")};
        if (rest)
                return event(api, method, *rest ? rest + 1 : cjson_text(metadata, "name", ""));
        for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
                enum model_api_kind kind = collections[i].kind;

                rest = str_after(path, collections[i].path);
                if (!rest || (*rest && *rest != '/'))
                        continue;
                if (*rest)
                        return one(api, kind, method, rest + 1, body);
                if (str_eq(method, "GET"))
                        return list(api, kind);
                char *name CLEANUP_FREE =
                        xasprintf("%s%s", is_namespaced(kind) ? "default/" : "", cjson_text(metadata, "name", ""));
                return create(api, kind, body, name);
        }
        return refuse(404, "the server could not find the requested resource");
}

struct model_api_answer model_api_request(struct model_api *api, const char *method, const char *path, const char *body)
{
        cJSON *json CLEANUP_CJSON = body ? cJSON_Parse(body) : NULL;
        char *plain CLEANUP_FREE = xstrndup(path, strcspn(path, "?"));
        struct model_api_answer answer;

        if (rng_chance(api->rng, api->faults.refused)) {
                api->met.refused++;
                answer = rng_chance(api->rng, 500) ? refuse(500, "etcdserver: request timed out")
                                                   : refuse(429, "too many requests, please try again later");
        } else {
                answer = route(api, method, plain, json);
        }
        api->hooks.answered(api->hooks.userdata, method, plain,
                            str_eq(method, "POST") ? cjson_text(cjson_get(json, "metadata", NULL), "name", "") : "",
                            answer.status);
        return answer;
}

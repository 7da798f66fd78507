/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "model_api.h"
#include "sim_loop.h"
#include "world_api.h"
#include "world_private.h"

#define MIRROR "kubernetes.io/config.mirror"
#define BY_HAND "another" /* a hash that somebody wrote, which podwatch may not have seen yet */
#define PACE_MSEC 15000
#define BRIEF_PACE_MSEC 5000
/* In any minute: what the worst weather may bring, and refusals of one request, whose pauses double from 1 s (of an
 * event's, which is another each time: none). A loop that tries each second is beyond. */
#define MINUTE (60 * USEC_PER_SEC)
#define REQUESTS_MAX 400
/* Lists, the Node and its Lease: podwatch may be killed and started twenty times a minute. */
#define REQUESTS_OF_START 10
#define REFUSALS_MAX 30
#define EVENTS_WAITING_MAX 500
#define ROWS 64

struct refusals {
        char what[192];
        unsigned count;
};

struct world_api {
        struct world *w;
        struct rng rng;
        struct model_api *model;
        struct loop_source *timer;
        bool calm;
        usec_t minute; /* since when is counted */
        uint64_t requests;
        struct refusals refusals[ROWS];
        unsigned strays;
};

void world_api_anew(struct world_api *api, const char *key)
{
        if (!key) {
                memset(api->refusals, 0, sizeof(api->refusals));
                api->requests += REQUESTS_OF_START;
        }
        for (size_t i = 0; key && i < ROWS; i++)
                if (strstr(api->refusals[i].what, strchr(key, '/') + 1))
                        api->refusals[i].count = 0;
}

/* --- what must hold at each request ----------------------------------------------------------------------------- */

static void next_minute(struct world_api *api)
{
        usec_t now = sim_loop_elapsed(api->w->loop);

        if (now < api->minute + MINUTE)
                return;
        api->minute = now;
        world_api_anew(api, NULL);
        api->requests = model_api_met(api->model)->requests;
}

static struct refusals *refusals_of(struct world_api *api, const char *method, const char *path, const char *name)
{
        char what[sizeof(api->refusals->what)];

        (void)snprintf(what, sizeof(what), "%s %s %s", method, path, name);
        for (size_t i = 0; i < ROWS; i++) {
                struct refusals *r = &api->refusals[i];

                if (!r->what[0])
                        memcpy(r->what, what, sizeof(what));
                if (str_eq(r->what, what))
                        return r;
        }
        return NULL;
}

static void answered(void *userdata, const char *method, const char *path, const char *name, int status)
{
        struct world_api *api = userdata;
        struct refusals *r;

        world_say(api->w, "      %s %s %s: %d", method, path, name, status);
        next_minute(api);
        if (model_api_met(api->model)->requests > api->requests + REQUESTS_MAX)
                world_problem(api->w, "more than %d requests to the API server in a minute", REQUESTS_MAX);
        if (api->w->node && sim_node_events_waiting(api->w->node) > EVENTS_WAITING_MAX)
                world_problem(api->w, "%zu events wait", sim_node_events_waiting(api->w->node));
        if ((status > 0 && status < 400) || strstr(path, "/events"))
                return;
        r = refusals_of(api, method, path, name);
        if (r && ++r->count > REFUSALS_MAX)
                world_problem(api->w, "%s %s %s is tried again and again: %d", method, path, name, status);
}

static const char *mirror_uid(const struct cJSON *pod)
{
        return cjson_text(cjson_get(pod, "metadata", "annotations", NULL), MIRROR, "");
}

/* The containers that a status tells of are those of the pod whose mirror it stands on. */
static void check_statuses(struct world_api *api, const struct cJSON *pod, const char *list)
{
        const struct cJSON *status;

        cJSON_ArrayForEach (status, cjson_get(pod, "status", list, NULL)) {
                const char *id = str_after(cjson_text(status, "containerID", ""), "docker://");
                const struct model_container *c = id ? model_find(api->w->model, id) : NULL;

                if (c && !str_eq(c->uid, mirror_uid(pod)) && !str_eq(mirror_uid(pod), BY_HAND))
                        world_problem(api->w, "the status of %s stands on the mirror of %s", c->uid, mirror_uid(pod));
        }
}

static void status_set(void *userdata, const struct cJSON *pod)
{
        struct world_api *api = userdata;

        if (!mirror_uid(pod)[0])
                world_problem(api->w, "the status of a pod that is no mirror was set");
        check_statuses(api, pod, "containerStatuses");
        check_statuses(api, pod, "initContainerStatuses");
}

/* --- what happens ----------------------------------------------------------------------------------------------- */

static struct model_api_object *some_pod(struct world_api *api)
{
        struct model_api_object *o, *found = NULL;
        unsigned n = 0;

        for (o = model_api_objects(api->model, API_PODS); o; o = o->next)
                if (rng_below(&api->rng, ++n) == 0)
                        found = o;
        return found;
}

static void delete_mirror(struct world_api *api)
{
        struct model_api_object *o = some_pod(api);

        if (!o)
                return;
        world_say(api->w, "--- somebody deletes the mirror %s", o->name);
        if (rng_chance(&api->rng, 500)) {
                model_api_remove(api->model, API_PODS, o);
        } else if (!cjson_get(o->json, "metadata", "deletionTimestamp", NULL)) {
                cJSON_AddStringToObject(cjson_get(o->json, "metadata", NULL), "deletionTimestamp",
                                        "2026-01-01T00:00:00Z");
                model_api_touch(api->model, API_PODS, o);
        }
}

static void change_mirror(struct world_api *api)
{
        struct model_api_object *o = some_pod(api);
        cJSON *annotations = o ? cjson_get(o->json, "metadata", "annotations", NULL) : NULL, *status;

        if (!annotations)
                return;
        world_say(api->w, "--- somebody changes the mirror %s", o->name);
        switch (rng_below(&api->rng, 3)) {
        case 0:
                cJSON_DeleteItemFromObjectCaseSensitive(annotations, MIRROR);
                cJSON_AddStringToObject(annotations, MIRROR, BY_HAND);
                break;
        case 1: /* as the node controller */
                cJSON_ArrayForEach (status, cjson_get(o->json, "status", "conditions", NULL)) {
                        if (str_eq(cjson_text(status, "type", ""), "Ready"))
                                cJSON_SetValuestring(cjson_get(status, "status", NULL), "No");
                }
                break;
        default:
                status = cjson_get(o->json, "status", NULL);
                cJSON_DeleteItemFromObjectCaseSensitive(status, "phase");
                cJSON_AddStringToObject(status, "phase", "Unknown");
                break;
        }
        model_api_touch(api->model, API_PODS, o);
}

static cJSON *stray(const char *name, bool mirror)
{
        cJSON *pod = cJSON_CreateObject(), *metadata = cJSON_AddObjectToObject(pod, "metadata");

        cJSON_AddStringToObject(metadata, "name", name);
        cJSON_AddStringToObject(metadata, "namespace", "default");
        cJSON *annotations = cJSON_AddObjectToObject(metadata, "annotations");
        if (mirror)
                cJSON_AddStringToObject(annotations, MIRROR, "stray");
        cJSON_AddStringToObject(cJSON_AddObjectToObject(pod, "spec"), "nodeName", "node");
        return pod;
}

/* A mirror of no pod, or a pod that is no mirror under the name of one. */
static void insert_stray(struct world_api *api)
{
        bool mirror = rng_chance(&api->rng, 600);
        char name[32], key[64];

        if (mirror && rng_chance(&api->rng, 500))
                (void)snprintf(name, sizeof(name), "stray%u", api->strays++);
        else
                (void)snprintf(name, sizeof(name), "pod%u", (unsigned)rng_below(&api->rng, WORLD_PODS_MAX));
        (void)snprintf(key, sizeof(key), "default/%s", name);
        if (model_api_find(api->model, API_PODS, key))
                return;
        world_say(api->w, "--- somebody creates %s%s", name, mirror ? " as a mirror" : "");
        model_api_insert(api->model, API_PODS, stray(name, mirror));
}

static void delete_node(struct world_api *api)
{
        struct model_api_object *o = model_api_objects(api->model, API_NODES);

        if (!o)
                return;
        world_say(api->w, "--- somebody deletes the Node");
        model_api_remove(api->model, API_NODES, o);
        o = model_api_objects(api->model, API_LEASES);
        if (o && rng_chance(&api->rng, 500))
                model_api_remove(api->model, API_LEASES, o);
}

static void change_node(struct world_api *api)
{
        struct model_api_object *o = model_api_objects(api->model, API_NODES);
        cJSON *spec = o ? cjson_get(o->json, "spec", NULL) : NULL;

        if (!spec)
                return;
        cJSON_DeleteItemFromObjectCaseSensitive(spec, "unschedulable");
        cJSON_DeleteItemFromObjectCaseSensitive(o->json, "status");
        model_api_touch(api->model, API_NODES, o);
}

static void hands(struct world_api *api)
{
        static void (*const table[])(struct world_api *) = {delete_mirror, delete_mirror, change_mirror, change_mirror,
                                                            insert_stray,  delete_node,   change_node};

        model_api_met(api->model)->hands++;
        table[rng_below(&api->rng, ARRAY_SIZE(table))](api);
}

static void back(void *userdata)
{
        struct world_api *api = userdata;

        api->timer = NULL;
        world_say(api->w, "--- the API server is back");
        model_api_up(api->model);
}

static void outage(struct world_api *api)
{
        world_say(api->w, "--- the API server goes away");
        model_api_down(api->model, rng_chance(&api->rng, 300));
        switch (rng_below(&api->rng, 8)) {
        case 0:
                world_say(api->w, "--- with its etcd");
                model_api_wipe(api->model);
                break;
        case 1:
                world_say(api->w, "--- and comes back with an etcd of before");
                model_api_restore(api->model);
                break;
        case 2:
                model_api_compact(api->model);
                break;
        default:
                break;
        }
}

static unsigned some_chance(struct rng *rng)
{
        static const unsigned chances[] = {0, 0, 0, 0, 5, 20, 100, 300};

        return chances[rng_below(rng, ARRAY_SIZE(chances))];
}

static void weather(struct world_api *api)
{
        struct rng *rng = &api->rng;

        *model_api_faults(api->model) = (struct model_api_faults){
                .lost_request = some_chance(rng),
                .lost_answer = some_chance(rng),
                .hangs = some_chance(rng),
                .refused = some_chance(rng),
                .slow = some_chance(rng),
                .cut_watch = some_chance(rng),
                .lost_event = some_chance(rng),
                .double_event = some_chance(rng),
                .late_event = some_chance(rng),
                .swapped_event = some_chance(rng),
                .quota = rng_chance(rng, 150),
                .no_namespace = rng_chance(rng, 100),
                .webhook = rng_chance(rng, 100),
        };
        if (rng_chance(rng, 300))
                *model_api_faults(api->model) = (struct model_api_faults){0};
}

static void next(struct world_api *api);

static void on_turn(void *userdata)
{
        struct world_api *api = userdata;

        api->timer = NULL;
        if (api->calm)
                return;
        if (!model_api_is_up(api->model))
                back(api);
        else
                switch (rng_below(&api->rng, 10)) {
                case 0:
                        outage(api);
                        break;
                case 1:
                case 2:
                        weather(api);
                        break;
                case 3:
                        model_api_snapshot(api->model);
                        break;
                case 4:
                        model_api_compact(api->model);
                        break;
                default:
                        hands(api);
                        break;
                }
        next(api);
}

static void next(struct world_api *api)
{
        unsigned pace = api->w->options->brief ? BRIEF_PACE_MSEC : PACE_MSEC;

        api->timer = sim_after(api->w->loop, rng_between(&api->rng, 0, pace) * USEC_PER_MSEC, on_turn, api);
}

/* --- the calm --------------------------------------------------------------------------------------------------- */

static bool is_ours(const struct world_api *api, const char *name)
{
        for (unsigned i = 0; i < api->w->pod_count; i++)
                if (str_eq(api->w->pods[i].key, name))
                        return true;
        return false;
}

void world_api_calm(struct world_api *api)
{
        struct model_api_object *o, *after;

        api->calm = true;
        api->timer = loop_source_free(api->timer);
        *model_api_faults(api->model) = (struct model_api_faults){0};
        model_api_up(api->model);
        /* Who has made them takes them away. */
        for (o = model_api_objects(api->model, API_PODS); o; o = after) {
                after = o->next;
                if (!mirror_uid(o->json)[0])
                        model_api_remove(api->model, API_PODS, o);
        }
}

static const struct cJSON *container_status(const struct cJSON *pod, const struct pod_container *spec)
{
        const struct cJSON *status;

        cJSON_ArrayForEach (
                status, cjson_get(pod, "status", spec->init ? "initContainerStatuses" : "containerStatuses", NULL)) {
                if (str_eq(cjson_text(status, "name", ""), spec->name))
                        return status;
        }
        return NULL;
}

static const struct model_container *newest(const struct world *w, const struct pod *pod, const char *name)
{
        const struct model_container *c, *found = NULL;

        for (c = model_containers(w->model); c; c = c->next)
                if (str_eq(c->uid, pod->uid) && str_eq(c->hash, pod->spec_hash) && str_eq(c->container, name) &&
                    (!found || c->attempt > found->attempt))
                        found = c;
        return found;
}

static void check_container(struct world_api *api, const struct cJSON *mirror, const struct pod *pod,
                            const struct pod_container *spec)
{
        const struct model_container *c = newest(api->w, pod, spec->name);
        const struct cJSON *status = container_status(mirror, spec);
        const char *id = str_after(cjson_text(status, "containerID", ""), "docker://");
        const char *state = !c ? "waiting" : c->state == DOCKER_STATE_RUNNING ? "running" : "terminated";

        if (!c || c->state == DOCKER_STATE_CREATED)
                return;
        /* What has ended and was removed by somebody is still shown; the one before it is not the newest then. */
        if (c->state != DOCKER_STATE_RUNNING && api->w->removed)
                return;
        if (!str_eq(id, c->id))
                world_problem(api->w, "the mirror of %s shows %s instead of %s", pod->name, id ? id : "nothing",
                              c->name);
        else if (!cjson_get(status, "state", state, NULL) && (!spec->init || spec->sidecar))
                world_problem(api->w, "the mirror of %s does not show that %s is %s", pod->name, c->name, state);
}

static void check_mirror(struct world_api *api, const struct world_pod *p)
{
        const struct model_api_object *o = model_api_find(api->model, API_PODS, p->key);
        const struct model_api_object *node = model_api_objects(api->model, API_NODES);
        const struct pod *pod = p->wanted->pod;
        bool finished = world_may_complete(p->wanted);
        const struct cJSON *owner;

        if (!o) {
                if (!finished) /* one that has ended is not made again */
                        world_problem(api->w, "%s has no mirror", p->key);
                return;
        }
        owner = cJSON_GetArrayItem(cjson_get(o->json, "metadata", "ownerReferences", NULL), 0);
        if (!str_eq(mirror_uid(o->json), pod->uid))
                world_problem(api->w, "the mirror of %s is that of %s", p->key, mirror_uid(o->json));
        if (cjson_get(o->json, "metadata", "deletionTimestamp", NULL))
                world_problem(api->w, "the mirror of %s stays deleted", p->key);
        if (!node ||
            !str_eq(cjson_text(owner, "uid", ""), cjson_text(cjson_get(node->json, "metadata", NULL), "uid", "?")))
                world_problem(api->w, "the mirror of %s belongs to another Node", p->key);
        for (size_t i = 0; i < pod->container_count; i++)
                check_container(api, o->json, pod, &pod->containers[i]);
        if (!finished && !str_eq(cjson_text(cjson_get(o->json, "status", NULL), "phase", ""), "Running"))
                world_problem(api->w, "the mirror of %s is %s", p->key,
                              cjson_text(cjson_get(o->json, "status", NULL), "phase", "without a phase"));
}

static void check_node(struct world_api *api)
{
        const struct model_api_object *node = model_api_objects(api->model, API_NODES);
        const struct cJSON *condition;
        bool ready = false;

        if (!node) {
                world_problem(api->w, "the Node is not registered");
                return;
        }
        cJSON_ArrayForEach (condition, cjson_get(node->json, "status", "conditions", NULL)) {
                if (str_eq(cjson_text(condition, "type", ""), "Ready"))
                        ready = str_eq(cjson_text(condition, "status", ""), "True");
        }
        if (!ready)
                world_problem(api->w, "the Node is not Ready");
        if (!cjson_bool(cjson_get(node->json, "spec", NULL), "unschedulable"))
                world_problem(api->w, "the Node is schedulable");
        if (!model_api_objects(api->model, API_LEASES))
                world_problem(api->w, "the Node has no Lease");
}

void world_api_check(struct world_api *api)
{
        const struct model_api_object *o;

        for (unsigned i = 0; i < api->w->pod_count; i++)
                if (world_waits(api->w, &api->w->pods[i]))
                        continue; /* its mirror is Pending, or that of the version before */
                else if (api->w->pods[i].wanted)
                        check_mirror(api, &api->w->pods[i]);
                else if (model_api_find(api->model, API_PODS, api->w->pods[i].key))
                        world_problem(api->w, "%s is not wanted and has a mirror", api->w->pods[i].key);
        for (o = model_api_objects(api->model, API_PODS); o; o = o->next)
                if (!is_ours(api, o->name))
                        world_problem(api->w, "%s is the mirror of no pod", o->name);
        check_node(api);
}

const struct model_api_met *world_api_met(const struct world_api *api)
{
        return model_api_met(api->model);
}

/* --- birth and end ---------------------------------------------------------------------------------------------- */

struct world_api *world_api_new(struct world *w, uint64_t seed)
{
        struct world_api *api = xcalloc(1, sizeof(*api));
        const struct model_api_hooks hooks = {.answered = answered, .status_set = status_set, .userdata = api};

        api->w = w;
        api->rng.state = ~seed;
        api->model = model_api_new(w->loop, &api->rng, &hooks);
        model_api_set(api->model);
        next(api);
        return api;
}

struct world_api *world_api_free(struct world_api *api)
{
        if (!api)
                return NULL;
        model_api_set(NULL);
        api->timer = loop_source_free(api->timer);
        model_api_free(api->model);
        free(api);
        return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Registration and heartbeat. What the API server has is known by a watch of the one object; each look compares it with
 * the facts and does the next thing: make it, hold it unschedulable, patch its status. So a deletion, a hand edit or
 * the node controller's "Unknown" are all the same path.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/lease.h"
#include "api/node.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/loop.h"

#define HEARTBEAT (10 * USEC_PER_SEC)
#define REPORT (300 * USEC_PER_SEC)
#define LEASE_SECONDS 40
#define RETRY_FIRST (200 * USEC_PER_MSEC)
#define RETRY_MAX (7 * USEC_PER_SEC)

struct node_object {
        struct loop *loop;
        struct api_client *client;
        struct node_options options;
        char *node_name, *pod_cidr;
        node_facts_fn facts;
        node_registered_fn registered;
        void *userdata;
        struct api_watch *watch;
        struct lease *lease;
        struct loop_source *heartbeat, *retry, *defer;
        struct api_call *call;
        struct cJSON *observed; /* the Node as the API server has it, NULL: none */
        bool listed, seen;      /* a list was read; the object was in the one being read */
        char *uid;              /* as told to `registered` */
        usec_t reported;        /* CLOCK_BOOTTIME of the last status patch */
        usec_t pause, retry_at;
        char reason[1024];
};

static void look_again(struct node_object *node)
{
        loop_defer_schedule(node->defer);
}

static void tell_uid(struct node_object *node)
{
        const char *uid = node->observed && !cjson_get(node->observed, "metadata", "deletionTimestamp", NULL)
                                  ? cjson_text(cjson_get(node->observed, "metadata", NULL), "uid", NULL)
                                  : NULL;

        if (str_eq(uid, node->uid))
                return;
        free(node->uid);
        node->uid = uid ? xstrdup(uid) : NULL;
        if (uid)
                lease_renew(node->lease, node->uid, loop_now_realtime(node->loop));
        node->registered(node->userdata, node->uid);
}

static void take_observed(struct node_object *node, const struct cJSON *object)
{
        cJSON_Delete(node->observed);
        node->observed = object ? cJSON_Duplicate(object, true) : NULL;
        cJSON_DeleteItemFromObjectCaseSensitive(cjson_get(node->observed, "metadata", NULL), "managedFields");
        tell_uid(node);
}

static void try_later(struct node_object *node, const struct err *err)
{
        str_copy(node->reason, sizeof(node->reason), err->msg);
        log_debug("node: %s", err->msg);
        node->retry_at = usec_add(loop_now(node->loop), node->pause);
        node->pause = node->pause * 2 < RETRY_MAX ? node->pause * 2 : RETRY_MAX;
        loop_timer_set(node->retry, node->retry_at);
}

static void call_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct node_object *node = userdata;

        node->call = NULL;
        if (!err) {
                node->reason[0] = '\0';
                node->pause = RETRY_FIRST;
                node->retry_at = 0;
                take_observed(node, body);
                look_again(node);
                return;
        }
        (void)status;
        try_later(node, err);
}

static void start_call(struct node_object *node, const char *method, const char *path, const struct cJSON *body)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct err err = ERR_INIT;

        cjson_write(body, &text);
        if (buf_check(&text, "the Node as JSON", &err) < 0) {
                try_later(node, &err);
                return;
        }
        node->call =
                api_client_request(node->client, method, API_PATCH_STRATEGIC, path, buf_str(&text), call_done, node);
}

/* Same in everything but the time of the heartbeat. */
static bool conditions_same(const struct cJSON *wanted, const struct cJSON *shown)
{
        const struct cJSON *condition, *other;

        cJSON_ArrayForEach (condition, wanted) {
                bool found = false;
                cJSON_ArrayForEach (other, shown) {
                        if (!str_eq(cjson_text(condition, "type", ""), cjson_text(other, "type", "")))
                                continue;
                        found = str_eq(cjson_text(condition, "status", ""), cjson_text(other, "status", "")) &&
                                str_eq(cjson_text(condition, "reason", ""), cjson_text(other, "reason", "")) &&
                                str_eq(cjson_text(condition, "message", ""), cjson_text(other, "message", ""));
                }
                if (!found)
                        return false;
        }
        return true;
}

static struct cJSON *status_patch(struct node_object *node, const struct node_facts *facts, bool full)
{
        const struct cJSON *shown = cjson_get(node->observed, "status", NULL), *member;
        struct cJSON *wanted CLEANUP_CJSON = node_status(facts, shown, loop_now_realtime(node->loop));
        struct cJSON *status = cJSON_CreateObject();

        cJSON_ArrayForEach (member, wanted) {
                const struct cJSON *other = cJSON_GetObjectItemCaseSensitive(shown, member->string);
                bool same = str_eq(member->string, "conditions") ? !full && conditions_same(member, other)
                                                                 : cjson_same(member, other);
                if (same)
                        continue;
                struct cJSON *copy = cJSON_Duplicate(member, true);
                if (str_eq(member->string, "addresses")) {
                        struct cJSON *directive = cJSON_CreateObject();
                        cJSON_AddStringToObject(directive, "$patch", "replace");
                        cJSON_InsertItemInArray(copy, 0, directive);
                }
                cJSON_AddItemToObject(status, member->string, copy);
        }
        if (!status->child) {
                cJSON_Delete(status);
                return NULL;
        }
        struct cJSON *patch = cJSON_CreateObject();
        cJSON_AddItemToObject(patch, "status", status);
        return patch;
}

static struct cJSON *spec_patch(const struct node_object *node, const struct node_facts *facts)
{
        if (!facts->unschedulable || cjson_bool(cjson_get(node->observed, "spec", NULL), "unschedulable"))
                return NULL;
        struct cJSON *patch = cJSON_CreateObject();
        cJSON_AddTrueToObject(cJSON_AddObjectToObject(patch, "spec"), "unschedulable");
        return patch;
}

static void update(struct node_object *node, const struct node_facts *facts)
{
        usec_t now = loop_now(node->loop);
        struct cJSON *patch CLEANUP_CJSON = spec_patch(node, facts);

        if (patch) {
                char *path CLEANUP_FREE = xasprintf("/api/v1/nodes/%s", node->node_name);
                start_call(node, "PATCH", path, patch);
                return;
        }
        patch = status_patch(node, facts, usec_sub(now, node->reported) >= node->options.report_interval);
        if (!patch)
                return;
        char *path CLEANUP_FREE = xasprintf("/api/v1/nodes/%s/status", node->node_name);
        node->reported = now;
        start_call(node, "PATCH", path, patch);
}

static void work(void *userdata)
{
        struct node_object *node = userdata;
        struct node_facts facts = {0};

        if (!api_client_up(node->client) || !node->listed || node->call || node->retry_at > loop_now(node->loop))
                return;
        node->facts(node->userdata, &facts);
        if (node->observed) {
                if (node->uid)
                        update(node, &facts);
                return;
        }
        if (node->options.unregistered) {
                str_copy(node->reason, sizeof(node->reason), "waits for the Node: registerNode is false");
                return;
        }
        struct cJSON *body CLEANUP_CJSON = node_body(&node->options, &facts, loop_now_realtime(node->loop));
        node->reported = loop_now(node->loop);
        start_call(node, "POST", "/api/v1/nodes", body);
}

static void heartbeat(void *userdata, usec_t now)
{
        struct node_object *node = userdata;

        loop_timer_set(node->heartbeat, usec_add(now, node->options.status_interval));
        if (node->uid)
                lease_renew(node->lease, node->uid, loop_now_realtime(node->loop));
        work(node);
}

static void retry(void *userdata, usec_t now)
{
        (void)now;
        work(userdata);
}

static void watch_listing(void *userdata)
{
        ((struct node_object *)userdata)->seen = false;
}

static void watch_object(void *userdata, const struct cJSON *object)
{
        struct node_object *node = userdata;

        node->seen = true;
        if (!node->observed)
                node->reason[0] = '\0';
        take_observed(node, object);
        look_again(node);
}

static void watch_deleted(void *userdata, const struct cJSON *object)
{
        struct node_object *node = userdata;

        (void)object;
        take_observed(node, NULL);
        node->retry_at = 0;
        look_again(node);
}

static void watch_listed(void *userdata)
{
        struct node_object *node = userdata;

        if (!node->seen)
                take_observed(node, NULL);
        node->listed = true;
        look_again(node);
}

static void link_changed(void *userdata, bool up)
{
        struct node_object *node = userdata;

        node->listed = false;
        node->retry_at = 0;
        node->pause = RETRY_FIRST;
        loop_timer_set(node->retry, USEC_INFINITY);
        /* Without a server there is nothing to beat for: an idle podwatch does not wake. */
        loop_timer_set(node->heartbeat, up ? loop_now(node->loop) : USEC_INFINITY);
}

struct node_object *node_new(struct loop *loop, struct api_client *client, const struct node_options *options,
                             node_facts_fn facts, node_registered_fn registered, void *userdata)
{
        static const struct api_watch_handlers handlers = {
                .listing = watch_listing,
                .object = watch_object,
                .deleted = watch_deleted,
                .listed = watch_listed,
        };
        char *path CLEANUP_FREE = xasprintf("/api/v1/nodes?fieldSelector=metadata.name%%3D%s", options->node_name);
        struct node_object *node = xcalloc(1, sizeof(*node));

        node->loop = loop;
        node->client = client;
        node->options = *options;
        node->options.node_name = node->node_name = xstrdup(options->node_name);
        node->options.pod_cidr = node->pod_cidr = xstrdup(options->pod_cidr ? options->pod_cidr : "");
        if (node->options.status_interval == 0)
                node->options.status_interval = HEARTBEAT;
        if (node->options.report_interval == 0)
                node->options.report_interval = REPORT;
        node->facts = facts;
        node->registered = registered;
        node->userdata = userdata;
        node->pause = RETRY_FIRST;
        node->lease =
                lease_new(client, node->node_name, options->lease_seconds ? options->lease_seconds : LEASE_SECONDS);
        node->heartbeat = loop_timer_new(loop, "node heartbeat", heartbeat, node);
        node->retry = loop_timer_new(loop, "node retry", retry, node);
        node->defer = loop_defer_new(loop, "node work", work, node);
        api_client_subscribe(client, link_changed, node);
        if (api_client_up(client))
                link_changed(node, true);
        node->watch = api_watch_new(client, path, &handlers, node);
        return node;
}

struct node_object *node_free(struct node_object *node)
{
        if (!node)
                return NULL;
        api_client_unsubscribe(node->client, link_changed, node);
        api_watch_free(node->watch);
        if (node->call)
                api_call_cancel(node->call);
        lease_free(node->lease);
        loop_source_free(node->heartbeat);
        loop_source_free(node->retry);
        loop_source_free(node->defer);
        cJSON_Delete(node->observed);
        free(node->uid);
        free(node->node_name);
        free(node->pod_cidr);
        free(node);
        return NULL;
}

void node_changed(struct node_object *node)
{
        look_again(node);
}

const char *node_reason(const struct node_object *node)
{
        return node->reason;
}

usec_t node_lease_renewed(const struct node_object *node)
{
        return lease_renewed(node->lease);
}

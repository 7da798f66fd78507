/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/client.h"
#include "api/lease.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"

#define COLLECTION "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

struct lease {
        struct api_client *client;
        char *node_name;
        int seconds;
        bool exists;    /* as far as known: renew by PATCH, else make it */
        char *node_uid; /* of the last renew: the owner of a lease that must be made */
        struct api_call *call;
        usec_t sent, renewed;
};

struct lease *lease_new(struct api_client *client, const char *node_name, int seconds)
{
        struct lease *lease = xcalloc(1, sizeof(*lease));

        lease->client = client;
        lease->node_name = xstrdup(node_name);
        lease->seconds = seconds;
        lease->exists = true;
        return lease;
}

struct lease *lease_free(struct lease *lease)
{
        if (!lease)
                return NULL;
        if (lease->call)
                api_call_cancel(lease->call);
        free(lease->node_name);
        free(lease->node_uid);
        free(lease);
        return NULL;
}

static void call_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct lease *lease = userdata;

        (void)body;
        lease->call = NULL;
        if (!err) {
                lease->exists = true;
                lease->renewed = lease->sent;
                return;
        }
        log_debug("lease: %s", err->msg);
        /* Only once: a namespace that is not there yet (404 again) waits for the next heartbeat. */
        bool make = status == 404 && lease->exists;
        lease->exists = status == 409 || (lease->exists && status != 404);
        if (make) {
                char *uid CLEANUP_FREE = xstrdup(lease->node_uid);
                lease_renew(lease, uid, lease->sent);
        }
}

static void add_spec(struct cJSON *body, const struct lease *lease, usec_t now_wall)
{
        struct cJSON *spec = cJSON_AddObjectToObject(body, "spec");
        char time[TIMEFMT_MAX];

        timefmt_micro(now_wall, time);
        cJSON_AddStringToObject(spec, "holderIdentity", lease->node_name);
        cJSON_AddNumberToObject(spec, "leaseDurationSeconds", lease->seconds);
        cJSON_AddStringToObject(spec, "renewTime", time);
}

static void add_owner(struct cJSON *metadata, const struct lease *lease, const char *node_uid)
{
        struct cJSON *owner = cJSON_CreateObject();

        cJSON_AddStringToObject(owner, "apiVersion", "v1");
        cJSON_AddStringToObject(owner, "kind", "Node");
        cJSON_AddStringToObject(owner, "name", lease->node_name);
        cJSON_AddStringToObject(owner, "uid", node_uid);
        cJSON_AddItemToArray(cJSON_AddArrayToObject(metadata, "ownerReferences"), owner);
}

static void start_call(struct lease *lease, const char *method, const char *path, const struct cJSON *body)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_LOCAL_REQUEST);
        struct err err = ERR_INIT;

        cjson_write(body, &text);
        if (buf_check(&text, "the Lease as JSON", &err) < 0) {
                log_debug("lease: %s", err.msg); /* the next heartbeat tries again */
                return;
        }
        lease->call =
                api_client_request(lease->client, method, API_PATCH_JSON_MERGE, path, buf_str(&text), call_done, lease);
}

void lease_renew(struct lease *lease, const char *node_uid, usec_t now_wall)
{
        struct cJSON *body CLEANUP_CJSON = cJSON_CreateObject();

        if (lease->call)
                return;
        free(lease->node_uid);
        lease->node_uid = xstrdup(node_uid);
        lease->sent = now_wall;
        if (lease->exists) {
                char *path CLEANUP_FREE = xasprintf("%s/%s", COLLECTION, lease->node_name);
                add_spec(body, lease, now_wall);
                start_call(lease, "PATCH", path, body);
                return;
        }
        cJSON_AddStringToObject(body, "apiVersion", "coordination.k8s.io/v1");
        cJSON_AddStringToObject(body, "kind", "Lease");
        struct cJSON *metadata = cJSON_AddObjectToObject(body, "metadata");
        cJSON_AddStringToObject(metadata, "name", lease->node_name);
        cJSON_AddStringToObject(metadata, "namespace", "kube-node-lease");
        add_owner(metadata, lease, node_uid);
        add_spec(body, lease, now_wall);
        start_call(lease, "POST", COLLECTION, body);
}

usec_t lease_renewed(const struct lease *lease)
{
        return lease->renewed;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "api/client.h"
#include "api/event.h"
#include "api/mirror.h"
#include "api/node.h"
#include "base/alloc.h"
#include "base/err.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/pod_status.h"
#include "node/pod_store.h"
#include "sim_api.h"

#define NODE_NAME "node"
#define NODE_IP "10.0.0.1"

struct sim_api {
        struct loop *loop;
        struct api_client *client;
        struct mirrors *mirrors;
        struct node_object *node;
        struct events *events;
        bool runtime;
};

static void give_facts(void *userdata, struct node_facts *facts)
{
        const struct sim_api *api = userdata;

        *facts = (struct node_facts){
                .internal_ip = NODE_IP,
                .hostname = NODE_NAME,
                .cpu_milli = 4000,
                .memory_bytes = 1 << 30,
                .allocatable_cpu_milli = 4000,
                .allocatable_memory_bytes = 1 << 30,
                .max_pods = 110,
                .machine_id = "machine",
                .system_uuid = "system",
                .boot_id = "boot",
                .kernel_version = "6.1",
                .os_image = "os",
                .runtime_version = "docker://20.10.24",
                .kubelet_version = "v1.36.0",
                .architecture = "amd64",
                .unschedulable = true,
                .not_ready = api->runtime ? "" : "waits for Docker",
        };
}

static void registered(void *userdata, const char *uid)
{
        struct sim_api *api = userdata;

        mirrors_set_node(api->mirrors, uid);
}

static void refused(void *userdata, const char *key, const char *message)
{
        (void)userdata;
        (void)key;
        (void)message;
}

struct sim_api *sim_api_new(struct loop *loop)
{
        static const struct api_client_options options = {.user_agent = "podwatch"};
        static const struct node_options node_options = {.node_name = NODE_NAME};
        static const struct api_credentials credentials = {.server = "https://api"};
        struct sim_api *api = xcalloc(1, sizeof(*api));
        struct err err = ERR_INIT;

        api->loop = loop;
        if (api_client_new(loop, &options, &api->client, &err) < 0)
                abort();
        api->mirrors = mirrors_new(loop, api->client, NODE_NAME, refused, api);
        api->node = node_new(loop, api->client, &node_options, give_facts, registered, api);
        api->events = events_new(loop, api->client, "kubelet", NODE_NAME);
        if (api_client_set_credentials(api->client, &credentials, &err) < 0)
                abort();
        return api;
}

struct sim_api *sim_api_free(struct sim_api *api)
{
        if (!api)
                return NULL;
        events_free(api->events);
        node_free(api->node);
        mirrors_free(api->mirrors);
        api_client_free(api->client);
        free(api);
        return NULL;
}

void sim_api_pod_release(struct sim_api_pod *pod)
{
        cJSON_Delete(pod->status);
        free(pod->version);
        *pod = (struct sim_api_pod){0};
}

void sim_api_publish(struct sim_api *api, const struct pod_entry *entry, struct sim_api_pod *kept)
{
        const struct pod_incarnation *inc = entry->view->current ? entry->view->current : entry->view->next;
        const struct pod_status_input in = {
                .view = entry->view,
                .incarnation = inc,
                .plan = &entry->plan,
                .previous = kept->status,
                .previous_version = kept->version,
                .host_ip = NODE_IP,
                .now_wall = loop_now_realtime(api->loop),
        };
        struct cJSON *made;
        char *text;

        if (!inc)
                return;
        made = pod_status(&in);
        sim_api_pod_release(kept);
        kept->status = made;
        kept->version = pod_status_version(inc->pod);
        text = cJSON_PrintUnformatted(made);
        /* An orphan has no mirror. */
        if (inc->revision > 0)
                (void)mirrors_set(api->mirrors, entry->view->key, inc->pod->json, text, !inc->terminal, NULL);
        cJSON_free(text);
}

void sim_api_gone(struct sim_api *api, const char *key)
{
        mirrors_remove(api->mirrors, key);
}

void sim_api_complete(struct sim_api *api)
{
        mirrors_complete(api->mirrors);
}

void sim_api_event(struct sim_api *api, const struct pod_entry *entry, const struct pod_action *action)
{
        const struct pod_incarnation *inc = pod_view_incarnation(entry->view, action->which);
        const struct event event = {
                .kind = "Pod",
                .namespace = inc ? inc->pod->namespace : "default",
                .name = inc ? inc->pod->name : "",
                .uid = inc ? inc->pod->uid : "",
                .warning = action->warning,
                .reason = action->reason,
                .message = action->message,
        };

        events_post(api->events, &event);
}

void sim_api_runtime(struct sim_api *api, bool ready)
{
        api->runtime = ready;
        node_changed(api->node);
}

size_t sim_api_waiting(const struct sim_api *api)
{
        return events_waiting(api->events);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the local API answers: the PodList of the kubelet, and the picture that `podwatch status` draws, with the reason
 * of every wait and what is wrong with which file.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/manifest_source.h"
#include "node/node_port.h"

void agent_pod_json(const struct pod *pod, const char *status, struct buf *out)
{
        size_t len = pod->json_len;

        while (len > 0 && pod->json[len - 1] != '}')
                len--;
        if (len < 2)
                return;
        buf_add(out, pod->json, len - 1);
        if (status)
                buf_addf(out, ",\"status\":%s", status);
        buf_addch(out, '}');
}

char *agent_show_pods(void *userdata)
{
        struct agent *agent = userdata;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        bool first = true;

        buf_addstr(&out, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[");
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *inc = agent_shown(e);

                if (!inc)
                        continue;
                if (!first)
                        buf_addch(&out, ',');
                first = false;
                agent_pod_json(inc->pod, agent_pod_of(e)->status_text, &out);
        }
        buf_addstr(&out, "]}\n");
        return buf_steal(&out, NULL);
}

static void add_running(cJSON *list, const struct pod_incarnation *inc)
{
        cJSON *item = cJSON_CreateObject(), *meta = cJSON_AddObjectToObject(item, "metadata"), *containers;

        cJSON_AddStringToObject(meta, "name", inc->pod->name);
        cJSON_AddStringToObject(meta, "namespace", inc->pod->namespace);
        cJSON_AddStringToObject(meta, "uid", inc->pod->uid);
        containers = cJSON_AddArrayToObject(cJSON_AddObjectToObject(item, "spec"), "containers");
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                cJSON *container;

                if (inc->containers[i].now.state != INSTANCE_RUNNING)
                        continue;
                container = cJSON_CreateObject();
                cJSON_AddStringToObject(container, "name", inc->pod->containers[i].name);
                cJSON_AddStringToObject(container, "image", inc->pod->containers[i].image);
                cJSON_AddObjectToObject(container, "resources");
                cJSON_AddItemToArray(containers, container);
        }
        cJSON_AddObjectToObject(item, "status");
        cJSON_AddItemToArray(list, item);
}

/* Of each pod name, every incarnation whose sandbox runs. */
char *agent_show_running_pods(void *userdata)
{
        struct agent *agent = userdata;
        cJSON *object CLEANUP_CJSON = cJSON_CreateObject(), *items;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        cJSON_AddStringToObject(object, "kind", "PodList");
        cJSON_AddStringToObject(object, "apiVersion", "v1");
        cJSON_AddObjectToObject(object, "metadata");
        items = cJSON_AddArrayToObject(object, "items");
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *all[] = {e->view->old, e->view->current, e->view->next};

                for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                        if (all[i] && all[i]->sandbox.state == INSTANCE_RUNNING)
                                add_running(items, all[i]);
        }
        cjson_write(object, &out);
        return buf_steal(&out, NULL);
}

static cJSON *show_waits(struct agent *agent, const struct pod_entry *entry)
{
        usec_t now = loop_now(agent->loop), wall = loop_now_realtime(agent->loop);
        cJSON *list = cJSON_CreateArray();

        for (size_t i = 0; i < entry->plan.wait_count; i++) {
                const struct pod_wait *wait = &entry->plan.waits[i];
                const struct pod_incarnation *inc = pod_view_incarnation(entry->view, wait->which);
                cJSON *item = cJSON_CreateObject();

                if (inc && wait->container >= 0)
                        cJSON_AddStringToObject(item, "container", inc->pod->containers[wait->container].name);
                if (wait->which == POD_NEXT)
                        cJSON_AddBoolToObject(item, "replacement", true);
                cJSON_AddStringToObject(item, "reason", wait->reason);
                cJSON_AddStringToObject(item, "message", wait->message);
                if (wait->until != USEC_INFINITY)
                        cjson_add_time(item, "until", usec_add(wall, usec_sub(wait->until, now)));
                cJSON_AddItemToArray(list, item);
        }
        return list;
}

static cJSON *show_last_words(struct agent *agent, struct pod_entry *entry)
{
        const struct pod_incarnation *inc = agent_shown(entry);
        const struct agent_pod *pod = agent_pod_of(entry);
        cJSON *list = cJSON_CreateArray();

        for (size_t i = 0; i < inc->pod->container_count; i++) {
                const struct pod_container_view *c = &inc->containers[i];
                const char *name = inc->pod->containers[i].name;
                const struct pod_instance *of = c->now.state == INSTANCE_EXITED ? &c->now : &c->last;
                const char *text = agent_tail_find(pod, name, of->id);
                cJSON *item;

                if (str_empty(text) || (c->now.state == INSTANCE_RUNNING && c->ready))
                        continue;
                item = cJSON_CreateObject();
                cJSON_AddStringToObject(item, "container", name);
                cJSON_AddNumberToObject(item, "exitCode", of->exit_code);
                cjson_add_time(item, "finishedAt", of->finished_wall);
                cJSON_AddStringToObject(item, "text", text);
                agent_refused_show(agent, entry, text, item);
                cJSON_AddItemToArray(list, item);
        }
        return list;
}

struct cJSON *agent_show_pod(struct agent *agent, struct pod_entry *entry)
{
        static const char *const phases[POD_PHASE_MAX] = {"Preparing", "Active", "Stopping", "Ended"};
        const struct pod_incarnation *inc = agent_shown(entry);
        struct agent_pod *pod = agent_pod_of(entry);
        const struct manifest *manifest;
        cJSON *object = cJSON_CreateObject();

        cJSON_AddStringToObject(object, "namespace", inc->pod->namespace);
        cJSON_AddStringToObject(object, "name", inc->pod->name);
        cJSON_AddStringToObject(object, "uid", inc->pod->uid);
        cJSON_AddNumberToObject(object, "revision", inc->revision);
        cJSON_AddStringToObject(object, "step", phases[inc->phase]);
        if (inc->phase == POD_STOPPING)
                cJSON_AddStringToObject(object, "stopReason", pod_stop_reason_name(inc->stop_reason));
        cjson_add_time(object, "firstSeen", inc->first_seen_wall);
        cJSON_AddNumberToObject(object, "containers", (double)(inc->pod->container_count - inc->pod->init_count));
        if (entry->view->next && entry->view->current)
                cJSON_AddNumberToObject(object, "nextRevision", entry->view->next->revision);
        manifest = agent->source ? manifest_source_find(agent->source, inc->pod->namespace, inc->pod->name) : NULL;
        if (manifest)
                cJSON_AddStringToObject(object, "file", manifest->path);
        if (pod->status)
                cJSON_AddItemToObject(object, "status", cJSON_Duplicate(pod->status, true));
        cJSON_AddItemToObject(object, "waits", show_waits(agent, entry));
        cJSON_AddItemToObject(object, "lastWords", show_last_words(agent, entry));
        cJSON_AddItemToObject(object, "probes", agent_show_probes(agent, entry, false));
        if (pod->progress)
                cJSON_AddStringToObject(object, "pull", pod->progress);
        agent_gap_show(agent, entry, object);
        api_side_mirror_status(agent->api, entry->view->key, object);
        return object;
}

static cJSON *show_findings(const struct pod_findings *findings)
{
        cJSON *list = cJSON_CreateArray();

        for (size_t i = 0; i < findings->count; i++) {
                cJSON *item = cJSON_CreateObject();

                cJSON_AddBoolToObject(item, "fatal", findings->items[i].fatal);
                cJSON_AddStringToObject(item, "text", findings->items[i].text);
                cJSON_AddItemToArray(list, item);
        }
        return list;
}

static cJSON *show_configs(const struct manifest *manifest)
{
        cJSON *list = cJSON_CreateArray();

        for (size_t i = 0; i < manifest->configs.count; i++) {
                const struct config_object *o = manifest->configs.items[i];
                char *text CLEANUP_FREE = xasprintf("%s %s/%s", config_kind_name(o->kind), o->namespace, o->name);

                cJSON_AddItemToArray(list, cJSON_CreateString(text));
        }
        return list;
}

static cJSON *show_file(const struct manifest *manifest)
{
        cJSON *object = cJSON_CreateObject();

        cJSON_AddStringToObject(object, "file", manifest->path);
        cJSON_AddBoolToObject(object, "valid", manifest->valid);
        if (manifest->busy)
                cJSON_AddBoolToObject(object, "beingWritten", true);
        if (manifest->pod) {
                char *key CLEANUP_FREE = xasprintf("%s/%s", manifest->pod->namespace, manifest->pod->name);
                cJSON_AddStringToObject(object, "pod", key);
                cJSON_AddNumberToObject(object, "revision", manifest->revision);
        }
        if (manifest->rejected) {
                cJSON *rejected = cJSON_AddObjectToObject(object, "rejected");

                cJSON_AddStringToObject(rejected, "uid", manifest->rejected->uid);
                cJSON_AddStringToObject(rejected, "specHash", manifest->rejected->spec_hash);
                cJSON_AddStringToObject(rejected, "why", manifest->rejection);
        }
        if (manifest->configs.count > 0)
                cJSON_AddItemToObject(object, "serves", show_configs(manifest));
        if (manifest->problem) {
                cJSON_AddStringToObject(object, "problem", manifest->problem);
                cjson_add_time(object, "since", manifest->since_wall);
        }
        cJSON_AddItemToObject(object, "findings", show_findings(&manifest->findings));
        return object;
}

static void show_ignored(void *userdata, const char *name, const char *why)
{
        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "file", name);
        cJSON_AddStringToObject(item, "why", why);
        cJSON_AddItemToArray(userdata, item);
}

static cJSON *show_manifests(const struct agent *agent)
{
        cJSON *object = cJSON_CreateObject(), *files = cJSON_CreateArray(), *ignored = cJSON_CreateArray();
        const struct manifest_source *source = agent->source;

        cJSON_AddStringToObject(object, "path", agent->config->manifest_path);
        if (source && manifest_source_missing(source))
                cJSON_AddStringToObject(object, "missing", manifest_source_missing(source));
        if (source && manifest_source_disk(source))
                cJSON_AddStringToObject(object, "disk", manifest_source_disk(source));
        for (size_t i = 0; source && i < manifest_source_count(source); i++)
                cJSON_AddItemToArray(files, show_file(manifest_source_get(source, i)));
        if (source)
                manifest_source_ignored(source, show_ignored, ignored);
        cJSON_AddItemToObject(object, "files", files);
        cJSON_AddItemToObject(object, "ignored", ignored);
        return object;
}

static cJSON *show_docker(const struct agent *agent)
{
        cJSON *object = cJSON_CreateObject();

        cJSON_AddBoolToObject(object, "ready", agent->runtime_ready);
        if (agent->runtime_why)
                cJSON_AddStringToObject(object, "why", agent->runtime_why);
        cJSON_AddStringToObject(object, "version", agent->docker_version);
        cJSON_AddBoolToObject(object, "refusesOomScore", agent->host.refuses_oom_score);
        return object;
}

static void show_cause(void *userdata, const struct loop_cause *cause)
{
        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "name", cause->name);
        cJSON_AddNumberToObject(item, "wakes", (double)cause->wakes);
        cJSON_AddNumberToObject(item, "runs", (double)cause->runs);
        cJSON_AddItemToArray(userdata, item);
}

struct cJSON *agent_status(struct agent *agent)
{
        cJSON *object = cJSON_CreateObject(), *pods = cJSON_CreateArray(), *causes = cJSON_CreateArray();
        char *waits CLEANUP_FREE = agent_waits(agent);

        cJSON_AddStringToObject(object, "node", agent->config->node_name);
        cJSON_AddStringToObject(object, "nodeIP", agent->node_ip);
        cjson_add_time(object, "started", agent->started_wall);
        cjson_add_time(object, "now", loop_now_realtime(agent->loop));
        cJSON_AddStringToObject(object, "waitsFor", waits);
        if (agent->disk_problem)
                cJSON_AddStringToObject(object, "disk", agent->disk_problem);
        cJSON_AddItemToObject(object, "docker", show_docker(agent));
        cJSON_AddItemToObject(object, "api", api_side_status(agent->api));
        if (agent->port)
                cJSON_AddItemToObject(object, "port", node_port_status(agent->port));
        cJSON_AddItemToObject(object, "manifests", show_manifests(agent));
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                if (agent_shown(e))
                        cJSON_AddItemToArray(pods, agent_show_pod(agent, e));
        cJSON_AddItemToObject(object, "pods", pods);
        loop_causes(agent->loop, show_cause, causes);
        cJSON_AddItemToObject(object, "wakes", causes);
        return object;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * How the last runs of each container ended, on disk, so that neither Docker's removal of them nor a restart of
 * podwatch forgets it: kind "ends" of a pod's state, an object with a list a container, oldest first.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/pod_status.h"

/* Of one container. */
#define ENDS_MAX 10

static cJSON *ends_of(struct agent *agent, struct pod_entry *entry)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE);
        struct agent_pod *pod = agent_pod_of(entry);

        if (pod->ends)
                return pod->ends;
        if (agent_read_state(agent, "ends", entry->view->key, &text) >= 0)
                pod->ends = cJSON_ParseWithLength(buf_str(&text), text.len);
        if (!cJSON_IsObject(pod->ends)) {
                cJSON_Delete(pod->ends);
                pod->ends = cJSON_CreateObject();
        }
        return pod->ends;
}

static bool is_known(const cJSON *list, const char *id)
{
        const cJSON *end;

        cJSON_ArrayForEach (end, list) {
                if (str_eq(cjson_text(end, "containerID", ""), id))
                        return true;
        }
        return false;
}

/* Why podwatch ended it; "" where it ended by itself. */
static const char *cause_of(const struct pod_incarnation *inc, const struct pod_container_view *c,
                            const struct pod_instance *instance)
{
        if (instance != &c->now)
                return "";
        if (c->restart_reason[0])
                return c->restart_reason;
        return c->signalled && inc->phase >= POD_STOPPING ? pod_stop_reason_name(inc->stop_reason) : "";
}

static cJSON *end_of(const struct pod_incarnation *inc, const struct pod_container_view *c,
                     const struct pod_instance *instance)
{
        cJSON *end = cJSON_CreateObject();
        const char *cause = cause_of(inc, c, instance);

        cJSON_AddStringToObject(end, "containerID", instance->id);
        cJSON_AddNumberToObject(end, "restartCount", instance->attempt);
        cjson_add_time(end, "startedAt", instance->started_wall);
        cjson_add_time(end, "finishedAt", instance->finished_wall);
        cJSON_AddNumberToObject(end, "exitCode", instance->exit_code);
        cJSON_AddStringToObject(end, "reason", pod_status_ended_reason(instance));
        if (*cause)
                cJSON_AddStringToObject(end, "cause", cause);
        return end;
}

static bool keep(cJSON *ends, const struct pod_incarnation *inc, size_t i, const struct pod_instance *instance)
{
        const char *name = inc->pod->containers[i].name;
        cJSON *list = cJSON_GetObjectItemCaseSensitive(ends, name);

        if (instance->state != INSTANCE_EXITED || !instance->id[0] || is_known(list, instance->id))
                return false;
        if (!cJSON_IsArray(list)) {
                cJSON_DeleteItemFromObjectCaseSensitive(ends, name);
                list = cJSON_AddArrayToObject(ends, name);
        }
        while (cJSON_GetArraySize(list) >= ENDS_MAX)
                cJSON_DeleteItemFromArray(list, 0);
        cJSON_AddItemToArray(list, end_of(inc, &inc->containers[i], instance));
        return true;
}

/* Containers that the pod has no more: their names are not kept for ever. */
static bool forget_others(cJSON *ends, const struct pod *pod)
{
        bool changed = false;

        for (cJSON *list = ends->child, *next; list; list = next) {
                bool known = false;

                next = list->next;
                for (size_t i = 0; i < pod->container_count; i++)
                        known = known || str_eq(pod->containers[i].name, list->string);
                if (known)
                        continue;
                cJSON_Delete(cJSON_DetachItemViaPointer(ends, list));
                changed = true;
        }
        return changed;
}

/* At each step, as the next run takes the place of what is known of the one before; written with the rest, later. */
void agent_ends_stepped(struct agent *agent, struct pod_entry *entry)
{
        const struct pod_incarnation *inc = agent_shown(entry);
        struct agent_pod *pod = agent_pod_of(entry);
        cJSON *ends;

        if (!agent->observed || !inc)
                return;
        ends = ends_of(agent, entry);
        pod->ends_changed = forget_others(ends, inc->pod) || pod->ends_changed;
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                pod->ends_changed = keep(ends, inc, i, &inc->containers[i].last) || pod->ends_changed;
                pod->ends_changed = keep(ends, inc, i, &inc->containers[i].now) || pod->ends_changed;
        }
}

void agent_ends_write(struct agent *agent, struct pod_entry *entry)
{
        struct agent_pod *pod = agent_pod_of(entry);
        char *text;

        if (!pod->ends_changed)
                return;
        text = cJSON_PrintUnformatted(pod->ends);
        pod->ends_changed = text && !agent_write_state(agent, "ends", entry->view->key, text, strlen(text));
        if (pod->ends_changed)
                agent_write_again(agent, entry);
        cJSON_free(text);
}

void agent_ends_show(struct agent *agent, struct pod_entry *entry, struct cJSON *object)
{
        cJSON_AddItemToObject(object, "ends", cJSON_Duplicate(ends_of(agent, entry), true));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * How long edits of a pod took from the stop of the old version to the start of the new one: what `podwatch plan`
 * expects of the next. The last few are kept on disk.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "node/agent_private.h"
#include "node/pod_facts.h"

void agent_gap_promoted(struct pod_entry *entry)
{
        const struct pod_incarnation *old = entry->view->old;

        agent_pod_of(entry)->gap_from = old && old->stop_reason == POD_STOP_REPLACED ? old->stop_since : 0;
}

static cJSON *gaps_of(struct agent *agent, struct pod_entry *entry)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE);
        struct agent_pod *pod = agent_pod_of(entry);

        if (pod->gaps)
                return pod->gaps;
        if (agent_read_state(agent, "gaps", entry->view->key, &text) >= 0)
                pod->gaps = cJSON_ParseWithLength(buf_str(&text), text.len);
        if (!cJSON_IsArray(pod->gaps)) {
                cJSON_Delete(pod->gaps);
                pod->gaps = cJSON_CreateArray();
        }
        return pod->gaps;
}

static void keep(struct agent *agent, struct pod_entry *entry, usec_t gap)
{
        cJSON *list = gaps_of(agent, entry);
        char *text;

        while (cJSON_GetArraySize(list) >= AGENT_GAPS_MAX)
                cJSON_DeleteItemFromArray(list, 0);
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)(gap / USEC_PER_MSEC)));
        text = cJSON_PrintUnformatted(list);
        if (text)
                (void)agent_write_state(agent, "gaps", entry->view->key, text, strlen(text));
        cJSON_free(text);
}

void agent_gap_stepped(struct agent *agent, struct pod_entry *entry)
{
        struct agent_pod *pod = agent_pod_of(entry);
        const struct pod_incarnation *inc = entry->view->current;
        usec_t last = 0;

        if (!pod->gap_from || !inc || inc->phase == POD_PREPARING)
                return;
        for (size_t i = inc->pod->init_count; i < inc->pod->container_count; i++) {
                const struct pod_instance *now = &inc->containers[i].now;

                if (!now->started)
                        return;
                last = now->started > last ? now->started : last;
        }
        if (last > pod->gap_from)
                keep(agent, entry, last - pod->gap_from);
        pod->gap_from = 0;
}

void agent_gap_show(struct agent *agent, struct pod_entry *entry, struct cJSON *object)
{
        cJSON_AddItemToObject(object, "gapsMs", cJSON_Duplicate(gaps_of(agent, entry), true));
}

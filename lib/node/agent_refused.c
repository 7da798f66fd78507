/* SPDX-License-Identifier: Apache-2.0
 *
 * Beside the last words of what crashed: which pod of this node would serve the port that refused it, and how that
 * does.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/agent_private.h"
#include "node/refused.h"
#include "node/status_table.h"

static bool may_serve(const struct agent *agent, const struct pod_incarnation *inc, const struct pod_incarnation *from,
                      const struct refused *refused)
{
        enum refused_place place = refused_place(refused, from->pod, from->ip, agent->node_ip);

        if (place == REFUSED_ITSELF && inc != from)
                return false;
        if (place == REFUSED_ADDRESS && !str_eq(inc->ip, refused->host))
                return false;
        return refused_serves(inc->pod, place, refused->port);
}

static void add_server(struct pod_entry *entry, cJSON *item)
{
        const struct pod_incarnation *inc = agent_shown(entry);
        const cJSON *status = agent_pod_of(entry)->status;
        char word[64];

        cJSON_AddStringToObject(item, "pod", entry->view->key);
        if (!status)
                return;
        status_word(status, inc->phase == POD_STOPPING, word, sizeof(word));
        cJSON_AddStringToObject(item, "status", word);
        cJSON_AddBoolToObject(item, "ready", inc->ready_since != 0);
}

static cJSON *show(struct agent *agent, const struct pod_incarnation *from, const struct refused *refused)
{
        cJSON *item = cJSON_CreateObject();
        bool six = strchr(refused->host, ':') != NULL;
        char *address CLEANUP_FREE =
                xasprintf("%s%s%s:%d", six ? "[" : "", refused->host, six ? "]" : "", refused->port);

        cJSON_AddStringToObject(item, "address", address);
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *inc = agent_shown(e);

                if (!inc || !may_serve(agent, inc, from, refused))
                        continue;
                add_server(e, item);
                break;
        }
        return item;
}

void agent_refused_show(struct agent *agent, struct pod_entry *entry, const char *text, struct cJSON *object)
{
        const struct pod_incarnation *from = agent_shown(entry);
        struct refused found[REFUSED_MAX];
        size_t count = refused_find(text, found);
        cJSON *list;

        if (count == 0)
                return;
        list = cJSON_AddArrayToObject(object, "refused");
        for (size_t i = 0; i < count; i++)
                cJSON_AddItemToArray(list, show(agent, from, &found[i]));
}

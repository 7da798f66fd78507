/* SPDX-License-Identifier: Apache-2.0
 *
 * All that is known of one pod, for `podwatch describe`: the object with its status, what podwatch has beside it, and
 * its events. The object is the manifest's, in which values of Secrets never are.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/event_log.h"

static bool is_of_pod(void *userdata, const struct event_log_entry *entry)
{
        const struct pod_entry *pod = userdata;

        return str_eq(entry->key, pod->view->key);
}

static cJSON *show_node(struct agent *agent, struct pod_entry *entry)
{
        cJSON *node = agent_show_pod(agent, entry);
        char now[TIMEFMT_MAX];

        timefmt_seconds(loop_now_realtime(agent->loop), now);
        cJSON_DeleteItemFromObjectCaseSensitive(node, "status");
        cJSON_DeleteItemFromObjectCaseSensitive(node, "probes");
        cJSON_AddItemToObject(node, "probes", agent_show_probes(agent, entry, true));
        agent_ends_show(agent, entry, node);
        cJSON_AddStringToObject(node, "nodeName", agent->config->node_name);
        cJSON_AddStringToObject(node, "nodeIP", agent->node_ip);
        cJSON_AddStringToObject(node, "now", now);
        return node;
}

static char *describe(struct agent *agent, struct pod_entry *entry)
{
        struct buf pod CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *object = cJSON_CreateObject(), *list = event_log_list(agent->events, is_of_pod, entry);
        char *printed, *text;

        agent_pod_json(agent_shown(entry)->pod, agent_pod_of(entry)->status_text, &pod);
        cJSON_AddItemToObject(object, "pod", cJSON_CreateRaw(buf_str(&pod)));
        cJSON_AddItemToObject(object, "node", show_node(agent, entry));
        cJSON_AddItemToObject(object, "events", cJSON_DetachItemFromObjectCaseSensitive(list, "items"));
        printed = cJSON_PrintUnformatted(object);
        text = xasprintf("%s\n", printed ? printed : "{}");
        cJSON_free(printed);
        cJSON_Delete(object);
        cJSON_Delete(list);
        return text;
}

void agent_describe(void *userdata, struct http_server_request *request)
{
        struct agent *agent = userdata;
        const char *word = http_server_query(request, "pod");
        struct pod_entry *entry;
        struct err err = ERR_INIT;
        char *text;

        if (str_empty(word)) {
                http_server_replyf(request, 400, "/describe takes the parameter pod");
                return;
        }
        entry = agent_find_entry(agent, word, &err);
        if (!entry) {
                http_server_replyf(request, err.code == ENOENT ? 404 : 409, "%s", err.msg);
                return;
        }
        text = describe(agent, entry);
        http_server_reply_take(request, 200, "application/json", text, strlen(text));
}

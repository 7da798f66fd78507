/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients of the local API wait for: events and the status of pods, as a list or as news.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/event_log.h"
#include "node/event_store.h"
#include "node/local_feed.h"
#include "node/pod_find.h"

#define JSON "application/json"

static char *print_line(const cJSON *object)
{
        char *printed = cJSON_PrintUnformatted(object);
        char *text = xasprintf("%s\n", printed ? printed : "{}");

        cJSON_free(printed);
        return text;
}

/* --- events ------------------------------------------------------------------------------------------------------- */

void agent_watch_init(struct agent *agent)
{
        char *path CLEANUP_FREE = file_join(agent->config->state_dir, "events");
        char *problem CLEANUP_FREE = NULL;

        agent->events = event_log_new(EVENT_LOG_MAX);
        agent->event_store = event_store_new(path, agent->events, &problem);
        if (problem)
                log_warning("not all earlier events can be shown: %s", problem);
        agent->event_feed = local_feed_new(LOCAL_FEED_EVERY);
        agent->status_feed = local_feed_new(LOCAL_FEED_NEWEST);
}

void agent_watch_free(struct agent *agent)
{
        agent->event_feed = local_feed_free(agent->event_feed);
        agent->status_feed = local_feed_free(agent->status_feed);
        agent->event_store = event_store_free(agent->event_store);
        agent->events = event_log_free(agent->events);
        free(TAKE_PTR(agent->status_told));
}

/* An entry, and whose events are asked for. */
struct asked {
        const struct agent *agent;
        const char *word; /* NULL: all */
        const struct event_log_entry *entry;
};

static bool is_asked(const struct asked *asked, const char *key)
{
        const char *slash = strchr(key, '/');
        char *namespace CLEANUP_FREE = slash ? xstrndup(key, (size_t)(slash - key)) : NULL;

        return !asked->word || (slash && pod_find_match(asked->word, namespace, slash + 1,
                                                        asked->agent->config->node_name) != POD_FIND_NO);
}

static bool match_entry(void *userdata, const struct event_log_entry *entry)
{
        return is_asked(userdata, entry->key);
}

static bool match_topic(void *userdata, const char *topic)
{
        struct asked *asked = userdata;

        asked->word = topic;
        return is_asked(asked, asked->entry->key);
}

/* One line as of a watch of the API server. */
static char *event_line(const struct event_log_entry *entry)
{
        cJSON *line = cJSON_CreateObject();
        char *text;

        cJSON_AddStringToObject(line, "type", entry->count > 1 ? "MODIFIED" : "ADDED");
        cJSON_AddItemToObject(line, "object", event_log_json(entry));
        text = print_line(line);
        cJSON_Delete(line);
        return text;
}

/* Apart from what else is stored: one may fail where the other does not, and each is told once. */
static void tell_stored(struct agent *agent, int result, const struct err *err)
{
        if (result < 0 && !agent->events_unstored)
                log_warning("events cannot be stored, going on from memory: %s", err->msg);
        else if (result >= 0 && agent->events_unstored)
                log_info("events are stored again");
        agent->events_unstored = result < 0;
}

usec_t agent_write_events(struct agent *agent, usec_t now)
{
        struct err err = ERR_INIT;
        int r = event_store_write(agent->event_store, now, &err);

        if (r != 1)
                tell_stored(agent, r, &err);
        return event_store_again(agent->event_store);
}

unsigned agent_keep_event(struct agent *agent, const struct event_log_entry *entry)
{
        const struct event_log_entry *kept = event_log_add(agent->events, entry, loop_now_realtime(agent->loop));

        event_store_add(agent->event_store, kept);
        agent_publish_soon(agent);
        if (local_feed_wanted(agent->event_feed)) {
                struct asked asked = {.agent = agent, .entry = kept};
                char *line CLEANUP_FREE = event_line(kept);

                local_feed_send(agent->event_feed, line, strlen(line), match_topic, &asked);
        }
        return kept->count;
}

/* The list as the first lines of a watch. */
static void event_lines(const struct agent *agent, struct asked *asked, struct buf *out)
{
        for (size_t i = 0; i < event_log_count(agent->events); i++) {
                const struct event_log_entry *entry = event_log_get(agent->events, i);
                char *line CLEANUP_FREE = is_asked(asked, entry->key) ? event_line(entry) : NULL;

                if (line)
                        buf_addstr(out, line);
        }
}

void agent_show_events(void *userdata, struct http_server_request *request)
{
        struct agent *agent = userdata;
        struct buf lines CLEANUP_BUF = BUF_INIT(LIMIT_FEED_BUFFER);
        struct asked asked = {.agent = agent, .word = http_server_query(request, "pod")};

        if (http_server_query_flag(request, "watch")) {
                event_lines(agent, &asked, &lines);
                local_feed_join(agent->event_feed, request, asked.word, buf_str(&lines), lines.len);
                return;
        }
        cJSON *list = event_log_list(agent->events, match_entry, &asked);
        char *text = print_line(list);

        cJSON_Delete(list);
        http_server_reply_take(request, 200, JSON, text, strlen(text));
}

/* --- status ------------------------------------------------------------------------------------------------------- */

/* What of the API side goes on by itself: when it tries again, when the lease was renewed, how many events wait. */
static void forget_api_times(cJSON *api)
{
        cJSON_DeleteItemFromObjectCaseSensitive(api, "nextTrySeconds");
        cJSON_DeleteItemFromObjectCaseSensitive(api, "events");
        cJSON_DeleteItemFromObjectCaseSensitive(cjson_get(api, "node", NULL), "leaseRenewed");
}

/* When a probe answered that fails as it did before. */
static void forget_times(cJSON *pod)
{
        cJSON *probe, *result;

        cJSON_ArrayForEach (probe, cjson_get(pod, "probes", NULL)) {
                cJSON_DeleteItemFromObjectCaseSensitive(probe, "next");
                cJSON_DeleteItemFromObjectCaseSensitive(probe, "inARow");
                cJSON_ArrayForEach (result, cjson_get(probe, "results", NULL)) {
                        cJSON_DeleteItemFromObjectCaseSensitive(result, "time");
                        cJSON_DeleteItemFromObjectCaseSensitive(result, "tookMs");
                }
        }
}

/* The line, and what of it is news: not what changes though nothing has happened, as the time and what woke podwatch.
 */
static char *status_line(struct agent *agent, char **ret_news)
{
        cJSON *status CLEANUP_CJSON = agent_status(agent), *pod;
        char *line;

        cJSON_DeleteItemFromObjectCaseSensitive(status, "wakes");
        line = print_line(status);
        cJSON_DeleteItemFromObjectCaseSensitive(status, "now");
        cJSON_ArrayForEach (pod, cjson_get(status, "pods", NULL))
                forget_times(pod);
        forget_api_times(cjson_get(status, "api", NULL));
        *ret_news = print_line(status);
        return line;
}

void agent_status_changed(struct agent *agent)
{
        char *line CLEANUP_FREE = NULL, *news CLEANUP_FREE = NULL;

        if (!local_feed_wanted(agent->status_feed)) {
                free(TAKE_PTR(agent->status_told));
                return;
        }
        line = status_line(agent, &news);
        if (str_eq(news, agent->status_told))
                return;
        free(agent->status_told);
        agent->status_told = TAKE_PTR(news);
        local_feed_send(agent->status_feed, line, strlen(line), NULL, NULL);
}

void agent_show_status(void *userdata, struct http_server_request *request)
{
        struct agent *agent = userdata;
        char *line CLEANUP_FREE = NULL, *news CLEANUP_FREE = NULL;

        if (http_server_query_flag(request, "watch")) {
                agent_status_changed(agent); /* so that all who listen have what this one begins with */
                line = status_line(agent, &news);
                free(agent->status_told);
                agent->status_told = TAKE_PTR(news);
                local_feed_join(agent->status_feed, request, NULL, line, strlen(line));
                return;
        }
        cJSON *status = agent_status(agent);
        char *text = print_line(status);

        cJSON_Delete(status);
        http_server_reply_take(request, 200, JSON, text, strlen(text));
}

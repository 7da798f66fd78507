/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/event_log.h"
#include "node/pod_view.h"

/* A repeat is looked for among this many of the newest. */
#define REPEAT_WINDOW 32

struct event_log {
        struct event_log_entry *ring;
        size_t max, first, count;
};

struct event_log *event_log_new(size_t max)
{
        struct event_log *log = xcalloc(1, sizeof(*log));

        log->ring = xcalloc(max, sizeof(*log->ring));
        log->max = max;
        return log;
}

static void entry_release(struct event_log_entry *entry)
{
        free(entry->key);
        free(entry->uid);
        free(entry->object);
        free(entry->reason);
        free(entry->message);
}

struct event_log *event_log_free(struct event_log *log)
{
        if (!log)
                return NULL;
        for (size_t i = 0; i < log->count; i++)
                entry_release(&log->ring[(log->first + i) % log->max]);
        free(log->ring);
        free(log);
        return NULL;
}

static bool same(const struct event_log_entry *a, const struct event_log_entry *b)
{
        return str_eq(a->key, b->key) && str_eq(a->uid, b->uid) && str_eq(a->object, b->object) &&
               str_eq(a->reason, b->reason) && str_eq(a->message, b->message) && a->warning == b->warning;
}

static struct event_log_entry *find_same(struct event_log *log, const struct event_log_entry *entry)
{
        for (size_t back = 1; back <= log->count && back <= REPEAT_WINDOW; back++) {
                struct event_log_entry *slot = &log->ring[(log->first + log->count - back) % log->max];

                if (same(slot, entry))
                        return slot;
        }
        return NULL;
}

static struct event_log_entry *append(struct event_log *log, const struct event_log_entry *entry)
{
        struct event_log_entry *slot;

        if (log->count == log->max) {
                entry_release(&log->ring[log->first]);
                log->first = (log->first + 1) % log->max;
                log->count--;
        }
        slot = &log->ring[(log->first + log->count++) % log->max];
        *slot = (struct event_log_entry){
                .key = xstrdup(entry->key),
                .uid = xstrdup(entry->uid),
                .object = xstrdup(entry->object),
                .warning = entry->warning,
                .reason = xstrdup(entry->reason),
                .message = xstrdup(entry->message),
        };
        return slot;
}

const struct event_log_entry *event_log_add(struct event_log *log, const struct event_log_entry *entry, usec_t now_wall)
{
        char message[LIMIT_EVENT_MESSAGE];
        struct event_log_entry cut = *entry, *slot;

        pod_view_text(message, sizeof(message), entry->message);
        cut.message = message;
        slot = find_same(log, &cut);
        if (!slot) {
                slot = append(log, &cut);
                slot->first = now_wall;
        }
        slot->count++;
        slot->last = now_wall;
        return slot;
}

static char *or_empty(char *text)
{
        static char empty[] = "";

        return text ? text : empty;
}

void event_log_restore(struct event_log *log, const struct event_log_entry *entry)
{
        const struct event_log_entry whole = {
                .key = or_empty(entry->key),
                .uid = or_empty(entry->uid),
                .object = or_empty(entry->object),
                .warning = entry->warning,
                .reason = or_empty(entry->reason),
                .message = or_empty(entry->message),
        };
        struct event_log_entry *slot = find_same(log, &whole);

        if (!slot)
                slot = append(log, &whole);
        slot->first = entry->first;
        slot->last = entry->last;
        slot->count = entry->count;
}

size_t event_log_count(const struct event_log *log)
{
        return log->count;
}

const struct event_log_entry *event_log_get(const struct event_log *log, size_t index)
{
        return &log->ring[(log->first + index) % log->max];
}

struct cJSON *event_log_json(const struct event_log_entry *e)
{
        cJSON *event = cJSON_CreateObject(), *involved = cJSON_CreateObject();
        const char *slash = strchr(e->key, '/');
        char *namespace CLEANUP_FREE = slash ? xstrndup(e->key, (size_t)(slash - e->key)) : xstrdup("");

        cJSON_AddStringToObject(event, "type", e->warning ? "Warning" : "Normal");
        cJSON_AddStringToObject(event, "reason", e->reason);
        cJSON_AddStringToObject(event, "message", e->message);
        cJSON_AddNumberToObject(event, "count", e->count);
        cjson_add_time(event, "firstTimestamp", e->first);
        cjson_add_time(event, "lastTimestamp", e->last);
        cJSON_AddStringToObject(involved, "kind", slash ? "Pod" : "Node");
        cJSON_AddStringToObject(involved, "namespace", namespace);
        cJSON_AddStringToObject(involved, "name", slash ? slash + 1 : e->key);
        cJSON_AddStringToObject(involved, "uid", e->uid);
        if (!str_empty(e->object))
                cJSON_AddStringToObject(involved, "fieldPath", e->object);
        cJSON_AddItemToObject(event, "involvedObject", involved);
        return event;
}

struct cJSON *event_log_list(const struct event_log *log, event_log_match_fn match, void *userdata)
{
        cJSON *list = cJSON_CreateObject(), *items = cJSON_CreateArray();

        cJSON_AddStringToObject(list, "kind", "EventList");
        cJSON_AddStringToObject(list, "apiVersion", "v1");
        for (size_t i = 0; i < log->count; i++) {
                const struct event_log_entry *entry = event_log_get(log, i);

                if (!match || match(userdata, entry))
                        cJSON_AddItemToArray(items, event_log_json(entry));
        }
        cJSON_AddItemToObject(list, "items", items);
        return list;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "node/describe.h"
#include "node/describe_container.h"
#include "node/event_table.h"
#include "node/status_table.h"

/* --- the head ----------------------------------------------------------------------------------------------------- */

/* One a line, the title in front of the first. */
static void describe_map(struct buf *out, const char *title, const cJSON *map)
{
        if (!map || !map->child)
                describe_line(out, 0, title, "<none>");
        for (const cJSON *item = map ? map->child : NULL; item; item = item->next)
                describe_linef(out, 0, item == map->child ? title : "", "%s=%s", item->string,
                               cJSON_IsString(item) ? item->valuestring : "");
}

static void describe_file(struct buf *out, const cJSON *node)
{
        int64_t revision = cjson_int(node, "revision", 0), next = cjson_int(node, "nextRevision", 0);

        if (!cjson_text(node, "file", NULL)) {
                describe_line(out, 0, "File", "<none>");
                return;
        }
        describe_linef(out, 0, "File", "%s", cjson_text(node, "file", ""));
        if (next)
                describe_linef(out, 0, "Revision", "%" PRId64 "; %" PRId64 " is about to take its place", revision,
                               next);
        else
                describe_linef(out, 0, "Revision", "%" PRId64, revision);
}

static void describe_head(const cJSON *pod, const cJSON *node, struct buf *out)
{
        const cJSON *metadata = cjson_get(pod, "metadata", NULL), *spec = cjson_get(pod, "spec", NULL);
        const cJSON *status = cjson_get(pod, "status", NULL);
        const char *reason = cjson_text(status, "reason", NULL), *message = cjson_text(status, "message", NULL);
        char word[64];

        describe_line(out, 0, "Name", cjson_text(metadata, "name", ""));
        describe_line(out, 0, "Namespace", cjson_text(metadata, "namespace", ""));
        describe_linef(out, 0, "Priority", "%" PRId64, cjson_int(spec, "priority", 0));
        if (cjson_text(spec, "priorityClassName", NULL))
                describe_line(out, 0, "Priority Class Name", cjson_text(spec, "priorityClassName", ""));
        describe_linef(out, 0, "Node", "%s/%s", cjson_text(node, "nodeName", ""), cjson_text(node, "nodeIP", ""));
        describe_file(out, node);
        describe_line(out, 0, "UID", cjson_text(metadata, "uid", ""));
        describe_line(out, 0, "Start Time", cjson_text(status, "startTime", "<none>"));
        describe_map(out, "Labels", cjson_get(metadata, "labels", NULL));
        describe_map(out, "Annotations", cjson_get(metadata, "annotations", NULL));
        status_word(status, str_eq(cjson_text(node, "step", ""), "Stopping"), word, sizeof(word));
        describe_line(out, 0, "Status", word);
        if (reason)
                describe_line(out, 0, "Reason", reason);
        if (message)
                describe_line(out, 0, "Message", message);
        if (cjson_text(node, "stopReason", NULL))
                describe_line(out, 0, "Stops For", cjson_text(node, "stopReason", ""));
        describe_line(out, 0, "IP", cjson_text(status, "podIP", ""));
        describe_line(out, 0, "QoS Class", cjson_text(status, "qosClass", ""));
}

/* --- containers --------------------------------------------------------------------------------------------------- */

static const cJSON *status_of(const cJSON *list, const char *name)
{
        const cJSON *item;

        cJSON_ArrayForEach (item, list) {
                if (str_eq(cjson_text(item, "name", ""), name))
                        return item;
        }
        return NULL;
}

static void describe_containers(const cJSON *pod, const cJSON *node, const char *title, const char *specs,
                                const char *statuses, struct buf *out)
{
        const cJSON *list = cjson_get(pod, "spec", specs, NULL), *spec;
        usec_t now = describe_time(node, "now");

        if (cJSON_GetArraySize(list) == 0)
                return;
        describe_line(out, 0, title, NULL);
        cJSON_ArrayForEach (spec, list)
                describe_container(spec,
                                   status_of(cjson_get(pod, "status", statuses, NULL), cjson_text(spec, "name", "")),
                                   node, now, out);
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void describe_conditions(const cJSON *status, struct buf *out)
{
        const cJSON *condition;

        describe_line(out, 0, "Conditions", NULL);
        cJSON_ArrayForEach (condition, cjson_get(status, "conditions", NULL)) {
                const char *reason = cjson_text(condition, "reason", ""),
                           *message = cjson_text(condition, "message", "");

                buf_addf(out, "  %-26s %-6s since %s%s%s%s%s\n", cjson_text(condition, "type", ""),
                         cjson_text(condition, "status", ""), cjson_text(condition, "lastTransitionTime", "<unknown>"),
                         *reason ? "  " : "", reason, *message ? ": " : "", message);
        }
}

/* Every field of the source, whatever its type: "hostPath: path=/etc/x type=Directory". */
static void describe_volume(const cJSON *volume, struct buf *out)
{
        struct buf fields CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        const cJSON *source = NULL;

        for (const cJSON *item = volume->child; item; item = item->next)
                if (!str_eq(item->string, "name"))
                        source = item;
        for (const cJSON *item = source ? source->child : NULL; item; item = item->next) {
                char *text = cJSON_PrintUnformatted(item);

                buf_addf(&fields, " %s=%s", item->string, cJSON_IsString(item) ? item->valuestring : text ? text : "");
                cJSON_free(text);
        }
        describe_linef(out, 1, cjson_text(volume, "name", ""), "%s%s", source ? source->string : "", buf_str(&fields));
}

static void describe_volumes(const cJSON *pod, struct buf *out)
{
        const cJSON *list = cjson_get(pod, "spec", "volumes", NULL), *volume;

        describe_line(out, 0, "Volumes", cJSON_GetArraySize(list) ? NULL : "<none>");
        cJSON_ArrayForEach (volume, list)
                describe_volume(volume, out);
}

void describe_text(const struct cJSON *object, struct buf *out)
{
        const cJSON *pod = cjson_get(object, "pod", NULL), *node = cjson_get(object, "node", NULL);
        const cJSON *events = cjson_get(object, "events", NULL);
        size_t from = out->len;

        describe_head(pod, node, out);
        describe_containers(pod, node, "Init Containers", "initContainers", "initContainerStatuses", out);
        describe_containers(pod, node, "Containers", "containers", "containerStatuses", out);
        describe_conditions(cjson_get(pod, "status", NULL), out);
        describe_volumes(pod, out);
        status_more(node, describe_time(node, "now"), out);
        describe_line(out, 0, "Events", cJSON_GetArraySize(events) ? NULL : "<none>");
        event_table(events, describe_time(node, "now"), out);
        buf_hide_controls(out, from);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "node/event_table.h"

enum { COLUMN_SEEN, COLUMN_TYPE, COLUMN_REASON, COLUMN_OBJECT, COLUMN_MESSAGE, COLUMN_MAX };
#define CELL_MAX 512

struct row {
        usec_t last;
        int index; /* keeps the order of those of one second */
        char cells[COLUMN_MESSAGE][CELL_MAX];
        const char *message;
};

static usec_t time_of(const cJSON *event, const char *key)
{
        usec_t t = 0;

        (void)timefmt_parse(cjson_text(event, key, ""), &t);
        return t;
}

/* NAMESPACE/NAME, and [CONTAINER] from spec.containers{CONTAINER}. */
static void object_text(const cJSON *event, char *to, size_t size)
{
        const cJSON *object = cjson_get(event, "involvedObject", NULL);
        const char *namespace = cjson_text(object, "namespace", ""), *brace;

        brace = strchr(cjson_text(object, "fieldPath", ""), '{');
        (void)snprintf(to, size, "%s%s%s%s%.*s%s", namespace, *namespace ? "/" : "", cjson_text(object, "name", ""),
                       brace ? "[" : "", brace ? (int)strcspn(brace + 1, "}") : 0, brace ? brace + 1 : "",
                       brace ? "]" : "");
}

/* As kubectl: "3m", or "3m (x4 over 5m)". */
static void seen_text(const cJSON *event, usec_t now, char *to, size_t size)
{
        char last[TIMEFMT_MAX], all[TIMEFMT_MAX];
        int64_t count = cjson_int(event, "count", 1);

        duration_human(usec_sub(now, time_of(event, "lastTimestamp")), last);
        duration_human(usec_sub(now, time_of(event, "firstTimestamp")), all);
        if (count > 1)
                (void)snprintf(to, size, "%s (x%" PRId64 " over %s)", last, count, all);
        else
                (void)snprintf(to, size, "%s", last);
}

static void fill(const cJSON *event, usec_t now, int index, struct row *row)
{
        row->last = time_of(event, "lastTimestamp");
        row->index = index;
        seen_text(event, now, row->cells[COLUMN_SEEN], CELL_MAX);
        (void)snprintf(row->cells[COLUMN_TYPE], CELL_MAX, "%s", cjson_text(event, "type", ""));
        (void)snprintf(row->cells[COLUMN_REASON], CELL_MAX, "%s", cjson_text(event, "reason", ""));
        object_text(event, row->cells[COLUMN_OBJECT], CELL_MAX);
        row->message = cjson_text(event, "message", "");
}

static int by_time(const void *a, const void *b)
{
        const struct row *x = a, *y = b;

        if (x->last != y->last)
                return x->last < y->last ? -1 : 1;
        return x->index - y->index;
}

/* A message has its lines one under the other in a log; here it has one. */
static void add_message(const char *message, struct buf *out)
{
        size_t len = strlen(message);

        while (len > 0 && message[len - 1] == '\n')
                len--;
        for (size_t i = 0; i < len; i++)
                buf_addch(out, message[i] == '\n' || message[i] == '\t' ? ' ' : message[i]);
        buf_addch(out, '\n');
}

void event_table(const struct cJSON *items, usec_t now, struct buf *out)
{
        size_t from = out->len;
        static const char *const titles[COLUMN_MAX] = {"LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"};
        size_t width[COLUMN_MESSAGE], count = (size_t)cJSON_GetArraySize(items), n = 0;
        struct row *rows;
        const cJSON *event;

        if (count == 0)
                return;
        rows = xcalloc(count, sizeof(*rows));
        cJSON_ArrayForEach (event, items) {
                fill(event, now, (int)n, &rows[n]);
                n++;
        }
        qsort(rows, n, sizeof(*rows), by_time);
        for (size_t k = 0; k < COLUMN_MESSAGE; k++) {
                width[k] = strlen(titles[k]);
                for (size_t i = 0; i < n; i++)
                        if (strlen(rows[i].cells[k]) > width[k])
                                width[k] = strlen(rows[i].cells[k]);
        }
        for (size_t i = 0; i <= n; i++) {
                for (size_t k = 0; k < COLUMN_MESSAGE; k++)
                        buf_addf(out, "%-*s   ", (int)width[k], i ? rows[i - 1].cells[k] : titles[k]);
                add_message(i ? rows[i - 1].message : titles[COLUMN_MESSAGE], out);
        }
        buf_hide_controls(out, from);
        free(rows);
}

void event_line(const struct cJSON *event, struct buf *out)
{
        int64_t count = cjson_int(event, "count", 1);
        size_t from = out->len;
        char object[CELL_MAX];

        object_text(event, object, sizeof(object));
        buf_addf(out, "%s   %-7s   %s   %s   ", cjson_text(event, "lastTimestamp", ""), cjson_text(event, "type", ""),
                 cjson_text(event, "reason", ""), object);
        if (count > 1)
                buf_addf(out, "(x%" PRId64 ") ", count);
        add_message(cjson_text(event, "message", ""), out);
        buf_hide_controls(out, from);
}

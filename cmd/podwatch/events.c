/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/event_table.h"
#include "podwatch.h"

static bool on_line(void *userdata, const char *line, size_t len)
{
        const struct podwatch *p = userdata;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FEED_BUFFER);
        cJSON *change CLEANUP_CJSON = NULL;

        if (str_eq(p->output, "json"))
                return podwatch_print_line(NULL, line, len);
        change = cJSON_ParseWithLength(line, len);
        event_line(cjson_get(change, "object", NULL), &text);
        (void)fputs(buf_str(&text), stdout);
        return fflush(stdout) == 0;
}

static int show(const struct podwatch *p, const char *path, struct err *err)
{
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY), text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *list CLEANUP_CJSON = NULL;
        int r = podwatch_get(p, path, &answer, err);

        if (r < 0)
                return r;
        if (str_eq(p->output, "json")) {
                (void)fputs(buf_str(&answer), stdout);
                return 0;
        }
        list = cJSON_ParseWithLength(buf_str(&answer), answer.len);
        if (!list)
                return err_set(err, ERR_PROTOCOL, "podwatch's answer is no JSON");
        event_table(cjson_get(list, "items", NULL), clock_realtime(), &text);
        (void)fputs(text.len ? buf_str(&text) : "No events.\n", stdout);
        return 0;
}

int verb_events(void *userdata, const struct strv *args)
{
        struct podwatch *p = userdata;
        struct buf path CLEANUP_BUF = BUF_INIT(LIMIT_LOCAL_REQUEST);
        const struct podwatch_lines lines = {.line = on_line, .userdata = p};
        struct err err = ERR_INIT;
        int r;

        buf_addstr(&path, "/events");
        if (args->len > 0)
                unix_ask_query(&path, "pod", args->items[0]);
        if (p->watch)
                unix_ask_query(&path, "watch", "true");
        r = p->watch ? podwatch_follow_lines(p, buf_str(&path), &lines, &err) : show(p, buf_str(&path), &err);
        return r < 0 ? podwatch_fail(&err) : 0;
}

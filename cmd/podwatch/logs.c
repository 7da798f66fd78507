/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "node/container_log.h"
#include "podwatch.h"

static void on_head(void *userdata, const struct http_answer *answer)
{
        char *note CLEANUP_FREE = http_answer_header(answer, CONTAINER_LOG_NOTE);
        char *warning CLEANUP_FREE = http_answer_header(answer, CONTAINER_LOG_WARNING);

        (void)userdata;
        if (note)
                (void)fprintf(stderr, "%s\n", note);
        if (warning)
                (void)fprintf(stderr, "%s\n", warning);
}

static bool on_data(void *userdata, const char *data, size_t len)
{
        (void)userdata;
        return fwrite(data, 1, len, stdout) == len && fflush(stdout) == 0;
}

/* --since is a duration, --since-time a time: both go as a time, this being the node whose clock Docker goes by. */
static int add_since(const struct podwatch *p, struct buf *path, struct err *err)
{
        char text[TIMEFMT_MAX];
        int64_t nsec = 0;
        usec_t since = 0;
        int r = 0;

        if (p->since && p->since_time)
                return err_set(err, ERR_USAGE, "at most one of --since and --since-time may be given");
        if (p->since)
                r = duration_parse(p->since, &nsec, err);
        if (r < 0)
                return err_wrap(err, "--since");
        if (p->since && nsec <= 0)
                return err_set(err, ERR_USAGE, "--since: %s is not longer than nothing", p->since);
        if (p->since_time && timefmt_parse(p->since_time, &since) < 0)
                return err_set(err, ERR_USAGE, "--since-time: %s is no RFC 3339 time", p->since_time);
        if (p->since)
                since = usec_sub(clock_realtime(), (usec_t)nsec / 1000);
        if (since == 0)
                return 0;
        timefmt_micro(since, text);
        unix_ask_query(path, "sinceTime", text);
        return 0;
}

static void add_number(struct buf *path, const char *name, int number)
{
        char text[16];

        (void)snprintf(text, sizeof(text), "%d", number);
        unix_ask_query(path, name, text);
}

static int make_path(const struct podwatch *p, const char *pod, struct buf *path, struct err *err)
{
        buf_addstr(path, "/logs");
        unix_ask_query(path, "pod", pod);
        if (p->container)
                unix_ask_query(path, "container", p->container);
        if (p->follow)
                buf_addstr(path, "&follow=true&restarts=true");
        if (p->previous)
                buf_addstr(path, "&previous=true");
        if (p->timestamps)
                buf_addstr(path, "&timestamps=true");
        if (str_eq(p->output, "json"))
                unix_ask_query(path, "format", "json");
        if (p->tail >= 0)
                add_number(path, "tailLines", p->tail);
        if (p->limit_bytes > 0)
                add_number(path, "limitBytes", p->limit_bytes);
        return add_since(p, path, err);
}

int verb_logs(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        struct buf path CLEANUP_BUF = BUF_INIT(LIMIT_LOCAL_REQUEST);
        const struct podwatch_stream stream = {.head = on_head, .data = on_data};
        const struct podwatch_lines lines = {.head = on_head, .line = podwatch_print_line};
        struct err err = ERR_INIT;
        int r = make_path(p, args->items[0], &path, &err);

        if (r >= 0)
                r = str_eq(p->output, "json") ? podwatch_follow_lines(p, buf_str(&path), &lines, &err)
                                              : podwatch_follow(p, buf_str(&path), &stream, &err);
        return r < 0 ? podwatch_fail(&err) : 0;
}

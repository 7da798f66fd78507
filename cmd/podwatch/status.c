/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "node/status_table.h"
#include "podwatch.h"

#define CLEAR_SCREEN "\033[H\033[2J"

/* A status that is followed. */
struct watching {
        const struct podwatch *p;
        const struct strv *only;
        bool terminal;
        cJSON *status;            /* as it came last; NULL: nothing yet */
        usec_t told_at, received; /* its own time, and this program's when it came */
};

/* What fits on the screen: a table that scrolls away shows nobody anything. */
static void print_screen(const char *text)
{
        struct winsize size = {0};
        int left = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row - 1 : 1000;

        (void)fputs(CLEAR_SCREEN, stdout);
        for (; *text && left > 0; left--) {
                size_t len = strcspn(text, "\n");

                (void)printf("%.*s\n", (int)len, text);
                text += len + (text[len] == '\n');
        }
}

/* Ages and "next try in" go on between two news. */
static void draw(void *userdata)
{
        struct watching *w = userdata;
        struct buf table CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        char now[TIMEFMT_MAX];

        if (!w->status)
                return;
        timefmt_seconds(usec_add(w->told_at, usec_sub(clock_boottime(), w->received)), now);
        cJSON_ReplaceItemInObjectCaseSensitive(w->status, "now", cJSON_CreateString(now));
        status_table(w->status, w->only, str_eq(w->p->output, "wide"), &table);
        print_screen(buf_str(&table));
        (void)fflush(stdout);
}

static bool on_line(void *userdata, const char *line, size_t len)
{
        struct watching *w = userdata;
        struct buf lines CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *before CLEANUP_CJSON = w->status;

        if (str_eq(w->p->output, "json"))
                return podwatch_print_line(NULL, line, len);
        w->status = cJSON_ParseWithLength(line, len);
        w->received = clock_boottime();
        w->told_at = 0;
        (void)timefmt_parse(cjson_text(w->status, "now", ""), &w->told_at);
        if (w->terminal) {
                draw(w);
        } else {
                status_changes(w->status, before, w->only, &lines);
                (void)fputs(buf_str(&lines), stdout);
        }
        return fflush(stdout) == 0;
}

static int watch(const struct podwatch *p, const struct strv *only, struct err *err)
{
        struct watching w = {.p = p, .only = only, .terminal = isatty(STDOUT_FILENO) && !str_eq(p->output, "json")};
        const struct podwatch_lines lines = {.line = on_line, .tick = w.terminal ? draw : NULL, .userdata = &w};
        int r = podwatch_follow_lines(p, "/status?watch=true", &lines, err);

        cJSON_Delete(w.status);
        return r;
}

static int show(const struct podwatch *p, const struct strv *only, struct err *err)
{
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        struct buf table CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *status CLEANUP_CJSON = NULL;
        int r = podwatch_get(p, "/status", &answer, err);

        if (r < 0)
                return r;
        if (str_eq(p->output, "json")) {
                (void)fputs(buf_str(&answer), stdout);
                return 0;
        }
        status = cJSON_ParseWithLength(buf_str(&answer), answer.len);
        if (!status)
                return err_set(err, ERR_PROTOCOL, "podwatch's answer is no JSON");
        status_table(status, only, str_eq(p->output, "wide"), &table);
        (void)fputs(buf_str(&table), stdout);
        return 0;
}

int verb_status(void *userdata, const struct strv *args)
{
        struct podwatch *p = userdata;
        struct err err = ERR_INIT;
        int r = p->watch ? watch(p, args, &err) : show(p, args, &err);

        return r < 0 ? podwatch_fail(&err) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"

static enum log_level current_level = LOG_LEVEL_INFO;
static log_sink_fn current_sink = log_sink_text;

void log_set_level(enum log_level max)
{
        current_level = max;
}

enum log_level log_get_level(void)
{
        return current_level;
}

void log_set_sink(log_sink_fn sink)
{
        current_sink = sink;
}

static const char *level_name(enum log_level level)
{
        static const char *const names[LOG_LEVEL_MAX] = {
                [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
                [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
        };

        return level < LOG_LEVEL_MAX && names[level] ? names[level] : "info";
}

static void add_time(struct buf *b)
{
        usec_t now = clock_realtime();
        time_t seconds = (time_t)(now / USEC_PER_SEC);
        struct tm tm;
        char text[32];

        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
                buf_addf(b, "%s.%06uZ", text, (unsigned)(now % USEC_PER_SEC));
}

/* What closes a line always has room: "...", a quote, a brace, the newline. */
#define TAIL 16

static void cut_back(struct buf *b, size_t len)
{
        b->len = len;
        b->failed = b->no_memory = false;
        if (b->data)
                b->data[len] = '\0';
}

/* Appends s as a JSON string; as much of it as fits, down to nothing. */
static void add_json(struct buf *b, const char *s)
{
        size_t at = b->len;

        for (size_t len = strlen(s);; len /= 2) {
                buf_add_json_string(b, s, len);
                if (!b->failed || len == 0)
                        break;
                cut_back(b, at);
        }
}

/* Appends s with control characters escaped, so that one entry stays one line. */
static void add_plain(struct buf *b, const char *s)
{
        for (; *s; s++) {
                size_t at = b->len;
                unsigned char c = (unsigned char)*s;
                if (c == '\n')
                        buf_addstr(b, "\\n");
                else if ((c < 0x20 && c != '\t') || c == 0x7f)
                        buf_addf(b, "\\x%02x", c);
                else
                        buf_addch(b, *s);
                if (b->failed) {
                        cut_back(b, at);
                        return;
                }
        }
}

static void write_line(struct buf *b)
{
        buf_addch(b, '\n');
        (void)fd_write_all(STDERR_FILENO, buf_str(b), b->len);
}

static bool is_word(const char *s)
{
        for (const char *c = s; *c; c++)
                if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '"' || *c == '=')
                        return false;
        return *s != '\0';
}

static void add_text_field(struct buf *b, const struct log_field *field)
{
        buf_addf(b, " %s=", field->key);
        if (is_word(field->value) && strlen(field->value) <= b->max - b->len)
                buf_addstr(b, field->value);
        else
                add_json(b, field->value);
}

/* Adds what fits: a field that does not is left out with those behind it, and "..." says so. */
static void add_fields(struct buf *b, const struct log_field *fields, size_t count,
                       void (*add)(struct buf *b, const struct log_field *field), const char *cut_mark)
{
        for (size_t i = 0; i < count; i++) {
                size_t at = b->len;
                if (fields[i].value)
                        add(b, &fields[i]);
                if (b->failed) {
                        cut_back(b, at);
                        b->max += TAIL;
                        buf_addstr(b, cut_mark);
                        return;
                }
        }
        b->max += TAIL;
}

void log_sink_text(enum log_level level, const char *msg, const struct log_field *fields, size_t count)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_LOG_LINE - TAIL);

        add_time(&b);
        buf_addf(&b, " %s: ", level_name(level));
        add_plain(&b, msg);
        add_fields(&b, fields, count, add_text_field, " ...");
        write_line(&b);
}

static void add_json_field(struct buf *b, const struct log_field *field)
{
        buf_addf(b, ",\"%s\":", field->key);
        add_json(b, field->value);
}

void log_sink_json(enum log_level level, const char *msg, const struct log_field *fields, size_t count)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_LOG_LINE - TAIL);

        buf_addstr(&b, "{\"time\":\"");
        add_time(&b);
        buf_addf(&b, "\",\"level\":\"%s\",\"msg\":", level_name(level));
        add_json(&b, msg);
        add_fields(&b, fields, count, add_json_field, ",\"cut\":true");
        buf_addch(&b, '}');
        write_line(&b);
}

void log_fields(enum log_level level, const struct log_field *fields, size_t count, const char *fmt, ...)
{
        char msg[LIMIT_LOG_LINE / 4];
        va_list ap;

        if (level > current_level)
                return;
        va_start(ap, fmt);
        int n = vsnprintf(msg, sizeof(msg), fmt, ap);
        va_end(ap);
        if (n < 0)
                msg[0] = '\0';
        else if ((size_t)n >= sizeof(msg))
                memcpy(msg + sizeof(msg) - 4, "...", 4);
        current_sink(level, msg, fields, count);
}

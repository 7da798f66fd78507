/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a running podwatch over its socket.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "net/unix_ask.h"
#include "podwatch.h"

/* podwatch answers from memory; longer than this it hangs. */
#define TIMEOUT_SEC 10

static int no_answer(const struct podwatch *p, int r, struct err *err)
{
        if (r == -ENOENT || r == -ECONNREFUSED)
                return err_set(err, -r, "podwatch does not run (nobody listens on %s)", p->socket);
        return r;
}

/* A refusal is a line of text that says why. */
static int refusal(const struct buf *body, struct err *err)
{
        return err_set(err, ERR_REMOTE, "%.*s", (int)strcspn(buf_str(body), "\r\n"), buf_str(body));
}

static int ask(const struct podwatch *p, const char *method, const char *path, struct buf *out, struct err *err)
{
        const struct unix_ask request = {
                .socket = p->socket, .method = method, .path = path, .timeout_seconds = TIMEOUT_SEC};
        struct buf body CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        int status = 0;
        int r = unix_ask(&request, &status, &body, err);

        if (r < 0)
                return no_answer(p, r, err);
        if (status != 200 && status != 202)
                return refusal(&body, err);
        buf_add(out, buf_str(&body), body.len);
        r = buf_check(out, "podwatch's answer", err);
        return r < 0 ? r : status == 202;
}

int podwatch_get(const struct podwatch *p, const char *path, struct buf *out, struct err *err)
{
        return ask(p, "GET", path, out, err);
}

/* What came of an answer that is followed. */
struct following {
        const struct podwatch_stream *stream;
        int status;
        struct buf refusal;
};

static void on_head(void *userdata, const struct http_answer *answer)
{
        struct following *f = userdata;

        f->status = answer->status;
        if (f->status == 200 && f->stream->head)
                f->stream->head(f->stream->userdata, answer);
}

static bool on_data(void *userdata, const char *data, size_t len)
{
        struct following *f = userdata;

        if (f->status == 200)
                return f->stream->data(f->stream->userdata, data, len);
        buf_add(&f->refusal, data, len);
        return true;
}

static void on_tick(void *userdata)
{
        struct following *f = userdata;

        f->stream->tick(f->stream->userdata);
}

int podwatch_follow(const struct podwatch *p, const char *path, const struct podwatch_stream *stream, struct err *err)
{
        struct following f = {.stream = stream, .refusal = BUF_INIT(LIMIT_HTTP_ERROR_BODY)};
        const struct unix_ask_stream request = {
                .ask = {.socket = p->socket, .method = "GET", .path = path, .timeout_seconds = TIMEOUT_SEC},
                .head = on_head,
                .data = on_data,
                .tick = stream->tick ? on_tick : NULL,
                .tick_seconds = stream->tick ? 1 : 0,
                .userdata = &f,
        };
        int r = no_answer(p, unix_ask_follow(&request, err), err);

        if (r >= 0 && f.status != 200)
                r = refusal(&f.refusal, err);
        else if (r == -ECONNRESET && f.status == 200)
                r = err_set(err, ECONNRESET,
                            "the answer broke off: podwatch or Docker went away, or this was read too slowly");
        buf_release(&f.refusal);
        return r;
}

struct lines {
        struct docker_lines split;
        const struct podwatch_lines *wanted;
        struct err err;
};

static void on_lines_head(void *userdata, const struct http_answer *answer)
{
        const struct lines *lines = userdata;

        lines->wanted->head(lines->wanted->userdata, answer);
}

static bool on_piece(void *userdata, const char *data, size_t len)
{
        struct lines *lines = userdata;

        return docker_lines_feed(&lines->split, data, len, &lines->err) == 0;
}

static void on_lines_tick(void *userdata)
{
        const struct lines *lines = userdata;

        lines->wanted->tick(lines->wanted->userdata);
}

int podwatch_follow_lines(const struct podwatch *p, const char *path, const struct podwatch_lines *wanted,
                          struct err *err)
{
        struct lines lines = {.err = ERR_INIT, .wanted = wanted};
        const struct podwatch_stream stream = {
                .head = wanted->head ? on_lines_head : NULL,
                .data = on_piece,
                .tick = wanted->tick ? on_lines_tick : NULL,
                .userdata = &lines,
        };
        int r;

        docker_lines_init(&lines.split, LIMIT_API_BODY, wanted->line, wanted->userdata);
        r = podwatch_follow(p, path, &stream, err);
        docker_lines_release(&lines.split);
        if (r >= 0 && lines.err.code) {
                *err = lines.err;
                return -err->code;
        }
        return r;
}

bool podwatch_print_line(void *userdata, const char *line, size_t len)
{
        (void)userdata;
        return fwrite(line, 1, len, stdout) == len && putchar('\n') != EOF && fflush(stdout) == 0;
}

int podwatch_post(const struct podwatch *p, const char *path, struct buf *out, struct err *err)
{
        return ask(p, "POST", path, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "docker/docker.h"
#include "docker/docker_log_file.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/container_log.h"

/* What waits for a slow reader beside what the kernel holds. */
#define STREAM_BUFFER (64 * 1024)
/* Docker may have sent that much before it learns that it is to wait. As JSON the shortest lines grow the most: each
 * has the names of its pod and container beside it. */
#define HELD_MAX (256 * 1024)
#define HELD_JSON_MAX (1024 * 1024)
/* A record as JSON: a byte of its text is at most six. */
#define JSON_LINE_MAX (6 * LIMIT_DOCKER_LOG_RECORD + 4096)
/* A person who reads page by page; the kubelet's streamingConnectionIdleTimeout. */
#define STREAM_IDLE (4 * 3600 * USEC_PER_SEC)

struct log_stream {
        struct container_logs *logs;
        struct log_stream *prev, *next;
        struct http_server_request *request; /* NULL: the client has gone, or has its answer */
        struct docker_call *call;            /* NULL: none under way */
        struct docker_log_file *file;        /* read instead of Docker; NULL: it is not */
        struct loop_source *turn;            /* of the file */
        char *key, *container;
        char *path; /* of the file, until it was tried; NULL: none */
        struct container_log_run run;
        struct container_log_query query;
        int64_t left; /* bytes to go, -1: no limit */
        bool begun;   /* the status line is out */
        bool ended;   /* the instance's log is through */
        bool waits;   /* for the next instance */
        bool paused;
        struct buf held;   /* came while the client's buffer was full */
        struct buf *lines; /* JSON of a step of the file */
};

struct container_logs {
        struct loop *loop;
        struct docker *docker;
        container_log_next_fn next;
        void *userdata;
        struct log_stream *list;
        unsigned count;
};

/* --- the query ---------------------------------------------------------------------------------------------------- */

static int read_flag(const char *name, const char *text, bool *ret, struct err *err)
{
        if (!text)
                return 0;
        if (!*text || str_eq(text, "true") || str_eq(text, "1"))
                *ret = true;
        else if (str_eq(text, "false") || str_eq(text, "0"))
                *ret = false;
        else
                return err_set(err, ERR_INVALID, "%s: '%s' is neither true nor false", name, text);
        return 0;
}

static int read_format(const char *text, bool *ret, struct err *err)
{
        if (str_empty(text))
                return 0;
        if (!str_eq(text, "json"))
                return err_set(err, ERR_INVALID, "format: '%s' is not json", text);
        *ret = true;
        return 0;
}

static int read_number(const char *name, const char *text, int64_t min, int64_t *ret, struct err *err)
{
        int64_t number = 0;

        if (!text)
                return 0;
        if (str_to_i64(text, &number) < 0 || number < min)
                return err_set(err, ERR_INVALID, "%s: '%s' is not a number of at least %d", name, text, (int)min);
        *ret = number;
        return 0;
}

static int read_since(const char *seconds, const char *at, usec_t now_wall, usec_t *ret, struct err *err)
{
        int64_t number = 0;
        int r;

        if (seconds && at)
                return err_set(err, ERR_INVALID, "at most one of sinceTime or sinceSeconds may be given");
        if (at && timefmt_parse(at, ret) < 0)
                return err_set(err, ERR_INVALID, "sinceTime: '%s' is no RFC 3339 time", at);
        if (!seconds)
                return 0;
        r = read_number("sinceSeconds", seconds, 1, &number, err);
        if (r < 0)
                return r;
        /* Longer ago than the clock reaches is everything. */
        *ret = (usec_t)number < now_wall / USEC_PER_SEC ? now_wall - (usec_t)number * USEC_PER_SEC : 0;
        return 0;
}

int container_log_query_read(const struct http_server_request *request, container_log_param_fn param, usec_t now_wall,
                             struct container_log_query *ret, struct err *err)
{
        struct container_log_query q = {.tail = -1, .limit_bytes = -1};
        const struct {
                const char *name;
                bool *to;
        } flags[] = {
                {"follow", &q.follow},
                {"previous", &q.previous},
                {"timestamps", &q.timestamps},
                {"restarts", &q.restarts},
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(flags); i++)
                r = read_flag(flags[i].name, param(request, flags[i].name), flags[i].to, err);
        if (r >= 0)
                r = read_format(param(request, "format"), &q.json, err);
        if (r >= 0)
                r = read_number("tailLines", param(request, "tailLines"), 0, &q.tail, err);
        if (r >= 0)
                r = read_number("limitBytes", param(request, "limitBytes"), 1, &q.limit_bytes, err);
        if (r >= 0)
                r = read_since(param(request, "sinceSeconds"), param(request, "sinceTime"), now_wall, &q.since, err);
        if (r < 0)
                return r;
        q.restarts = q.restarts && q.follow && !q.previous;
        *ret = q;
        return 0;
}

/* --- a stream ----------------------------------------------------------------------------------------------------- */

static void stream_free(struct log_stream *stream)
{
        DL_DELETE(stream->logs->list, stream);
        stream->logs->count--;
        docker_log_file_free(stream->file);
        loop_source_free(stream->turn);
        free(stream->key);
        free(stream->container);
        free(stream->path);
        buf_release(&stream->held);
        free(stream);
}

/* The client is done with: what is under way in Docker frees the stream when it has ended. */
static void stream_drop(struct log_stream *stream)
{
        struct docker *docker = stream->logs->docker;

        stream->request = NULL;
        stream->waits = false;
        if (stream->call)
                docker->ops->cancel(docker, stream->call);
        else
                stream_free(stream);
}

static void stream_end(struct log_stream *stream, bool whole)
{
        http_server_stream_end(stream->request, whole);
        stream_drop(stream);
}

static void on_closed(void *userdata)
{
        stream_drop(userdata);
}

static void stream_begin(struct log_stream *stream)
{
        if (stream->begun)
                return;
        stream->begun = true;
        http_server_stream_begin(stream->request, 200, stream->query.json ? "application/json" : NULL, STREAM_BUFFER);
        http_server_stream_idle(stream->request, STREAM_IDLE);
}

static void stream_pause(struct log_stream *stream, bool pause)
{
        struct docker *docker = stream->logs->docker;

        if (stream->paused == pause || !stream->call)
                return;
        stream->paused = pause;
        docker->ops->pause(docker, stream->call, pause);
}

static void stream_start(struct log_stream *stream);

/* The instance's log is through and with the client. */
static void stream_next(struct log_stream *stream)
{
        struct container_logs *logs = stream->logs;
        struct container_log_run run = {.attempt = -1};

        stream->waits = false;
        if (!stream->query.restarts) {
                stream_end(stream, true);
                return;
        }
        switch (logs->next(logs->userdata, stream->key, stream->container, stream->run.id, &run)) {
        case CONTAINER_LOG_NEXT:
                stream->run = run;
                stream->query.tail = -1;
                stream_start(stream);
                break;
        case CONTAINER_LOG_WAIT:
                stream->waits = true;
                break;
        case CONTAINER_LOG_END:
                stream_end(stream, true);
                break;
        }
}

static void on_drained(void *userdata)
{
        struct log_stream *stream = userdata;

        if (stream->held.len > 0)
                (void)http_server_stream_write(stream->request, stream->held.data, stream->held.len);
        buf_clear(&stream->held);
        stream_pause(stream, false);
        if (stream->left == 0)
                stream_end(stream, true);
        else if (stream->file)
                loop_defer_schedule(stream->turn);
        else if (stream->ended)
                stream_next(stream);
}

/* How much of len bytes the limit lets through. */
static size_t take_of_limit(struct log_stream *stream, size_t len)
{
        if (stream->left >= 0 && (int64_t)len > stream->left)
                len = (size_t)stream->left;
        if (stream->left > 0)
                stream->left -= (int64_t)len;
        return len;
}

/* False: the stream has ended, and is gone unless Docker has a call of it. */
static bool stream_send(struct log_stream *stream, const char *data, size_t len)
{
        if (stream->held.len > 0 || http_server_stream_write(stream->request, data, len) < 0) {
                buf_add(&stream->held, data, len);
                stream_pause(stream, true);
        }
        if (!stream->held.failed && (stream->left != 0 || stream->held.len > 0))
                return true;
        stream_end(stream, !stream->held.failed);
        return false;
}

static void on_data(void *userdata, int output, const char *data, size_t len)
{
        struct log_stream *stream = userdata;

        (void)output; /* a log is both, in the order in which it was written */
        if (stream->request && stream->left != 0)
                (void)stream_send(stream, data, take_of_limit(stream, len));
}

/* --- as JSON ------------------------------------------------------------------------------------------------------ */

static void add_json(struct log_stream *stream, const struct docker_record *record, struct buf *out)
{
        buf_addch(out, '{');
        if (*record->time) {
                buf_addstr(out, "\"time\":");
                buf_add_json_string(out, record->time, strlen(record->time));
                buf_addch(out, ',');
        }
        buf_addstr(out, "\"pod\":");
        buf_add_json_string(out, stream->key, strlen(stream->key));
        buf_addstr(out, ",\"container\":");
        buf_add_json_string(out, stream->container, strlen(stream->container));
        if (stream->run.attempt >= 0) {
                buf_addstr(out, ",\"attempt\":");
                buf_addi(out, stream->run.attempt);
        }
        buf_addf(out, ",\"stream\":\"%s\",\"log\":", record->stream == 2 ? "stderr" : "stdout");
        buf_add_json_string(out, record->text, take_of_limit(stream, record->len));
        buf_addstr(out, "}\n");
}

static void on_record(void *userdata, const struct docker_record *record)
{
        struct buf line CLEANUP_BUF = BUF_INIT(JSON_LINE_MAX);
        struct log_stream *stream = userdata;

        if (!stream->request || stream->left == 0)
                return;
        add_json(stream, record, &line);
        if (line.failed)
                stream_end(stream, false);
        else
                (void)stream_send(stream, line.data, line.len);
}

static void on_file_record(void *userdata, const struct docker_record *record)
{
        struct log_stream *stream = userdata;

        if (stream->left != 0)
                add_json(stream, record, stream->lines);
}

/* --- Docker's file, while Docker is away -------------------------------------------------------------------------- */

static void on_turn(void *userdata)
{
        struct log_stream *stream = userdata;
        struct buf piece CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_LOG_RECORD + 2 * DOCKER_LOG_STEP);
        struct buf lines CLEANUP_BUF = BUF_INIT(JSON_LINE_MAX);
        struct buf *out = stream->query.json ? &lines : &piece;
        struct err err = ERR_INIT;
        int r;

        stream->lines = &lines;
        r = docker_log_file_step(stream->file, &piece, &err);
        if (out->failed)
                r = -1;
        if (r >= 0 && out->len > 0 &&
            !stream_send(stream, out->data, stream->query.json ? out->len : take_of_limit(stream, out->len)))
                return;
        if (stream->held.len > 0 && r > 0)
                return; /* on_drained goes on */
        if (r > 0) {
                loop_defer_schedule(stream->turn);
                return;
        }
        stream->file = docker_log_file_free(stream->file);
        stream->query.restarts = false; /* the next run needs Docker */
        stream->ended = true;
        if (r < 0 || stream->query.follow)
                stream_end(stream, false);
        else if (stream->held.len == 0)
                stream_next(stream);
}

/* False: there is no such file, or it was tried before. */
static bool stream_from_file(struct log_stream *stream)
{
        char *path CLEANUP_FREE = TAKE_PTR(stream->path), *real CLEANUP_FREE = path ? realpath(path, NULL) : NULL;
        const struct docker_log_wanted wanted = {
                .tail = stream->query.tail,
                .since = stream->query.since,
                .timestamps = stream->query.timestamps,
                .record = stream->query.json ? on_file_record : NULL,
                .userdata = stream,
        };
        struct err err = ERR_INIT;

        if (!real || docker_log_file_open(real, &wanted, &stream->file, &err) < 0)
                return false;
        stream->turn = loop_defer_new(stream->logs->loop, "log file", on_turn, stream);
        http_server_add_header(stream->request, CONTAINER_LOG_WARNING,
                               stream->query.follow ? "Docker does not answer: its log file is read, and not followed"
                                                    : "Docker does not answer: its log file is read");
        stream_begin(stream);
        loop_defer_schedule(stream->turn);
        return true;
}

/* --- Docker ------------------------------------------------------------------------------------------------------- */

static void on_connected(void *userdata, const struct err *err)
{
        struct log_stream *stream = userdata;

        (void)err;
        if (stream->request)
                stream_begin(stream);
}

static int status_of(const struct err *err)
{
        if (err->status == 404)
                return 404;
        return err->status ? 500 : 503;
}

static void stream_failed(struct log_stream *stream, const struct err *err)
{
        if (stream->begun) {
                stream_end(stream, false);
                return;
        }
        if (!err->status && stream_from_file(stream))
                return;
        http_server_replyf(stream->request, status_of(err), "%s", err->msg);
        stream_drop(stream);
}

static void on_done(void *userdata, const struct err *err)
{
        struct log_stream *stream = userdata;

        stream->call = NULL;
        stream->paused = false;
        if (!stream->request) {
                stream_free(stream);
                return;
        }
        if (err && !(stream->query.restarts && err->status == 404)) {
                stream_failed(stream, err);
                return;
        }
        stream_begin(stream);
        stream->ended = true;
        if (stream->held.len == 0)
                stream_next(stream);
}

static void stream_start(struct log_stream *stream)
{
        struct docker *docker = stream->logs->docker;
        const struct docker_logs wanted = {
                .id = stream->run.id,
                .tail = stream->query.tail,
                .since = stream->query.since,
                .timestamps = stream->query.timestamps,
                .follow = stream->query.follow,
                .unhurried = true,
                .connected = on_connected,
                .data = on_data,
                .record = stream->query.json ? on_record : NULL,
                .done = on_done,
        };

        stream->ended = false;
        stream->call = docker->ops->logs(docker, &wanted, stream);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

struct container_logs *container_logs_new(struct loop *loop, struct docker *docker, container_log_next_fn next,
                                          void *userdata)
{
        struct container_logs *logs = xcalloc(1, sizeof(*logs));

        logs->loop = loop;
        logs->docker = docker;
        logs->next = next;
        logs->userdata = userdata;
        return logs;
}

struct container_logs *container_logs_free(struct container_logs *logs)
{
        if (!logs)
                return NULL;
        while (logs->list)
                stream_free(logs->list);
        free(logs);
        return NULL;
}

void container_logs_serve(struct container_logs *logs, struct http_server_request *request,
                          const struct container_log_source *source, const struct container_log_query *query)
{
        struct log_stream *stream;

        if (logs->count >= LIMIT_LOG_STREAMS) {
                http_server_replyf(request, 429, "%d logs are being read already", LIMIT_LOG_STREAMS);
                return;
        }
        stream = xcalloc(1, sizeof(*stream));
        stream->logs = logs;
        stream->request = request;
        stream->key = xstrdup(source->key);
        stream->container = xstrdup(source->container);
        stream->path = source->path ? xstrdup(source->path) : NULL;
        stream->query = *query;
        stream->left = query->limit_bytes;
        stream->held = BUF_INIT(query->json ? HELD_JSON_MAX : HELD_MAX);
        stream->run.attempt = source->attempt;
        str_copy(stream->run.id, sizeof(stream->run.id), source->id);
        DL_APPEND(logs->list, stream);
        logs->count++;
        http_server_on_closed(request, on_closed, stream);
        http_server_on_drained(request, on_drained, stream);
        if (source->away && stream_from_file(stream))
                return;
        if (*stream->run.id) {
                stream_start(stream);
                return;
        }
        stream_begin(stream);
        stream_next(stream);
}

void container_logs_changed(struct container_logs *logs)
{
        struct log_stream *stream, *next;

        DL_FOREACH_SAFE (logs->list, stream, next) {
                if (stream->waits)
                        stream_next(stream);
        }
}

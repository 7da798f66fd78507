/* SPDX-License-Identifier: Apache-2.0
 *
 * Serving logs, between a daemon of this test's own and a client on the same loop: options, readers that are slow or
 * go, limits, streams that break, runs that follow one another.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker_http.h"
#include "net/curl_glue.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/container_log.h"
#include "../loop_wait.h"

#define ANSWER_MAX (16 * 1024 * 1024)

/* One reader. */
struct client {
        struct curl_glue_call *call;
        struct buf body;
        int status, done;
        struct err err;
};

struct state {
        struct loop *loop;
        struct http_server *daemon, *server;
        struct docker *docker;
        struct curl_glue *glue;
        struct container_logs *logs;
        char dir[64], daemon_path[128], server_path[128];
        struct container_log_query query;
        const char *id;       /* first instance to serve */
        int attempt;          /* of it */
        const char *log_path; /* of its file; NULL: none */
        bool away;
        struct http_server_request *kept; /* the daemon's /logs */
        int asked;                        /* times that the daemon was asked for a log */
        char asked_id[64], asked_tail[16];
        bool drained;
        /* what follows */
        enum container_log_next next;
        const char *next_id;
        char after[POD_VIEW_ID_MAX];
        struct client client;
};

/* ---- both servers ---- */

static void on_kept_closed(void *userdata)
{
        struct state *s = userdata;
        s->kept = NULL;
}

static void on_kept_drained(void *userdata)
{
        struct state *s = userdata;
        s->drained = true;
}

static void daemon_handler(void *userdata, struct http_server_request *request)
{
        static const char version[] = "{\"Version\":\"x\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}";
        struct state *s = userdata;
        const char *path = http_server_path(request), *tail = http_server_query(request, "tail");
        if (str_eq(path, "/version")) {
                http_server_reply(request, 200, "application/json", version, strlen(version));
        } else if (strstr(path, "/gone/")) {
                http_server_reply(request, 404, "application/json", "{\"message\":\"No such container: gone\"}", 38);
        } else if (strstr(path, "/unreadable/")) {
                http_server_reply(request, 501, "application/json",
                                  "{\"message\":\"configured logging driver does not support reading\"}", 65);
        } else {
                s->asked++;
                (void)sscanf(path, "/v1.41/containers/%63[^/]", s->asked_id);
                (void)snprintf(s->asked_tail, sizeof(s->asked_tail), "%s", tail ? tail : "");
                s->kept = request;
                http_server_on_closed(request, on_kept_closed, s);
                http_server_on_drained(request, on_kept_drained, s);
                http_server_stream_begin(request, 200, NULL, 64 * 1024);
        }
}

static void server_handler(void *userdata, struct http_server_request *request)
{
        struct state *s = userdata;
        const struct container_log_source source = {.key = "default/pod",
                                                    .container = "main",
                                                    .id = s->id,
                                                    .attempt = s->attempt,
                                                    .path = s->log_path,
                                                    .away = s->away};

        container_logs_serve(s->logs, request, &source, &s->query);
}

static enum container_log_next next(void *userdata, const char *key, const char *container, const char *after,
                                    struct container_log_run *ret)
{
        struct state *s = userdata;
        assert_string_equal(key, "default/pod");
        assert_string_equal(container, "main");
        str_copy(s->after, sizeof(s->after), after);
        if (s->next == CONTAINER_LOG_NEXT) {
                str_copy(ret->id, sizeof(ret->id), s->next_id);
                ret->attempt = s->attempt + 1;
        }
        return s->next;
}

/* ---- set-up ---- */

static void serve(struct state *s, const char *name, const char *path, http_server_handler_fn handler,
                  struct http_server **ret)
{
        struct err err = ERR_INIT;
        struct http_server_options options = {.name = name,
                                              .unix_path = path,
                                              .unix_mode = 0600,
                                              .unix_gid = (gid_t)-1,
                                              .handler = handler,
                                              .userdata = s};
        assert_int_equal(http_server_new(s->loop, &options, ret, &err), 0);
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct curl_glue_options options = {.name = "client"};
        struct err err = ERR_INIT;
        char host[160];

        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-container-log-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void)snprintf(s->daemon_path, sizeof(s->daemon_path), "%s/daemon", s->dir);
        (void)snprintf(s->server_path, sizeof(s->server_path), "%s/server", s->dir);
        (void)snprintf(host, sizeof(host), "unix://%s", s->daemon_path);
        assert_int_equal(loop_new(&s->loop, &err), 0);
        serve(s, "daemon", s->daemon_path, daemon_handler, &s->daemon);
        serve(s, "server", s->server_path, server_handler, &s->server);
        assert_int_equal(docker_http_new(s->loop, host, &s->docker, &err), 0);
        assert_int_equal(curl_glue_new(s->loop, &options, &s->glue, &err), 0);
        s->logs = container_logs_new(s->loop, s->docker, next, s);
        s->query = (struct container_log_query){.tail = -1, .limit_bytes = -1};
        s->id = "c";
        s->next = CONTAINER_LOG_END;
        s->client.body = BUF_INIT(ANSWER_MAX);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;
        s->server = http_server_free(s->server);
        s->docker = s->docker->ops->free(s->docker);
        s->logs = container_logs_free(s->logs);
        s->glue = curl_glue_free(s->glue);
        s->daemon = http_server_free(s->daemon);
        s->loop = loop_free(s->loop);
        buf_release(&s->client.body);
        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        free(s);
        return 0;
}

#define WAIT(condition) LOOP_WAIT(s->loop, condition)

static bool on_data(void *userdata, const char *data, size_t len)
{
        struct client *client = userdata;
        buf_add(&client->body, data, len);
        return true;
}

static void on_head(void *userdata, const struct curl_glue_response *response)
{
        struct client *client = userdata;
        client->status = response->status;
}

static void on_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct client *client = userdata;
        client->done++;
        client->call = NULL;
        client->status = response->status;
        client->err = err ? *err : ERR_INIT;
        if (response->body_len)
                buf_add(&client->body, response->body, response->body_len);
}

static void ask(struct state *s)
{
        struct client *client = &s->client;
        struct curl_glue_request request = {.url = "http://node/logs",
                                            .unix_socket = s->server_path,
                                            .head = on_head,
                                            .data = on_data,
                                            .done = on_done,
                                            .userdata = client};
        buf_clear(&client->body);
        client->done = client->status = 0;
        s->asked = 0;
        client->call = curl_glue_start(s->glue, &request);
}

/* The daemon sends one frame. */
static int say(struct state *s, int stream, const char *text, size_t len)
{
        char *frame CLEANUP_FREE = xcalloc(1, len + 8);
        frame[0] = (char)stream;
        frame[4] = (char)(len >> 24);
        frame[5] = (char)(len >> 16);
        frame[6] = (char)(len >> 8);
        frame[7] = (char)len;
        memcpy(frame + 8, text, len);
        return http_server_stream_write(s->kept, frame, len + 8);
}

static void says(struct state *s, int stream, const char *text)
{
        WAIT(s->kept);
        assert_int_equal(say(s, stream, text, strlen(text)), 0);
}

static void ends(struct state *s, bool whole)
{
        http_server_stream_end(TAKE_PTR(s->kept), whole);
}

/* ---- options ---- */

struct param {
        const char *name, *value;
};
static const struct param *params;

static const char *param(const struct http_server_request *request, const char *name)
{
        (void)request;
        for (const struct param *p = params; p->name; p++)
                if (str_eq(p->name, name))
                        return p->value;
        return NULL;
}

static bool same(const struct container_log_query *a, const struct container_log_query *b)
{
        return a->follow == b->follow && a->previous == b->previous && a->timestamps == b->timestamps &&
               a->restarts == b->restarts && a->json == b->json && a->tail == b->tail && a->since == b->since &&
               a->limit_bytes == b->limit_bytes;
}

static void test_query(void **state)
{
        static const struct {
                struct param params[4];
                struct container_log_query want;
                const char *error; /* part of it; NULL: none */
        } cases[] = {
                {{{0}}, {.tail = -1, .limit_bytes = -1}, NULL},
                {{{"follow", "true"}, {"restarts", "1"}},
                 {.follow = true, .restarts = true, .tail = -1, .limit_bytes = -1},
                 NULL},
                {{{"restarts", ""}}, {.tail = -1, .limit_bytes = -1}, NULL}, /* means nothing without follow */
                {{{"follow", "true"}, {"previous", "true"}, {"restarts", "true"}},
                 {.follow = true, .previous = true, .tail = -1, .limit_bytes = -1},
                 NULL},
                {{{"tailLines", "0"}, {"limitBytes", "7"}, {"timestamps", "true"}},
                 {.timestamps = true, .tail = 0, .limit_bytes = 7},
                 NULL},
                {{{"sinceSeconds", "60"}}, {.tail = -1, .limit_bytes = -1, .since = 40 * USEC_PER_SEC}, NULL},
                {{{"sinceSeconds", "9223372036854775807"}}, {.tail = -1, .limit_bytes = -1}, NULL},
                {{{"sinceTime", "1970-01-01T00:00:05Z"}},
                 {.tail = -1, .limit_bytes = -1, .since = 5 * USEC_PER_SEC},
                 NULL},
                {{{"sinceTime", "1970-01-01T00:00:05Z"}, {"sinceSeconds", "1"}}, {0}, "at most one of"},
                {{{"sinceTime", "yesterday"}}, {0}, "sinceTime: 'yesterday'"},
                {{{"sinceSeconds", "0"}}, {0}, "sinceSeconds: '0'"},
                {{{"tailLines", "-1"}}, {0}, "tailLines: '-1'"},
                {{{"tailLines", "x"}}, {0}, "tailLines: 'x'"},
                {{{"tailLines", "9223372036854775808"}}, {0}, "tailLines"},
                {{{"limitBytes", "0"}}, {0}, "limitBytes: '0'"},
                {{{"follow", "maybe"}}, {0}, "follow: 'maybe'"},
                {{{"format", "json"}}, {.json = true, .tail = -1, .limit_bytes = -1}, NULL},
                {{{"format", ""}}, {.tail = -1, .limit_bytes = -1}, NULL},
                {{{"format", "yaml"}}, {0}, "format: 'yaml' is not json"},
        };
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct container_log_query got = {.tail = 42};
                struct err err = ERR_INIT;
                params = cases[i].params;
                int r = container_log_query_read(NULL, param, 100 * USEC_PER_SEC, &got, &err);
                if (cases[i].error) {
                        assert_int_equal(r, -ERR_INVALID);
                        assert_non_null(strstr(err.msg, cases[i].error));
                        assert_int_equal(got.tail, 42);
                } else {
                        assert_int_equal(r, 0);
                        assert_true(same(&got, &cases[i].want));
                }
        }
}

/* ---- streams ---- */

static void test_whole(void **state)
{
        struct state *s = *state;
        s->query.tail = 5;
        ask(s);
        WAIT(s->client.status == 200); /* the status does not wait for the first line */
        says(s, 1, "one\n");
        says(s, 2, "two\n");
        ends(s, true);
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, 0);
        assert_string_equal(buf_str(&s->client.body), "one\ntwo\n");
        assert_string_equal(s->asked_tail, "5");
}

static void test_refusals(void **state)
{
        static const struct {
                const char *id;
                int status;
                const char *text;
        } cases[] = {
                {"gone", 404, "No such container"},
                {"unreadable", 500, "does not support reading"},
        };
        struct state *s = *state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                s->id = cases[i].id;
                ask(s);
                WAIT(s->client.done);
                assert_int_equal(s->client.status, cases[i].status);
                assert_non_null(strstr(buf_str(&s->client.body), cases[i].text));
        }
        s->daemon = http_server_free(s->daemon);
        ask(s);
        WAIT(s->client.done);
        assert_int_equal(s->client.status, 503);
}

static void test_broken_is_cut(void **state)
{
        struct state *s = *state;
        ask(s);
        says(s, 1, "half");
        WAIT(s->client.body.len == 4);
        ends(s, false);
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, ECONNRESET); /* not as if it were whole */
}

static void test_limit(void **state)
{
        struct state *s = *state;
        s->query.limit_bytes = 5;
        s->query.follow = true;
        ask(s);
        says(s, 1, "one\n");
        says(s, 1, "two\n");
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, 0);
        assert_string_equal(buf_str(&s->client.body), "one\nt");
        WAIT(!s->kept); /* the daemon is let go */
}

/* A reader that does not read makes the daemon wait, and gets everything once it does. */
static void test_slow_reader(void **state)
{
        enum { LINE = 1000, LINES = 12000 };
        struct state *s = *state;
        char line[LINE + 1];
        size_t written = 0;

        ask(s);
        WAIT(s->kept && s->client.status == 200);
        curl_glue_pause(s->client.call);
        memset(line, 'x', LINE);
        for (int idle = 0; idle < 50 && written < LINES;) {
                (void)snprintf(line, sizeof(line), "%06zu", written);
                line[6] = ' ';
                line[LINE - 1] = '\n';
                if (say(s, 1, line, LINE) == 0) {
                        written++;
                        idle = 0;
                } else {
                        idle++;
                }
                loop_wait_step(s->loop);
        }
        /* The buffers of four sockets and of both sides, not what there is to say. */
        assert_true(written < LINES);
        assert_true(s->client.body.len <= 16 * 1024 + LINE);
        curl_glue_resume(s->client.call);
        for (size_t more = 0; more < 500;) { /* and it goes on */
                (void)snprintf(line, sizeof(line), "%06zu", written);
                line[6] = ' ';
                if (say(s, 1, line, LINE) == 0) {
                        written++;
                        more++;
                }
                loop_wait_step(s->loop);
        }
        ends(s, true);
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, 0);
        assert_int_equal(s->client.body.len, written * LINE);
        for (size_t i = 0; i < written; i++)
                assert_int_equal(strtoul(s->client.body.data + i * LINE, NULL, 10), i);
}

static void test_reader_goes(void **state)
{
        struct state *s = *state;
        s->query.follow = true;
        ask(s);
        says(s, 1, "one\n");
        WAIT(s->client.body.len == 4);
        curl_glue_cancel(s->client.call);
        WAIT(!s->kept); /* so goes the daemon's stream */
        assert_int_equal(s->client.done, 1);
}

static void test_restarts(void **state)
{
        struct state *s = *state;
        s->query = (struct container_log_query){.follow = true, .restarts = true, .tail = 1, .limit_bytes = -1};
        ask(s);
        says(s, 1, "one\n");
        s->next = CONTAINER_LOG_WAIT;
        ends(s, true);
        WAIT(s->after[0]);
        assert_string_equal(s->after, "c");
        container_logs_changed(s->logs); /* not yet */
        loop_wait_step(s->loop);
        assert_int_equal(s->asked, 1);
        s->next = CONTAINER_LOG_NEXT;
        s->next_id = "d";
        container_logs_changed(s->logs);
        says(s, 1, "two\n");
        assert_string_equal(s->asked_id, "d");
        assert_string_equal(s->asked_tail, ""); /* all of it */
        s->next = CONTAINER_LOG_END;
        ends(s, true);
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, 0);
        assert_string_equal(s->after, "d");
        assert_string_equal(buf_str(&s->client.body), "one\ntwo\n");

        /* Nothing has run yet. */
        s->id = "";
        s->next = CONTAINER_LOG_WAIT;
        ask(s);
        WAIT(s->client.status == 200);
        assert_int_equal(s->asked, 0);
        s->next = CONTAINER_LOG_NEXT;
        s->next_id = "e";
        container_logs_changed(s->logs);
        says(s, 1, "three\n");
        WAIT(s->client.body.len == 6);
        s->next = CONTAINER_LOG_END;
        ends(s, true);
        WAIT(s->client.done);
}

static void test_too_many(void **state)
{
        struct state *s = *state;
        struct client clients[LIMIT_LOG_STREAMS];
        s->query.follow = true;
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
                ask(s);
                WAIT(s->client.status == 200);
                clients[i].call = s->client.call;
        }
        ask(s);
        WAIT(s->client.done);
        assert_int_equal(s->client.status, 429);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                curl_glue_cancel(clients[i].call);
        WAIT(curl_glue_pending(s->glue) == 0);
        for (int i = 0; i < 20; i++)
                loop_wait_step(s->loop);
        ask(s);
        WAIT(s->client.status == 200);
}

#define STAMP "2026-01-02T03:04:05.000000006Z"

static const char *json_line(char *to, size_t size, int attempt, const char *rest)
{
        (void)snprintf(to, size,
                       "{\"time\":\"" STAMP "\",\"pod\":\"default/pod\",\"container\":\"main\",\"attempt\":%d,%s}\n",
                       attempt, rest);
        return to;
}

static void must_follow(const char **at, const char *line)
{
        assert_int_equal(strncmp(*at, line, strlen(line)), 0);
        *at += strlen(line);
}

/* A record is an object, whatever it holds and however it comes; the limit counts its text. */
static void test_json(void **state)
{
        static const char *const one = "\"stream\":\"stdout\",\"log\":\"one\\n\"",
                                 *const two = "\"stream\":\"stderr\",\"log\":\"\\\"\\ufffd\\u0001\"";
        struct state *s = *state;
        char line[256];
        const char *at;

        s->query = (struct container_log_query){
                .follow = true, .restarts = true, .json = true, .tail = -1, .limit_bytes = -1};
        s->attempt = 4;
        ask(s);
        says(s, 1, STAMP " one\n");
        says(s, 2, STAMP " \"\xff\1"); /* a piece of a longer line */
        s->next = CONTAINER_LOG_NEXT;
        s->next_id = "d";
        ends(s, true);
        WAIT(s->asked == 2);
        s->next = CONTAINER_LOG_END;
        says(s, 1, STAMP " one\n");
        says(s, 1, "Error: what Docker says itself\n");
        ends(s, true);
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, 0);
        at = buf_str(&s->client.body);
        must_follow(&at, json_line(line, sizeof(line), 4, one));
        must_follow(&at, json_line(line, sizeof(line), 4, two));
        must_follow(&at, json_line(line, sizeof(line), 5, one));
        assert_string_equal(at, "{\"pod\":\"default/pod\",\"container\":\"main\",\"attempt\":5,\"stream\":\"stdout\","
                                "\"log\":\"Error: what Docker says itself\\n\"}\n");

        s->query = (struct container_log_query){.json = true, .tail = -1, .limit_bytes = 5};
        s->attempt = -1;
        ask(s);
        says(s, 1, STAMP " one\n");
        says(s, 1, STAMP " two\n");
        WAIT(s->client.done);
        assert_string_equal(
                buf_str(&s->client.body),
                "{\"time\":\"" STAMP
                "\",\"pod\":\"default/pod\",\"container\":\"main\",\"stream\":\"stdout\",\"log\":\"one\\n\"}\n"
                "{\"time\":\"" STAMP
                "\",\"pod\":\"default/pod\",\"container\":\"main\",\"stream\":\"stdout\",\"log\":\"t\"}\n");
}

/* The shortest records grow the most, and the longest still fit; a reader that stops for a while loses none. */
static void test_json_of_a_slow_reader(void **state)
{
        enum { SHORT = 380, LONG = 16 * 1024 };
        struct state *s = *state;
        struct buf text CLEANUP_BUF = BUF_INIT(ANSWER_MAX);
        size_t written = 0, lines = 0;

        s->query = (struct container_log_query){.json = true, .tail = -1, .limit_bytes = -1};
        ask(s);
        WAIT(s->kept && s->client.status == 200);
        curl_glue_pause(s->client.call);
        buf_addstr(&text, STAMP " ");
        for (int i = 0; i < LONG; i++)
                buf_addch(&text, '\1');
        for (int idle = 0; idle < 50 && written < 40000; idle++) {
                const char *what = written % SHORT ? STAMP " \n" : buf_str(&text);

                for (int r = 0; r == 0;) {
                        r = say(s, 1, what, strlen(what));
                        written += r == 0;
                        idle = r == 0 ? 0 : idle;
                        what = written % SHORT ? STAMP " \n" : buf_str(&text);
                }
                loop_wait_step(s->loop);
        }
        curl_glue_resume(s->client.call);
        ends(s, true);
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, 0);
        for (size_t i = 0; i < s->client.body.len; i++)
                lines += s->client.body.data[i] == '\n';
        assert_int_equal(lines, written);
}

/* While Docker does not answer its file is read, at once where that is known. */
static void test_file_while_away(void **state)
{
        struct state *s = *state;
        char path[160];
        struct buf text CLEANUP_BUF = BUF_INIT(ANSWER_MAX);
        struct err err = ERR_INIT;

        for (int i = 0; i < 20000; i++)
                buf_addf(&text,
                         "{\"log\":\"line %05d\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:05.5Z\"}\n", i);
        (void)snprintf(path, sizeof(path), "%s/log", s->dir);
        assert_int_equal(file_write_atomic(path, text.data, text.len, 0600, 0, &err), 0);
        s->log_path = path;
        for (int away = 1; away >= 0; away--) {
                s->away = away;
                if (!away)
                        s->daemon = http_server_free(s->daemon);
                s->query = (struct container_log_query){.tail = 2, .limit_bytes = -1};
                ask(s);
                WAIT(s->client.done);
                assert_int_equal(s->client.status, 200);
                assert_int_equal(s->client.err.code, 0);
                assert_string_equal(buf_str(&s->client.body), "line 19998\nline 19999\n");
                assert_int_equal(s->asked, 0);
        }
        s->query = (struct container_log_query){.tail = 1, .limit_bytes = 9, .json = true};
        ask(s);
        WAIT(s->client.done);
        assert_string_equal(
                buf_str(&s->client.body),
                "{\"time\":\"2026-01-02T03:04:05.500000000Z\",\"pod\":\"default/"
                "pod\",\"container\":\"main\",\"attempt\":0,\"stream\":\"stderr\",\"log\":\"line 1999\"}\n");
        /* All of it, by a reader that stops for a while; followed, it is cut where it cannot be followed. */
        s->query = (struct container_log_query){.tail = -1, .limit_bytes = -1, .follow = true, .restarts = true};
        ask(s);
        WAIT(s->client.status == 200);
        curl_glue_pause(s->client.call);
        for (int i = 0; i < 100; i++)
                loop_wait_step(s->loop);
        curl_glue_resume(s->client.call);
        WAIT(s->client.done);
        assert_int_equal(s->client.err.code, ECONNRESET);
        assert_int_equal(s->client.body.len, 20000 * strlen("line 00000\n"));
        s->query = (struct container_log_query){.tail = -1, .limit_bytes = 15};
        ask(s);
        WAIT(s->client.done);
        assert_string_equal(buf_str(&s->client.body), "line 00000\nline");
        s->log_path = "/nonexistent/log";
        ask(s);
        WAIT(s->client.done);
        assert_int_equal(s->client.status, 503);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_query),
                TEST(test_whole),
                TEST(test_refusals),
                TEST(test_broken_is_cut),
                TEST(test_limit),
                TEST(test_slow_reader),
                TEST(test_reader_goes),
                TEST(test_restarts),
                TEST(test_too_many),
                TEST(test_json),
                TEST(test_json_of_a_slow_reader),
                TEST(test_file_while_away),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

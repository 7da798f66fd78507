/* SPDX-License-Identifier: Apache-2.0
 *
 * The transport against a daemon of this test's own on the same loop, for what a real one does not do on demand:
 * versions, refusals, streams that break, answers that never come. (Operations against a real daemon:
 * test/integration/test_docker_ops.py.)
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "docker/docker.h"
#include "docker/docker_http.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "../loop_wait.h"

#define VERSION(api, min) "{\"Version\":\"x\",\"ApiVersion\":\"" api "\",\"MinAPIVersion\":\"" min "\"}"
#define FRAME(stream, len, text) stream "\0\0\0\0\0\0" len text

struct got {
        int count;
        struct err err;
        char text[256];
        int exit_code;
        bool timed_out;
};

struct state {
        struct loop *loop;
        struct docker *docker;
        struct http_server *server;
        char dir[64], path[128], host[160];
        const char *version; /* body of /version; NULL: 500 */
        struct strv requests;
        struct http_server_request *kept; /* of what this daemon does not answer by itself */
        int exec_running;                 /* times that the exec says it still runs */
        struct got got, second;
        int connected, events;
        bool free_in_callback, cancel_in_callback;
        struct docker_call *call;
};

/* ---- the daemon ---- */

static void on_closed(void *userdata)
{
        struct state *s = userdata;
        s->kept = NULL;
}

static void json(struct http_server_request *request, int status, const char *text)
{
        http_server_reply(request, status, "application/json", text, strlen(text));
}

static void handler(void *userdata, struct http_server_request *request)
{
        struct state *s = userdata;
        const char *path = http_server_path(request);
        strv_addf(&s->requests, "%s %s", http_server_method(request), path);
        if (str_eq(path, "/version")) {
                json(request, s->version ? 200 : 500, s->version ? s->version : "{\"message\":\"not today\"}");
        } else if (str_ends(path, "/containers/json")) {
                json(request, 200, "[]");
        } else if (str_ends(path, "/start") && !strstr(path, "/exec/")) {
                json(request, str_ends(path, "/redirected/start") ? 301 : 304, "");
        } else if (str_ends(path, "/containers/gone")) {
                json(request, 404, "{\"message\":\"No such container: gone\"}");
        } else if (str_ends(path, "/containers/c/exec")) {
                json(request, 201, "{\"Id\":\"e1\"}");
        } else if (str_ends(path, "/exec/e1/json")) {
                json(request, 200,
                     s->exec_running-- > 0 ? "{\"Running\":true,\"ExitCode\":null}"
                                           : "{\"Running\":false,\"ExitCode\":9}");
        } else {
                s->kept = request;
                http_server_on_closed(request, on_closed, s);
        }
}

/* ---- set-up ---- */

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct err err = ERR_INIT;
        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-docker-http-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void)snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
        (void)snprintf(s->host, sizeof(s->host), "unix://%s", s->path);
        s->version = VERSION("1.41", "1.12");
        assert_int_equal(loop_new(&s->loop, &err), 0);
        struct http_server_options options = {.name = "daemon",
                                              .unix_path = s->path,
                                              .unix_mode = 0600,
                                              .unix_gid = (gid_t)-1,
                                              .handler = handler,
                                              .userdata = s};
        assert_int_equal(http_server_new(s->loop, &options, &s->server, &err), 0);
        assert_int_equal(docker_http_new(s->loop, s->host, &s->docker, &err), 0);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;
        if (s->docker)
                s->docker = s->docker->ops->free(s->docker);
        s->server = http_server_free(s->server);
        s->loop = loop_free(s->loop);
        strv_release(&s->requests);
        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        free(s);
        return 0;
}

static void got_set(struct state *s, struct got *got, const struct err *err)
{
        got->count++;
        got->err = err ? *err : ERR_INIT;
        if (s->free_in_callback)
                s->docker = s->docker->ops->free(s->docker);
}

static void on_done(void *userdata, const struct err *err)
{
        struct state *s = userdata;
        got_set(s, &s->got, err);
}

static void on_list(void *userdata, const struct docker_containers *list, const struct err *err)
{
        struct state *s = userdata;
        assert_true(!list == (err != NULL));
        got_set(s, &s->got, err);
}

static void on_second(void *userdata, const struct docker_containers *list, const struct err *err)
{
        struct state *s = userdata;
        (void)list;
        got_set(s, &s->second, err);
}

static void on_version(void *userdata, const struct docker_version *version, const struct err *err)
{
        struct state *s = userdata;
        if (version)
                (void)snprintf(s->got.text, sizeof(s->got.text), "%s", version->api_used);
        got_set(s, &s->got, err);
}

static void on_exec(void *userdata, const struct docker_exec_result *result, const struct err *err)
{
        struct state *s = userdata;
        if (result) {
                s->got.exit_code = result->exit_code;
                s->got.timed_out = result->timed_out;
                (void)snprintf(s->got.text, sizeof(s->got.text), "%s", result->output);
        }
        got_set(s, &s->got, err);
}

static void wait_got(struct state *s)
{
        usec_t give_up = clock_boottime() + 5 * USEC_PER_SEC;
        while (!s->got.count && clock_boottime() < give_up)
                loop_wait_step(s->loop);
        assert_int_equal(s->got.count, 1);
}

static void wait_kept(struct state *s)
{
        usec_t give_up = clock_boottime() + 5 * USEC_PER_SEC;
        while (!s->kept && clock_boottime() < give_up)
                loop_wait_step(s->loop);
        assert_non_null(s->kept);
}

static const struct err *list(struct state *s)
{
        s->got = (struct got){0};
        (void)s->docker->ops->list(s->docker, NULL, on_list, s);
        assert_int_equal(s->got.count, 0);
        wait_got(s);
        return s->got.err.code ? &s->got.err : NULL;
}

static int count_requests(const struct state *s, const char *request)
{
        int count = 0;
        for (size_t i = 0; i < s->requests.len; i++)
                count += str_eq(s->requests.items[i], request);
        return count;
}

/* ---- versions ---- */

static void test_negotiation(void **state)
{
        static const struct {
                const char *version, *used; /* NULL: refused */
                int code;
        } cases[] = {
                {VERSION("1.41", "1.12"), "1.41", 0},
                {VERSION("1.44", "1.24"), "1.44", 0},
                {VERSION("1.52", "1.44"), "1.44", 0},
                {VERSION("1.52", ""), "1.44", 0},
                {VERSION("1.25", "1.12"), "1.25", 0},
                {VERSION("1.24", "1.12"), NULL, ERR_UNSUPPORTED},
                {VERSION("1.9", "1.1"), NULL, ERR_UNSUPPORTED},
                {VERSION("1.60", "1.45"), NULL, ERR_UNSUPPORTED},
                {VERSION("2.0", "2.0"), NULL, ERR_UNSUPPORTED},
                {VERSION("x", "1.12"), NULL, ERR_PROTOCOL},
                {VERSION("1", "1.12"), NULL, ERR_PROTOCOL},
                {"{}", NULL, ERR_PROTOCOL},
                {"no JSON", NULL, ERR_PROTOCOL},
                {NULL, NULL, ERR_REMOTE},
        };
        struct state *s = *state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct err err = ERR_INIT;
                s->version = cases[i].version;
                s->docker = s->docker->ops->free(s->docker);
                assert_int_equal(docker_http_new(s->loop, s->host, &s->docker, &err), 0);
                s->got = (struct got){0};
                (void)s->docker->ops->version(s->docker, on_version, s);
                wait_got(s);
                assert_int_equal(s->got.err.code, cases[i].code);
                if (cases[i].used)
                        assert_string_equal(s->got.text, cases[i].used);
                /* and the same where another operation comes first */
                s->docker = s->docker->ops->free(s->docker);
                assert_int_equal(docker_http_new(s->loop, s->host, &s->docker, &err), 0);
                const struct err *failed = list(s);
                assert_int_equal(failed ? failed->code : 0, cases[i].code);
                if (cases[i].used) {
                        char *request CLEANUP_FREE = xasprintf("GET /v%s/containers/json", cases[i].used);
                        assert_string_equal(s->requests.items[s->requests.len - 1], request);
                }
        }
}

/* Many calls at once negotiate once; all of them fail together where it fails, and the next tries again. */
static void test_waiting_for_the_version(void **state)
{
        struct state *s = *state;
        for (int i = 0; i < 5; i++)
                (void)s->docker->ops->list(s->docker, NULL, on_second, s);
        while (s->second.count < 5)
                loop_wait_step(s->loop);
        assert_int_equal(s->second.err.code, 0);
        assert_int_equal(count_requests(s, "GET /version"), 1);

        s->docker = s->docker->ops->free(s->docker);
        struct err err;
        assert_int_equal(docker_http_new(s->loop, s->host, &s->docker, &err), 0);
        s->version = NULL;
        s->second = (struct got){0};
        for (int i = 0; i < 5; i++)
                (void)s->docker->ops->list(s->docker, NULL, on_second, s);
        while (s->second.count < 5)
                loop_wait_step(s->loop);
        assert_int_equal(s->second.err.status, 500);
        assert_non_null(strstr(s->second.err.msg, "GET /version: not today"));
        s->version = VERSION("1.41", "1.12");
        assert_null(list(s));
}

/* After the daemon was away the version is asked for again: another one may have come. */
static void test_negotiated_again(void **state)
{
        struct state *s = *state;
        struct err err;
        assert_null(list(s));
        s->server = http_server_free(s->server);
        const struct err *failed = list(s);
        assert_non_null(failed);
        assert_true(failed->code == ECONNREFUSED || failed->code == ECONNRESET);
        struct http_server_options options = {.name = "daemon",
                                              .unix_path = s->path,
                                              .unix_mode = 0600,
                                              .unix_gid = (gid_t)-1,
                                              .handler = handler,
                                              .userdata = s};
        assert_int_equal(http_server_new(s->loop, &options, &s->server, &err), 0);
        s->version = VERSION("1.44", "1.24");
        assert_null(list(s));
        assert_string_equal(s->requests.items[s->requests.len - 1], "GET /v1.44/containers/json");
        assert_null(list(s));
        assert_int_equal(count_requests(s, "GET /version"), 2);
}

/* ---- ends ---- */

static void test_cancel(void **state)
{
        struct state *s = *state;
        /* while it waits for the version */
        struct docker_call *call = s->docker->ops->list(s->docker, NULL, on_list, s);
        s->docker->ops->cancel(s->docker, call);
        s->docker->ops->cancel(s->docker, call);
        assert_int_equal(s->got.count, 0);
        wait_got(s);
        assert_int_equal(s->got.err.code, ECANCELED);
        /* while the daemon thinks */
        s->got = (struct got){0};
        call = s->docker->ops->kill(s->docker, "c", "SIGTERM", on_done, s);
        wait_kept(s);
        s->docker->ops->cancel(s->docker, call);
        wait_got(s);
        assert_int_equal(s->got.err.code, ECANCELED);
        while (s->kept)
                loop_wait_step(s->loop);
}

static void test_free_with_pending(void **state)
{
        struct state *s = *state;
        struct err err;
        (void)s->docker->ops->list(s->docker, NULL, on_list, s);
        s->docker = s->docker->ops->free(s->docker); /* waiting for the version */
        assert_int_equal(docker_http_new(s->loop, s->host, &s->docker, &err), 0);
        (void)s->docker->ops->kill(s->docker, "c", "SIGTERM", on_done, s);
        wait_kept(s);
        s->docker = s->docker->ops->free(s->docker);
        while (s->kept)
                loop_wait_step(s->loop);
        assert_int_equal(s->got.count, 0);
}

static void test_free_in_done(void **state)
{
        struct state *s = *state;
        s->free_in_callback = true;
        (void)s->docker->ops->list(s->docker, NULL, on_list, s);
        (void)s->docker->ops->list(s->docker, NULL, on_second, s);
        wait_got(s);
        for (int i = 0; i < 5; i++)
                loop_wait_step(s->loop);
        assert_null(s->docker);
        assert_int_equal(s->second.count, 0);
}

static void test_statuses(void **state)
{
        struct state *s = *state;
        (void)s->docker->ops->start(s->docker, "runs", on_done, s);
        wait_got(s);
        assert_int_equal(s->got.err.code, 0); /* 304: it runs */
        s->got = (struct got){0};
        (void)s->docker->ops->start(s->docker, "redirected", on_done, s);
        wait_got(s);
        assert_int_equal(s->got.err.status, 301);
        s->got = (struct got){0};
        (void)s->docker->ops->remove(s->docker, "gone", true, on_done, s);
        wait_got(s);
        assert_int_equal(s->got.err.code, 0);
        assert_non_null(strstr(s->requests.items[s->requests.len - 1], "DELETE /v1.41/containers/gone"));
}

/* ---- streams ---- */

static void on_connected(void *userdata, const struct err *err)
{
        struct state *s = userdata;
        assert_null(err);
        s->connected++;
}

static void on_event(void *userdata, const struct docker_event *event)
{
        struct state *s = userdata;
        s->events++;
        (void)snprintf(s->got.text, sizeof(s->got.text), "%s %s", event->action, event->name);
        if (s->cancel_in_callback)
                s->docker->ops->cancel(s->docker, s->call);
        if (s->free_in_callback)
                s->docker = s->docker->ops->free(s->docker);
}

#define EVENT(action)                                                                                                 \
        "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"i\",\"Attributes\":{\"name\":\"n\"}}}" \
        "\n"

static void subscribe(struct state *s)
{
        s->got = (struct got){0};
        s->connected = s->events = 0;
        s->call = s->docker->ops->events(s->docker, 0, on_connected, on_event, on_done, s);
        wait_kept(s);
        assert_true(strlen(http_server_query(s->kept, "since")) > 10); /* also for "from now on" */
        http_server_stream_begin(s->kept, 200, "application/json", 1024 * 1024);
        while (!s->connected)
                loop_wait_step(s->loop);
}

static void say(struct state *s, const char *text, size_t len)
{
        assert_int_equal(http_server_stream_write(s->kept, text, len), 0);
}

static void test_events(void **state)
{
        struct state *s = *state;
        subscribe(s);
        say(s, EVENT("create") "{\"Type\":\"contai", sizeof(EVENT("create")) - 1 + 15);
        while (s->events < 1)
                loop_wait_step(s->loop);
        assert_string_equal(s->got.text, "create n");
        say(s, EVENT("die") + 15, sizeof(EVENT("die")) - 1 - 15);
        while (s->events < 2)
                loop_wait_step(s->loop);
        assert_string_equal(s->got.text, "die n");
        http_server_stream_end(TAKE_PTR(s->kept), true);
        wait_got(s);
        assert_int_equal(s->got.err.code, ECONNRESET); /* an end, however orderly, is the loss of the stream */

        subscribe(s);
        say(s, "no JSON\n", 8);
        wait_got(s);
        assert_int_equal(s->got.err.code, ERR_PROTOCOL);
        assert_non_null(strstr(s->got.err.msg, "event stream"));
        while (s->kept)
                loop_wait_step(s->loop);

        subscribe(s);
        char *big CLEANUP_FREE = xmalloc(300 * 1024);
        memset(big, 'x', 300 * 1024);
        say(s, big, 300 * 1024);
        wait_got(s);
        assert_int_equal(s->got.err.code, ERR_LIMIT);
        while (s->kept)
                loop_wait_step(s->loop);

        s->cancel_in_callback = true;
        subscribe(s);
        say(s, EVENT("create") EVENT("start"), 2 * sizeof(EVENT("create")) - 3);
        wait_got(s);
        assert_int_equal(s->got.err.code, ECANCELED);
        assert_int_equal(s->events, 1); /* nothing after the cancel */
        while (s->kept)
                loop_wait_step(s->loop);

        s->cancel_in_callback = false;
        s->free_in_callback = true;
        subscribe(s);
        say(s, EVENT("create") EVENT("start"), 2 * sizeof(EVENT("create")) - 3);
        while (s->kept)
                loop_wait_step(s->loop);
        assert_null(s->docker);
        assert_int_equal(s->events, 1);
        assert_int_equal(s->got.count, 0);
}

static void on_output(void *userdata, int stream, const char *data, size_t len)
{
        struct state *s = userdata;
        size_t at = strlen(s->got.text);
        (void)snprintf(s->got.text + at, sizeof(s->got.text) - at, "%d:%.*s|", stream, (int)len, data);
}

#define CASE(text, want, code)                     \
        {                                          \
                text, sizeof(text) - 1, want, code \
        }

static void on_record(void *userdata, const struct docker_record *record)
{
        struct state *s = userdata;
        size_t at = strlen(s->got.text);
        (void)snprintf(s->got.text + at, sizeof(s->got.text) - at, "%d:%s:%.*s|", record->stream, record->time,
                       (int)record->len, record->text);
}

/* Records are whole, with frames and without; half a one is none. */
static void test_log_records(void **state)
{
        static const struct {
                const char *text;
                size_t len;
                const char *want;
                int code;
        } cases[] = {
                CASE(FRAME("\1", "\30", "2026-01-02T03:04:05Z one") FRAME("\2", "\27", "2026-01-02T03:04:06Z x\n"),
                     "1:2026-01-02T03:04:05Z:one|2:2026-01-02T03:04:06Z:x\n|", 0),
                CASE("2026-01-02T03:04:05Z one\r\n2026-01-02T03:04:06Z x",
                     "1:2026-01-02T03:04:05Z:one\r\n|1:2026-01-02T03:04:06Z:x|", 0),
                CASE(FRAME("\1", "\30", "2026-01-02T03:04:05Z o"), "", ERR_PROTOCOL),
        };
        struct state *s = *state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                s->got = (struct got){0};
                (void)s->docker->ops->logs(
                        s->docker, &(struct docker_logs){.id = "c", .tail = -1, .record = on_record, .done = on_done},
                        s);
                wait_kept(s);
                assert_string_equal(http_server_query(s->kept, "timestamps"), "1");
                http_server_stream_begin(s->kept, 200, NULL, 4096);
                say(s, cases[i].text, cases[i].len);
                http_server_stream_end(TAKE_PTR(s->kept), true);
                wait_got(s);
                assert_string_equal(s->got.text, cases[i].want);
                assert_int_equal(s->got.err.code, cases[i].code);
        }
}

static void test_logs(void **state)
{
        static const struct {
                const char *text;
                size_t len;
                const char *want;
                int code;
        } cases[] = {
                CASE(FRAME("\1", "\3", "one") FRAME("\2", "\3", "two"), "1:one|2:two|", 0),
                CASE("plain", "1:plain|", 0),
                CASE("", "", 0),
                CASE(FRAME("\1", "\5", "cut"), "1:cut|", ERR_PROTOCOL),
                CASE(FRAME("\1", "\1", "x") "garbage", "1:x|", ERR_PROTOCOL),
        };
        struct state *s = *state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                s->got = (struct got){0};
                (void)s->docker->ops->logs(s->docker,
                                           &(struct docker_logs){.id = "c",
                                                                 .tail = 10,
                                                                 .since = 1500000,
                                                                 .timestamps = true,
                                                                 .follow = true,
                                                                 .data = on_output,
                                                                 .done = on_done},
                                           s);
                wait_kept(s);
                assert_string_equal(http_server_query(s->kept, "tail"), "10");
                assert_string_equal(http_server_query(s->kept, "since"), "1.500000000");
                assert_true(http_server_query_flag(s->kept, "follow"));
                http_server_stream_begin(s->kept, 200, NULL, 4096);
                say(s, cases[i].text, cases[i].len);
                http_server_stream_end(TAKE_PTR(s->kept), true);
                wait_got(s);
                assert_string_equal(s->got.text, cases[i].want);
                assert_int_equal(s->got.err.code, cases[i].code);
        }
}

/* ---- exec ---- */

static void exec(struct state *s, usec_t timeout)
{
        struct strv argv CLEANUP_STRV = STRV_INIT;
        strv_add(&argv, "say \"it\"");
        s->got = (struct got){0};
        s->call = s->docker->ops->exec(s->docker, "c", &argv, timeout, 5, on_exec, s);
        wait_kept(s);
        http_server_stream_begin(s->kept, 200, NULL, 4096);
}

static void test_exec(void **state)
{
        struct state *s = *state;
        s->exec_running = 3; /* asked until it has ended */
        exec(s, 5 * USEC_PER_SEC);
        say(s, FRAME("\1", "\3", "one") FRAME("\2", "\5", "three"), 24);
        http_server_stream_end(TAKE_PTR(s->kept), true);
        wait_got(s);
        assert_int_equal(s->got.err.code, 0);
        assert_int_equal(s->got.exit_code, 9);
        assert_string_equal(s->got.text, "oneth"); /* cut at five bytes, over both streams */
        assert_int_equal(count_requests(s, "GET /v1.41/exec/e1/json"), 4);

        exec(s, 60 * USEC_PER_MSEC); /* no end within its time */
        say(s, FRAME("\1", "\3", "one"), 11);
        wait_got(s);
        assert_int_equal(s->got.err.code, 0);
        assert_true(s->got.timed_out);
        assert_string_equal(s->got.text, "one");
        while (s->kept)
                loop_wait_step(s->loop);

        s->exec_running = 1000000; /* its output ended, it does not */
        exec(s, 100 * USEC_PER_MSEC);
        http_server_stream_end(TAKE_PTR(s->kept), true);
        wait_got(s);
        assert_true(s->got.timed_out);

        exec(s, 5 * USEC_PER_SEC); /* cancelled between two questions */
        http_server_stream_end(TAKE_PTR(s->kept), true);
        int asked = count_requests(s, "GET /v1.41/exec/e1/json");
        while (count_requests(s, "GET /v1.41/exec/e1/json") < asked + 2)
                loop_wait_step(s->loop);
        s->docker->ops->cancel(s->docker, s->call);
        wait_got(s);
        assert_int_equal(s->got.err.code, ECANCELED);

        s->exec_running = 0;
        exec(s, 5 * USEC_PER_SEC);
        say(s, FRAME("\1", "\1", "x") "garbage", 16);
        wait_got(s);
        assert_int_equal(s->got.err.code, ERR_PROTOCOL);
        while (s->kept)
                loop_wait_step(s->loop);
}

static void test_pull(void **state)
{
        struct state *s = *state;
        (void)s->docker->ops->image_pull(s->docker, "registry.example:5000/a/b", "c2VjcmV0", NULL, on_done, s);
        wait_kept(s);
        assert_string_equal(http_server_query(s->kept, "fromImage"), "registry.example:5000/a/b");
        assert_string_equal(http_server_query(s->kept, "tag"), "latest");
        assert_string_equal(http_server_request_header(s->kept, "X-Registry-Auth"), "c2VjcmV0");
        http_server_stream_begin(s->kept, 200, NULL, 4096);
        static const char text[] = "{\"status\":\"Pulling\"}\r\n{\"error\":\"it broke\"}\r\n{\"error\":\"again\"}\r\n";
        say(s, text, sizeof(text) - 1);
        http_server_stream_end(TAKE_PTR(s->kept), true);
        wait_got(s);
        assert_int_equal(s->got.err.code, ERR_REMOTE);
        assert_string_equal(s->got.err.msg, "Docker: pull of registry.example:5000/a/b: it broke");
}

static void test_hosts(void **state)
{
        static const char *const bad[] = {"unix://relative", "unix:/x", "http://x", "tcp://",
                                          "tcp://x/y",       "ssh://x", "x"};
        struct state *s = *state;
        struct err err = ERR_INIT;
        struct docker *d = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                assert_int_equal(docker_http_new(s->loop, bad[i], &d, &err), -ERR_INVALID);
                assert_non_null(strstr(err.msg, bad[i]));
        }
        setenv("DOCKER_HOST", s->host, 1);
        assert_int_equal(docker_http_new(s->loop, NULL, &d, &err), 0);
        d = d->ops->free(d);
        unsetenv("DOCKER_HOST");
        setenv("DOCKER_CERT_PATH", s->dir, 1);
        assert_int_equal(docker_http_new(s->loop, "tcp://127.0.0.1:2376", &d, &err), -ENOENT);
        assert_non_null(strstr(err.msg, "ca.pem"));
        unsetenv("DOCKER_CERT_PATH");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_negotiation),
                TEST(test_waiting_for_the_version),
                TEST(test_negotiated_again),
                TEST(test_cancel),
                TEST(test_free_with_pending),
                TEST(test_free_in_done),
                TEST(test_statuses),
                TEST(test_events),
                TEST(test_logs),
                TEST(test_log_records),
                TEST(test_exec),
                TEST(test_pull),
                TEST(test_hosts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

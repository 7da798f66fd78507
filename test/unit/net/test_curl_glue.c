/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against our own server on the same loop, against a scripted peer that misbehaves, and against openssl's
 * test server for TLS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "net/curl_glue.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "../loop_wait.h"

#define MAX_BODY (64 * 1024)
#define URL "http://local"

struct result {
        int count; /* of done */
        int heads;
        int status;
        bool truncated;
        struct buf body;
        char type[64];
        struct err err;
};

struct state {
        struct loop *loop;
        struct curl_glue *glue;
        struct http_server *server;
        char dir[64], path[128];
        int accepted;  /* requests that the server saw */
        int connected; /* connections to it */
        struct http_server_request *kept;
        struct result result;
        /* scripted peer */
        struct loop_source *listen_io, *peer_io;
        int listen_fd, peer_fd;
        const char *script_left;
        const char *script; /* sent once something was read; then closed */
        /* what a callback shall do */
        struct curl_glue_call *call, *cancel;
        bool free_glue, start_more, stop_data;
        struct result second;
};

/* ---- server ---- */

static void on_closed(void *userdata)
{
        struct state *s = userdata;
        s->kept = NULL;
}

static void handler(void *userdata, struct http_server_request *request)
{
        struct state *s = userdata;
        const char *path = http_server_path(request);
        s->accepted++;
        if (str_eq(path, "/echo")) {
                size_t len;
                const char *body = http_server_body(request, &len);
                const char *type = http_server_request_header(request, "Content-Type");
                http_server_add_header(request, "X-Expect", http_server_request_header(request, "Expect") ? "1" : "0");
                http_server_add_header(request, "X-Agent", http_server_request_header(request, "User-Agent"));
                http_server_add_header(request, "X-Method", http_server_method(request));
                http_server_reply(request, 200, type ? type : "none", body, len);
        } else if (str_eq(path, "/host")) {
                http_server_replyf(request, 200, "%s", http_server_request_header(request, "Host"));
        } else if (str_eq(path, "/big")) {
                char *data = xcalloc(1, 1024 * 1024);
                memset(data, 'x', 1024 * 1024);
                http_server_reply_take(request, 200, NULL, data, 1024 * 1024);
        } else if (str_eq(path, "/later")) {
                s->kept = request;
                http_server_on_closed(request, on_closed, s);
        } else if (str_eq(path, "/stream")) {
                s->kept = request;
                http_server_on_closed(request, on_closed, s);
                http_server_stream_begin(request, 200, NULL, 1024 * 1024);
        } else if (str_eq(path, "/redirect")) {
                http_server_add_header(request, "Location", "/echo");
                http_server_replyf(request, 302, "elsewhere");
        } else {
                http_server_replyf(request, 404, "no such path");
        }
}

/* ---- set-up ---- */

static void on_connecting(void *userdata)
{
        struct state *s = userdata;
        s->connected++;
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct err err = ERR_INIT;
        s->listen_fd = s->peer_fd = -1;
        s->result.body = s->second.body = BUF_INIT(4 * 1024 * 1024);
        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-curl-glue-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void)snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
        assert_int_equal(loop_new(&s->loop, &err), 0);
        struct http_server_options server = {.name = "server",
                                             .unix_path = s->path,
                                             .unix_mode = 0600,
                                             .unix_gid = (gid_t)-1,
                                             .connecting = on_connecting,
                                             .handler = handler,
                                             .userdata = s};
        assert_int_equal(http_server_new(s->loop, &server, &s->server, &err), 0);
        struct curl_glue_options options = {.name = "client", .user_agent = "test/1"};
        assert_int_equal(curl_glue_new(s->loop, &options, &s->glue, &err), 0);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        s->glue = curl_glue_free(s->glue);
        s->server = http_server_free(s->server);
        (void)loop_source_free(s->listen_io);
        (void)loop_source_free(s->peer_io);
        (void)fd_close(s->listen_fd);
        (void)fd_close(s->peer_fd);
        s->loop = loop_free(s->loop);
        buf_release(&s->result.body);
        buf_release(&s->second.body);
        struct err err;
        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        free(s);
        return 0;
}

static void result_set(struct result *result, const struct curl_glue_response *response, const struct err *err)
{
        const char *type = curl_glue_header(response, "content-type");
        result->count++;
        result->status = response->status;
        result->truncated = response->truncated;
        if (!response->call || response->body_len)
                buf_add(&result->body, response->body, response->body_len);
        (void)snprintf(result->type, sizeof(result->type), "%s", type ? type : "");
        if (err)
                result->err = *err;
}

static void on_second(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct state *s = userdata;
        result_set(&s->second, response, err);
}

static void on_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct state *s = userdata;
        result_set(&s->result, response, err);
        s->call = NULL;
        if (s->free_glue)
                s->glue = curl_glue_free(s->glue);
}

static void on_head(void *userdata, const struct curl_glue_response *response)
{
        struct state *s = userdata;
        s->result.heads++;
        s->result.status = response->status;
}

static bool on_data(void *userdata, const char *data, size_t len)
{
        struct state *s = userdata;
        buf_add(&s->result.body, data, len);
        if (s->start_more) {
                s->start_more = false;
                (void)curl_glue_start(s->glue, &(struct curl_glue_request){.url = URL "/host",
                                                                           .unix_socket = s->path,
                                                                           .max_body = MAX_BODY,
                                                                           .done = on_second,
                                                                           .userdata = s});
        }
        if (s->cancel)
                curl_glue_cancel(TAKE_PTR(s->cancel));
        if (s->free_glue)
                s->glue = curl_glue_free(s->glue);
        return !s->stop_data;
}

static struct curl_glue_call *begin(struct state *s, struct curl_glue_request *request)
{
        buf_clear(&s->result.body);
        s->result = (struct result){.body = s->result.body};
        request->max_body = request->max_body ? request->max_body : MAX_BODY;
        request->done = on_done;
        request->userdata = s;
        s->call = curl_glue_start(s->glue, request);
        assert_int_equal(s->result.count, 0); /* never from inside */
        return s->call;
}

static void wait_done(struct state *s)
{
        usec_t give_up = clock_boottime() + 5 * USEC_PER_SEC;
        while (s->result.count == 0 && clock_boottime() < give_up)
                loop_wait_step(s->loop);
        assert_int_equal(s->result.count, 1);
}

static void perform(struct state *s, struct curl_glue_request *request)
{
        (void)begin(s, request);
        wait_done(s);
        if (s->glue)
                assert_int_equal(curl_glue_pending(s->glue), 0);
}

/* ---- plain exchanges ---- */

static void test_get(void **state)
{
        struct state *s = *state;
        for (int i = 0; i < 20; i++) {
                perform(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path});
                assert_int_equal(s->result.err.code, 0);
                assert_int_equal(s->result.status, 200);
                assert_string_equal(buf_str(&s->result.body), "local\n");
        }
        assert_int_equal(http_server_connections(s->server), 1); /* kept */
        perform(s, &(struct curl_glue_request){.url = URL "/nope", .unix_socket = s->path});
        assert_int_equal(s->result.err.code, 0);
        assert_int_equal(s->result.status, 404);
        const char *headers[] = {"Host: other", NULL};
        perform(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path, .headers = headers});
        assert_string_equal(buf_str(&s->result.body), "other\n");
        perform(s, &(struct curl_glue_request){.url = URL "/redirect", .unix_socket = s->path});
        assert_int_equal(s->result.status, 302); /* not followed */
}

static void test_bodies(void **state)
{
        struct state *s = *state;
        const char *json[] = {"Content-Type: application/json", NULL};
        perform(s, &(struct curl_glue_request){.method = "POST",
                                               .url = URL "/echo",
                                               .unix_socket = s->path,
                                               .headers = json,
                                               .body = "{}",
                                               .body_len = 2});
        assert_string_equal(buf_str(&s->result.body), "{}");
        assert_string_equal(s->result.type, "application/json");
        const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
                perform(s,
                        &(struct curl_glue_request){.method = methods[i], .url = URL "/echo", .unix_socket = s->path});
                assert_int_equal(s->result.status, 200);
                assert_int_equal(s->result.body.len, 0);
                assert_string_equal(s->result.type, "none"); /* no type invented */
        }
        perform(s, &(struct curl_glue_request){.method = "HEAD", .url = URL "/host", .unix_socket = s->path});
        assert_int_equal(s->result.status, 200);
        assert_int_equal(s->result.body.len, 0);

        /* From a file, larger than one buffer. */
        int fd CLEANUP_FD = memfd_create("body", MFD_CLOEXEC);
        char block[1024];
        memset(block, 'b', sizeof(block));
        for (int i = 0; i < 60; i++)
                assert_int_equal(fd_write_all(fd, block, sizeof(block)), 0);
        perform(s, &(struct curl_glue_request){.method = "POST",
                                               .url = URL "/echo",
                                               .unix_socket = s->path,
                                               .body_fd = fd,
                                               .body_len = 60 * sizeof(block)});
        assert_int_equal(s->result.body.len, 60 * sizeof(block));
        /* Shorter than promised: told, not hung. */
        perform(s, &(struct curl_glue_request){.method = "POST",
                                               .url = URL "/echo",
                                               .unix_socket = s->path,
                                               .body_fd = fd,
                                               .body_len = 61 * sizeof(block)});
        assert_int_equal(s->result.err.code, EIO);
        perform(s, &(struct curl_glue_request){.method = "POST",
                                               .url = URL "/echo",
                                               .unix_socket = s->path,
                                               .body = block,
                                               .body_len = sizeof(block),
                                               .flags = CURL_GLUE_BORROW_BODY});
        assert_int_equal(s->result.body.len, sizeof(block));
}

static void test_limits(void **state)
{
        struct state *s = *state;
        perform(s, &(struct curl_glue_request){.url = URL "/big", .unix_socket = s->path});
        assert_int_equal(s->result.err.code, ERR_LIMIT);
        assert_non_null(strstr(s->result.err.msg, "GET http://local/big"));
        perform(s, &(struct curl_glue_request){
                           .url = URL "/big", .unix_socket = s->path, .flags = CURL_GLUE_TRUNCATE, .max_body = 1000});
        assert_int_equal(s->result.err.code, 0);
        assert_int_equal(s->result.status, 200);
        assert_true(s->result.truncated);
        assert_int_equal(s->result.body.len, 1000);
        perform(s, &(struct curl_glue_request){.url = URL "/big", .unix_socket = s->path, .max_body = 1024 * 1024});
        assert_int_equal(s->result.err.code, 0);
        assert_int_equal(s->result.body.len, 1024 * 1024);
        perform(s, &(struct curl_glue_request){
                           .url = URL "/big", .unix_socket = s->path, .max_body = 1000, .data = on_data});
        assert_int_equal(s->result.err.code, ERR_LIMIT);
}

static void test_no_reuse(void **state)
{
        struct state *s = *state;
        perform(s,
                &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path, .flags = CURL_GLUE_NO_REUSE});
        assert_int_equal(s->result.status, 200);
        for (int i = 0; i < 5; i++)
                loop_wait_step(s->loop);
        assert_int_equal(http_server_connections(s->server), 0);
}

static void be_idle(struct state *s, usec_t time)
{
        for (usec_t end = clock_boottime() + time; clock_boottime() < end;)
                loop_wait_step(s->loop);
}

static void test_idle_connections(void **state)
{
        struct state *s = *state;
        perform(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path});
        be_idle(s, 2100 * USEC_PER_MSEC);
        perform(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path});
        assert_int_equal(s->connected, 1);
        be_idle(s, 2100 * USEC_PER_MSEC);
        perform(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path, .max_idle = USEC_PER_SEC});
        assert_int_equal(s->connected, 2);
        perform(s,
                &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path, .max_idle = 60 * USEC_PER_SEC});
        assert_int_equal(s->connected, 2);
}

/* Many at once over as many connections as the options allow. */
static void test_parallel(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        s->glue = curl_glue_free(s->glue);
        struct curl_glue_options options = {.name = "client", .max_connections = 4};
        assert_int_equal(curl_glue_new(s->loop, &options, &s->glue, &err), 0);
        for (int i = 0; i < 200; i++)
                (void)begin(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path});
        unsigned most = 0;
        while (s->result.count < 200) {
                loop_wait_step(s->loop);
                unsigned now = http_server_connections(s->server);
                most = now > most ? now : most;
        }
        assert_int_equal(s->result.err.code, 0);
        assert_true(most > 1 && most <= 4);
        assert_int_equal(curl_glue_pending(s->glue), 0);
}

/* ---- endings ---- */

static void test_deadline(void **state)
{
        struct state *s = *state;
        usec_t start = clock_boottime();
        perform(s, &(struct curl_glue_request){
                           .url = URL "/later", .unix_socket = s->path, .deadline = start + 30 * USEC_PER_MSEC});
        assert_int_equal(s->result.err.code, ETIMEDOUT);
        assert_true(clock_boottime() - start >= 30 * USEC_PER_MSEC);
        assert_true(clock_boottime() - start < 200 * USEC_PER_MSEC);
        perform(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path, .deadline = 1});
        assert_int_equal(s->result.err.code, ETIMEDOUT);
}

static void test_cancel(void **state)
{
        struct state *s = *state;
        /* before it was sent, while it waits, and twice */
        curl_glue_cancel(begin(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path}));
        assert_int_equal(s->result.count, 0);
        wait_done(s);
        assert_int_equal(s->result.err.code, ECANCELED);
        struct curl_glue_call *call =
                begin(s, &(struct curl_glue_request){.url = URL "/later", .unix_socket = s->path});
        while (!s->kept)
                loop_wait_step(s->loop);
        curl_glue_cancel(call);
        curl_glue_cancel(call);
        wait_done(s);
        assert_int_equal(s->result.err.code, ECANCELED);
        while (s->kept)
                loop_wait_step(s->loop); /* the server sees it go */
        assert_int_equal(curl_glue_pending(s->glue), 0);
}

static void test_refused(void **state)
{
        struct state *s = *state;
        char *missing CLEANUP_FREE = xasprintf("%s/none", s->dir);
        perform(s, &(struct curl_glue_request){.url = URL "/", .unix_socket = missing});
        assert_int_equal(s->result.err.code, ENOENT);
        assert_non_null(strstr(s->result.err.msg, missing));
        perform(s, &(struct curl_glue_request){.url = "http://127.0.0.1:1/x"});
        assert_int_equal(s->result.err.code, ECONNREFUSED);
        perform(s, &(struct curl_glue_request){.url = "ftp://127.0.0.1/x"});
        assert_int_equal(s->result.err.code, EINVAL);
        perform(s, &(struct curl_glue_request){.url = "http://[::1"});
        assert_int_equal(s->result.err.code, EINVAL);
        perform(s, &(struct curl_glue_request){.url = "http://name.invalid/"});
        assert_int_equal(s->result.err.code, EHOSTUNREACH);
}

/* The environment's proxy is used only when asked. */
static void test_proxy(void **state)
{
        struct state *s = *state;
        setenv("http_proxy", "http://127.0.0.1:2", 1);
        perform(s, &(struct curl_glue_request){.url = "http://127.0.0.1:1/x"});
        assert_non_null(strstr(s->result.err.msg, "127.0.0.1:1/x"));
        perform(s, &(struct curl_glue_request){.url = "http://name.invalid/", .flags = CURL_GLUE_ENV_PROXY});
        assert_int_equal(s->result.err.code, ECONNREFUSED); /* the proxy's, the name was not looked up */
        unsetenv("http_proxy");
}

/* ---- streams ---- */

static void test_stream(void **state)
{
        struct state *s = *state;
        struct curl_glue_request request = {.url = URL "/stream",
                                            .unix_socket = s->path,
                                            .head = on_head,
                                            .data = on_data,
                                            .flags = CURL_GLUE_STREAM};
        (void)begin(s, &request);
        while (s->result.heads == 0)
                loop_wait_step(s->loop);
        assert_int_equal(s->result.status, 200);
        assert_int_equal(http_server_stream_write(s->kept, "one\n", 4), 0);
        while (s->result.body.len < 4)
                loop_wait_step(s->loop);
        s->start_more = true; /* a call from inside the data callback */
        assert_int_equal(http_server_stream_write(s->kept, "two\n", 4), 0);
        while (s->second.count == 0)
                loop_wait_step(s->loop);
        assert_int_equal(s->second.status, 200);
        assert_string_equal(buf_str(&s->second.body), "local\n");
        assert_string_equal(buf_str(&s->result.body), "one\ntwo\n");
        http_server_stream_end(TAKE_PTR(s->kept), true);
        wait_done(s);
        assert_int_equal(s->result.err.code, 0);
        assert_int_equal(s->result.heads, 1);

        (void)begin(s, &request);
        while (!s->kept)
                loop_wait_step(s->loop);
        (void)http_server_stream_write(s->kept, "x", 1);
        while (s->result.body.len == 0)
                loop_wait_step(s->loop);
        http_server_stream_end(TAKE_PTR(s->kept), false);
        wait_done(s);
        assert_int_equal(s->result.err.code, ECONNRESET); /* cut: not taken for the end */
}

/* A paused call holds its peer up, loses nothing, and can be cancelled. */
static void test_pause(void **state)
{
        enum { CHUNK_BYTES = 32 * 1024, CHUNKS = 60 };
        struct state *s = *state;
        struct curl_glue_request request = {
                .url = URL "/stream", .unix_socket = s->path, .data = on_data, .max_body = 4 * 1024 * 1024};
        char *chunk CLEANUP_FREE = xcalloc(1, CHUNK_BYTES);
        memset(chunk, 'y', CHUNK_BYTES);
        for (int round = 0; round < 3; round++) {
                struct curl_glue_call *call = begin(s, &request);
                while (!s->kept)
                        loop_wait_step(s->loop);
                assert_int_equal(http_server_stream_write(s->kept, "x", 1), 0);
                while (s->result.body.len == 0)
                        loop_wait_step(s->loop);
                curl_glue_pause(call);
                int written = 0;
                while (written < CHUNKS && http_server_stream_write(s->kept, chunk, CHUNK_BYTES) == 0) {
                        written++;
                        loop_wait_step(s->loop);
                }
                for (int i = 0; i < 20; i++)
                        loop_wait_step(s->loop);
                assert_true(s->result.body.len <= 1 + 16 * 1024);
                assert_true(written > 16);     /* the stream's own buffer took some */
                assert_true(written < CHUNKS); /* and then the writer had to wait */
                if (round == 2) {
                        curl_glue_cancel(call);
                        wait_done(s);
                        assert_int_equal(s->result.err.code, ECANCELED);
                        while (s->kept)
                                loop_wait_step(s->loop);
                        return;
                }
                curl_glue_resume(call);
                if (round == 1) { /* paused again before anything could come, and not for good */
                        curl_glue_pause(call);
                        loop_wait_step(s->loop);
                        curl_glue_resume(call);
                }
                http_server_stream_end(TAKE_PTR(s->kept), true);
                wait_done(s);
                assert_int_equal(s->result.err.code, 0);
                assert_int_equal(s->result.body.len, 1 + (size_t)written * CHUNK_BYTES);
        }
}

static void test_stream_stopped_by_callback(void **state)
{
        struct state *s = *state;
        for (int i = 0; i < 2; i++) {
                struct curl_glue_call *call = begin(
                        s, &(struct curl_glue_request){.url = URL "/stream", .unix_socket = s->path, .data = on_data});
                while (!s->kept)
                        loop_wait_step(s->loop);
                s->cancel = i ? call : NULL;
                s->stop_data = !i;
                (void)http_server_stream_write(s->kept, "x", 1);
                wait_done(s);
                assert_int_equal(s->result.err.code, ECANCELED);
                while (s->kept)
                        loop_wait_step(s->loop);
        }
        s->stop_data = false;
        /* A refusal is collected although good answers would be streamed. */
        perform(s, &(struct curl_glue_request){.url = URL "/nope", .unix_socket = s->path, .data = on_data});
        assert_int_equal(s->result.status, 404);
        assert_string_equal(buf_str(&s->result.body), "no such path\n");
}

static void test_free_in_callback(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        s->free_glue = true;
        (void)curl_glue_start(s->glue,
                              &(struct curl_glue_request){
                                      .url = URL "/later", .unix_socket = s->path, .done = on_second, .userdata = s});
        while (!s->kept)
                loop_wait_step(s->loop);
        perform(s, &(struct curl_glue_request){.url = URL "/host", .unix_socket = s->path});
        assert_null(s->glue);
        while (s->kept)
                loop_wait_step(s->loop);
        assert_int_equal(s->second.count, 0); /* ended without done */

        struct curl_glue_options options = {.name = "client"};
        assert_int_equal(curl_glue_new(s->loop, &options, &s->glue, &err), 0);
        (void)begin(s, &(struct curl_glue_request){.url = URL "/stream", .unix_socket = s->path, .data = on_data});
        while (!s->kept)
                loop_wait_step(s->loop);
        (void)http_server_stream_write(s->kept, "x", 1);
        while (s->glue)
                loop_wait_step(s->loop);
        while (s->kept)
                loop_wait_step(s->loop);
        assert_int_equal(s->result.count, 0);
}

/* ---- a peer that misbehaves ---- */

static void on_peer(void *userdata, uint32_t events)
{
        struct state *s = userdata;
        char chunk[4096];
        if (events & EPOLLIN && recv(s->peer_fd, chunk, sizeof(chunk), MSG_DONTWAIT) > 0) {
                s->script_left = s->script;
                loop_io_set(s->peer_io, EPOLLOUT);
        }
        size_t left = s->script_left ? strlen(s->script_left) : 0;
        ssize_t n = left ? send(s->peer_fd, s->script_left, left, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        if (n > 0 && (size_t)n < left) {
                s->script_left += n;
                return;
        }
        s->peer_io = loop_source_free(s->peer_io);
        s->peer_fd = fd_close(s->peer_fd);
}

static void on_accept(void *userdata, uint32_t events)
{
        struct state *s = userdata;
        struct err err;
        (void)events;
        s->accepted++;
        s->peer_io = loop_source_free(s->peer_io);
        (void)fd_close(s->peer_fd);
        s->peer_fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        assert_int_equal(loop_io_new(s->loop, "peer", s->peer_fd, EPOLLIN, on_peer, s, &s->peer_io, &err), 0);
}

static void test_bad_peers(void **state)
{
        static const struct {
                const char *script;
                int code, status;
        } cases[] = {
                {NULL, ECONNRESET, 0},
                {"garbage\r\n\r\n", ERR_PROTOCOL, 0},
                {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", ECONNRESET, 200},
                {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ECONNRESET, 200},
                {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ECONNRESET, 200},
                {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 0, 204},
                {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", 0, 200},
        };
        struct state *s = *state;
        struct err err;
        char *path CLEANUP_FREE = xasprintf("%s/peer", s->dir);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        memcpy(address.sun_path, path, strlen(path) + 1);
        s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(s->listen_fd, 8), 0);
        assert_int_equal(loop_io_new(s->loop, "listen", s->listen_fd, EPOLLIN, on_accept, s, &s->listen_io, &err), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                s->script = cases[i].script;
                perform(s, &(struct curl_glue_request){.url = URL "/x", .unix_socket = path, .head = on_head});
                assert_int_equal(s->result.err.code, cases[i].code);
                assert_int_equal(s->result.status, cases[i].status);
                assert_int_equal(s->result.heads, cases[i].status ? 1 : 0);
        }
        struct buf headers CLEANUP_BUF = BUF_INIT(1024 * 1024);
        buf_addstr(&headers, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 5000; i++)
                buf_addf(&headers, "X-%d: %064d\r\n", i, i);
        s->script = buf_str(&headers);
        perform(s, &(struct curl_glue_request){.url = URL "/x", .unix_socket = path});
        assert_int_equal(s->result.err.code, ERR_LIMIT);
}

/* ---- TLS ---- */

static void run(const char *const *argv)
{
        pid_t pid = fork();
        int status;
        if (pid == 0) {
                int null = open("/dev/null", O_RDWR);
                (void)dup2(null, 1);
                (void)dup2(null, 2);
                execvp(argv[0], (char *const *)argv);
                _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static char *slurp(const char *dir, const char *name)
{
        struct buf b = BUF_INIT(64 * 1024);
        struct err err;
        char *path CLEANUP_FREE = file_join(dir, name);
        assert_int_equal(file_read(path, &b, &err), 0);
        size_t len;
        return buf_steal(&b, &len);
}

struct tls_server {
        pid_t pid;
        char url[64];
};

/* openssl s_server on a free port; it asks for a client certificate and demands it where `client` is set. */
static void tls_start(struct state *s, struct tls_server *tls, bool client)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(address);
        int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(probe, (struct sockaddr *)&address, len), 0);
        assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &len), 0);
        (void)fd_close(probe);
        char port[8];
        (void)snprintf(port, sizeof(port), "%u", ntohs(address.sin_port));
        (void)snprintf(tls->url, sizeof(tls->url), "https://127.0.0.1:%s/", port);
        tls->pid = fork();
        if (tls->pid == 0) {
                int null = open("/dev/null", O_RDWR);
                (void)dup2(null, 0);
                (void)dup2(null, 1);
                (void)dup2(null, 2);
                if (chdir(s->dir) == 0)
                        execlp("openssl", "openssl", "s_server", "-accept", port, "-cert", "cert.pem", "-key",
                               "key.pem", "-www", client ? "-Verify" : "-quiet", client ? "1" : NULL, "-CAfile",
                               "cert.pem", "-verify_return_error", NULL);
                _exit(127);
        }
        for (int i = 0; i < 500; i++) {
                int fd CLEANUP_FD = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (connect(fd, (struct sockaddr *)&address, len) == 0)
                        return;
                usleep(10000);
        }
        fail_msg("openssl s_server did not start");
}

static void tls_stop(struct tls_server *tls)
{
        assert_int_equal(kill(tls->pid, SIGKILL), 0);
        assert_int_equal(waitpid(tls->pid, NULL, 0), tls->pid);
}

static void make_cert(struct state *s, const char *cert, const char *key)
{
        char *cert_path CLEANUP_FREE = file_join(s->dir, cert), *key_path CLEANUP_FREE = file_join(s->dir, key);
        run((const char *[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                             "-nodes", "-days", "1", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                             "-keyout", key_path, "-out", cert_path, NULL});
}

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"

/* Watches the system's CA bundle; false where there is none. A copy takes its place that this process alone sees, since
 * other programs of the machine open theirs whenever they like; without the right to do so it is theirs that counts. */
static bool watch_bundle(const struct state *s, int watch)
{
        struct buf pem CLEANUP_BUF = BUF_INIT(4 * 1024 * 1024);
        char *copy CLEANUP_FREE = file_join(s->dir, "bundle.pem");
        struct err err;

        if (file_read(BUNDLE, &pem, &err) < 0)
                return false;
        if (unshare(CLONE_NEWNS) == 0) {
                assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
                assert_int_equal(file_write_atomic(copy, pem.data, pem.len, 0644, 0, &err), 0);
                assert_int_equal(mount(copy, BUNDLE, NULL, MS_BIND, NULL), 0);
        }
        assert_true(inotify_add_watch(watch, BUNDLE, IN_OPEN) >= 0);
        return true;
}

/* Opens of the system's CA bundle since the watch began. */
static int bundle_opens(int watch)
{
        char events[4096] __attribute__((aligned(8)));
        ssize_t n = read(watch, events, sizeof(events));
        return n > 0;
}

static void test_tls(void **state)
{
        struct state *s = *state;
        struct err err;
        struct tls_server tls;
        make_cert(s, "cert.pem", "key.pem");
        make_cert(s, "other.pem", "other-key.pem");
        char *cert CLEANUP_FREE = slurp(s->dir, "cert.pem"), *other CLEANUP_FREE = slurp(s->dir, "other.pem");
        struct curl_glue_identity *good, *bad;
        assert_int_equal(curl_glue_identity_new(NULL, NULL, cert, &good, &err), 0);
        assert_int_equal(curl_glue_identity_new(NULL, NULL, other, &bad, &err), 0);
        tls_start(s, &tls, false);

        int watch CLEANUP_FD = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        bool bundle = watch_bundle(s, watch);
        perform(s, &(struct curl_glue_request){.url = tls.url,
                                               .flags = CURL_GLUE_INSECURE | CURL_GLUE_NO_REUSE | CURL_GLUE_HTTP1});
        assert_int_equal(s->result.err.code, 0);
        assert_int_equal(s->result.status, 200);
        perform(s, &(struct curl_glue_request){.url = tls.url, .identity = good});
        assert_int_equal(s->result.err.code, 0);
        perform(s, &(struct curl_glue_request){.url = tls.url}); /* no CA at all: nobody is trusted */
        assert_int_equal(s->result.err.code, ERR_PROTOCOL);
        perform(s, &(struct curl_glue_request){.url = tls.url, .identity = bad});
        assert_int_equal(s->result.err.code, ERR_PROTOCOL);
        assert_int_equal(bundle_opens(watch), 0);
        perform(s, &(struct curl_glue_request){.url = tls.url, .flags = CURL_GLUE_SYSTEM_CA});
        assert_int_equal(s->result.err.code, ERR_PROTOCOL);
        assert_int_equal(bundle_opens(watch), bundle);
        tls_stop(&tls);
        good = curl_glue_identity_unref(good);
        bad = curl_glue_identity_unref(bad);
}

/* A client certificate from memory; one made after it was dropped gets the same descriptors and still its own
 * connection. */
static void test_client_certificate(void **state)
{
        struct state *s = *state;
        struct err err;
        struct tls_server tls;
        make_cert(s, "cert.pem", "key.pem");
        make_cert(s, "other.pem", "other-key.pem");
        char *cert CLEANUP_FREE = slurp(s->dir, "cert.pem"), *key CLEANUP_FREE = slurp(s->dir, "key.pem");
        char *other CLEANUP_FREE = slurp(s->dir, "other.pem"), *other_key CLEANUP_FREE = slurp(s->dir, "other-key.pem");
        tls_start(s, &tls, true);
        for (int i = 0; i < 3; i++) {
                struct curl_glue_identity *identity;
                assert_int_equal(
                        curl_glue_identity_new(i == 1 ? other : cert, i == 1 ? other_key : key, cert, &identity, &err),
                        0);
                (void)begin(s, &(struct curl_glue_request){.url = tls.url, .identity = identity});
                identity = curl_glue_identity_unref(identity); /* the call has its own reference */
                wait_done(s);
                if (i == 1)
                        assert_int_not_equal(s->result.err.code, 0);
                else
                        assert_int_equal(s->result.err.code, 0);
        }
        struct curl_glue_identity *none;
        assert_int_equal(curl_glue_identity_new(NULL, NULL, cert, &none, &err), 0);
        perform(s, &(struct curl_glue_request){.url = tls.url, .identity = none});
        assert_int_not_equal(s->result.err.code, 0);
        none = curl_glue_identity_unref(none);
        tls_stop(&tls);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_get),
                TEST(test_bodies),
                TEST(test_limits),
                TEST(test_no_reuse),
                TEST(test_idle_connections),
                TEST(test_parallel),
                TEST(test_deadline),
                TEST(test_cancel),
                TEST(test_refused),
                TEST(test_proxy),
                TEST(test_stream),
                TEST(test_pause),
                TEST(test_stream_stopped_by_callback),
                TEST(test_free_in_callback),
                TEST(test_bad_peers),
                TEST(test_tls),
                TEST(test_client_certificate),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

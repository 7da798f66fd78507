/* SPDX-License-Identifier: Apache-2.0
 *
 * The server with clients of its own thread: a client is a non-blocking socket that is fed and read between the rounds
 * of the loop.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/str.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "../loop_wait.h"

#define CHUNK 4096
#define STREAM_BUFFER (64 * 1024)
#define SEATS 3

struct state {
        struct loop *loop;
        struct http_server *server;
        char dir[64];
        char path[128];
        struct http_server_request *kept;
        int calls, closed, drained;
        bool free_in_handler;
        struct http_server_peer peer;
        int peer_result;
};

/* ---- the handler ---- */

static void on_closed(void *userdata)
{
        struct state *s = userdata;
        s->closed++;
        s->kept = NULL;
}

static void on_drained(void *userdata)
{
        struct state *s = userdata;
        s->drained++;
}

static void keep(struct state *s, struct http_server_request *request)
{
        s->kept = request;
        http_server_on_closed(request, on_closed, s);
        http_server_on_drained(request, on_drained, s);
}

static void handler(void *userdata, struct http_server_request *request)
{
        struct state *s = userdata;
        const char *path = http_server_path(request);
        s->calls++;
        s->peer_result = http_server_peer(request, &s->peer);
        if (s->free_in_handler) {
                keep(s, request);
                s->server = http_server_free(s->server);
        } else if (str_eq(path, "/echo")) {
                size_t len;
                const char *body = http_server_body(request, &len);
                http_server_add_header(request, "X-Method", http_server_method(request));
                http_server_reply(request, 200, "application/octet-stream", body, len);
        } else if (str_eq(path, "/query with space")) {
                const char *a = http_server_query(request, "a"), *none = http_server_query(request, "none");
                http_server_replyf(request, 200, "a=%s follow=%d empty=%d none=%s agent=%s", a ? a : "(null)",
                                   http_server_query_flag(request, "follow"), http_server_query_flag(request, "empty"),
                                   none ? none : "(null)", http_server_request_header(request, "user-agent"));
        } else if (str_eq(path, "/later")) {
                keep(s, request);
        } else if (str_eq(path, "/stream")) {
                keep(s, request);
                http_server_stream_begin(request, 200, NULL, STREAM_BUFFER);
        } else if (str_eq(path, "/big")) {
                char *data = xmalloc(8 * 1024 * 1024);
                memset(data, 'x', 8 * 1024 * 1024);
                http_server_reply_take(request, 200, NULL, data, 8 * 1024 * 1024);
        } else {
                http_server_replyf(request, 404, "no such path: %s", path);
        }
}

/* ---- set-up ---- */

static int start(struct state *s, struct http_server_options *options, struct err *err)
{
        options->name = "test";
        options->handler = handler;
        options->userdata = s;
        return http_server_new(s->loop, options, &s->server, err);
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct err err = ERR_INIT;
        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-http-server-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void)snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
        assert_int_equal(loop_new(&s->loop, &err), 0);
        struct http_server_options options = {
                .unix_path = s->path, .unix_mode = 0660, .unix_gid = (gid_t)-1, .idle_timeout = USEC_PER_SEC};
        assert_int_equal(start(s, &options, &err), 0);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        s->server = http_server_free(s->server);
        s->loop = loop_free(s->loop);
        assert_int_equal(access(s->path, F_OK), -1); /* the socket is gone with its server */
        assert_int_equal(rmdir(s->dir), 0);
        free(s);
        return 0;
}

/* ---- clients ---- */

static int client(struct state *s, const char *request)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        memcpy(address.sun_path, s->path, strlen(s->path) + 1);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(fd_write_all(fd, request, strlen(request)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

/* Reads until `until` is in it, or the end where it is NULL. True: it came; false: end, or nothing for 3 s. */
static bool read_until(struct state *s, int fd, struct buf *b, const char *until)
{
        char chunk[CHUNK];
        usec_t give_up = clock_boottime() + 3 * USEC_PER_SEC;
        while (clock_boottime() < give_up) {
                ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
                if (n > 0) {
                        buf_add(b, chunk, (size_t)n);
                        if (until && strstr(buf_str(b), until))
                                return true;
                        continue;
                }
                if (n == 0 || errno != EAGAIN)
                        return !until;
                loop_wait_step(s->loop);
        }
        return false;
}

static void exchange(struct state *s, const char *request, struct buf *answer)
{
        int fd CLEANUP_FD = client(s, request);
        buf_clear(answer);
        assert_true(read_until(s, fd, answer, NULL));
}

#define CLOSE "Host: h\r\nConnection: close\r\n"
#define BUF CLEANUP_BUF = BUF_INIT(32 * 1024 * 1024)

/* ---- tests ---- */

static void test_reply(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        exchange(s, "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 5\r\n\r\nhello", &answer);
        assert_true(str_starts(buf_str(&answer), "HTTP/1.1 200 "));
        assert_non_null(strstr(buf_str(&answer), "X-Method: POST\r\n"));
        assert_non_null(strstr(buf_str(&answer), "Content-Type: application/octet-stream\r\n"));
        assert_true(str_ends(buf_str(&answer), "\r\n\r\nhello"));
        assert_int_equal(s->peer_result, 0);
        assert_int_equal(s->peer.pid, getpid());
        assert_int_equal(s->peer.uid, getuid());
        exchange(s, "GET /nope HTTP/1.1\r\n" CLOSE "\r\n", &answer);
        assert_true(str_starts(buf_str(&answer), "HTTP/1.1 404 "));
        assert_true(str_ends(buf_str(&answer), "no such path: /nope\n"));
        exchange(s, "HEAD /nope HTTP/1.1\r\n" CLOSE "\r\n", &answer);
        assert_true(str_ends(buf_str(&answer), "\r\n\r\n"));
}

static void test_query(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        exchange(s,
                 "GET /query%20with%20space?a=x%2Fy+z&follow=true&empty&a=2 HTTP/1.1\r\n" CLOSE
                 "User-Agent: me\r\n\r\n",
                 &answer);
        assert_non_null(strstr(buf_str(&answer), "a=x/y z follow=1 empty=1 none=(null) agent=me\n"));
        exchange(s, "GET /query%20with%20space?a=&follow=false HTTP/1.1\r\n" CLOSE "User-Agent: me\r\n\r\n", &answer);
        assert_non_null(strstr(buf_str(&answer), "a= follow=0 empty=0"));
}

static void test_keep_alive(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        int fd CLEANUP_FD = client(s, "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_true(read_until(s, fd, &answer, "/b\n"));
        assert_int_equal(s->calls, 2);
        assert_int_equal(http_server_connections(s->server), 1);
}

static void test_body_limit(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        exchange(s, "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 65537\r\n\r\n", &answer);
        assert_true(str_starts(buf_str(&answer), "HTTP/1.1 413 "));
        /* Of unknown length: cut. */
        struct buf request BUF;
        buf_addstr(&request, "POST /echo HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 20; i++)
                buf_addf(&request, "1000\r\n%04096d\r\n", i);
        int fd CLEANUP_FD = client(s, buf_str(&request));
        buf_clear(&answer);
        assert_true(read_until(s, fd, &answer, NULL));
        assert_int_equal(s->calls, 0);
        /* Headers that do not fit are refused by the library. */
        buf_clear(&request);
        buf_addf(&request, "GET /echo HTTP/1.1\r\n" CLOSE "X: %070000d\r\n\r\n", 1);
        int fd2 CLEANUP_FD = client(s, buf_str(&request));
        buf_clear(&answer);
        (void)read_until(s, fd2, &answer, NULL);
        assert_int_equal(s->calls, 0);
}

static void test_later(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        int fd CLEANUP_FD = client(s, "GET /later HTTP/1.1\r\n" CLOSE "\r\n");
        while (!s->kept)
                loop_wait_step(s->loop);
        for (int i = 0; i < 5; i++)
                loop_wait_step(s->loop);
        assert_int_equal(recv(fd, &(char){0}, 1, 0), -1);
        http_server_replyf(TAKE_PTR(s->kept), 202, "now");
        assert_true(read_until(s, fd, &answer, NULL));
        assert_true(str_starts(buf_str(&answer), "HTTP/1.1 202 "));
        assert_int_equal(s->closed, 0);
}

/* A client that goes while its request waits is noticed at once, not at the answer. */
static void test_client_goes(void **state)
{
        struct state *s = *state;
        const char *const requests[] = {"GET /later HTTP/1.1\r\n" CLOSE "\r\n",
                                        "GET /stream HTTP/1.1\r\n" CLOSE "\r\n"};
        for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
                int fd = client(s, requests[i]);
                s->closed = 0;
                while (!s->kept)
                        loop_wait_step(s->loop);
                for (int j = 0; j < 3; j++)
                        loop_wait_step(s->loop);
                fd_close(fd);
                for (int j = 0; j < 50 && !s->closed; j++)
                        loop_wait_step(s->loop);
                assert_int_equal(s->closed, 1);
                assert_int_equal(http_server_connections(s->server), 0);
        }
}

static void test_stream(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        int fd CLEANUP_FD = client(s, "GET /stream HTTP/1.1\r\n" CLOSE "\r\n");
        assert_true(read_until(s, fd, &answer, "\r\n\r\n")); /* the headers do not wait for the first line */
        assert_int_equal(http_server_stream_write(s->kept, "one\n", 4), 0);
        assert_true(read_until(s, fd, &answer, "one\n"));
        assert_int_equal(http_server_stream_write(s->kept, "two\n", 4), 0);
        assert_true(read_until(s, fd, &answer, "two\n"));
        http_server_stream_end(TAKE_PTR(s->kept), true);
        assert_true(read_until(s, fd, &answer, NULL));
        assert_true(str_ends(buf_str(&answer), "0\r\n\r\n"));
        assert_int_equal(s->closed, 0);

        int fd2 CLEANUP_FD = client(s, "GET /stream HTTP/1.1\r\n" CLOSE "\r\n");
        while (!s->kept)
                loop_wait_step(s->loop);
        assert_int_equal(http_server_stream_write(s->kept, "half", 4), 0);
        http_server_stream_end(TAKE_PTR(s->kept), false); /* cut: no last chunk */
        buf_clear(&answer);
        assert_true(read_until(s, fd2, &answer, NULL));
        assert_false(str_ends(buf_str(&answer), "0\r\n\r\n"));
}

/* A reader that does not read: the buffer fills up to its ceiling, other clients are served meanwhile, and once it
 * reads everything arrives in order. */
static void test_slow_reader(void **state)
{
        struct state *s = *state;
        struct buf answer BUF, other BUF;
        char line[CHUNK];
        int fd CLEANUP_FD = client(s, "GET /stream HTTP/1.1\r\n" CLOSE "\r\n");
        while (!s->kept)
                loop_wait_step(s->loop);
        size_t lines = 0;
        for (int refused = 0; refused < 20 && lines < 10000;) {
                (void)snprintf(line, sizeof(line), "line %06zu %0*d\n", lines, (int)sizeof(line) - 14, 0);
                if (http_server_stream_write(s->kept, line, strlen(line)) == 0) {
                        lines++;
                } else {
                        refused++;
                        loop_wait_step(s->loop);
                }
        }
        assert_true(lines > STREAM_BUFFER / CHUNK);
        assert_true(lines < 10000);
        exchange(s, "GET /nope HTTP/1.1\r\n" CLOSE "\r\n", &other);
        assert_true(str_starts(buf_str(&other), "HTTP/1.1 404 "));
        int drained = s->drained;
        (void)snprintf(line, sizeof(line), "line %06zu ", lines - 1);
        assert_true(read_until(s, fd, &answer, line));
        for (int i = 0; i < 10; i++)
                loop_wait_step(s->loop);
        assert_true(s->drained > drained);
        http_server_stream_end(TAKE_PTR(s->kept), true);
        assert_true(read_until(s, fd, &answer, NULL));
        for (size_t i = 0; i < lines; i++) {
                (void)snprintf(line, sizeof(line), "line %06zu ", i);
                assert_non_null(strstr(buf_str(&answer), line));
        }
}

/* Nothing moved for idle_timeout (1 s here): the connection is closed, silent clients and readers that stopped alike.
 */
static void test_idle_timeout(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        int silent CLEANUP_FD = client(s, "GET /");
        int stopped CLEANUP_FD = client(s, "GET /big HTTP/1.1\r\n" CLOSE "\r\n");
        usec_t begin = clock_boottime();
        while (clock_boottime() < begin + 3 * USEC_PER_SEC && (http_server_connections(s->server) > 0 || s->calls == 0))
                loop_wait_step(s->loop);
        assert_int_equal(http_server_connections(s->server), 0);
        assert_true(clock_boottime() - begin > USEC_PER_SEC * 9 / 10);
        assert_true(read_until(s, stopped, &answer, NULL));
        assert_true(answer.len < 8 * 1024 * 1024);
}

static void count_runs(void *userdata, const struct loop_cause *cause)
{
        *(uint64_t *)userdata += cause->runs;
}

/* The limit holds further clients off without the loop spinning over them, and they are served when there is room. */
static void test_connection_limit(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        struct buf answer BUF;
        int fds[4];
        s->server = http_server_free(s->server);
        struct http_server_options options = {
                .unix_path = s->path, .unix_mode = 0600, .unix_gid = (gid_t)-1, .max_connections = 3};
        assert_int_equal(start(s, &options, &err), 0);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fds[i] = client(s,
                                i < 3 ? "GET /later HTTP/1.1\r\n" CLOSE "\r\n" : "GET /nope HTTP/1.1\r\n" CLOSE "\r\n");
        for (int i = 0; i < 20; i++)
                loop_wait_step(s->loop);
        assert_int_equal(s->calls, 3);
        uint64_t before = 0, after = 0;
        loop_causes(s->loop, count_runs, &before);
        usec_t end = clock_boottime() + 50 * USEC_PER_MSEC;
        while (loop_step(s->loop, end, &err) > 0)
                ;
        loop_causes(s->loop, count_runs, &after);
        assert_true(after - before <= 2);
        fds[0] = fd_close(fds[0]);
        assert_true(read_until(s, fds[3], &answer, NULL));
        assert_true(str_starts(buf_str(&answer), "HTTP/1.1 404 "));
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fds[i] = fd_close(fds[i]);
}

static void start_with_grace(struct state *s, usec_t grace)
{
        struct err err = ERR_INIT;
        struct http_server_options options = {.unix_path = s->path,
                                              .unix_mode = 0600,
                                              .unix_gid = (gid_t)-1,
                                              .max_connections = SEATS,
                                              .request_timeout = 60 * USEC_PER_SEC,
                                              .request_grace = grace};
        s->server = http_server_free(s->server);
        assert_int_equal(start(s, &options, &err), 0);
}

/* All connect before the first of them asks. */
static void test_crowd_that_asks(void **state)
{
        struct state *s = *state;
        int fds[10 * SEATS];
        start_with_grace(s, 60 * USEC_PER_SEC);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                fds[i] = client(s, "GET /nope HTTP/1.1\r\n");
                loop_wait_step(s->loop);
        }
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                struct buf answer BUF;
                assert_int_equal(fd_write_all(fds[i], CLOSE "\r\n", strlen(CLOSE "\r\n")), 0);
                assert_true(read_until(s, fds[i], &answer, NULL));
                assert_true(str_starts(buf_str(&answer), "HTTP/1.1 404 "));
                fds[i] = fd_close(fds[i]);
        }
}

/* They drip, so that something moves all the while. */
static void test_crowd_that_holds(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        int fds[100];
        start_with_grace(s, 300 * USEC_PER_MSEC);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                fds[i] = client(s, "GET /nope HTTP/1.1\r\n");
                loop_wait_step(s->loop);
        }
        int honest CLEANUP_FD = client(s, "GET /nope HTTP/1.1\r\n" CLOSE "\r\n");
        for (usec_t end = clock_boottime() + LOOP_WAIT_MAX; s->calls == 0 && clock_boottime() < end;) {
                for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                        (void)send(fds[i], "A: b\r\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT);
                loop_wait_step(s->loop);
        }
        assert_true(read_until(s, honest, &answer, NULL));
        assert_true(str_starts(buf_str(&answer), "HTTP/1.1 404 "));
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fds[i] = fd_close(fds[i]);
}

static void test_free_with_open_requests(void **state)
{
        struct state *s = *state;
        int a CLEANUP_FD = client(s, "GET /later HTTP/1.1\r\n" CLOSE "\r\n");
        int b CLEANUP_FD = client(s, "GET /stream HTTP/1.1\r\n" CLOSE "\r\n");
        while (s->calls < 2)
                loop_wait_step(s->loop);
        for (int i = 0; i < 3; i++)
                loop_wait_step(s->loop);
        s->server = http_server_free(s->server);
        assert_int_equal(s->closed, 2);
}

static void test_free_in_handler(void **state)
{
        struct state *s = *state;
        struct buf answer BUF;
        s->free_in_handler = true;
        int a CLEANUP_FD = client(s, "GET /later HTTP/1.1\r\n" CLOSE "\r\n");
        assert_true(read_until(s, a, &answer, NULL));
        assert_null(s->server);
        assert_int_equal(answer.len, 0);
        assert_int_equal(s->closed, 1);
}

/* What came together with the request that ends the server reaches nobody: its owner may be gone. */
static void test_free_in_handler_of_many(void **state)
{
        struct state *s = *state;
        int fds[4];
        s->free_in_handler = true;
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fds[i] = client(s, "GET /later HTTP/1.1\r\n" CLOSE "\r\n");
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                struct buf answer BUF;
                assert_true(read_until(s, fds[i], &answer, NULL));
                assert_int_equal(answer.len, 0);
                fds[i] = fd_close(fds[i]);
        }
        assert_int_equal(s->calls, 1);
        assert_int_equal(s->closed, 1);
}

static void test_unix_path(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        struct stat st;
        struct http_server *second = NULL;
        struct http_server_options options = {
                .name = "second", .unix_path = s->path, .unix_mode = 0600, .unix_gid = (gid_t)-1, .handler = handler};
        assert_int_equal(stat(s->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0660);
        assert_int_equal(http_server_new(s->loop, &options, &second, &err), -EADDRINUSE);
        assert_non_null(strstr(err.msg, s->path));

        /* Left behind by a dead one: replaced. */
        s->server = http_server_free(s->server);
        int dead = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        memcpy(address.sun_path, s->path, strlen(s->path) + 1);
        assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
        fd_close(dead);
        assert_int_equal(http_server_new(s->loop, &options, &second, &err), 0);
        assert_int_equal(stat(s->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);

        /* Taken over by somebody else meanwhile: left alone. */
        assert_int_equal(unlink(s->path), 0);
        int file = open(s->path, O_CREAT | O_WRONLY, 0600);
        fd_close(file);
        second = http_server_free(second);
        assert_int_equal(access(s->path, F_OK), 0);
        assert_int_equal(http_server_new(s->loop, &options, &second, &err), -EEXIST);
        assert_int_equal(unlink(s->path), 0);

        char *longer CLEANUP_FREE = xasprintf("%s/%0200d", s->dir, 0);
        options.unix_path = longer;
        assert_int_equal(http_server_new(s->loop, &options, &second, &err), -ENAMETOOLONG);
        assert_int_equal(loop_wakes(s->loop), 0);
}

static void test_tcp(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        struct buf answer BUF;
        s->server = http_server_free(s->server);
        struct http_server_options options = {.address = "127.0.0.1"};
        assert_int_equal(start(s, &options, &err), 0);
        assert_true(http_server_port(s->server) > 0);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(http_server_port(s->server)),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd CLEANUP_FD = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        const char *request = "GET /nope HTTP/1.1\r\n" CLOSE "\r\n";
        assert_int_equal(fd_write_all(fd, request, strlen(request)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        assert_true(read_until(s, fd, &answer, NULL));
        assert_true(str_starts(buf_str(&answer), "HTTP/1.1 404 "));
        assert_int_equal(s->peer_result, -ENOTSUP);

        struct http_server *second = NULL;
        options.port = http_server_port(s->server);
        assert_int_equal(http_server_new(s->loop, &options, &second, &err), -EADDRINUSE);
        options.address = "localhost";
        assert_int_equal(http_server_new(s->loop, &options, &second, &err), -EINVAL);
}

/* 0.0.0.0 is every address, of both families where the machine has both. */
static void test_every_address(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        struct http_server_options options = {.address = "0.0.0.0"};

        s->server = http_server_free(s->server);
        assert_int_equal(start(s, &options, &err), 0);
        struct sockaddr_in v4 = {.sin_family = AF_INET,
                                 .sin_port = htons(http_server_port(s->server)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                  .sin6_port = htons(http_server_port(s->server)),
                                  .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        int fd4 CLEANUP_FD = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int fd6 CLEANUP_FD = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int probe CLEANUP_FD = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd4, (struct sockaddr *)&v4, sizeof(v4)), 0);
        v6.sin6_port = 0;
        if (probe >= 0 && bind(probe, (struct sockaddr *)&v6, sizeof(v6)) == 0) {
                v6.sin6_port = htons(http_server_port(s->server));
                assert_int_equal(connect(fd6, (struct sockaddr *)&v6, sizeof(v6)), 0);
        }
        struct http_server *second = NULL;
        options.port = http_server_port(s->server);
        assert_int_equal(http_server_new(s->loop, &options, &second, &err), -EADDRINUSE);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_reply),
                TEST(test_query),
                TEST(test_keep_alive),
                TEST(test_body_limit),
                TEST(test_later),
                TEST(test_client_goes),
                TEST(test_stream),
                TEST(test_slow_reader),
                TEST(test_idle_timeout),
                TEST(test_connection_limit),
                TEST(test_crowd_that_asks),
                TEST(test_crowd_that_holds),
                TEST(test_free_with_open_requests),
                TEST(test_free_in_handler),
                TEST(test_free_in_handler_of_many),
                TEST(test_unix_path),
                TEST(test_tcp),
                TEST(test_every_address),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to the local sockets and to what answers at the HTTPS port: the input is what a client sends before it
 * closes. The server answers or closes or waits for more, and afterwards has no connection left and answers a good
 * request.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "fuzz.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/local_api.h"
#include "scratch.h"

/* A server that has not moved for so long waits for the client. */
#define QUIET 500
#define BIG (512 * 1024)

static struct loop *loop;
static char api_path[128], echo_path[128], port_path[128], plain_path[128];
static struct http_server *echo_server, *port_server;
static struct local_api *api, *plain;     /* plain: without the handlers for debugging */
static struct http_server_request *later; /* kept, or a stream */
static struct loop_source *answering;

static char *text_of(void *userdata)
{
        return xstrdup(userdata);
}

static void answer_text(void *userdata, struct http_server_request *request)
{
        http_server_reply(request, 200, NULL, userdata, strlen(userdata));
}

static void answer_rest(void *userdata, struct http_server_request *request, const char *rest)
{
        (void)userdata;
        http_server_replyf(request, 200, "%s", rest);
}

static void answer_port(void *userdata, struct http_server_request *request)
{
        (void)userdata;
        local_api_answer_port(http_server_query_flag(request, "plain") ? plain : api, request);
}

static void forget(void *userdata)
{
        (void)userdata;
        MUST(later);
        later = NULL;
}

static void answer(void *userdata)
{
        (void)userdata;
        if (later)
                http_server_replyf(later, 200, "later");
        later = NULL;
}

static void drained(void *userdata)
{
        (void)userdata;
        MUST(later && http_server_stream_write(later, "x", 1) == 0);
        http_server_stream_end(later, true);
        later = NULL;
}

/* Asks for everything that a handler may ask of a request. */
static void echo(void *userdata, struct http_server_request *request)
{
        struct http_server_certificate certificate;
        struct http_server_peer peer;
        size_t len;
        const char *body = http_server_body(request, &len), *a = http_server_query(request, "a");
        const char *agent = http_server_request_header(request, "user-agent");

        (void)userdata;
        MUST(http_server_method(request) && http_server_path(request));
        MUST(len == 0 || body);
        MUST(http_server_peer(request, &peer) == 0 && peer.pid == getpid());
        MUST(http_server_port(echo_server) == 0 && http_server_client_certificates(request, &certificate, 1) == 0);
        http_server_add_header(request, "X-Agent", "fuzz");
        if (!later && http_server_query_flag(request, "later")) {
                later = request;
                http_server_on_closed(request, forget, NULL);
                if (!http_server_query_flag(request, "never"))
                        loop_defer_schedule(answering);
                return;
        }
        if (http_server_query_flag(request, "big")) {
                http_server_reply_take(request, 200, "text/x", xcalloc(1, BIG), BIG);
                return;
        }
        if (!later && http_server_query_flag(request, "full")) {
                later = request;
                http_server_on_closed(request, forget, NULL);
                http_server_on_drained(request, drained, NULL);
                http_server_stream_begin(request, 200, NULL, BIG);
                while (http_server_stream_write(request, scratch(), 64) == 0)
                        ;
                return;
        }
        if (http_server_query_flag(request, "stream")) {
                http_server_stream_begin(request, 200, NULL, 4096);
                MUST(http_server_stream_write(request, "x", 1) == 0);
                http_server_stream_end(request, len == 0);
                return;
        }
        http_server_replyf(request, 200, "%s %s %zu", a ? a : "", agent ? agent : "", len);
}

static void start(void)
{
        static char empty[] = "{}";
        struct local_api_options options = {.socket_path = api_path,
                                            .pods = text_of,
                                            .running_pods = text_of,
                                            .configz = text_of,
                                            .metrics = text_of,
                                            .probe_metrics = text_of,
                                            .resource_metrics = text_of,
                                            .stats = text_of,
                                            .status = answer_text,
                                            .events = answer_text,
                                            .logs = answer_text,
                                            .describe = answer_text,
                                            .port_logs = answer_rest,
                                            .debugging_handlers = true,
                                            .userdata = empty};
        struct http_server_options server = {
                .name = "fuzz", .unix_path = echo_path, .unix_mode = 0600, .unix_gid = (gid_t)-1, .handler = echo};
        struct http_server_options port = {.name = "fuzz-port",
                                           .unix_path = port_path,
                                           .unix_mode = 0600,
                                           .unix_gid = (gid_t)-1,
                                           .handler = answer_port};
        struct err err = ERR_INIT;

        if (api)
                return;
        (void)snprintf(port_path, sizeof(port_path), "%s/port", scratch());
        (void)snprintf(plain_path, sizeof(plain_path), "%s/plain", scratch());
        (void)snprintf(api_path, sizeof(api_path), "%s/api", scratch());
        (void)snprintf(echo_path, sizeof(echo_path), "%s/echo", scratch());
        if (!loop) {
                MUST(loop_new(&loop, &err) == 0);
                answering = loop_defer_new(loop, "fuzz", answer, NULL);
        }
        MUST(local_api_new(loop, &options, &api, &err) == 0);
        options.socket_path = plain_path;
        options.debugging_handlers = false;
        MUST(local_api_new(loop, &options, &plain, &err) == 0);
        MUST(http_server_new(loop, &server, &echo_server, &err) == 0);
        MUST(http_server_new(loop, &port, &port_server, &err) == 0);
}

/* In the middle of whatever goes on: what was kept is told of it, and the names are gone. */
static void stop(void)
{
        echo_server = http_server_free(echo_server);
        port_server = http_server_free(port_server);
        api = local_api_free(api);
        plain = local_api_free(plain);
        MUST(!later && access(api_path, F_OK) != 0 && access(echo_path, F_OK) != 0);
}

static int dial(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        str_copy(address.sun_path, sizeof(address.sun_path), path);
        MUST(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        return fd;
}

/* Sends all and reads until the server ends or has nothing to do (it waits for more of the request); then closes.
 * Whether it answered 200. */
static bool talk(const char *path, const char *data, size_t size)
{
        char answer[4096], head[13] = "";
        size_t sent = 0, got = 0;
        int fd = dial(path);
        bool ended = false;

        while (!ended) {
                struct err err = ERR_INIT;
                ssize_t n = sent < size ? send(fd, data + sent, size - sent, MSG_NOSIGNAL) : 0;

                sent += n > 0 ? (size_t)n : 0;
                ended = n < 0 && errno != EAGAIN;
                if (sent == size)
                        (void)shutdown(fd, SHUT_WR);
                int ran = loop_step(loop, usec_add(clock_boottime(), QUIET), &err);
                MUST(ran >= 0);
                n = recv(fd, answer, sizeof(answer), 0);
                for (ssize_t i = 0; i < n && got < sizeof(head) - 1; i++)
                        head[got++] = answer[i];
                ended |= n == 0 || (n < 0 && errno != EAGAIN) || (n < 0 && ran == 0);
        }
        (void)close(fd);
        return strncmp(head, "HTTP/1.1 200", 12) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char good[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

        if (size == 0)
                return 0;
        start();
        (void)talk(echo_path, (const char *)data, size);
        (void)talk(api_path, (const char *)data, size);
        (void)talk(port_path, (const char *)data, size);
        MUST(talk(api_path, good, sizeof(good) - 1));
        struct err err = ERR_INIT;
        for (int i = 0; i < 100 && http_server_connections(echo_server) > 0; i++)
                MUST(loop_step(loop, usec_add(clock_boottime(), 1000), &err) >= 0);
        MUST(http_server_connections(echo_server) == 0);
        /* Now and then the servers end with a request on its way. */
        if (size % 4 == 0) {
                int fd = dial(echo_path);
                (void)send(fd, data, size, MSG_NOSIGNAL);
                MUST(loop_step(loop, usec_add(clock_boottime(), QUIET), &err) >= 0);
                (void)loop_step(loop, usec_add(clock_boottime(), QUIET), &err);
                stop();
                (void)close(fd);
        }
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/str.h"
#include "net/http_answer.h"
#include "net/unix_ask.h"

#define CHUNK 65536

static int connect_to(const struct unix_ask *ask, struct err *err)
{
        int fd CLEANUP_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        const struct timeval timeout = {.tv_sec = ask->timeout_seconds};

        if (fd < 0)
                return err_set_errno(err, errno, "making a socket");
        if (strlen(ask->socket) >= sizeof(address.sun_path))
                return err_set(err, ENAMETOOLONG, "%s is too long for a socket", ask->socket);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", ask->socket);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
                return TAKE_FD(fd);
        return err_set_errno(err, errno, "connecting to %s", ask->socket);
}

static void write_request(const struct unix_ask *ask, struct buf *out)
{
        buf_addf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", ask->method, ask->path);
        if (ask->body)
                buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(ask->body));
        buf_addf(out, "\r\n%s", ask->body ? ask->body : "");
}

static int send_request(int fd, const struct unix_ask *ask, struct err *err)
{
        struct buf request CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        int r;

        write_request(ask, &request);
        r = buf_check(&request, "the request", err);
        if (r < 0)
                return r;
        r = fd_write_all(fd, buf_str(&request), request.len);
        return r < 0 ? err_set_errno(err, -r, "asking %s", ask->socket) : 0;
}

static int read_stream(int fd, const struct unix_ask_stream *stream, struct http_answer *answer, struct err *err)
{
        char chunk[CHUNK];
        int r = 0;

        while (r == 0) {
                ssize_t n = read(fd, chunk, sizeof(chunk));

                if (n > 0)
                        r = http_answer_feed(answer, chunk, (size_t)n, err);
                else if (n == 0)
                        return http_answer_end(answer, err);
                else if (errno == EAGAIN && stream->tick)
                        stream->tick(stream->userdata);
                else if (errno != EINTR)
                        return err_set_errno(err, errno, "reading the answer of %s", stream->ask.socket);
        }
        return r < 0 ? r : 0;
}

static bool collect(void *userdata, const char *data, size_t len)
{
        struct buf *out = userdata;

        buf_add(out, data, len);
        return !out->failed;
}

int unix_ask(const struct unix_ask *ask, int *ret_status, struct buf *out, struct err *err)
{
        const struct unix_ask_stream stream = {.ask = *ask};
        int fd CLEANUP_FD = connect_to(ask, err);
        struct http_answer answer;
        int r;

        if (fd < 0)
                return fd;
        r = send_request(fd, ask, err);
        if (r < 0)
                return r;
        http_answer_init(&answer, NULL, collect, out);
        answer.no_body = str_eq(ask->method, "HEAD");
        r = read_stream(fd, &stream, &answer, err);
        if (r == 0)
                r = buf_check(out, "the answer", err);
        else if (r == -ERR_PROTOCOL || r == -ECONNRESET)
                (void)err_wrap(err, "%s %s of %s", ask->method, ask->path, ask->socket);
        if (r == 0)
                *ret_status = answer.status;
        http_answer_release(&answer);
        return r;
}

int unix_ask_follow(const struct unix_ask_stream *stream, struct err *err)
{
        const struct timeval wait = {.tv_sec = stream->tick_seconds}; /* zero: for ever */
        int fd CLEANUP_FD = connect_to(&stream->ask, err);
        struct http_answer answer;
        int r;

        if (fd < 0)
                return fd;
        r = send_request(fd, &stream->ask, err);
        if (r < 0)
                return r;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
        http_answer_init(&answer, stream->head, stream->data, stream->userdata);
        r = read_stream(fd, stream, &answer, err);
        http_answer_release(&answer);
        return r;
}

void unix_ask_query(struct buf *path, const char *name, const char *value)
{
        buf_addf(path, "%c%s=", strchr(buf_str(path), '?') ? '&' : '?', name);
        buf_add_escaped(path, value, "");
}

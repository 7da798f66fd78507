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

static int read_all(int fd, const char *socket, struct buf *out, struct err *err)
{
        char chunk[CHUNK];

        for (;;) {
                ssize_t n = read(fd, chunk, sizeof(chunk));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set_errno(err, errno, "reading the answer of %s", socket);
                if (n > 0)
                        buf_add(out, chunk, (size_t)n);
                if (n == 0 || out->failed)
                        return buf_check(out, "the answer", err);
        }
}

/* Status of the answer, 0 where it is no HTTP. */
static int status_of(const char *answer)
{
        int status = 0;

        if (strncmp(answer, "HTTP/1.", 7) != 0 || strlen(answer) < 12)
                return 0;
        char text[4] = {answer[9], answer[10], answer[11], '\0'};
        return str_to_int(text, 100, 999, &status) < 0 ? 0 : status;
}

static void write_request(const struct unix_ask *ask, const char *version, struct buf *out)
{
        buf_addf(out, "%s %s HTTP/%s\r\nHost: localhost\r\nConnection: close\r\n", ask->method, ask->path, version);
        if (ask->body)
                buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(ask->body));
        buf_addf(out, "\r\n%s", ask->body ? ask->body : "");
}

static int send_request(int fd, const struct unix_ask *ask, const char *version, struct err *err)
{
        struct buf request CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        int r;

        write_request(ask, version, &request);
        r = buf_check(&request, "the request", err);
        if (r < 0)
                return r;
        r = fd_write_all(fd, buf_str(&request), request.len);
        return r < 0 ? err_set_errno(err, -r, "asking %s", ask->socket) : 0;
}

int unix_ask(const struct unix_ask *ask, int *ret_status, struct buf *out, struct err *err)
{
        struct buf answer CLEANUP_BUF = BUF_INIT(out->max);
        int fd CLEANUP_FD = connect_to(ask, err);
        const char *body;
        int r;

        if (fd < 0)
                return fd;
        r = send_request(fd, ask, "1.0", err);
        if (r < 0)
                return r;
        r = read_all(fd, ask->socket, &answer, err);
        if (r < 0)
                return r;
        body = strstr(buf_str(&answer), "\r\n\r\n");
        if (!body || status_of(buf_str(&answer)) == 0)
                return err_set(err, ERR_PROTOCOL, "%s answers to %s: %.*s", ask->socket, ask->path,
                               (int)strcspn(buf_str(&answer), "\r\n"), buf_str(&answer));
        body += 4;
        *ret_status = status_of(buf_str(&answer));
        buf_add(out, body, answer.len - (size_t)(body - buf_str(&answer)));
        return buf_check(out, "the answer", err);
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

int unix_ask_follow(const struct unix_ask_stream *stream, struct err *err)
{
        const struct timeval wait = {.tv_sec = stream->tick_seconds}; /* zero: for ever */
        int fd CLEANUP_FD = connect_to(&stream->ask, err);
        struct http_answer answer;
        int r;

        if (fd < 0)
                return fd;
        r = send_request(fd, &stream->ask, "1.1", err);
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
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

        buf_addf(path, "%c%s=", strchr(buf_str(path), '?') ? '&' : '?', name);
        for (; *value; value++) {
                if (strchr(plain, *value))
                        buf_addch(path, *value);
                else
                        buf_addf(path, "%%%02X", (unsigned)(unsigned char)*value);
        }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a running podwatch over its socket: HTTP/1.0, one request a connection, which takes no more than this file
 * (libcurl alone costs more time to load than the whole answer).
 */
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
#include "podwatch.h"

/* podwatch answers from memory; longer than this it hangs. */
#define TIMEOUT_SEC 10

static int connect_to(const char *path, struct err *err)
{
        int fd CLEANUP_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        const struct timeval timeout = {.tv_sec = TIMEOUT_SEC};

        if (fd < 0)
                return err_set_errno(err, errno, "making a socket");
        if (strlen(path) >= sizeof(address.sun_path))
                return err_set(err, ENAMETOOLONG, "%s is too long for a socket", path);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
                return TAKE_FD(fd);
        if (errno == ENOENT || errno == ECONNREFUSED)
                return err_set(err, errno, "podwatch does not run (nobody listens on %s)", path);
        return err_set_errno(err, errno, "connecting to %s", path);
}

static int read_all(int fd, struct buf *out, struct err *err)
{
        char chunk[65536];

        for (;;) {
                ssize_t n = read(fd, chunk, sizeof(chunk));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set_errno(err, errno, "reading podwatch's answer");
                if (n == 0)
                        return buf_check(out, "podwatch's answer", err);
                buf_add(out, chunk, (size_t)n);
                if (out->failed)
                        return buf_check(out, "podwatch's answer", err);
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

static int ask(const struct podwatch *p, const char *method, const char *path, struct buf *out, struct err *err)
{
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        char *request CLEANUP_FREE = xasprintf("%s %s HTTP/1.0\r\nHost: localhost\r\n\r\n", method, path);
        int fd CLEANUP_FD = connect_to(p->socket, err);
        const char *body;
        int r;

        if (fd < 0)
                return fd;
        r = fd_write_all(fd, request, strlen(request));
        if (r < 0)
                return err_set_errno(err, -r, "asking podwatch");
        r = read_all(fd, &answer, err);
        if (r < 0)
                return r;
        body = strstr(buf_str(&answer), "\r\n\r\n");
        if (!body || status_of(buf_str(&answer)) == 0)
                return err_set(err, ERR_PROTOCOL, "podwatch answers to %s: %.*s", path,
                               (int)strcspn(buf_str(&answer), "\r\n"), buf_str(&answer));
        body += 4;
        /* A refusal is a line of text that says why. */
        if (status_of(buf_str(&answer)) != 200 && status_of(buf_str(&answer)) != 202)
                return err_set(err, ERR_REMOTE, "%.*s", (int)strcspn(body, "\r\n"), body);
        buf_add(out, body, answer.len - (size_t)(body - buf_str(&answer)));
        r = buf_check(out, "podwatch's answer", err);
        return r < 0 ? r : status_of(buf_str(&answer)) == 202;
}

int podwatch_get(const struct podwatch *p, const char *path, struct buf *out, struct err *err)
{
        return ask(p, "GET", path, out, err);
}

int podwatch_post(const struct podwatch *p, const char *path, struct buf *out, struct err *err)
{
        return ask(p, "POST", path, out, err);
}

void podwatch_query(struct buf *path, const char *name, const char *value)
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

/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "net/http_listen.h"

#define BACKLOG 128
#define SOCKET_FLAGS (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

/* Makes way at path. */
static int clear_path(const char *path, const struct sockaddr_un *address, struct err *err)
{
        struct stat st;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot look at %s", path);
        if (!S_ISSOCK(st.st_mode))
                return err_set(err, EEXIST, "%s is in the way: it is no socket", path);
        int fd CLEANUP_FD = socket(AF_UNIX, SOCKET_FLAGS, 0);
        if (fd < 0)
                return err_set_errno(err, errno, "cannot make a socket");
        /* EAGAIN: alive, its queue is full. */
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
                return err_set(err, EADDRINUSE, "another program listens on %s", path);
        if (errno != ECONNREFUSED)
                return err_set_errno(err, errno, "cannot look who listens on %s", path);
        if (unlink(path) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "cannot remove the stale socket %s", path);
        return 0;
}

/* Exact mode and group, then listens. -errno. */
static int finish_path(int fd, const char *path, mode_t mode, gid_t gid, struct stat *ret_st)
{
        if (gid != (gid_t)-1 && lchown(path, (uid_t)-1, gid) < 0)
                return -errno;
        if (chmod(path, mode) < 0 || lstat(path, ret_st) < 0 || listen(fd, BACKLOG) < 0)
                return -errno;
        return 0;
}

int http_listen_unix(const char *path, mode_t mode, gid_t gid, struct http_listen_path *ret_path, int *ret_fd,
                     struct err *err)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct stat st;
        size_t len = strlen(path);

        if (len >= sizeof(address.sun_path))
                return err_set(err, ENAMETOOLONG, "%s: a socket path has at most %zu characters", path,
                               sizeof(address.sun_path) - 1);
        memcpy(address.sun_path, path, len + 1);
        int r = clear_path(path, &address, err);
        if (r < 0)
                return r;
        int fd CLEANUP_FD = socket(AF_UNIX, SOCKET_FLAGS, 0);
        if (fd < 0)
                return err_set_errno(err, errno, "cannot make a socket");
        /* The file is born with the descriptor's mode less the umask, then gets the rest. */
        if (fchmod(fd, mode) < 0)
                return err_set_errno(err, errno, "cannot set the mode of a socket");
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return err_set_errno(err, errno, "cannot listen on %s", path);
        r = finish_path(fd, path, mode, gid, &st);
        if (r < 0) {
                (void)unlink(path);
                return err_set_errno(err, -r, "cannot listen on %s", path);
        }
        *ret_path = (struct http_listen_path){.path = xstrdup(path), .dev = st.st_dev, .ino = st.st_ino};
        *ret_fd = TAKE_FD(fd);
        return 0;
}

void http_listen_path_release(struct http_listen_path *path)
{
        struct stat st;
        if (path->path && lstat(path->path, &st) == 0 && st.st_dev == path->dev && st.st_ino == path->ino)
                (void)unlink(path->path);
        free(path->path);
        *path = (struct http_listen_path){0};
}

int http_listen_tcp(const char *text, uint16_t port, uint16_t *ret_port, int *ret_fd, struct err *err)
{
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        } address = {0};
        socklen_t len;
        const int on = 1, keep_idle_seconds = 60;

        if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
                address.v4.sin_family = AF_INET;
                address.v4.sin_port = htons(port);
                len = sizeof(address.v4);
        } else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
                address.v6.sin6_family = AF_INET6;
                address.v6.sin6_port = htons(port);
                len = sizeof(address.v6);
        } else {
                return err_set(err, EINVAL, "'%s' is no IP address", text);
        }
        int fd CLEANUP_FD = socket(address.any.sa_family, SOCKET_FLAGS, 0);
        if (fd < 0)
                return err_set_errno(err, errno, "cannot make a socket");
        /* Connections inherit it: a client that is gone for good is noticed, whatever it was promised. */
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keep_idle_seconds, sizeof(keep_idle_seconds));
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, &address.any, len) < 0 ||
            listen(fd, BACKLOG) < 0 || getsockname(fd, &address.any, &len) < 0)
                return err_set_errno(err, errno, "cannot listen on %s port %u", text, port);
        *ret_port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
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

union address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

static int parse_address(const char *text, uint16_t port, union address *ret, socklen_t *ret_len, struct err *err)
{
        *ret = (union address){0};
        if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
                ret->v4.sin_family = AF_INET;
                ret->v4.sin_port = htons(port);
                *ret_len = sizeof(ret->v4);
        } else if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
                ret->v6.sin6_family = AF_INET6;
                ret->v6.sin6_port = htons(port);
                *ret_len = sizeof(ret->v6);
        } else {
                return err_set(err, EINVAL, "'%s' is no IP address", text);
        }
        return 0;
}

/* 0 or -errno; address becomes what it was bound to. */
static int listen_at(union address *address, socklen_t len, int *ret_fd)
{
        const int on = 1, off = 0, keep_idle_seconds = 60;
        int fd CLEANUP_FD = socket(address->any.sa_family, SOCKET_FLAGS, 0);

        if (fd < 0)
                return -errno;
        /* Connections inherit it: a client that is gone for good is noticed, whatever it was promised. */
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keep_idle_seconds, sizeof(keep_idle_seconds));
        if (address->any.sa_family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, &address->any, len) < 0 ||
            listen(fd, BACKLOG) < 0 || getsockname(fd, &address->any, &len) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int http_listen_tcp(const char *text, uint16_t port, uint16_t *ret_port, int *ret_fd, struct err *err)
{
        union address address, both = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
        socklen_t len = 0;
        int r = parse_address(text, port, &address, &len, err);

        if (r < 0)
                return r;
        bool any = address.any.sa_family == AF_INET && address.v4.sin_addr.s_addr == htonl(INADDR_ANY);
        r = any ? listen_at(&both, sizeof(both.v6), ret_fd) : -EAFNOSUPPORT;
        if (r == 0)
                address = both;
        else if (!any || r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
                r = listen_at(&address, len, ret_fd);
        if (r < 0)
                return err_set_errno(err, -r, "cannot listen on %s port %u", text, port);
        *ret_port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
        return 0;
}

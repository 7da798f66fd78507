#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets: a unix path or a numeric TCP address.
 */
#include <stdint.h>
#include <sys/types.h>

struct err;

/* What a listener left behind on disk. */
struct http_listen_path {
        char *path; /* NULL for TCP */
        dev_t dev;
        ino_t ino;
};

/* Listens on a unix socket with exactly this mode (never looser in between) and group ((gid_t)-1: as it is). What a
 * dead listener left at the path is replaced; a living one is EADDRINUSE, what is no socket EEXIST. */
int http_listen_unix(const char *path, mode_t mode, gid_t gid, struct http_listen_path *ret_path, int *ret_fd,
                     struct err *err);
/* Removes the path where it still is the socket that was made. */
void http_listen_path_release(struct http_listen_path *path);

/* address: numeric IPv4 or IPv6. port 0: any. *ret_port is the one it got. 0.0.0.0 and :: are every address of either
 * family, where the machine has both, as in Go and so in the kubelet. */
int http_listen_tcp(const char *address, uint16_t port, uint16_t *ret_port, int *ret_fd, struct err *err);

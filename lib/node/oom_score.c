/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "node/oom_score.h"

#define DEFAULT_SOCKET "/var/run/docker.sock"

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -1;
}

int oom_score_refused_by_status(const char *status)
{
        const char *line = strstr(status, "\nCapEff:");
        unsigned long long capabilities = 0;
        int digits = 0;

        if (!line)
                return -1;
        line += strlen("\nCapEff:");
        line += strspn(line, " \t");
        for (; hex_digit(*line) >= 0; line++, digits++)
                capabilities = capabilities << 4 | (unsigned)hex_digit(*line);
        if (digits == 0 || digits > 16)
                return -1;
        return (capabilities >> CAP_SYS_RESOURCE & 1) == 0;
}

/* The process that listens, as the kernel remembers it; with socket activation that is the service manager. */
static pid_t listener(const char *path)
{
        int fd CLEANUP_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct ucred peer;
        socklen_t len = sizeof(peer);

        if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
                return -1;
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -1;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
                return -1;
        return peer.pid;
}

bool oom_score_blamed(int refused, bool sandbox, bool named)
{
        return named || (refused < 0 ? sandbox : refused > 0);
}

/* The kernel asks for the capability in its first user namespace, which maps every number to itself. */
static bool is_in_first_user_namespace(pid_t pid)
{
        struct buf map CLEANUP_BUF = BUF_INIT(64 * 1024);
        char path[64];
        unsigned long long inside, outside, count;

        (void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
        return file_read(path, &map, NULL) == 0 &&
               sscanf(buf_str(&map), "%llu %llu %llu", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 &&
               count == UINT32_MAX;
}

int oom_score_refused(const char *docker_host)
{
        struct buf status CLEANUP_BUF = BUF_INIT(64 * 1024);
        const char *path = DEFAULT_SOCKET;
        char proc[64];
        pid_t pid;

        if (!docker_host)
                docker_host = getenv("DOCKER_HOST");
        if (!str_empty(docker_host))
                path = str_after(docker_host, "unix://");
        if (!path)
                return -1;
        pid = listener(path);
        /* A service manager that handed the socket on may do more than dockerd. */
        if (pid <= 1 || !is_in_first_user_namespace(pid))
                return -1;
        (void)snprintf(proc, sizeof(proc), "/proc/%d/status", (int)pid);
        if (file_read(proc, &status, NULL) < 0)
                return -1;
        return oom_score_refused_by_status(buf_str(&status));
}

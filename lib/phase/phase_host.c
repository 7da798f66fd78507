/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/rootfs.h"
#include "base/str.h"
#include "phase/address.h"
#include "phase/host.h"
#include "phase/phase.h"
#include "phase/service.h"

extern char **environ;

const struct host *phase_host(const struct phase *phase)
{
        return phase->options.host ? phase->options.host : &host_real;
}

const char *phase_host_root(const struct phase *phase)
{
        return phase->options.host_root ? phase->options.host_root : phase->options.rootfs;
}

bool phase_host_has_path(const struct phase *phase, const char *path)
{
        const struct host *host = phase_host(phase);

        return host->has_path ? host->has_path(host->userdata, path) : phase_exists_on_host(phase, path);
}

/* Go's os.Stat and net.Dial. Through its descriptor, since the path below another root may be longer than an address.
 */
static bool has_socket(const struct phase *phase, const char *path, bool open)
{
        int file CLEANUP_FD = rootfs_open(phase_host_root(phase), path, O_PATH);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct stat st;

        if (file < 0 || fstat(file, &st) < 0 || !S_ISSOCK(st.st_mode))
                return false;
        if (!open)
                return true;
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", file);
        int fd CLEANUP_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        /* EAGAIN: the queue of one who listens is full. */
        return fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN);
}

bool phase_host_has_socket(const struct phase *phase, const char *path, bool open)
{
        const struct host *host = phase_host(phase);
        bool there = host->has_socket ? host->has_socket(host->userdata, path, open) : has_socket(phase, path, open);

        phase_detail(phase, 4, "looking for a container runtime at \"%s\": %s", path, there ? "there" : "not there");
        return there;
}

char **phase_host_environment(const struct phase *phase)
{
        const struct host *host = phase_host(phase);

        return host->environment ? host->environment(host->userdata) : environ;
}

bool phase_host_service_active(const struct phase *phase, const char *name)
{
        const struct host *host = phase_host(phase);

        return host->service_active ? host->service_active(host->userdata, name) : service_is_active(phase, name);
}

void phase_warn_endpoint_port(const struct phase *phase)
{
        static const char text[] = "[endpoint] WARNING: port specified in controlPlaneEndpoint overrides bindPort in "
                                   "the controlplane address";
        char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;
        const char *endpoint = phase->config->cluster.control_plane_endpoint.text;
        char *bind_port CLEANUP_FREE = xasprintf("%" PRId64, phase->config->init.local_api_endpoint.bind_port.value);

        if (!*endpoint || hostport_parse(endpoint, &host, &port, NULL) < 0 || !*port || str_eq(port, bind_port))
                return;
        if (era_flag(phase->era, "messages", "endpointPortPrinted"))
                phase_say(phase, "%s", text);
        else
                phase_warn(phase, "%s", text);
}

bool phase_tells_actions(const struct phase *phase)
{
        return phase->options.acts && str_eq(phase->options.output, "json");
}

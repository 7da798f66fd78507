/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/alloc.h"
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

bool phase_host_has_path(const struct phase *phase, const char *path)
{
        const struct host *host = phase_host(phase);

        return host->has_path ? host->has_path(host->userdata, path) : phase_exists(phase, path);
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

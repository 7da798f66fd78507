#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Who refused a connection, out of the last words of what crashed, and which pod would have taken it: what a person
 * looks for first when a control plane does not come up. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct pod;

#define REFUSED_MAX 4

struct refused {
        char host[64]; /* as it stands there, brackets of IPv6 taken off */
        int port;
};

/* The endpoints that lines with "connection refused" (or ECONNREFUSED, and curl's words) name, each once, in the order
 * of the text; of more than REFUSED_MAX the last ones. Log text is anybody's: what does not look like host and port is
 * no endpoint. */
size_t refused_find(const char *text, struct refused ret[REFUSED_MAX]);

/* Where an endpoint leads, seen from the pod that was refused. */
enum refused_place {
        REFUSED_NODE,    /* to this node: pods with the host's network or a hostPort */
        REFUSED_ITSELF,  /* to the pod's own network */
        REFUSED_ADDRESS, /* to another address: the pod that has it, if any */
};
enum refused_place refused_place(const struct refused *refused, const struct pod *from, const char *from_ip,
                                 const char *node_ip);
/* The pod would serve the port: a container's port says so (for REFUSED_NODE a host port), a flag on a command line
 * (--port,
 * --secure-port, --listen-client-urls, --bind-address, ...), or a probe of its own that asks there. */
bool refused_serves(const struct pod *pod, enum refused_place place, int port);

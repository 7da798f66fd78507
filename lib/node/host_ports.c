/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/str.h"
#include "kube/pod.h"
#include "node/host_ports.h"

/* No address means all of them. */
static bool every_address(const char *ip)
{
        return str_empty(ip) || str_eq(ip, "0.0.0.0") || str_eq(ip, "::");
}

static bool same_port(const struct pod_port *a, const struct pod_port *b)
{
        return a->host_port != 0 && a->host_port == b->host_port && a->protocol == b->protocol &&
               (every_address(a->host_ip) || every_address(b->host_ip) || str_eq(a->host_ip, b->host_ip));
}

static const struct pod_port *find_same(const struct pod *pod, const struct pod_port *port)
{
        for (size_t i = 0; i < pod->container_count; i++)
                for (size_t k = 0; k < pod->containers[i].port_count; k++)
                        if (same_port(&pod->containers[i].ports[k], port))
                                return &pod->containers[i].ports[k];
        return NULL;
}

bool host_ports_find(const struct pod *pod, const struct pod *other, size_t *ret_container, size_t *ret_port,
                     char *ret_text, size_t size)
{
        for (size_t i = 0; i < pod->container_count; i++) {
                for (size_t k = 0; k < pod->containers[i].port_count; k++) {
                        const struct pod_port *port = &pod->containers[i].ports[k];

                        if (!find_same(other, port))
                                continue;
                        (void)snprintf(ret_text, size, "port %d/%s of the node is in use by pod %s/%s", port->host_port,
                                       pod_protocol_name(port->protocol), other->namespace, other->name);
                        *ret_container = i;
                        *ret_port = k;
                        return true;
                }
        }
        return false;
}

bool host_ports_clash(const struct pod *pod, const struct pod *other, char *ret_text, size_t size)
{
        size_t container, port;

        return host_ports_find(pod, other, &container, &port, ret_text, size);
}

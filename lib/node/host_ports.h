#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pods ask for the same port of the node. The kubelet rejects the later one for good; here it waits, saying for
 * whom, until the port is free. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct pod;

/* Writes why `pod` cannot run beside `other` ("port 8080/TCP is in use by default/web-n1"); false where it can. */
bool host_ports_clash(const struct pod *pod, const struct pod *other, char *ret_text, size_t size);
/* The same, and which port of pod it is: index of its container and of the port there. */
bool host_ports_find(const struct pod *pod, const struct pod *other, size_t *ret_container, size_t *ret_port,
                     char *ret_text, size_t size);

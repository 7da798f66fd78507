#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request to the HTTPS port is in the words of authorization: verb and subresources of "nodes", as the kubelet
 * maps them (pkg/kubelet/server/auth.go, with KubeletFineGrainedAuthz, which cannot be turned off from 1.36 on). It is
 * enough that one of the subresources is allowed.
 */
#include <stddef.h>

#define PORT_SUBRESOURCES_MAX 2

struct port_attributes {
        const char *verb;                                /* "" for a method that has none, as HEAD */
        const char *subresources[PORT_SUBRESOURCES_MAX]; /* asked in this order */
        size_t count;
};

/* path: decoded, without the query. Strings of the result are constants. */
void port_attributes(const char *method, const char *path, struct port_attributes *ret);

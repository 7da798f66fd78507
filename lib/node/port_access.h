#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * May this request to the HTTPS port go on? Authentication by client certificate, then bearer token, then as anonymous
 * where that is configured; authorization by the API server unless everything is allowed. Order, answers (401, 403, 500
 * and their texts) and times of validity are the kubelet's (pkg/kubelet/server/server.go, cmd/kubelet/app/auth.go),
 * save that nothing is tried again: an API server that does not answer gives an error at once, and one that is slow
 * after the timeout of its requests (api/client.h).
 */
#include <stdbool.h>

#include "base/clock.h"

struct api_client;
struct http_server_request;
struct loop;
struct port_access;

struct port_access_options {
        const char *node_name;
        const char *client_ca_file; /* NULL: client certificates do not count. Read when it is needed, again when it
                                     * has changed; while it is not there, none is good */
        bool anonymous;
        bool tokens;       /* ask `api` what bearer tokens stand for */
        bool always_allow; /* else ask `api` */
        usec_t token_ttl, authorized_ttl, unauthorized_ttl;
        struct api_client *api; /* NULL: nobody can be asked */
};

/* Strings are borrowed for life. */
struct port_access *port_access_new(struct loop *loop, const struct port_access_options *options);
/* First the server must be gone: a check ends with its request. Takes NULL, returns NULL. */
struct port_access *port_access_free(struct port_access *access);

/* Why there is nobody to check callers by, as a person would say it; NULL where there is. */
const char *port_access_missing(const struct port_access_options *options);

/* Calls granted, perhaps before it returns, or answers the request itself. */
typedef void (*port_granted_fn)(void *userdata, struct http_server_request *request);
void port_access_check(struct port_access *access, struct http_server_request *request, port_granted_fn granted,
                       void *userdata);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The gRPC health protocol, as much of it as a probe needs (grpc.health.v1.Health/Check; pkg/probe/grpc): the bytes of
 * the request, and what an answer means. HTTP/2 without TLS is curl_glue's. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

#define PROBE_GRPC_PATH "/grpc.health.v1.Health/Check"

/* Appends the framed HealthCheckRequest; service NULL or "" asks for the server as a whole. */
void probe_grpc_request(const char *service, struct buf *out);

/* Appends for a person what an answer says; true: the service is healthy. grpc_status and grpc_message are headers or
 * trailers of the answer, NULL without. */
bool probe_grpc_answer(int http_status, const char *grpc_status, const char *grpc_message, const char *body, size_t len,
                       struct buf *output);

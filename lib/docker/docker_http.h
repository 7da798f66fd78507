#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * struct docker over the Engine API: libcurl multi on the loop, a unix socket (or tcp://, tcp+TLS by DOCKER_CERT_PATH).
 * Connections are kept open; streams (events, followed logs, pulls) have connections of their own. Answers are bounded
 * by LIMIT_DOCKER_BODY.
 */
#include "docker/docker.h"

struct err;
struct loop;

/* Highest Engine API version that this code was written for, and the least that it works with. */
#define DOCKER_API_VERSION_MAX "1.44"
#define DOCKER_API_VERSION_MIN "1.25"

/* host: "unix:///var/run/docker.sock", "tcp://HOST:PORT", or NULL: DOCKER_HOST of the environment, else the default
 * socket. Connects lazily: a daemon that is not there shows in the calls. Free with docker->ops->free. */
int docker_http_new(struct loop *loop, const char *host, struct docker **ret, struct err *err);

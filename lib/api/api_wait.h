#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to the API server for programs that do one thing after another: each waits for its end on a loop of its own,
 * over the client of client.h.
 */
#include <stdbool.h>
#include <stddef.h>

#include "api/client.h"

struct api_wait;
struct err;
struct loop;
struct value;

/* credentials as for api_client_set_credentials; nothing is asked yet. */
int api_wait_new(const struct api_credentials *credentials, const char *user_agent, struct api_wait **ret,
                 struct err *err);
struct api_wait *api_wait_free(struct api_wait *wait); /* takes NULL, returns NULL */

/* One request. body: an object that becomes JSON, or NULL. ret_body (may be NULL): the answer, NULL where it is no
 * JSON; free it. 0, or negative: err->status is the HTTP status with the server's own text alone (Status.message) as
 * message, or 0 where it was not reached; the message is then as Go's net/http tells it (net/go_error.h). */
int api_wait_request(struct api_wait *wait, const char *method, enum api_patch patch, const char *path,
                     const struct value *body, struct value **ret_body, struct err *err);

/* https://HOST:PORT, as given. */
const char *api_wait_server(const struct api_wait *wait);
struct loop *api_wait_loop(struct api_wait *wait);
/* Sleeps on the loop. */
int api_wait_pause(struct api_wait *wait, usec_t duration, struct err *err);

static inline void cleanup_api_wait(struct api_wait **wait)
{
        *wait = api_wait_free(*wait);
}
#define CLEANUP_API_WAIT __attribute__((cleanup(cleanup_api_wait)))

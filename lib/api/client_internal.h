#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What watch.c needs of client.c beyond the public calls.
 */
#include "api/client.h"

struct loop *api_client_loop(const struct api_client *client);

/* The head of a good answer is there. */
typedef void (*api_head_fn)(void *userdata);
/* A part of the body as it comes; false ends the call. */
typedef bool (*api_data_fn)(void *userdata, const char *data, size_t len);

/* GET whose answer goes to data as it comes, until the end, deadline (absolute) or cancel. done as of a request. */
struct api_call *api_client_stream(struct api_client *client, const char *path, usec_t deadline, api_head_fn head,
                                   api_data_fn data, api_done_fn done, void *userdata);

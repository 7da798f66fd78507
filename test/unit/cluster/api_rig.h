#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * api/api_wait.h without a server: what is asked gets what the test has said before.
 */
#include <stddef.h>

struct api_wait;

/* What "METHOD PATH" (without its query) gets from now on: a status and the body, NULL for one that is no JSON. What is
 * not in here gets 404, and 201 where it is a POST. The texts must live on. */
void api_rig_answer(const char *request, int status, const char *body);
/* A connection to that server. It need not be freed. */
struct api_wait *api_rig_wait(void);
void api_rig_reset(void);

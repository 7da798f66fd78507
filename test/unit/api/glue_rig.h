#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * net/curl_glue.h without a network, for tests of the API client under virtual time (sim_loop.h): what is asked waits
 * until the test answers it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

/* Requests since the last glue_rig_reset whose "METHOD URL" contains the text. */
size_t glue_rig_asked(const char *text);
/* Ends every request under way whose "METHOD URL" contains the text; status 0: the connection breaks, -ECONNREFUSED:
 * there is none. Returns how many. */
size_t glue_rig_answer(const char *text, int status, const char *body);
/* Of the first request under way whose "METHOD URL" contains the text. */
unsigned glue_rig_flags(const char *text);
usec_t glue_rig_max_idle(const char *text);
const char *glue_rig_body(const char *text); /* "" without */
/* The head of an answer to a stream under way, and a part of its body. */
void glue_rig_head(const char *text, int status);
void glue_rig_data(const char *text, const char *data);
void glue_rig_reset(void);

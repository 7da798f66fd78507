#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What client-go says of an answer that is no Status (apimachinery's NewGenericServerResponse). Users search for these
 * texts. net/go_error.h has those for a request that got no answer.
 */

/* The words for a status. text: the answer where it was plain text, NULL where it was not. Free it. */
char *go_client_status_text(int status, const char *text);

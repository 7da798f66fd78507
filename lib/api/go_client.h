#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What Go programs say of a request that failed: net/http of one that got no answer, client-go of an answer that is no
 * Status (apimachinery's NewGenericServerResponse). Users search for these texts.
 */

struct err;

/* `Get "URL": dial tcp 192.0.2.1:6443: connect: connection refused`; why is what libcurl made of it, whose words stay
 * where Go has none of its own. method as GET. Returns -why->code. */
int go_client_failure(const char *method, const char *url, const struct err *why, struct err *err);
/* The words for a status. text: the answer where it was plain text, NULL where it was not. Free it. */
char *go_client_status_text(int status, const char *text);

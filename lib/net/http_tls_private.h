#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What http_server.c hands to libmicrohttpd of http_tls.h.
 */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "net/http_tls.h"

const char *http_tls_priorities(const struct http_tls *tls);
/* libmicrohttpd gives the callback below nothing of ours, so who runs a server says before whose turn it is. */
void http_tls_enter(const struct http_tls *tls);
gnutls_certificate_retrieve_function2 http_tls_retrieve;

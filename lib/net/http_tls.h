#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificate that an http_server shows to TLS clients. Client certificates are asked for, and neither demanded nor
 * judged here: who serves a request does that (http_server_client_certificates).
 */
#include <stdbool.h>

struct err;
struct http_tls;

/* PEM of the serving certificate (then its intermediates) and of its key. TLS 1.2 is the least, or 1.3. -ERR_INVALID
 * where they cannot be read or do not belong together. It must outlive the servers that use it. */
int http_tls_new(const char *cert_pem, const char *key_pem, bool only_1_3, struct http_tls **ret, struct err *err);
struct http_tls *http_tls_free(struct http_tls *tls); /* takes NULL, returns NULL */

/* Shows another certificate from the next handshake on. The one before stays alive until the next replacement, since a
 * handshake may be under way with it: so replace it no more often than once in request_timeout of http_server.h. On
 * failure nothing changes. */
int http_tls_replace(struct http_tls *tls, const char *cert_pem, const char *key_pem, struct err *err);

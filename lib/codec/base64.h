#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 (RFC 4648 section 4), as kubeconfigs and Docker's auth header have it.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

void base64_encode(const void *data, size_t len, struct buf *out);
/* The same of something small as a string of its own, which ends the program where memory is out. Free it. */
char *base64_text(const void *data, size_t len);
/* Section 5 alphabet with padding, as Docker's X-Registry-Auth. */
void base64_encode_url(const void *data, size_t len, struct buf *out);
/* White space is skipped. 0 or -EINVAL; -ERR_LIMIT or -ENOMEM where it does not go into out. */
int base64_decode(const char *s, size_t len, struct buf *out, struct err *err);

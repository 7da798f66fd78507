#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of struct curl_glue_identity (curl_glue.h): certificates and keys in sealed memory files, and the paths by
 * which libcurl reads them.
 */
struct curl_glue_identity;

/* Paths below /proc/self/fd, or NULL where the identity has no such part. */
const char *curl_identity_cert_path(const struct curl_glue_identity *identity);
const char *curl_identity_key_path(const struct curl_glue_identity *identity);
const char *curl_identity_ca_path(const struct curl_glue_identity *identity);

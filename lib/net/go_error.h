#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Failures of HTTP and TCP in the words of Go's net and net/http, which people search their logs for: the kubelet's
 * events and kubeadm's errors have them.
 */
struct buf;
struct err;

/* "dial tcp 10.0.0.1:80: connect: connection refused"; error: an errno. An IPv6 host gets its brackets. */
void go_error_dial(struct buf *out, const char *host, int port, int error);
/* `Get "URL": ...` of a GET that failed with what curl_glue says of it (net/curl_glue.h). The same failure is always
 * the same text. */
void go_error_get(struct buf *out, const char *url, const struct err *err);

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

/* What ended a request that took too long, which Go tells apart. */
enum go_error_limit {
        GO_ERROR_CLIENT_TIMEOUT, /* http.Client.Timeout: the kubelet's probes, kubeadm's look at an external etcd */
        GO_ERROR_CONTEXT,        /* the deadline of its context: what kubeadm waits for */
};

/* `Get "URL": dial tcp 192.0.2.1:6443: connect: connection refused` of a request that failed with what curl_glue says
 * of it (net/curl_glue.h), whose words stay where Go has none of its own. method as "GET". The same failure is always
 * the same text. */
void go_error_request(struct buf *out, const char *method, const char *url, enum go_error_limit limit,
                      const struct err *err);

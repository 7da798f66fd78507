#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificate of the HTTPS port: the one that the configuration names, else one of our own, kept in the kubelet's
 * files and used again (kubelet.crt, kubelet.key in --cert-dir; cmd/kubelet/app/server.go, InitializeTLS). Ours is laid
 * out as the kubelet's (client-go/util/cert GenerateSelfSignedCertKey: a CA of its own beside it, for a year), with two
 * differences: its key is ECDSA P-256, which signs a handshake in a tenth of the time that RSA takes, and it names the
 * node's address too, by which the API server calls.
 */
#include <stdint.h>

struct err;

struct serving_cert_options {
        const char *cert_file, *key_file; /* both, or NULL: one of our own */
        const char *cert_dir;
        const char *host;    /* the node's name */
        const char *address; /* the node's; "" without */
};

/* PEM texts; free them. One of our own that is missing, unreadable or expired at `now` (seconds since 1970) is made
 * anew; one that the configuration names is taken as it is. */
int serving_cert_load(const struct serving_cert_options *options, int64_t now, char **ret_cert, char **ret_key,
                      struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The client certificate that the node has asked the API server for, in the kubelet's files (client-go
 * util/certificate, certificate_store.go), so that either program goes on with what the other left: certificate and key
 * in one file kubelet-client-DATE.pem of --cert-dir, and the link kubelet-client-current.pem to the one in use.
 */
#include <stdint.h>

#include "base/clock.h"

struct err;
struct kubeconfig;
struct pki_cert;
struct pki_key;

/* The link's path; free it. */
char *client_cert_path(const char *cert_dir);

/* Takes the pair of that link in the place of config's client certificate, as the kubelet does with rotateCertificates:
 * where there is one, it is the node's and not expired at `now` (seconds since 1970). Other than the kubelet not where
 * it does not lead to config's CA while config's own certificate does: then it is left from another cluster. config
 * without a client certificate is left alone. 1: taken, config->cert_path is the link's path then; 0: not. */
int client_cert_take(const char *path, const char *node_name, int64_t now, struct kubeconfig *config);

/* Whose certificate a node speaks with: "system:node:NAME"; free it. */
char *client_cert_name(const char *node_name);

/* It is the key's and the node's, and has not expired at `now`. 0, or -ERR_INVALID. */
int client_cert_check(const struct pki_cert *cert, const struct pki_key *key, const char *node_name, int64_t now,
                      struct err *err);

/* Writes certificate and key and turns the link to them. The old file stays, as with the kubelet. */
int client_cert_store(const char *cert_dir, const char *cert_pem, const struct pki_key *key, usec_t now_wall,
                      struct err *err);

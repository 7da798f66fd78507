#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks the API server for a new client certificate of the node before the one in use ends (rotateCertificates), as the
 * kubelet does (client-go util/certificate, certificate_manager.go): when 70 to 90 % of its life have gone, and at once
 * for one that did not come this way; an ECDSA P-256 key, a CertificateSigningRequest of
 * kubernetes.io/kube-apiserver-client-kubelet, 15 minutes for somebody to approve and sign it. Where the kubelet tries
 * again every 32 s for ever, the pauses here go on doubling to 15 minutes.
 *
 * What is signed is stored (node/client_cert.h) and its user finds it there. Everything happens on the loop, nothing
 * waits, and between two certificates a timer of a day is all.
 */
#include <stdbool.h>
#include <stdint.h>

struct api_client;
struct cJSON;
struct client_rotation;
struct loop;

/* For the log: a new certificate is there, or why there is none (the same trouble once). */
typedef void (*client_rotation_told_fn)(void *userdata, const char *message);

/* Strings are copied. */
struct client_rotation *client_rotation_new(struct loop *loop, struct api_client *client, const char *cert_dir,
                                            const char *node_name, client_rotation_told_fn told, void *userdata);
struct client_rotation *client_rotation_free(struct client_rotation *rotation); /* takes NULL, returns NULL */

/* The client certificate in use from now on, NULL: none. rotated: it came from here. One of somebody else than the node
 * (kubernetes-admin) is left to whoever made it. */
void client_rotation_use(struct client_rotation *rotation, const char *cert_pem, bool rotated);

/* Adds to {"subject", ...} "renewal", when the next one is due or what is waited for, and after a failure "problem". */
void client_rotation_status(const struct client_rotation *rotation, struct cJSON *certificate);

/* When a certificate is to be replaced, seconds since 1970. share: 0 to 1, one for each node. */
int64_t client_rotation_due(int64_t not_before, int64_t not_after, double share);

enum csr_outcome { CSR_PENDING, CSR_ISSUED, CSR_REFUSED, CSR_OUTCOME_MAX };
/* What has become of a CertificateSigningRequest. *ret_text, to be freed: its certificate (PEM) where it is issued, why
 * where it is refused (also for a certificate that is none). */
enum csr_outcome client_rotation_outcome(const struct cJSON *request, char **ret_text);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks at the HTTPS port, and the reviews that are asked of the API server about it (authentication.k8s.io/v1
 * TokenReview, authorization.k8s.io/v1 SubjectAccessReview), as the kubelet writes them. Pure.
 */
#include "node/port_attributes.h"

struct cJSON;
struct pki_client;

#define PORT_TOKEN_REVIEW_PATH "/apis/authentication.k8s.io/v1/tokenreviews"
#define PORT_ACCESS_REVIEW_PATH "/apis/authorization.k8s.io/v1/subjectaccessreviews"

/* A user as JSON: {"username","uid","groups","extra"} of UserInfo; NULL is nobody. Free them with cJSON_Delete. Those
 * who were authenticated are in system:authenticated. */
struct cJSON *port_user_of_certificate(const struct pki_client *client); /* NULL: it has no common name */
struct cJSON *port_user_anonymous(void);
/* From the answer to a TokenReview; NULL where the token is not good. */
struct cJSON *port_user_of_review(const struct cJSON *review);
const char *port_user_name(const struct cJSON *user);

/* The token of "Bearer TOKEN" (k8s.io/apiserver/pkg/authentication/request/bearertoken), NULL where the header (may be
 * NULL) holds none. Free it. */
char *port_bearer_token(const char *header);

/* JSON texts; free them. */
char *port_token_review(const char *token);
char *port_access_review(const struct cJSON *user, const char *node_name, const char *verb, const char *subresource);

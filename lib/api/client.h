#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection to the API server: requests and watches over curl_glue, and one shared notion of "reachable".
 *
 * While the server does not answer, one probe request (GET /readyz) is tried at 0.25 s doubling to 10 s, and nobody
 * else tries anything; api_client_poke asks for a try at once (a local kube-apiserver just became ready). When it
 * answers, every subscriber is told, and starts its own work. A request that fails in transport makes the link down for
 * all, unless it began before the link came up. The pause begins anew only after a link that held for 30 s.
 *
 * Nothing here blocks and nothing calls back before the starting function has returned.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct cJSON;
struct err;
struct loop;

/* Where and as whom. Strings are copied; each may be NULL except server. */
struct api_credentials {
        const char *server; /* https://HOST:PORT */
        const char *ca_pem, *cert_pem, *key_pem;
        const char *token;
};

struct api_client;

struct api_client_options {
        const char *user_agent; /* podwatch/0.1.0 (linux/amd64) */
        usec_t request_timeout; /* of one request, 0: 10 s */
};

/* Made once, without credentials: the link is down and says "no credentials". */
int api_client_new(struct loop *loop, const struct api_client_options *options, struct api_client **ret,
                   struct err *err);
struct api_client *api_client_free(struct api_client *client); /* calls under way end without `done` */
/* Sets or replaces the credentials and tries at once; NULL takes them away. */
int api_client_set_credentials(struct api_client *client, const struct api_credentials *credentials, struct err *err);

bool api_client_up(const struct api_client *client);
/* Why the link is down, for a person ("connect to 10.0.0.1:6443: connection refused"); "" while it is up. */
const char *api_client_reason(const struct api_client *client);
/* When the next try is due (CLOCK_BOOTTIME); USEC_INFINITY while up or without credentials. */
usec_t api_client_next_try(const struct api_client *client);
void api_client_poke(struct api_client *client);

/* Told from the loop on each change of the link; subscribers live as long as the client or until taken out. */
typedef void (*api_link_fn)(void *userdata, bool up);
void api_client_subscribe(struct api_client *client, api_link_fn fn, void *userdata);
void api_client_unsubscribe(struct api_client *client, api_link_fn fn, void *userdata);

struct api_call;

/* The answer. body is the parsed JSON (NULL where it is none). err NULL: status is 2xx. Else err->status is the HTTP
 * status (0: transport), and the message holds the request and the server's own text (Status.message). The body belongs
 * to the client and is valid during the call. */
typedef void (*api_done_fn)(void *userdata, int status, const struct cJSON *body, const struct err *err);

enum api_patch { API_PATCH_JSON_MERGE, API_PATCH_STRATEGIC, API_PATCH_MAX };

/* method: "GET", "POST", "PUT", "DELETE", or "PATCH" (then patch says which). path begins with /api. body: JSON text or
 * NULL, copied. */
struct api_call *api_client_request(struct api_client *client, const char *method, enum api_patch patch,
                                    const char *path, const char *body, api_done_fn done, void *userdata);
/* The same for a write of what is not the node's own, which admission webhooks of others may hold up (each 30 s at
 * most): waits until the server itself gives up, and that it took so long says nothing about the link (err->code
 * ETIMEDOUT). Whether the server is there at all the requests of the Lease tell. */
struct api_call *api_client_write(struct api_client *client, const char *method, enum api_patch patch, const char *path,
                                  const char *body, api_done_fn done, void *userdata);
/* POSTs a review (TokenReview, SubjectAccessReview), which a webhook of others may answer: as a write, but waits for
 * the timeout of a request only, since somebody waits for the answer. */
struct api_call *api_client_review(struct api_client *client, const char *path, const char *body, api_done_fn done,
                                   void *userdata);
/* done is not called any more. */
void api_call_cancel(struct api_call *call);

/* List, then watch from there; on 410, end of stream or error: list again (after a pause that doubles from 0.5 s to 30
 * s, and only while the link is up). path with query, without watch parameters:
 * "/api/v1/pods?fieldSelector=spec.nodeName%3DNODE". */
struct api_watch;
struct api_watch_handlers {
        /* A list begins: what is not reported until `listed` is gone. */
        void (*listing)(void *userdata);
        void (*object)(void *userdata, const struct cJSON *object);  /* added, changed, or listed */
        void (*deleted)(void *userdata, const struct cJSON *object); /* its last state */
        void (*listed)(void *userdata);
};
struct api_watch *api_watch_new(struct api_client *client, const char *path, const struct api_watch_handlers *handlers,
                                void *userdata);
struct api_watch *api_watch_free(struct api_watch *watch);

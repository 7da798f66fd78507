#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Mirror pods: for each static pod an object in the API server that shows it, kept right. The rules are the kubelet's
 * (pkg/kubelet/pod/mirror_client.go, pkg/kubelet/status/status_manager.go) under NodeRestriction: created with the
 * mirror annotation and one owner reference to the Node, deleted with grace 0 and a UID precondition, replaced when the
 * hash differs or a deletion was asked for, its status patched until it says what is true. Where the kubelet polls,
 * this watches: what others set on a mirror (the node controller's Ready=False, for one) is put right again.
 *
 * Nothing here is on the path of a container: calls run one per mirror, some mirrors side by side, with their own
 * pauses after a refusal, and the refusal is kept for local status.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct api_client;
struct err;
struct loop;
struct mirrors;

/* Told when a refusal begins or ends (message "" when it ended): the pod's local status and an event show it. */
typedef void (*mirrors_refused_fn)(void *userdata, const char *key, const char *message);

struct mirrors *mirrors_new(struct loop *loop, struct api_client *client, const char *node_name,
                            mirrors_refused_fn refused, void *userdata);
struct mirrors *mirrors_free(struct mirrors *mirrors);

/* UID of the Node object; NULL while it is not registered: nothing is created meanwhile. */
void mirrors_set_node(struct mirrors *mirrors, const char *uid);

/* What is to be shown for key ("namespace/name"). pod_json: the canonical object of struct pod, whose metadata.uid is
 * the config hash; status_json: v1 PodStatus. Both copied; the same again costs nothing. create false: an existing
 * mirror is kept and its status patched, but none is made (a finished pod that is not to run again). */
int mirrors_set(struct mirrors *mirrors, const char *key, const char *pod_json, const char *status_json, bool create,
                struct err *err);
/* The pod has ended and is not wanted: its mirror goes. Unknown keys are fine. */
void mirrors_remove(struct mirrors *mirrors, const char *key);
/* All pods of this node have been given: mirrors of no pod among them are orphans and go. Before it, none is deleted.
 */
void mirrors_complete(struct mirrors *mirrors);

/* UID of the mirror in the API server and the refusal, "" where there is none; false: key unknown. */
struct mirror_state {
        char uid[64];
        bool exists;
        bool status_current; /* the API server shows our status */
        const char *refusal; /* valid until the next change */
        usec_t retry_at;     /* USEC_INFINITY: nothing planned */
};
bool mirrors_state(const struct mirrors *mirrors, const char *key, struct mirror_state *ret);

/* Pure parts, for tests. */
struct cJSON;
enum mirror_step { MIRROR_NOTHING, MIRROR_CREATE, MIRROR_DELETE, MIRROR_PATCH, MIRROR_STEP_MAX };
/* What to do next. desired_pod, desired_status: NULL where the pod is not wanted; observed: the object in the API
 * server, NULL where there is none. */
enum mirror_step mirror_decide(const struct cJSON *desired_pod, const struct cJSON *desired_status, bool create,
                               const struct cJSON *observed, const char *node_uid);
/* A wanted pod whose name a pod of somebody else has: nothing is done while it is there. */
bool mirror_is_foreign(const struct cJSON *desired_pod, const struct cJSON *observed);
/* Body for POST; free with cJSON_Delete. */
struct cJSON *mirror_body(const struct cJSON *pod, const char *node_name, const char *node_uid);
/* Strategic merge patch that makes observed's status say what desired says, NULL where it does. */
struct cJSON *mirror_status_patch(const struct cJSON *desired_status, const struct cJSON *observed);

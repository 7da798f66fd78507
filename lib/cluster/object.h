#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * API objects of the kinds that kubeadm writes, as values with apiVersion, kind and metadata; and how they are written
 * (idempotency.go).
 */
#include <stdbool.h>

struct cluster;
struct err;
struct phase;
struct value;

/* "/api/v1/namespaces/kube-system/configmaps", or with the name behind it. Free it. NULL: not a kind that is known. */
char *object_path(const struct value *object, bool with_name);
/* Kind, namespace and name as one text for messages: ConfigMap kube-system/kubeadm-config. Free it. */
char *object_text(const struct value *object);
/* A kind as kubeadm's errors of this era have it: *v1.ConfigMap, RBAC role. Free it. */
char *object_kind_text(const struct phase *phase, const char *kind);
/* Whether the kubeadm of this era gives up a write of it that fails once (row triedOnce). */
bool object_is_tried_once(const struct phase *phase, const struct value *object);

/* apiclient.CreateOrUpdate, and CreateOrMutate of a ConfigMap: one that is there keeps what object does not say. */
int object_create_or_update(struct cluster *cluster, const struct value *object, struct err *err);
int object_create_or_mutate(struct cluster *cluster, const struct value *object, struct err *err);
/* apiclient.CreateOrRetain: one that is there stays as it is. */
int object_create_or_retain(struct cluster *cluster, const struct value *object, struct err *err);

/* One PUT without retry. */
int object_update(struct cluster *cluster, const struct value *object, struct err *err);

/* One GET without retry. object says which (apiVersion, kind, metadata). 0, 1: there is none; -ERR_PROTOCOL where the
 * answer is no JSON object. *ret is a map; free it. */
int object_get(struct cluster *cluster, const struct value *object, struct value **ret, struct err *err);

/* Tells what became of an object (phase/action.h): "create", "update", "keep", "delete". sent: what the server got,
 * whose digest is told; NULL: nothing. */
void object_tell(const struct cluster *cluster, const char *action, const struct value *object,
                 const struct value *sent);

/* Shows an action as the dry-run client does: verb is CREATE, PATCH or DELETE. body: what is attached, or NULL.
 * -ERR_LIMIT where its text has more than LIMIT_YAML_OUTPUT bytes. */
int object_dry_run(const struct cluster *cluster, const char *verb, const struct value *object,
                   const struct value *body, struct err *err);

/* Changes the Node (apiclient.PatchNode): fn gets the node as it is and fills in a strategic merge patch, left empty
 * where nothing is to be changed. The patch carries the resourceVersion, so that a node changed meanwhile is looked at
 * again. */
typedef void (*object_node_fn)(void *userdata, const struct value *node, struct value *patch);
int object_patch_node(struct cluster *cluster, const char *name, object_node_fn fn, void *userdata, struct err *err);

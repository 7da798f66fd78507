#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes a manifest the pod of one node: UID, name, node, the kubelet's annotations, and the hash by which an edit
 * is told from the pod that runs (pkg/kubelet/config/common.go applyDefaults).
 *
 * The UID is the one that the manifest gives, else 128 bits over the node, the file and what the user wrote, before
 * anything of ours is added: neither another version of the defaults nor of the field tables changes it, so an upgrade
 * restarts nothing. It differs from the kubelet's UID of the same file, which hashes Go structs and changes between its
 * versions.
 */
#include <stddef.h>

struct err;
struct pod_findings;
struct pod_source;
struct value;

#define POD_UID_HASH_MAX 33

/* The UID for a manifest that gives none. `user` is the object as read, untouched. 0 or -ERR_LIMIT. */
int pod_identity_uid(const struct value *user, const struct pod_source *source, char ret_uid[POD_UID_HASH_MAX],
                     struct err *err);
/* Writes name suffix, namespace, UID, node name, annotations and the toleration of static pods into the pod, which has
 * been through schema_check_object. uid is used where the manifest gives none. A pod without a name, or whose metadata
 * or spec is no map, is left as it is there: the checks report it. */
void pod_identity_apply(struct value *pod, const struct pod_source *source, const char *uid,
                        struct pod_findings *findings);

#define POD_SPEC_HASH_MAX 40
/* "1-" and 32 hex digits over the canonical JSON of the pod less what differs from run to run. When defaults or
 * canonical forms change in a way that changes this for an unchanged manifest, version 1 goes on being computed as it
 * was, and a version 2 begins. 0 or -ERR_LIMIT. */
int pod_identity_spec_hash(struct value *pod, char ret_hash[POD_SPEC_HASH_MAX], struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Annotations of our own, podwatch.io/NAME: what a manifest may say to podwatch and to no kubelet.
 *
 *      podwatch.io/after: etcd:ready, default/web:started    start order: not before these (ready where nothing is
 * said) podwatch.io/revert-after: 2m                          a new version that is not Ready in this time goes back to
 *                                                            the one before it; "never": not even where revertAfter
 * says so
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct field_path;
struct pod;
struct pod_findings;

#define POD_OWN_PREFIX "podwatch.io/"
#define POD_OWN_AFTER POD_OWN_PREFIX "after"
#define POD_OWN_REVERT_AFTER POD_OWN_PREFIX "revert-after"

/* Pods that one may wait for. */
#define POD_OWN_AFTER_MAX 32
/* Longest time of revert-after. */
#define POD_OWN_REVERT_MAX_SECONDS (24 * 60 * 60)

/* What one pod waits for before it starts. */
struct pod_after {
        char *namespace, *name; /* name as in the manifest, or with the node's behind it */
        bool ready;             /* until it is Ready; else until its containers have been started */
};
struct pod_after_list {
        struct pod_after *items;
        size_t count;
};

/* Reads "NAME[:ready|:started], NS/NAME, ...". namespace: of the pod that waits. -ERR_INVALID with what is wrong. */
int pod_after_parse(const char *text, const char *namespace, struct pod_after_list *ret, struct err *err);
void pod_after_release(struct pod_after_list *list);
#define CLEANUP_POD_AFTER __attribute__((cleanup(pod_after_release)))
/* `name` of a pod on this node is what is waited for. */
bool pod_after_names(const struct pod_after *after, const char *namespace, const char *name, const char *node);

/* "90s", "2m" and the like, 1 s to POD_OWN_REVERT_MAX_SECONDS; "never" is -1. */
int pod_own_seconds(const char *text, int64_t *ret, struct err *err);

/* Findings on annotations of ours: values that are none (fatal), names that are not known (a warning, with the nearest
 * known). annotations: the path of the map. */
void pod_own_validate(const struct field_path *annotations, const char *namespace, struct pod_findings *findings);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Two pods compared by meaning: after defaulting, argument by argument, and lists by the key of their items, so that
 * neither the order of keys nor a default that one of them spells out is a difference.
 */
#include <stddef.h>

#include "codec/value.h"

struct err;
struct pod_findings;

enum pod_difference_kind {
        POD_DIFFERENCE_ADDED,
        POD_DIFFERENCE_REMOVED,
        POD_DIFFERENCE_CHANGED,
        POD_DIFFERENCE_REORDERED,
        POD_DIFFERENCE_MAX
};

struct pod_difference {
        enum pod_difference_kind kind;
        const char *what; /* "argument", "environment variable", "image", "label", "liveness probe", ...; constant */
        char *name;       /* of the argument, volume, label, field within a probe; "" for an image */
        char *field;      /* where it is: "spec.containers[etcd].command" */
        char *before;     /* NULL where added or reordered */
        char *after;      /* NULL where removed or reordered */
        struct value_place before_place, after_place;
};

struct pod_differences {
        struct pod_difference *items;
        size_t count;
};

#define CLEANUP_POD_DIFFERENCES __attribute__((cleanup(pod_differences_release)))
void pod_differences_release(struct pod_differences *differences);

/* "added", "removed", "changed", "reordered" */
const char *pod_difference_kind_name(enum pod_difference_kind kind);

/* The pod as the API would show it (free it): what does not survive decoding is gone, defaults are there, status and
 * creationTimestamp are not. Unknown fields and wrong types go to findings (NULL: nowhere). Places are those of `pod`;
 * what is a default has none. */
struct value *pod_meaning(const struct value *pod, struct pod_findings *findings);

/* Both are results of pod_meaning. Texts are the caller's to release, on failure too; places are borrowed from the
 * pods. -ERR_LIMIT, -ENOMEM: of a difference there is too much to tell. */
int pod_diff(const struct value *before, const struct value *after, struct pod_differences *ret, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A patch that makes one pod of another: what turns a hand edit into a file of the patches directory. Each patch is
 * tried before it is given away.
 */
#include "phase/api_types.h"
#include "phase/patch_name.h"

struct err;
struct era;
struct phase_config;
struct value;

/* The patches of a component: up to one of arguments, and one of the pod. */
struct pod_patch {
        struct value *arguments; /* operations of arguments.h; NULL: none needed or wanted */
        struct value *pod;       /* NULL: none needed */
        enum patch_type type;    /* of `pod`: strategic, or JSON where that cannot say it */
};

#define CLEANUP_POD_PATCH __attribute__((cleanup(pod_patch_release)))
void pod_patch_release(struct pod_patch *patch);

/* base: a rendered pod; wanted: what is to come out, compared by meaning (pod_diff.h). by_argument: command lines by
 * operations, which keep the defaults of later versions and which kubeadm does not take; else the whole list is in the
 * patch. -ERR_UNSUPPORTED where no patch can do it (apiVersion, kind). */
int pod_patch_make(const struct value *base, const struct value *wanted, bool by_argument, struct phase_config *memory,
                   struct api_types *types, const struct era *era, struct pod_patch *ret, struct err *err);

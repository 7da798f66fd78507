#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The components by the words that `explain` and `diff` take: apiserver, controller-manager, scheduler, etcd, proxy,
 * all.
 */
#include <stddef.h>

#include "base/strv.h"
#include "phase/component.h"

struct err;

#define COMPONENT_CHOICE_MAX 5

struct component_choice {
        const struct component *components[COMPONENT_CHOICE_MAX]; /* etcd, apiserver, ..., proxy: all that there are */
        bool named[COMPONENT_CHOICE_MAX];
        bool all; /* those that are not named, too */
};

/* What names ask for: words, or names of manifests ("kube-apiserver"); none is all. -ERR_USAGE for another name, with
 * the nearest. */
int component_choose(const struct strv *names, struct component_choice *ret, struct err *err);
/* Whether the configuration has it: a local etcd, a kube-proxy that is not disabled. */
bool component_is_there(const struct phase *phase, const struct component *component);
/* The error for one that was named and is not there. */
int component_refuse(const struct component *component, struct err *err);

/* phase_manifest (control_plane.h) with nothing on standard output. */
int component_manifest(struct phase *phase, const struct component *component, struct value **ret, struct err *err);

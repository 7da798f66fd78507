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

/* The components that names ask for, each once, in the order etcd, apiserver, controller-manager, scheduler, proxy;
 * none is all. A manifest's name ("kube-apiserver") is taken, too. all leaves out what the configuration does not have,
 * a local etcd where etcd is external, kube-proxy where it is disabled, and kube-proxy where with_proxy is false.
 * -ERR_USAGE for another name, with the nearest, and for one that the configuration does not have. */
int component_choose(const struct phase *phase, const struct strv *names, bool with_proxy,
                     const struct component *ret[COMPONENT_CHOICE_MAX], size_t *ret_count, struct err *err);

/* phase_manifest (control_plane.h) with nothing on standard output. */
int component_manifest(struct phase *phase, const struct component *component, struct value **ret, struct err *err);

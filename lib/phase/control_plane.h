#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The phases that write static pods: control-plane and etcd. They render all manifests first and then write them
 * together. Where a kubeadm version was asked for by name, a component that cannot be rendered leaves those before it
 * written, as there.
 */
#include <stdbool.h>
#include <stddef.h>

#include "phase/component.h"
#include "phase/phase.h"

struct err;

#define MANIFEST_DIRECTORY "/etc/kubernetes/manifests"

/* control-plane all (component NULL) or one of its children. */
int phase_control_plane(struct phase *phase, const struct component *component, struct err *err);
/* etcd local: nothing where etcd is external. */
int phase_etcd_local(struct phase *phase, struct err *err);

/* A component's manifest, patched, as a value (free it); each node's place says where it came from. */
int phase_manifest(struct phase *phase, const struct component *component, struct value **ret, struct err *err);
/* Renders a component, and takes its manifest for phase_commit. */
int phase_add_manifest(struct phase *phase, const struct component *component, struct err *err);

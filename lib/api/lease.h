#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The node's Lease in kube-node-lease: what tells the node controller that the node lives (reference: pkg/kubelet
 * nodelease, k8s.io/component-helpers/apimachinery/lease). Renewed by whoever owns the heartbeat; made when it is not
 * there.
 */
#include "base/clock.h"

struct api_client;
struct lease;

struct lease *lease_new(struct api_client *client, const char *node_name, int seconds);
struct lease *lease_free(struct lease *lease);
/* Renews once, or makes the lease with the Node as its owner. A call that is under way is not doubled. now_wall: what
 * renewTime says. */
void lease_renew(struct lease *lease, const char *node_uid, usec_t now_wall);
usec_t lease_renewed(const struct lease *lease); /* wall clock of the last success, 0 never */

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking a member out of its etcd cluster (cmd/kubeadm/app/phases/etcd/local.go RemoveStackedEtcdMemberFromCluster),
 * over the JSON form of etcd's API that each member serves beside gRPC.
 */
struct err;
struct phase;
struct reset_etcd;

/* Asks the endpoints in order for one that answers, as kubeadm's healthcheck-client of certificates_dir (without
 * --rootfs). The last member of a cluster stays, and one that is in no list is out already: both are 0. A removal that
 * etcd refuses is tried again until timeouts.etcdAPICall has passed, as kubeadm does; that no endpoint answers is an
 * error at once. */
int etcd_member_leave(struct phase *phase, const struct reset_etcd *etcd, const char *certificates_dir,
                      struct err *err);

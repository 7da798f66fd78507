#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the manifest of a local etcd tells reset: where its data is, and how its cluster is reached so that the member
 * can leave it. kubeadm asks the API server for the second (annotations of the etcd pods); the manifest says the same
 * and needs no API server. Where the data is, kubeadm-config says first (reset.h).
 */
#include "base/strv.h"

struct err;
struct phase;

struct reset_etcd {
        char *data_dir;
        /* Client URLs: the member's own (advertise-client-urls), then those that kubeadm gives to the other members of
         * initial-cluster. At most RESET_ETCD_ENDPOINTS. */
        struct strv endpoints;
        char *peer_url; /* initial-advertise-peer-urls, the first; NULL where the manifest does not say */
};
#define RESET_ETCD_ENDPOINTS 16
#define RESET_ETCD_MANIFEST "/etc/kubernetes/manifests/etcd.yaml"

/* 0; 1: there is no manifest, *ret stays empty. Negative: it is no pod of etcd with a volume etcd-data. */
int reset_etcd_read(const struct phase *phase, struct reset_etcd *ret, struct err *err);
void reset_etcd_release(struct reset_etcd *etcd);
#define CLEANUP_RESET_ETCD __attribute__((cleanup(reset_etcd_release)))

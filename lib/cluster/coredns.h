#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * CoreDNS beside what is there of it already (createCoreDNSAddon of cmd/kubeadm/app/phases/addons/dns/dns.go): a
 * Corefile that somebody changed is migrated or stays.
 */
#include <stdbool.h>

struct cluster;
struct err;
struct value;

/* What one run of the addon learns on the way; begins as zero. */
struct coredns {
        bool retain_deployment; /* its Corefile was not migrated, so the CoreDNS that reads it stays */
};

/* The Deployment of the DNS addon. *ret: NULL where there is none; free it. More than one is an error. */
int coredns_deployment(struct cluster *cluster, struct value **ret, struct err *err);

/* Writes one object of the addon; the ConfigMap comes first. */
int coredns_write(struct cluster *cluster, const struct value *object, struct coredns *coredns, struct err *err);

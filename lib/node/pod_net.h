#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a pod sees of names: its hostname, /etc/hosts and resolv.conf (pkg/kubelet/kubelet_pods.go,
 * pkg/kubelet/network/dns/dns.go). Pure: the node's own files come in as text.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"

struct buf;
struct err;
struct host;
struct pod;

/* Of resolv.conf: what libc takes of servers, what the API allows of searches (validation.go). */
#define DNS_SERVERS_MAX 3
#define DNS_SEARCHES_MAX 32
#define DNS_SEARCH_CHARS_MAX 2048

/* Hostname inside the pod; "" with hostNetwork (the node's own). Error: setHostnameAsFQDN and longer than 64. Free it.
 */
int pod_net_hostname(const struct host *host, const struct pod *pod, char **ret, struct err *err);

/* /etc/hosts. node_hosts: content of the node's file, used with hostNetwork; ip: of the pod, "" while unknown. */
void pod_net_hosts(const struct host *host, const struct pod *pod, const char *ip, const char *node_hosts,
                   struct buf *out);

struct pod_dns {
        struct strv servers, searches, options;
        bool missing_cluster_dns; /* ClusterFirst, but no clusterDNS is configured: the node's resolv.conf is used */
        bool cut;                 /* more servers or searches than a resolv.conf may hold: the first were taken */
};
void pod_net_dns(const struct host *host, const struct pod *pod, struct pod_dns *ret);
void pod_dns_release(struct pod_dns *dns);
void pod_net_resolv_conf(const struct pod_dns *dns, struct buf *out);
/* Reads a resolv.conf's nameserver, search (or domain) and options lines. */
void pod_net_parse_resolv_conf(const char *text, struct strv *servers, struct strv *searches, struct strv *options);

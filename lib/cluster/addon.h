#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The phases below addon, applied to the API server. Again they change nothing that is right already.
 */
struct cluster;
struct err;

/* name: "coredns" or "kube-proxy". */
int cluster_addon(struct cluster *cluster, const char *name, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the phases that talk to the API server work with: a phase (phase/phase.h), a kubeconfig, and calls that are
 * tried again at kubeadm's intervals (cmd/kubeadm/app/util/apiclient/idempotency.go, util/kubeconfig,
 * phases/kubeconfig). With --dry-run nothing is asked and every write is shown as kubeadm's dry-run client shows it.
 *
 * Errors are kubeadm's, with the object's name behind them where they do not say it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "kube/kubeconfig.h"

struct api_wait;
struct err;
struct phase;
struct value;

#define CLUSTER_ADMIN_CONF "/etc/kubernetes/admin.conf"
#define CLUSTER_SUPER_ADMIN_CONF "/etc/kubernetes/super-admin.conf"

/* kubeadm's KubernetesAPICallRetryInterval */
#define CLUSTER_RETRY_INTERVAL (500 * USEC_PER_MSEC)

struct cluster {
        struct phase *phase;
        char *kubeconfig_path;        /* without --rootfs */
        struct kubeconfig kubeconfig; /* as it stands in the file */
        struct api_wait *api;         /* NULL with --dry-run */
        bool dry_run;
        usec_t call_timeout;          /* of a write with its retries: timeouts.kubernetesAPICall, or the era's */
        usec_t node_timeout;          /* of a patch of the Node */
        unsigned made, changed, same; /* objects */
};

enum cluster_flags {
        /* Do not look whether admin.conf has its role yet: what only asks whether the server is there. */
        CLUSTER_NO_BOOTSTRAP = 1 << 0,
};

/* kubeconfig_path NULL: admin.conf; where that user has no role yet (ClusterRoleBinding kubeadm:cluster-admins, kubeadm
 * 1.29 on), super-admin.conf gives it one. The server is the kubeconfig's or, by the era, this node's. */
int cluster_open(struct phase *phase, const char *kubeconfig_path, unsigned flags, struct cluster **ret,
                 struct err *err);
/* A connection as the kubeconfig has it, for commands that do not look for this node's API server (token). A path other
 * than admin.conf's is not below --rootfs, which is for what the program looks up by itself. */
int cluster_open_as_given(struct phase *phase, const char *path, struct cluster **ret, struct err *err);
/* What clientcmd's rules find: the first of $KUBECONFIG or ~/.kube/config, and admin.conf, that is there; where none
 * is, the first of them. Free it. */
char *cluster_usual_kubeconfig(const struct phase *phase);
struct cluster *cluster_free(struct cluster *cluster); /* takes NULL, returns NULL */
static inline void cleanup_cluster(struct cluster **cluster)
{
        *cluster = cluster_free(*cluster);
}
#define CLEANUP_CLUSTER __attribute__((cleanup(cleanup_cluster)))

/* A connection by the current context of a kubeconfig; server NULL: the kubeconfig's. For commands without a
 * configuration (token). */
int cluster_connect(const struct kubeconfig *config, const char *server, struct api_wait **ret, struct err *err);

/* What PollUntilContextTimeout is for: calls fn until it gives 1, at once and then at each CLUSTER_RETRY_INTERVAL until
 * timeout has passed; 0 from fn: try again, err is why. Negative: failed for good. On timeout the last err counts. */
typedef int (*cluster_try_fn)(struct cluster *cluster, void *userdata, struct err *err);
int cluster_poll(struct cluster *cluster, usec_t timeout, cluster_try_fn fn, void *userdata, struct err *err);

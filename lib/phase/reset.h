#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * reset (cmd/kubeadm/app/cmd/reset.go and phases/reset): takes away what the phases made on this node, and says what it
 * leaves. On a host of podwatch the manifests go first, so that podwatch stops the pods in order, and the rest only
 * when their containers are gone.
 *
 * How the cluster was configured is asked of its API server first, as kubeadm does (reset_cluster.h). Where that is not
 * to be had, and for the member of a local etcd itself, the manifests say it (reset_etcd.h, rootless.h).
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/strv.h"
#include "phase/phase.h"

struct err;
struct reset_etcd;

/* The containers of pods, as the program that knows Docker sees them. */
struct reset_runtime {
        /* How many there are that carry the kubelet's labels, with `container` as their name in the pod; NULL: any. */
        int (*count)(void *userdata, const char *container, size_t *ret, struct err *err);
        /* Removes them, running or not, and tells of each (action.h). */
        int (*remove_all)(void *userdata, const struct phase *phase, struct err *err);
        void *userdata;
};

struct reset_options {
        const char *cert_dir;    /* absolute; NULL, "": of the ResetConfiguration, else /etc/kubernetes/pki */
        const char *config_file; /* with a ResetConfiguration; NULL: none */
        const char *cri_socket;  /* not used: the runtime is Docker; NULL: not given */
        bool force, cleanup_tmp_dir;
        struct strv ignored;      /* --ignore-preflight-errors */
        struct strv skipped;      /* --skip-phases */
        const char *only;         /* one phase by name; NULL: all */
        FILE *in;                 /* where the answer is read from */
        bool podwatch;            /* it is podwatch that runs the pods of this host */
        unsigned wait_sec;        /* how long podwatch may take to stop the pods */
        struct reset_runtime run; /* count NULL: containers are not looked at */
        /* Gets the ClusterConfiguration of the cluster and says that it does (fetch_config). 0: free *ret; 1: there is
         * no kubeconfig to ask by. NULL: as 1. */
        int (*fetch)(void *userdata, char **ret, struct err *err);
        void *fetch_userdata;
        /* Takes the member out of its cluster (etcd_member_leave). NULL: it stays in the list of the others. */
        int (*leave_etcd)(struct phase *phase, const struct reset_etcd *etcd, const char *certificates_dir,
                          struct err *err);
};
#define RESET_WAIT_SEC 150

/* Whether podwatch runs here: its socket answers, or its service is there and the kubelet's is not. */
bool reset_host_has_podwatch(const struct phase *phase);

/* options.dry_run of the phase counts as well. A directory or file that cannot be removed is a warning, as for kubeadm;
 * so the result is 0 then. */
int phase_reset(struct phase *phase, const struct reset_options *options, struct err *err);

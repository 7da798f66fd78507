#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The kubeconfig phase (cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go): files with a client certificate each, signed
 * by the cluster's CA. A file that is there is kept when its cluster trusts that CA. Beside kubeadm's files there is
 * one of our own, for the kube-proxy that runs as a static pod; "all" does not make it. All files are written
 * together at the end.
 */
#include <stddef.h>

#include "base/strv.h"

struct err;
struct key_pool;
struct phase;
struct pki_files;

/* Where they are put unless --kubeconfig-dir says otherwise. */
#define KUBECONFIG_PHASE_DIR "/etc/kubernetes"

/* clang-format off */
/* In kubeadm's order. Columns:
 *      name              of the command; the file is NAME.conf
 *      help              one line
 *      user              CN; "%s" is the node's name
 *      organization      O, where organization_row is NULL; NULL: none
 *      organization_row  path of the era row that holds its O
 *      exists_row        era flag: this version has the file; NULL: all have
 *      server            where it points: LOCAL (this node's API server), CONTROL_PLANE, or ERA (the row kubeletServer)
 *      origin            KUBEADM, or EXTRA: not one of kubeadm's */
#define KUBECONFIG_LIST(X) \
        X("admin", "Generate a kubeconfig file for the admin to use and for kubeadm itself", \
          "kubernetes-admin", NULL, "adminOrganization", NULL, CONTROL_PLANE, KUBEADM) \
        X("super-admin", "Generate a kubeconfig file for the super-admin", \
          "kubernetes-super-admin", "system:masters", NULL, "superAdmin", CONTROL_PLANE, KUBEADM) \
        X("kubelet", "Generate a kubeconfig file for the kubelet to use *only* for cluster bootstrapping purposes", \
          "system:node:%s", "system:nodes", NULL, NULL, ERA, KUBEADM) \
        X("controller-manager", "Generate a kubeconfig file for the controller manager to use", \
          "system:kube-controller-manager", NULL, NULL, NULL, LOCAL, KUBEADM) \
        X("scheduler", "Generate a kubeconfig file for the scheduler to use", \
          "system:kube-scheduler", NULL, NULL, NULL, LOCAL, KUBEADM) \
        X("proxy", "Generate a kubeconfig file for a kube-proxy that runs as a static pod (not in all)", \
          "system:kube-proxy", NULL, NULL, NULL, CONTROL_PLANE, EXTRA)
/* clang-format on */

/* "all" or the name of an entry; dir is without --rootfs. Prints kubeadm's lines. */
int kubeconfig_phase_run(struct phase *phase, const char *name, const char *dir, struct err *err);

/* ValidateKubeconfigsForExternalCA: whoever keeps the CA's key must have made the files as well. */
int kubeconfig_phase_check_external(struct pki_files *files, const char *dir, struct err *err);

/* How many files `all` makes in this era. */
size_t kubeconfig_phase_count(const struct phase *phase);
/* Files with a key and no certificate, and a NAME.conf.csr beside each (CreateDefaultKubeConfigsAndCSRFiles). */
int kubeconfig_phase_csr(struct pki_files *files, struct key_pool *pool, const char *dir, struct err *err);

/* `kubeconfig user` */
struct kubeconfig_user {
        const char *client_name;
        const char *token;           /* NULL: a client certificate is made */
        const char *validity_period; /* a Go duration; NULL: a year */
        struct strv organizations;
};
int kubeconfig_user_print(struct phase *phase, const struct kubeconfig_user *user, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The kubeconfig phase (cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go): files with a client certificate each, signed
 * by the cluster's CA. A file that is there is kept when its cluster trusts that CA. Beside kubeadm's files there is
 * one of our own, for the kube-proxy that runs as a static pod; "all" does not make it. All files are written
 * together at the end.
 */
struct err;
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

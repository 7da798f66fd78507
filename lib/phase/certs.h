#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The certs phase (cmd/kubeadm/app/cmd/phases/init/certs.go): the certificate authorities, what they sign, and the key
 * pair for service account tokens. What is there is kept and checked as kubeadm does; what kubeadm does not look at
 * (names that a certificate lacks, a key that is not its own) is warned about. All files are written together at the
 * end.
 *
 * The list is a macro, so that the command line is made of the same rows without linking GnuTLS.
 */
struct err;
struct phase;

/* clang-format off */
/* In the order in which kubeadm makes them: a CA stands before what it signs. Columns:
 *      name              of the command and in messages
 *      long_name         for help
 *      base_name         certificatesDir/BASE_NAME.crt and .key
 *      ca                name of the row that signs it; NULL: it is a CA
 *      common_name       CN; NULL: the node's name
 *      organization_row  path of the era row that holds its O; NULL: none
 *      usage             extended key usage: NONE, SERVER, CLIENT, BOTH
 *      names             subject alternative names: NONE, APISERVER, ETCD_SERVER, ETCD_PEER
 * etcd wants the client usage on its server certificate too (etcd issue 9785). */
#define CERTS_LIST(X) \
        X("ca", "self-signed Kubernetes CA to provision identities for other Kubernetes components", "ca", \
          NULL, "kubernetes", NULL, NONE, NONE) \
        X("apiserver", "certificate for serving the Kubernetes API", "apiserver", \
          "ca", "kube-apiserver", NULL, SERVER, APISERVER) \
        X("apiserver-kubelet-client", "certificate for the API server to connect to kubelet", "apiserver-kubelet-client", \
          "ca", "kube-apiserver-kubelet-client", "kubeletClientOrganization", CLIENT, NONE) \
        X("front-proxy-ca", "self-signed CA to provision identities for front proxy", "front-proxy-ca", \
          NULL, "front-proxy-ca", NULL, NONE, NONE) \
        X("front-proxy-client", "certificate for the front proxy client", "front-proxy-client", \
          "front-proxy-ca", "front-proxy-client", NULL, CLIENT, NONE) \
        X("etcd-ca", "self-signed CA to provision identities for etcd", "etcd/ca", \
          NULL, "etcd-ca", NULL, NONE, NONE) \
        X("etcd-server", "certificate for serving etcd", "etcd/server", \
          "etcd-ca", NULL, NULL, BOTH, ETCD_SERVER) \
        X("etcd-peer", "certificate for etcd nodes to communicate with each other", "etcd/peer", \
          "etcd-ca", NULL, NULL, BOTH, ETCD_PEER) \
        X("etcd-healthcheck-client", "certificate for liveness probes to healthcheck etcd", "etcd/healthcheck-client", \
          "etcd-ca", "kube-etcd-healthcheck-client", "etcdClientOrganization", CLIENT, NONE) \
        X("apiserver-etcd-client", "certificate the apiserver uses to access etcd", "apiserver-etcd-client", \
          "etcd-ca", "kube-apiserver-etcd-client", "etcdClientOrganization", CLIENT, NONE)
/* clang-format on */

/* "all": every entry and the service account key; else the name of an entry, or "sa". kubeconfig_dir (NULL: the usual
 * one) is where the kubeconfig files of an external CA are looked for. Prints kubeadm's lines. */
int certs_run(struct phase *phase, const char *name, const char *kubeconfig_dir, struct err *err);

/* clang-format off */
/* The kubeconfig files whose certificates are looked after beside those above. Columns: file, long name, era flag of
 * the versions that have it (NULL: all). */
#define CERTS_KUBECONFIG_LIST(X) \
        X("admin.conf", "certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself", NULL) \
        X("super-admin.conf", "certificate embedded in the kubeconfig file for the super-admin", "superAdmin") \
        X("controller-manager.conf", "certificate embedded in the kubeconfig file for the controller manager to use", NULL) \
        X("scheduler.conf", "certificate embedded in the kubeconfig file for the scheduler manager to use", NULL)
/* clang-format on */

/* `certs check-expiration`: prints a table, or with options.output json or yaml the object. */
int certs_expiration(struct phase *phase, struct err *err);

/* `certs renew`: "all", the name of an entry that a CA signs, or a kubeconfig file ("admin.conf"). A new key,
 * everything else as the certificate has it. csr_dir: requests are put there instead and nothing is renewed; NULL:
 * none. */
int certs_renew(struct phase *phase, const char *name, const char *csr_dir, struct err *err);

/* `certs generate-csr`: a key and a request for each certificate that a CA signs, and kubeconfig files without a
 * certificate with theirs. What is there already is an error, and nothing is written. */
int certs_csr(struct phase *phase, const char *kubeconfig_dir, struct err *err);

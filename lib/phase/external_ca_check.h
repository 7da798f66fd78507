#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The external CA mode: a CA certificate without its key, so everything that it signs comes from elsewhere. kubeadm
 * looks at that before every init phase (cmd/kubeadm/app/cmd/init.go, newInitData).
 */
#include <stdbool.h>

struct err;
struct phase;
struct pki_files;

/* Cheap and without GnuTLS: ca.crt or front-proxy-ca.crt is there without its key, so that external_ca_check has
 * something to say. */
bool external_ca_possible(const struct phase *phase);

/* 0 with *ret telling whether ca is external; what such a CA must have signed is then checked, kubeconfig files in
 * kubeconfig_dir included, and found wanting is an error ("invalid or incomplete external CA: ..."). */
int external_ca_check(struct pki_files *files, const char *kubeconfig_dir, bool *ret, struct err *err);

/* UsingExternalCA, UsingExternalFrontProxyCA, UsingExternalEtcdCA, for ca_base_name "ca", "front-proxy-ca" and
 * "etcd/ca": whether the key of that CA is kept elsewhere. A CA that is missing or is none is an error, and so is,
 * without its key, anything that it must have signed. */
int external_ca_is(struct pki_files *files, const char *ca_base_name, bool *ret, struct err *err);

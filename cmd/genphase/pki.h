#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What needs GnuTLS. Loading it takes as long as half of `control-plane all`, so this is linked into a second program,
 * genphase-pki: the same command line, main and verbs, with pki_here.c where genphase has pki_exec.c. There each of
 * these functions replaces the process by genphase-pki with the same arguments. (Measured, start to end, best of 300:
 * an empty program 0.7 ms, one linked with GnuTLS 1.9 ms, one that opens a module linked with it by dlopen 2.1 ms, one
 * that runs another program in its place 2.5 ms. Beside keys, 300 ms and more, the last 0.4 ms are nothing, and a
 * program of its own shares no state or interface that could get out of step.)
 *
 * genphase-pki is looked for beside the running program (a build directory), in ../libexec/genphase from there, and
 * where it was configured to be installed.
 */
#include <stdbool.h>

struct err;
struct genphase;
struct phase;

/* False where the functions replace the process. */
extern const bool pki_is_here;

/* The verbs below certs and kubeconfig; name is the verb's. The exit code. */
int pki_certs(struct genphase *g, const char *name);
int pki_kubeconfig(struct genphase *g, const char *name);
/* Those that are no phases; name is a certificate's, or "all". */
int pki_certs_expiration(struct genphase *g);
int pki_certs_renew(struct genphase *g, const char *name);
int pki_certs_csr(struct genphase *g);
int pki_kubeconfig_user(struct genphase *g);
/* The proxy verb where files are written: the kubeconfig with its client certificate first, then phase_proxy. Without a
 * ca.crt to sign by there is no kubeconfig, and the log says how to make it later. */
int pki_proxy(struct genphase *g);

/* For other phases, where ca.crt or front-proxy-ca.crt stands without its key: checks what an external CA must have
 * signed. 0: go on, or a negative error. */
int pki_external_ca(struct genphase *g, struct phase *phase, struct err *err);

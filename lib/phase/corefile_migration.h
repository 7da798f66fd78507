#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of the Corefile that CoreDNS runs with when kubeadm writes its own (dns.go over
 * coredns/corefile-migration). The CoreDNS releases, their default Corefiles and what each changed are
 * templates/coredns.yaml; a kubeadm knows the releases up to the CoreDNS that it brings.
 */
#include <stdbool.h>

struct era;
struct err;
struct strv;

/* The version of a CoreDNS image, as the kubeadm of this era takes it from the name: "v1.11.3", "" where there is none.
 * Free it. */
char *corefile_deployed_version(const struct era *era, const char *image);

enum corefile_plan {
        COREFILE_REPLACE, /* it is empty or the default of some release: the new default */
        COREFILE_MIGRATE,
        COREFILE_RETAIN,
};

/* deployed: of corefile_deployed_version. Fails where kubeadm does: CoreDNS is of a version that it does not know. */
int corefile_plan(const struct era *era, const char *deployed, const char *text, enum corefile_plan *ret,
                  struct err *err);

/* The Corefile for this era's CoreDNS, of one for the release `from`. Free *ret. */
int corefile_migrate(const struct era *era, const char *from, const char *text, char **ret, struct err *err);

/* What changed since `from` in what the Corefile uses, each as the library tells it; *ret_needed: something of it makes
 * a migration necessary. */
int corefile_changes(const struct era *era, const char *from, const char *text, struct strv *ret_texts,
                     bool *ret_needed, struct err *err);

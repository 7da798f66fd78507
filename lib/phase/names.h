#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules that kubeadm checks beside those of kube/meta.h (apimachinery/pkg/util/validation,
 * distribution/reference, cluster-bootstrap).
 */
#include <stdbool.h>
#include <stddef.h>

/* REPOSITORY/name:tag would be an image reference. */
bool name_is_image_repository(const char *repository);
/* [a-z0-9]{6}.[a-z0-9]{16} */
bool name_is_bootstrap_token(const char *token);

struct strv;
/* "*." and a DNS subdomain: appends what is wrong with it as IsWildcardDNS1123Subdomain says it, returns how many texts
 * (kube/meta.h has the plain subdomain). msgs may be NULL. */
size_t name_wildcard_dns1123_subdomain(const char *name, struct strv *msgs);

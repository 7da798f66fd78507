#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of patch files: TARGET[SUFFIX][+TYPE].json|yaml, as cmd/kubeadm/app/util/patches reads them by regular
 * expressions.
 */
struct err;
struct value;

enum patch_type { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_ARGUMENTS /* ours: arguments.h */, PATCH_TYPE_MAX };

/* "application/json-patch+json" and so on. */
const char *patch_type_text(enum patch_type type);

/* targets: the list of names that the era's kubeadm knows. 0: *ret_target (borrowed from targets) and *ret_type are
 * set. 1: the file is none of ours, err says why. -ERR_INVALID: it claims to be one and is wrong. */
int patch_name_parse(const char *name, const struct value *targets, const char **ret_target, enum patch_type *ret_type,
                     struct err *err);

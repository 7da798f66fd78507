#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Strategic merge patches (apimachinery/pkg/util/strategicpatch): maps are merged, lists too where the type says by
 * which key, and the directives $patch, $setElementOrder, $retainKeys and $deleteFromPrimitiveList are obeyed. The
 * order of merged lists and the texts of errors are those of that package.
 */
#include "phase/api_types.h"

struct err;
struct era;
struct value;

/* Merges patch into *target, an object of the type type_name. The rows patches/strategicMerge of the era name what its
 * kubeadm does. patch is used up but stays the caller's. After an error *target is half patched. -ERR_INVALID. */
int patch_strategic(struct value **target, struct value *patch, struct api_types *types, const char *type_name,
                    const struct era *era, struct err *err);

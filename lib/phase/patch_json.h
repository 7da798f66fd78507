#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON patches (RFC 6902) as github.com/evanphx/json-patch applies them, with what it does differently: replace makes a
 * key that is missing, copy of a missing key gives null, indices may be negative, a value that is not there is null.
 */
struct err;
struct era;
struct value;

/* Applies the operations, a list of maps, to *target. The rows patches/jsonPatch of the era name what its library does.
 * After an error *target is half patched; *ret_operation is the number of the operation that failed. -ERR_INVALID with
 * that library's text; -ERR_LIMIT where the document would get more than LIMIT_YAML_NODES values or LIMIT_YAML_DEPTH
 * levels. */
int patch_json(struct value **target, const struct value *operations, const struct era *era, size_t *ret_operation,
               struct err *err);

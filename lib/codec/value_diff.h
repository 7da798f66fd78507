#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Where two values differ, field by field: `spec.containers[etcd].image`. Items of a list that are maps with a `name`
 * (else `key`, `mountPath`, `containerPort`) are matched by it, so that one that is put in front does not change all
 * behind it; other lists of maps by position; lists of scalars are one field.
 */
#include <stddef.h>

struct value;

/* before or after is NULL where the field is not there. path is valid during the call. */
typedef void (*value_diff_fn)(void *userdata, const char *path, const struct value *before, const struct value *after);

/* Calls fn for each difference, in the order of `before`, then what is new. Either may be NULL. */
void value_diff(const struct value *before, const struct value *after, value_diff_fn fn, void *userdata);

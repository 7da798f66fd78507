#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of the era tables: how they are read from YAML and checked.
 */
#include <stdbool.h>
#include <stddef.h>

#include "codec/value.h"
#include "kube/version.h"

struct err;

struct era_range {
        struct kube_version since, until; /* since <= version < until */
        bool has_since, has_until;
};

struct era_row {
        const char *component; /* the group it stands in */
        const char *path;
        struct era_range kubeadm;
        struct era_range etcd;     /* of the etcd image's tag */
        const struct value *value; /* NULL where the row removes */
        struct value_place place;
};

bool era_range_contains(const struct era_range *range, const struct kube_version *version);

/* Appends the rows of a group of a file (a list) to *rows, which is reallocated. component, strings and values are
 * borrowed. Unknown keys, versions that are none, rows with neither or both of value and remove are errors. */
int era_rows_read(const char *component, const struct value *list, struct era_row **rows, size_t *count,
                  struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The Go types of the Kubernetes API, as data: which fields a type has in the chosen kubeadm's version, what they hold,
 * when an empty one is written, and how a strategic merge patch treats them. The rows stand in
 * templates/pod-types.yaml, which says what they mean, and those of kubeadm's own configuration in
 * templates/config-types.yaml ("Timeouts.v1beta4"), those of other kinds in templates/other-types.yaml; a type is read
 * when it is first asked for.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct era;

enum api_shape { API_ONE, API_POINTER, API_LIST, API_MAP, API_SHAPE_MAX };

enum api_kind {
        API_STRING,
        API_BOOL,
        API_INT32,
        API_INT64,
        API_UINT32,
        API_FLOAT64,
        API_QUANTITY,
        API_INT_OR_STRING,
        API_TIME,
        API_DURATION,
        API_TIME_OR_DURATION, /* nanoseconds or a duration: flushFrequency of the logging configuration */
        API_ANY,              /* raw JSON */
        API_BYTES,            /* base64 */
        API_STRUCT,
        API_KIND_MAX
};

/* What a field or an item holds. */
struct api_ref {
        enum api_shape shape;
        enum api_kind kind;    /* of the thing itself, or of what it points to, of an item, of an entry */
        const char *type_name; /* of API_STRUCT */
};

struct api_field {
        const char *name; /* in JSON */
        struct api_ref ref;
        bool always;           /* written though it is empty */
        bool omit_zero;        /* a struct that is left out when it is zero */
        bool merge;            /* patch strategy of a list; else it is replaced */
        const char *merge_key; /* NULL: a list of scalars */
};

struct api_type {
        const char *name;
        struct api_field *fields;
        size_t count;
};

struct api_types;

/* Keeps era, which must live as long. */
struct api_types *api_types_new(const struct era *era);
struct api_types *api_types_free(struct api_types *types);
static inline void cleanup_api_types(struct api_types **types)
{
        *types = api_types_free(*types);
}
#define CLEANUP_API_TYPES __attribute__((cleanup(cleanup_api_types)))

/* The type with the fields that it has in the era's version; lives as long as types. -ERR_INVALID where the tables are
 * wrong or lack it. */
int api_types_get(struct api_types *types, const char *name, const struct api_type **ret, struct err *err);

/* NULL: no such field. */
const struct api_field *api_type_field(const struct api_type *type, const char *name);

/* "struct", "slice", "map", "ptr", "string", ...: reflect.Kind. */
const char *api_ref_go_kind(const struct api_ref *ref);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a field, said as Kubernetes says it: FILE:LINE:COLUMN, the field's path, the kind of mistake, the
 * value and the rule (apimachinery/pkg/util/validation/field):
 *
 *      web.yaml:12:22: spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535
 *
 * A path is a chain of small structs on the callers' stacks; it becomes text only when something is wrong. Each link
 * carries the value that stands there, from which place and shown value come; a missing value takes the place of the
 * nearest link that has one.
 *
 * Findings go into struct pod_findings (kube/pod.h), which bounds itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/value.h"

struct buf;
struct pod_findings;
struct strv;

enum field_link {
        FIELD_NAME,  /* ".name" */
        FIELD_INDEX, /* "[3]" */
        FIELD_KEY,   /* "[name]": of a map whose keys are the user's */
        FIELD_LINK_MAX
};

struct field_path {
        const struct field_path *parent; /* NULL: the document */
        enum field_link link;
        const char *name;
        size_t index;
        const struct value *value; /* NULL: not there */
};

/* The document itself: an empty path. */
static inline struct field_path field_root(const struct value *document)
{
        return (struct field_path){.value = document};
}
static inline struct field_path field_child_value(const struct field_path *parent, const char *name,
                                                  const struct value *value)
{
        return (struct field_path){.parent = parent, .name = name, .value = value};
}
/* The field `name` of the map at parent; its value is NULL where the map lacks it. */
static inline struct field_path field_child(const struct field_path *parent, const char *name)
{
        return field_child_value(parent, name, value_map_get(parent->value, name));
}
static inline struct field_path field_index(const struct field_path *parent, size_t index)
{
        return (struct field_path){
                .parent = parent, .link = FIELD_INDEX, .index = index, .value = parent->value->list.items[index]};
}
static inline struct field_path field_key(const struct field_path *parent, const char *key, const struct value *value)
{
        return (struct field_path){.parent = parent, .link = FIELD_KEY, .name = key, .value = value};
}
/* Appends "spec.containers[0].name". */
void field_path_text(const struct field_path *path, struct buf *out);

/* The kinds of mistake; all are fatal. fmt is the rule and may be NULL. Values are shown cut to a bounded length. */
void field_invalid(struct pod_findings *findings, const struct field_path *path, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* The same with another value shown than the one that stands there. */
void field_invalid_shown(struct pod_findings *findings, const struct field_path *path, const char *shown,
                         const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* One field_invalid for each message. */
void field_invalid_each(struct pod_findings *findings, const struct field_path *path, const struct strv *msgs);
void field_required(struct pod_findings *findings, const struct field_path *path, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void field_forbidden(struct pod_findings *findings, const struct field_path *path, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void field_duplicate(struct pod_findings *findings, const struct field_path *path, const char *shown);
void field_not_found(struct pod_findings *findings, const struct field_path *path);
void field_too_long(struct pod_findings *findings, const struct field_path *path, size_t max_bytes);
void field_too_many(struct pod_findings *findings, const struct field_path *path, size_t count, size_t max);
/* The value is none of the names; NULL names are left out. */
void field_not_supported(struct pod_findings *findings, const struct field_path *path, const char *const *names,
                         size_t count);
/* Anything else: "PLACE: path: text". */
void field_finding(struct pod_findings *findings, bool fatal, const struct field_path *path, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

/* Runs a check of kube/meta.h on a string field; what it complains about becomes field_invalid. true: valid. A value
 * that is not there or no string is skipped (true): whoever checks types has reported it. */
bool field_check(struct pod_findings *findings, const struct field_path *path,
                 size_t (*check)(const char *value, struct strv *msgs));
/* An integer field in min..max ("must be between ..."); skipped as above. */
bool field_check_range(struct pod_findings *findings, const struct field_path *path, int64_t min, int64_t max);

/* Reading with a fallback for what is missing or of another kind. */
bool field_bool(const struct value *map, const char *name, bool fallback);
int64_t field_int(const struct value *map, const char *name, int64_t fallback);
const char *field_string(const struct value *map, const char *name, const char *fallback);
/* Items of a list, 0 where v is none. */
static inline size_t field_count(const struct value *v)
{
        return value_is(v, VALUE_LIST) ? v->list.count : 0;
}

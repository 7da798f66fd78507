#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects by table: which fields a kind has, of which type, and what this program does with each. One walk over a value
 * finds unknown fields (with the nearest known name), wrong types and fields that are not done here, and brings the
 * value into the form that a decode and encode by the API's own types would give it: fields that are null, unknown or,
 * where the API leaves them out (Go's omitempty), zero are taken away, quantities are canonical strings. A list of more
 * than LIMIT_POD_LIST objects, or a map of as many quantities, is reported and cut.
 *
 * Tables are written with the SCHEMA_* row macros, one row a field in the order of the API's type, so that a table can
 * be held beside k8s.io/api.
 */
#include <stdbool.h>
#include <stddef.h>

struct field_path;
struct pod_findings;
struct value;

enum schema_type {
        SCHEMA_STRING,
        SCHEMA_BOOL,
        SCHEMA_INT32,
        SCHEMA_INT64,
        SCHEMA_QUANTITY, /* string or number */
        SCHEMA_INT_OR_STRING,
        SCHEMA_DURATION, /* metav1.Duration: "1m30s" */
        SCHEMA_OBJECT,   /* by a table of its own */
        SCHEMA_ANY,      /* not looked into */
        SCHEMA_TYPE_MAX
};

enum schema_shape {
        SCHEMA_ONE,
        SCHEMA_LIST,
        SCHEMA_MAP, /* keys are the user's */
        SCHEMA_SHAPE_MAX
};

/* What becomes of a field. */
enum schema_status {
        SCHEMA_USED,    /* acted upon */
        SCHEMA_CARRIED, /* part of the object; nothing here acts on it, nor need it */
        SCHEMA_INERT,   /* part of the object; should have an effect and has none here: a warning */
        SCHEMA_DROPPED, /* taken out of the object: a warning */
        SCHEMA_REFUSED, /* known, and not done here: fatal */
        SCHEMA_STATUS_MAX
};

struct schema_field {
        const char *name;
        enum schema_shape shape;
        enum schema_type type;
        enum schema_status status;
        bool omit_zero; /* false, 0, "", [] and {} of a map are the same as not there */
        const char
                *harmless; /* text of the scalar that an INERT, DROPPED or REFUSED field may have without a finding */
        const char *note;  /* what the finding says instead of the usual sentence */
        const struct schema *object; /* of SCHEMA_OBJECT */
};

struct schema {
        const char *name; /* of the API's type */
        const struct schema_field *fields;
        size_t count;
};

/* Rows. OPT: left out where zero (omitempty on a plain type). SET: kept as written (a pointer, or always encoded). */
#define SCHEMA_OPT(name_, type_, status_, ...)                                                                        \
        {                                                                                                             \
                .name = (name_), .type = SCHEMA_##type_, .status = SCHEMA_##status_, .omit_zero = true, ##__VA_ARGS__ \
        }
#define SCHEMA_SET(name_, type_, status_, ...)                                                     \
        {                                                                                          \
                .name = (name_), .type = SCHEMA_##type_, .status = SCHEMA_##status_, ##__VA_ARGS__ \
        }
#define SCHEMA_LIST(name_, type_, status_, ...) SCHEMA_OPT(name_, type_, status_, .shape = SCHEMA_LIST, ##__VA_ARGS__)
#define SCHEMA_MAP(name_, type_, status_, ...) SCHEMA_OPT(name_, type_, status_, .shape = SCHEMA_MAP, ##__VA_ARGS__)
#define SCHEMA_OBJ(name_, schema_, status_, ...) SCHEMA_SET(name_, OBJECT, status_, .object = &(schema_), ##__VA_ARGS__)
#define SCHEMA_OBJ_LIST(name_, schema_, status_, ...) \
        SCHEMA_LIST(name_, OBJECT, status_, .object = &(schema_), ##__VA_ARGS__)
/* struct schema from the array NAME_fields. */
#define SCHEMA_DEFINE(identifier_, name_) \
        const struct schema identifier_ = {name_, identifier_##_fields, ARRAY_SIZE(identifier_##_fields)}

struct schema_check {
        struct pod_findings *findings;
        bool strict;                          /* an unknown field is fatal, else a warning */
        const char *refused_text;             /* usual sentence for SCHEMA_REFUSED */
        const char *no_effect_text;           /* and for SCHEMA_INERT and SCHEMA_DROPPED */
        const struct schema_field **reported; /* INERT and DROPPED fields that were reported: once each */
        size_t reported_count;
};
void schema_check_release(struct schema_check *check);

/* Checks and brings into form the map at path (whose value must be `map`). Everything found goes to check->findings;
 * fields of a wrong type stay where they are, so later stages must look at the kind. */
void schema_check_object(struct schema_check *check, const struct schema *schema, const struct field_path *path,
                         struct value *map);

const struct schema_field *schema_find(const struct schema *schema, const char *name); /* NULL without */

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A scalar of a document to a value and to a map key, as sigs.k8s.io/yaml's YAMLToJSON does it. Inside the codec only.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct value;
struct value_place;

#define YAML_TAG_PREFIX "tag:yaml.org,2002:"

struct yaml_scalar_text {
        const char *s;
        size_t len;
        const char *tag; /* in full; NULL for none */
        bool implicit;   /* without quotes or tag */
        bool is_key;     /* .inf and .nan are no values in JSON, but keys */
};

/* *ret is the value with its place. ret_key may be NULL; *ret_key is NULL where the scalar cannot be a key (null, an
 * integer above int64, a NUL inside), else to be freed. */
int yaml_scalar_load(const struct yaml_scalar_text *text, const struct value_place *place, struct value **ret,
                     char **ret_key, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON of values, and the bridge to cJSON, which carries Docker's and the API server's bodies.
 */
#include <stddef.h>

struct buf;
struct cJSON;
struct err;
struct value;

enum json_write_flags {
        JSON_INDENT = 1 << 0, /* two spaces a level, as kubectl -o json (four there: JSON_INDENT_4) */
        JSON_INDENT_4 = 1 << 1,
        JSON_SORT_KEYS = 1 << 2,   /* bytewise key order: the canonical form for hashes */
        JSON_ESCAPE_HTML = 1 << 3, /* < > & and U+2028/9 as \u003c ..., as Go's encoder does by default */
};

/* Appends v. Numbers as their text. */
void json_write(const struct value *v, unsigned flags, struct buf *out);

/* Strict RFC 8259 reader with places (for JSON that must not be read as YAML: journals, patches). Bounded by
 * LIMIT_YAML_DEPTH and LIMIT_YAML_NODES. A duplicate key is an error. */
int json_load(const char *file_name, const char *data, size_t len, struct value **ret, struct err *err);

/* Copies between the two forms; cJSON numbers are doubles, so integers beyond 2^53 lose digits on the way there. Free
 * the results with cJSON_Delete and value_free. json_to_cjson gives NULL when memory is out, cuts strings at a NUL, and
 * keeps a number beyond a double's range as infinite; json_from_cjson takes NULL, and raw items as null. */
struct cJSON *json_to_cjson(const struct value *v);
struct value *json_from_cjson(const struct cJSON *c);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * cJSON trees. Those of other programs are read by look-ups that are case-sensitive, take NULL, and never fail, since a
 * peer may leave anything out. Numbers are doubles there; what needs 64 bits is read from text (struct value).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct buf;
struct cJSON;

/* Member under a chain of keys that ends in NULL; NULL where a step is missing: cjson_get(pod, "metadata", "uid",
 * NULL). */
struct cJSON *cjson_get(const struct cJSON *object, ...) __attribute__((sentinel));
/* String member of object, or fallback. */
const char *cjson_text(const struct cJSON *object, const char *key, const char *fallback);
bool cjson_bool(const struct cJSON *object, const char *key);
/* Integer member within int64 and exact as a double, else fallback. */
int64_t cjson_int(const struct cJSON *object, const char *key, int64_t fallback);
/* Equal when what is empty (null, "", 0, false, [], {}) counts as absent: the API server drops and adds such members.
 */
bool cjson_same(const struct cJSON *a, const struct cJSON *b);
/* Adds a time of the wall clock as metav1.Time is written, to seconds in UTC; 0, which is no time, adds nothing. */
void cjson_add_time(struct cJSON *object, const char *key, usec_t realtime);
/* Compact text; fails the buffer when memory is out. */
void cjson_write(const struct cJSON *c, struct buf *out);

void cleanup_cjson(struct cJSON **c);
#define CLEANUP_CJSON __attribute__((cleanup(cleanup_cjson)))

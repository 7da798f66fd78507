#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of describe.c: one container, and the lines that all of it is made of. Pure.
 */
#include "base/clock.h"

struct buf;
struct cJSON;

/* "NAME:      value", depth steps of two blanks in. The value's further lines stand below it. value NULL: none. */
void describe_line(struct buf *out, int depth, const char *name, const char *value);
void describe_linef(struct buf *out, int depth, const char *name, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
usec_t describe_time(const struct cJSON *object, const char *key); /* 0 without */

/* spec: of the pod's container; status: its ContainerStatus (NULL without); node: what podwatch has of the pod. */
void describe_container(const struct cJSON *spec, const struct cJSON *status, const struct cJSON *node, usec_t now,
                        struct buf *out);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A view as JSON and back, without loss, for the journal, replay and tests. Of the pod only what decisions look at is
 * written (the brief): no environment, no commands, no headers, so nothing that may be secret; its spec_hash stands for
 * the rest. What is read back decides the same, but cannot create containers.
 */
#include "node/pod_view.h"

struct buf;
struct err;
struct value;

/* Appends one object. The same view gives the same bytes. */
void pod_view_json_write(const struct pod_view *view, struct buf *out);
/* -ERR_INVALID with the place. Counts are bounded by limits.h and pod_view.h. */
int pod_view_json_read(const struct value *v, struct pod_view **ret, struct err *err);

void pod_brief_write(const struct pod *pod, struct buf *out);
int pod_brief_read(const struct value *v, struct pod **ret, struct err *err); /* a new reference */

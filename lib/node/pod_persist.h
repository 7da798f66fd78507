#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker cannot tell after a restart of podwatch, one small JSON file a pod: crash backoff, started and ready by
 * container id, stop and kill deadlines, attempts in use, init containers that are done. Everything else is read from
 * Docker again. Written whenever its text changes; that is at edges, not at each probe.
 *
 * Times are of CLOCK_BOOTTIME and hold within one boot: with another boot id they are dropped, and with them what they
 * belong to. Attempts are kept, also for a pod that has gone and comes back with the same UID.
 */
#include <stddef.h>
#include <stdint.h>

#include "node/pod_view.h"

struct buf;
struct err;

/* Appends the text. The same view gives the same bytes. */
void pod_persist_write(const struct pod_view *view, const char *boot_id, struct buf *out);

/* The same as long as pod_persist_write would write the same, and another where not: whether to write at all, found out
 * without writing. Within one process. */
uint64_t pod_persist_digest(const struct pod_view *view, const char *boot_id);

/* Puts it back into a view: what belongs to a UID and spec hash, or to a container id, that the view has. To be called
 * with observed false when the pod is wanted: attempts, and when it was first seen. And with observed true when its
 * containers have been observed, before the runtime is declared ready: the rest. -ERR_INVALID: the text is none of
 * ours; the view is as it was. */
int pod_persist_restore(struct pod_view *view, const char *data, size_t len, const char *boot_id, bool observed,
                        usec_t now, usec_t now_wall, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What `podwatch describe` prints: a pod as `kubectl describe pod` shows it, and beside it what only this node knows:
 * file and revision, why it waits and when the next try comes, what each probe answered, how earlier runs of its
 * containers ended. Pure: the JSON of GET /describe in, text out. Values that come from Secrets and ConfigMaps are
 * shown as references.
 */
struct buf;
struct cJSON;

void describe_text(const struct cJSON *object, struct buf *out);

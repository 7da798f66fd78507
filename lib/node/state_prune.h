#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What stays on disk of pods that are gone (revision.h, pod_persist.h), bounded: names come and go for as long as a
 * node lives. The versions of those removed last are kept, so that `podwatch history` and `diff` have them and a pod
 * that comes back goes on counting its restarts; of what was removed earlier nothing is.
 *
 *      <state>/pods/<namespace>_<name>/        without `current`: the pod is gone, since the directory's time
 *      <state>/{state,gaps}/<...>.json         go with it
 *      <state>/status/<...>.json               of pods that are there alone
 */
#include <stddef.h>

struct err;
struct strv;

#define STATE_REMOVED_KEPT 100

/* kept: how many pods that are gone; live: "<namespace>_<name>" of pods that stay whatever the disk says. Removes as
 * much as it can; the error is the last one. */
int state_prune(const char *state_dir, unsigned kept, const struct strv *live, struct err *err);

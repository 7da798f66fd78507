#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a kubelet rejects a pod for on its node, in its reasons and words (pkg/kubelet/lifecycle/predicate.go, sysctl,
 * apparmor). It rejects for good; here the pod waits, and starts when the cause has gone. Each check writes
 * "REASON: message" and says whether there was something to write. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"
#include "kube/pod.h"

/* Of the node: what pods may have together (allocatable), and what they asked for: thousandths of a CPU, bytes, bytes.
 * A limit below 0 is not known and holds nobody. */
struct admission_sum {
        int64_t resources[POD_RESOURCE_MAX];
        int pods;
};

/* Adds what a pod asks for: its app containers and sidecars together, or the largest init container beside the sidecars
 * before it, whichever is more. */
void admission_add(struct admission_sum *sum, const struct pod *pod);

bool admission_lacks_room(const struct pod *pod, const struct admission_sum *used, const struct admission_sum *limit,
                          char *ret_text, size_t size);

/* Sysctls are allowed when they are safe (namespaced and without an effect on others) or match one of `allowed`
 * (allowedUnsafeSysctls; a name or a prefix and "*"). */
bool admission_forbids_sysctl(const struct pod *pod, const struct strv *allowed, char *ret_text, size_t size);

/* A profile is asked for, and the node cannot enforce any. */
bool admission_lacks_app_armor(const struct pod *pod, char *ret_text, size_t size);

/* "REASON: message" in two: the message, with the reason in ret_reason; text as it is and "Held" where it has none. */
#define ADMISSION_REASON_MAX 48
const char *admission_reason(const char *text, char ret_reason[ADMISSION_REASON_MAX]);

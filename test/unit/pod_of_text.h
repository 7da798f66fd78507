#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A pod from a manifest in a test. Needs cmocka.h before it.
 */
#include <string.h>

#include "base/err.h"
#include "kube/pod.h"

/* The pod of a manifest that must be fine but for warnings. */
static inline struct pod *test_pod(const char *manifest, const struct pod_source *source)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod = NULL;
        struct err err = ERR_INIT;

        if (pod_from_manifest(manifest, strlen(manifest), source, false, &pod, &findings, &err) < 0)
                fail_msg("%s", err.msg);
        return pod;
}

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of one probe of one running container: when it is due and what its outcomes mean
 * (pkg/kubelet/prober/worker.go). Pure.
 *
 * Initial values: startup unknown, liveness success, readiness failure. A result flips after successThreshold or
 * failureThreshold equal outcomes in a row. A probe that could not be carried out counts as nothing.
 *
 * Timing is exact where the kubelet's depends on its tick: startup and readiness are first probed initialDelaySeconds
 * after the start, then every periodSeconds. Liveness starts up to one period later, by an offset that follows from the
 * pod's UID, so that many pods that start together do not probe in step.
 */
#include "node/pod_view.h"

enum probe_verdict {
        PROBE_UNDECIDED, /* no threshold reached, or nothing new */
        PROBE_PASSED,
        PROBE_FAILED,
        PROBE_VERDICT_MAX
};

/* Forgets everything (another instance of the container). Frees the slot: what is under way becomes stale. */
void probe_reset(struct pod_probe_state *state, enum pod_probe_kind kind);
/* Plans the first probe, where there is such a probe and none is planned: of an instance that started at `started`. */
void probe_plan(struct pod_probe_state *state, const struct pod_probe *probe, usec_t started, usec_t now,
                usec_t offset);
/* An outcome has come: counts it, plans the next. PASSED and FAILED each time the threshold is (still) reached. */
enum probe_verdict probe_outcome(struct pod_probe_state *state, const struct pod_probe *probe, bool success,
                                 const char *output, usec_t now);
/* The probe itself could not be carried out. */
void probe_error(struct pod_probe_state *state, const struct pod_probe *probe, const char *output, usec_t now);
/* The offset in [0, period) of this pod's container. */
usec_t probe_offset(const char *uid, const char *container, enum pod_probe_kind kind, usec_t period);
usec_t probe_period(const struct pod_probe *probe);

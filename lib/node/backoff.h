#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * When something that failed may be tried again. Two rules: the crash backoff of what runs (pod_backoff) and the retry
 * of a request (pod_retry). Pure arithmetic; exact times, no rounding to a tick.
 */
#include "node/pod_view.h"

/* Crash backoff (pkg/kubelet/kubelet.go backOffPeriod, MaxCrashLoopBackOff): the first restart is at once, then 10, 20,
 * 40, 80, 160, 300 s from the end of the last run. A run of ten minutes begins anew. */
#define BACKOFF_INITIAL (10 * USEC_PER_SEC)
#define BACKOFF_MAX (300 * USEC_PER_SEC)
#define BACKOFF_RESET (600 * USEC_PER_SEC)

/* Requests: 1 s doubling to 5 min; images 10 s doubling to 5 min (imageBackOff). */
#define RETRY_INITIAL (1 * USEC_PER_SEC)
#define RETRY_IMAGE_INITIAL (10 * USEC_PER_SEC)
#define RETRY_MAX (300 * USEC_PER_SEC)

/* A run has ended: plans the time of the restart. max: cap of the wait, 0: BACKOFF_MAX. The same end told twice changes
 * nothing. */
void backoff_ended(struct pod_backoff *b, usec_t started, usec_t finished, usec_t max);
/* What follows was made. */
void backoff_restarted(struct pod_backoff *b);
/* Forgets all: the next restart is at once. */
void backoff_clear(struct pod_backoff *b);
/* Wait before restart number count + 1; 0 for the first. */
usec_t backoff_period(unsigned count, usec_t max);

void retry_failed(struct pod_retry *r, usec_t initial, usec_t now, const char *reason, const char *message);
void retry_clear(struct pod_retry *r);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * kubeadm's check of an external etcd (cmd/kubeadm/app/preflight/checks.go ExternalEtcdVersionCheck): each endpoint is
 * asked for /version and must be new enough for the era.
 */
#include "base/clock.h"

struct err;
struct preflight_report;

/* What is wrong becomes errors of the check ExternalEtcdVersion. An endpoint that does not answer, or with 5xx, is
 * asked three times more, `pause` (0: 5 s, as kubeadm) apart. Negative: nothing could be asked. */
int etcd_version_check(struct preflight_report *report, usec_t pause, struct err *err);

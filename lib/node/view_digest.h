#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A number over everything of a pod view and its plan that status or the state on disk could show, so that the many
 * steps that change nothing of it (a probe that goes on succeeding) cost neither. Equal digests: nothing to show. Pure.
 */
#include <stdint.h>

struct pod_plan;
struct pod_view;

uint64_t view_digest(const struct pod_view *view, const struct pod_plan *plan);

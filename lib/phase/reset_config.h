#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * ResetConfiguration of kubeadm.k8s.io/v1beta4: what reset takes from it.
 */
#include <stdbool.h>

#include "phase/config.h"
#include "phase/phase.h"

struct err;

struct reset_config {
        char *certificates_dir; /* "" where it says nothing */
        bool cleanup_tmp_dir, dry_run, force;
        struct strv ignore_preflight_errors, skip_phases, unmount_flags;
};
void reset_config_release(struct reset_config *config);
#define CLEANUP_RESET_CONFIG __attribute__((cleanup(reset_config_release)))

/* Reads the document of that kind in the file; others are left alone, none at all is an error. Unknown fields are
 * errors, warnings where the phase is lenient. Errors carry FILE:LINE:COLUMN. */
int reset_config_read(const struct phase *phase, const char *file, struct reset_config *ret, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * ResetConfiguration: what reset takes from it, checked, defaulted and validated as `config validate` does
 * (config_node.h).
 */
#include <stdbool.h>
#include <stdint.h>

#include "phase/config.h"
#include "phase/phase.h"

struct err;

struct reset_config {
        char *certificates_dir;     /* absolute */
        int64_t etcd_api_call_nsec; /* timeouts.etcdAPICall; 0: it says nothing */
        bool cleanup_tmp_dir, dry_run, force;
        struct strv ignore_preflight_errors, skip_phases, unmount_flags;
};
void reset_config_release(struct reset_config *config);
#define CLEANUP_RESET_CONFIG __attribute__((cleanup(reset_config_release)))

/* Reads the document of that kind in the file; others are left alone, none at all is an error. Unknown fields are
 * errors, warnings where the phase is lenient. What is wrong is told on options.log with FILE:LINE:COLUMN; where it was
 * validation that failed, phase->exit_code is the era's for that. */
int reset_config_read(struct phase *phase, const char *file, struct reset_config *ret, struct err *err);

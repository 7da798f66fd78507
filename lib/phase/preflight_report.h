#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What checks of the host find, told as kubeadm does (cmd/kubeadm/app/preflight/checks.go, RunChecks): warnings as they
 * come, errors together at the end, and errors of checks that are to be ignored as warnings.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/strv.h"
#include "phase/phase.h"

struct err;

struct preflight_report {
        const struct phase *phase;
        struct strv ignored; /* names in lower case, or "all" */
        struct buf errors;
};

/* The names to be ignored: of the configuration and of --ignore-preflight-errors (each may be NULL). */
void preflight_report_init(struct preflight_report *report, const struct phase *phase,
                           const struct config_texts *from_config, const struct strv *from_flag);
void preflight_report_release(struct preflight_report *report);

void preflight_warning(struct preflight_report *report, const char *check, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void preflight_error(struct preflight_report *report, const char *check, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* 0, or -ERR_INVALID where an error was found since the last call: the list is then printed or, up to kubeadm 1.33, is
 * the message. */
int preflight_report_end(struct preflight_report *report, struct err *err);

/* IsPrivilegedUser: nothing to say with --rootfs, which needs no root. */
void preflight_check_root(struct preflight_report *report);

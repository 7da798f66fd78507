#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's init system as kubeadm asks it (cmd/kubeadm/app/util/initsystem): systemd where systemctl is in PATH, else
 * OpenRC. With --rootfs the services of this machine are not those of the tree: then there is no init system.
 */
#include <stdbool.h>

#include "base/strv.h"

struct buf;
struct phase;

enum service_action { SERVICE_STOP, SERVICE_RESTART, SERVICE_ACTION_MAX };

/* False where there is none to be asked. */
bool service_init_system(const struct phase *phase);
bool service_exists(const struct phase *phase, const char *name);
bool service_is_enabled(const struct phase *phase, const char *name);
bool service_is_active(const struct phase *phase, const char *name);
/* "systemctl enable NAME.service" */
char *service_enable_command(const struct phase *phase, const char *name);
/* Tells the action "stop" or "restart" (action.h), which service_act does by itself. */
int service_tell(const struct phase *phase, enum service_action action, const char *name, struct err *err);
/* 0, or negative with "exit status 1" and the like. A dry run only tells. */
int service_act(const struct phase *phase, enum service_action action, const char *name, struct err *err);

enum service_absence { SERVICE_NO_INIT_SYSTEM, SERVICE_NO_KUBELET, SERVICE_ABSENCE_MAX };

/* Says that the kubelet could not be stopped while its files are written, or started again, in the era's words. */
void service_tell_absent(const struct phase *phase, enum service_absence absence, enum service_action action);

/* The path of a program of PATH, or NULL (exec.LookPath). Free it. */
char *service_look_path(const char *program);
/* Runs argv (looked up in PATH) without input; its output, and what it says on standard error where `errors`, is
 * appended to out (NULL: discarded). The exit status, or negative where it did not run or did not end by itself. */
int service_run(const struct strv *argv, struct buf *out, bool errors, struct err *err);
/* The same with what it says on standard error in a buffer of its own. */
int service_run_apart(const struct strv *argv, struct buf *out, struct buf *errors, struct err *err);

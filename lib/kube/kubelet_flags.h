#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The kubelet's flags as of Kubernetes 1.36 (cmd/kubelet/app/options), with those of older versions that kubeadm wrote:
 * which configuration key each stands for. Flags are written into the configuration's value before it is checked, so a
 * flag and its key are judged by the same rules.
 */
#include <stddef.h>

struct err;
struct pod_findings;
struct strv;
struct value;

/* The words of KUBELET_KUBEADM_ARGS in /var/lib/kubelet/kubeadm-flags.env (an EnvironmentFile of systemd: NAME="..."
 * lines; the value is split at white space, quotes and backslashes as in a shell). No such line: no words. 0 or
 * -ERR_INVALID with FILE:LINE. */
int kubelet_flags_read_env(const char *file_name, const char *data, size_t len, struct strv *ret_words,
                           struct err *err);

/* Writes each flag's value under its key into `kubelet` (a KubeletConfiguration map) or, for what has no key there,
 * into `own` (a map by the flag's name). Unknown flags and bad values become fatal findings, flags without effect
 * warnings. */
void kubelet_flags_apply(const struct strv *flags, struct value *kubelet, struct value *own,
                         struct pod_findings *findings);

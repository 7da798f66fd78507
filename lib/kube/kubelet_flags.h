#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The kubelet's flags as of Kubernetes 1.36 (cmd/kubelet/app/options), with those of older versions that kubeadm wrote:
 * which configuration key each stands for. Flags are written into the configuration's value before it is checked, so a
 * flag and its key are judged by the same rules.
 */
#include <stdbool.h>

struct pod_findings;
struct strv;
struct value;

/* Writes each flag's value under its key into `kubelet` (a KubeletConfiguration map) or, for what has no key there,
 * into `own` (a map by the flag's name). Bad values become fatal findings, flags without effect warnings; unknown flags
 * are fatal where `strict` is set (a command line), else warnings (a file that was written for the kubelet of some
 * version). */
void kubelet_flags_apply(const struct strv *flags, bool strict, struct value *kubelet, struct value *own,
                         struct pod_findings *findings);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The kubelet's flags in the files that kubeadm's unit names as EnvironmentFile: KUBELET_KUBEADM_ARGS of
 * /var/lib/kubelet/kubeadm-flags.env, which kubelet-start writes, and KUBELET_EXTRA_ARGS of /etc/default/kubelet, which
 * is the user's. Read as systemd reads such files and splits an unbraced $NAME of ExecStart.
 */
#include <stddef.h>

#include "base/strv.h"

struct err;

/* In the order in which the unit puts them on the command line: the later one wins. */
enum kubelet_env_name { KUBELET_ENV_KUBEADM_ARGS, KUBELET_ENV_EXTRA_ARGS, KUBELET_ENV_MAX };

struct kubelet_env {
        struct strv words[KUBELET_ENV_MAX];
};

void kubelet_env_release(struct kubelet_env *env);
#define CLEANUP_KUBELET_ENV __attribute__((cleanup(kubelet_env_release)))

/* Takes the assignments of one file (NAME="..." lines; the value is split at white space, quotes and backslashes as in
 * a shell), each in the place of what env has of that name; other names are passed over. 0 or -ERR_INVALID with
 * FILE:LINE, env is then as it was. */
int kubelet_env_read(const char *file_name, const char *data, size_t len, struct kubelet_env *env, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables out of a file of an emptyDir, which another container of the pod wrote (env valueFrom.fileKeyRef;
 * pkg/kubelet/kubelet_pods.go, pkg/kubelet/util/env). Links in the volume do not lead out of it, and what is no regular
 * file is not opened. Errors name file and line, never a value.
 */
#include <stddef.h>

struct err;
struct host;
struct pod;
struct pod_env;

/* Lines are NAME='value', on as many lines as the value has, a comment behind it; blank lines and lines that begin with
 * # are skipped, white space before a name too. NAME= with white space behind is an empty value. Stops at key.
 * *ret: its value, "" where it is not there; free it. -ERR_INVALID: a line before it is wrong. Pure. */
int env_file_find(const char *data, size_t len, const char *key, char **ret, struct err *err);

/* 0 and the value (free it); 1: not there or empty, and optional. */
int env_file_value(const struct host *host, const struct pod *pod, const struct pod_env *ref, char **ret,
                   struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment of a container and the $(VAR) references in it, in command and in args
 * (pkg/kubelet/kubelet_pods.go makeEnvironmentVariables, third_party/forked/golang/expansion). Pure, but for files of
 * volumes (env_file.h).
 */
#include <stdbool.h>

#include "base/strv.h"

struct err;
struct host;
struct pod;
struct pod_container;
struct pod_env;

/* "NAME=value" for each variable, in the order in which the names first appear; of a name given twice the later value
 * counts. pod_ip: "" while it is not known. */
int container_env(const struct host *host, const struct pod *pod, const struct pod_container *container,
                  const char *pod_ip, struct strv *ret_env, struct err *err);

/* What a fieldRef or resourceFieldRef stands for; of a whole map, `key="value"` lines, as in a downwardAPI file.
 * container: whose resources where the reference names none; may be NULL where it does. Free *ret. */
int container_env_ref(const struct host *host, const struct pod *pod, const struct pod_container *container,
                      const char *pod_ip, const struct pod_env *ref, char **ret, struct err *err);

/* $(NAME) becomes the value of NAME in env ("NAME=value" entries); $$( is a literal $(; a name that is not there stays
 * as text. Free the result. */
char *container_env_expand(const char *text, const struct strv *env);

/* Whether the container's environment says the address of its pod, so that it cannot be made before the sandbox has
 * one. */
bool container_env_needs_pod_ip(const struct pod_container *container);

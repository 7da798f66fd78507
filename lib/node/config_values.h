#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What ConfigMaps and Secrets of the manifest directory give to a pod: values of variables, files of volumes. Errors
 * name objects and keys, never values; their words are the kubelet's (pkg/kubelet/kubelet_pods.go, pkg/volume/secret).
 */
#include <stddef.h>

struct err;
struct host;
struct pod;
struct pod_container;
struct pod_env;
struct pod_volume;
struct strv;
struct volume_file;

/* 0 and the value (free it); 1: not there, and optional. */
int config_value(const struct host *host, const struct pod *pod, const struct pod_env *ref, char **ret,
                 struct err *err);
/* Appends "NAME=value" for each key of each envFrom, later ones over earlier ones. */
int config_env_from(const struct host *host, const struct pod *pod, const struct pod_container *container,
                    struct strv *env, struct err *err);
/* Adds the files of a volume's sources to *files (grown by realloc); a path that is there already is replaced. Data are
 * borrowed. */
int config_files(const struct host *host, const struct pod *pod, const struct pod_volume *volume,
                 struct volume_file **files, size_t *count, struct err *err);

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * From the checked, defaulted and validated value to struct pod. Nothing is judged here: what the checks let through is
 * copied, what is missing gets the zero value.
 */
#include <stddef.h>

#include "kube/pod.h"

struct value;

/* Fills metadata, spec and qos of a zeroed pod (json and spec_hash are the caller's). */
void pod_decode(const struct value *value, struct pod *pod);

/* The parts. Each fills a zeroed struct. */
void pod_decode_container(const struct value *value, bool init, struct pod_container *container);
void pod_decode_map(const struct value *value, struct pod_map *map); /* a map of strings, sorted by key */
void pod_decode_strings(const struct value *list, struct strv *strings);
void pod_decode_security(const struct value *context, struct pod_security *security);
/* fieldRef or resourceFieldRef of a map; the name stays. */
void pod_decode_ref(const struct value *from, struct pod_env *env);
/* downwardAPI and projected volumes (pod_files.c). False: the volume is neither. */
bool pod_decode_files(const struct value *value, struct pod_volume *volume);
void pod_decode_restart(const struct value *value, struct pod_container *c); /* pod_restart.c */
/* A copy of the string field, NULL without one or where it is empty. */
char *pod_decode_string(const struct value *map, const char *name);

enum pod_qos pod_qos_compute(const struct pod *pod);

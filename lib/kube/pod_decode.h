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
void pod_decode_restart(const struct value *value, struct pod_container *c); /* pod_restart.c */
/* A copy of the string field, NULL without one or where it is empty. */
char *pod_decode_string(const struct value *map, const char *name);

enum pod_qos pod_qos_compute(const struct pod *pod);

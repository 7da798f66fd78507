#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a pod takes from ConfigMaps and Secrets: env, envFrom, volumes, and sources of projected volumes. A static pod
 * may not (pkg/api/pod HasAPIObjectReference and the kubelet's source), unless a document in the manifest directory
 * serves it.
 */
#include <stdbool.h>

struct field_path;
struct pod;
struct pod_container;
struct pod_env;
struct pod_findings;
struct pod_source;
struct pod_volume;
struct value;

/* Findings on every such reference: its own rules, and that something serves it. document: the whole pod. */
void pod_config_check(const struct value *document, const struct pod_source *source, struct pod_findings *findings);

/* Reading what was found fine. Each leaves alone what is none of its own. */
void pod_config_decode_env(const struct value *value_from, struct pod_env *env);
void pod_config_decode_env_from(const struct value *list, struct pod_container *container);
/* True: the volume is one of these (a projected one is not, but gets its sources). */
bool pod_config_decode_volume(const struct value *volume, struct pod_volume *ret);

/* The pod without any such reference, as the API server admits it as a mirror; NULL where there is none. */
struct value *pod_config_strip(const struct value *document);

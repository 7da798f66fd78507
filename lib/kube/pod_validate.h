#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a pod can be run: the rules that ValidatePodCreate of Kubernetes 1.36 has for the fields that this node uses
 * (pkg/apis/core/validation), in its words, and a few of ours where the kubelet would fail only later:
 *
 *      - image names are read, host paths are absolute, a UID can stand in file and cgroup names
 *      - values of known fields that are not done here (seccomp Localhost, huge pages, extended resources)
 *
 * The value has been through schema_check_object and pod_defaults_apply. What has a wrong kind is skipped: the schema
 * has reported it. All findings go to `findings`.
 */
#include <stdbool.h>
#include <stdint.h>

#include "kube/field.h"

struct pod_findings;

void pod_validate(const struct value *pod, struct pod_findings *findings);

/* What the parts below need to know of the whole pod. */
struct pod_validation {
        struct pod_findings *findings;
        const struct value *spec;
        bool host_network;
        int64_t grace_seconds;
};

/* The parts, each with the path of what it looks at. */
void pod_validate_volumes(const struct pod_validation *pod, const struct field_path *spec);
void pod_validate_containers(const struct pod_validation *pod, const struct field_path *spec);
void pod_validate_probes(const struct pod_validation *pod, const struct field_path *container, bool may_have);
void pod_validate_pod_security(const struct pod_validation *pod, const struct field_path *spec);
void pod_validate_security(const struct pod_validation *pod, const struct field_path *container);
void pod_validate_env(const struct pod_validation *pod, const struct field_path *container);
/* References to fields and resources (pod_validate_env.c). volume: of a downwardAPI file, which may have fewer fields,
 * whole maps among them, and must name the container. */
void pod_validate_field_ref(struct pod_findings *findings, const struct field_path *ref, bool volume);
void pod_validate_resource_ref(const struct pod_validation *pod, const struct field_path *ref, bool volume);
/* downwardAPI and projected volumes (pod_files.c). */
void pod_validate_downward_api(const struct pod_validation *pod, const struct field_path *source);
void pod_validate_projected(const struct pod_validation *pod, const struct field_path *source);
/* restartPolicy and restartPolicyRules of one container (pod_restart.c). */
void pod_validate_restart(struct pod_findings *findings, const struct field_path *container);
void pod_validate_resources(const struct pod_validation *pod, const struct field_path *container);

/* The usual sentence for what Kubernetes knows and this node does not do. */
#define POD_UNSUPPORTED "not supported by podwatch"

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Every field of a Pod of core/v1 as of Kubernetes 1.36 (k8s.io/api/core/v1/types.go, status left out), and what the
 * node does with it. This is the one place that says what is done, carried, without effect, or refused: a field that
 * becomes supported changes its row here and is decoded in pod_decode*.c.
 *
 * Not looked into (SCHEMA_ANY) are objects that are refused or dropped whole and of which nothing will ever be done
 * here: volumes that need a driver, Windows options, ephemeral containers.
 */
#include "kube/schema.h"

extern const struct schema pod_schema;

/* Used by more than one of the files that make up the tables. */
extern const struct schema affinity_schema;
extern const struct schema app_armor_profile_schema;
extern const struct schema container_schema;
extern const struct schema label_selector_schema;
extern const struct schema local_object_reference_schema;
extern const struct schema object_field_selector_schema;
extern const struct schema pod_scheduling_gate_schema;
extern const struct schema pod_scheduling_group_schema;
extern const struct schema resource_field_selector_schema;
extern const struct schema resource_requirements_schema;
extern const struct schema se_linux_options_schema;
extern const struct schema seccomp_profile_schema;
extern const struct schema toleration_schema;
extern const struct schema topology_spread_constraint_schema;
extern const struct schema volume_schema;

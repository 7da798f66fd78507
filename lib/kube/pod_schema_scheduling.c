/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "kube/pod_schema.h"

static const struct schema_field label_selector_requirement_schema_fields[] = {
        SCHEMA_SET("key", STRING, CARRIED),
        SCHEMA_SET("operator", STRING, CARRIED),
        SCHEMA_LIST("values", STRING, CARRIED),
};
static SCHEMA_DEFINE(label_selector_requirement_schema, "LabelSelectorRequirement");

static const struct schema_field label_selector_schema_fields[] = {
        SCHEMA_MAP("matchLabels", STRING, CARRIED),
        SCHEMA_OBJ_LIST("matchExpressions", label_selector_requirement_schema, CARRIED),
};
SCHEMA_DEFINE(label_selector_schema, "LabelSelector");

static const struct schema_field node_selector_requirement_schema_fields[] = {
        SCHEMA_SET("key", STRING, CARRIED),
        SCHEMA_SET("operator", STRING, CARRIED),
        SCHEMA_LIST("values", STRING, CARRIED),
};
static SCHEMA_DEFINE(node_selector_requirement_schema, "NodeSelectorRequirement");

static const struct schema_field node_selector_term_schema_fields[] = {
        SCHEMA_OBJ_LIST("matchExpressions", node_selector_requirement_schema, CARRIED),
        SCHEMA_OBJ_LIST("matchFields", node_selector_requirement_schema, CARRIED),
};
static SCHEMA_DEFINE(node_selector_term_schema, "NodeSelectorTerm");

static const struct schema_field node_selector_schema_fields[] = {
        SCHEMA_OBJ_LIST("nodeSelectorTerms", node_selector_term_schema, CARRIED),
};
static SCHEMA_DEFINE(node_selector_schema, "NodeSelector");

static const struct schema_field preferred_scheduling_term_schema_fields[] = {
        SCHEMA_SET("weight", INT32, CARRIED),
        SCHEMA_OBJ("preference", node_selector_term_schema, CARRIED),
};
static SCHEMA_DEFINE(preferred_scheduling_term_schema, "PreferredSchedulingTerm");

static const struct schema_field node_affinity_schema_fields[] = {
        SCHEMA_OBJ("requiredDuringSchedulingIgnoredDuringExecution", node_selector_schema, CARRIED),
        SCHEMA_OBJ_LIST("preferredDuringSchedulingIgnoredDuringExecution", preferred_scheduling_term_schema, CARRIED),
};
static SCHEMA_DEFINE(node_affinity_schema, "NodeAffinity");

static const struct schema_field pod_affinity_term_schema_fields[] = {
        SCHEMA_OBJ("labelSelector", label_selector_schema, CARRIED),
        SCHEMA_LIST("namespaces", STRING, CARRIED),
        SCHEMA_SET("topologyKey", STRING, CARRIED),
        SCHEMA_OBJ("namespaceSelector", label_selector_schema, CARRIED),
        SCHEMA_LIST("matchLabelKeys", STRING, CARRIED),
        SCHEMA_LIST("mismatchLabelKeys", STRING, CARRIED),
};
static SCHEMA_DEFINE(pod_affinity_term_schema, "PodAffinityTerm");

static const struct schema_field weighted_pod_affinity_term_schema_fields[] = {
        SCHEMA_SET("weight", INT32, CARRIED),
        SCHEMA_OBJ("podAffinityTerm", pod_affinity_term_schema, CARRIED),
};
static SCHEMA_DEFINE(weighted_pod_affinity_term_schema, "WeightedPodAffinityTerm");

static const struct schema_field pod_affinity_schema_fields[] = {
        SCHEMA_OBJ_LIST("requiredDuringSchedulingIgnoredDuringExecution", pod_affinity_term_schema, CARRIED),
        SCHEMA_OBJ_LIST("preferredDuringSchedulingIgnoredDuringExecution", weighted_pod_affinity_term_schema, CARRIED),
};
static SCHEMA_DEFINE(pod_affinity_schema, "PodAffinity");

static const struct schema_field pod_anti_affinity_schema_fields[] = {
        SCHEMA_OBJ_LIST("requiredDuringSchedulingIgnoredDuringExecution", pod_affinity_term_schema, CARRIED),
        SCHEMA_OBJ_LIST("preferredDuringSchedulingIgnoredDuringExecution", weighted_pod_affinity_term_schema, CARRIED),
};
static SCHEMA_DEFINE(pod_anti_affinity_schema, "PodAntiAffinity");

static const struct schema_field affinity_schema_fields[] = {
        SCHEMA_OBJ("nodeAffinity", node_affinity_schema, CARRIED),
        SCHEMA_OBJ("podAffinity", pod_affinity_schema, CARRIED),
        SCHEMA_OBJ("podAntiAffinity", pod_anti_affinity_schema, CARRIED),
};
SCHEMA_DEFINE(affinity_schema, "Affinity");

static const struct schema_field toleration_schema_fields[] = {
        SCHEMA_OPT("key", STRING, CARRIED),
        SCHEMA_OPT("operator", STRING, CARRIED),
        SCHEMA_OPT("value", STRING, CARRIED),
        SCHEMA_OPT("effect", STRING, CARRIED),
        SCHEMA_SET("tolerationSeconds", INT64, CARRIED),
};
SCHEMA_DEFINE(toleration_schema, "Toleration");

static const struct schema_field topology_spread_constraint_schema_fields[] = {
        SCHEMA_SET("maxSkew", INT32, CARRIED),
        SCHEMA_SET("topologyKey", STRING, CARRIED),
        SCHEMA_SET("whenUnsatisfiable", STRING, CARRIED),
        SCHEMA_OBJ("labelSelector", label_selector_schema, CARRIED),
        SCHEMA_SET("minDomains", INT32, CARRIED),
        SCHEMA_SET("nodeAffinityPolicy", STRING, CARRIED),
        SCHEMA_SET("nodeTaintsPolicy", STRING, CARRIED),
        SCHEMA_LIST("matchLabelKeys", STRING, CARRIED),
};
SCHEMA_DEFINE(topology_spread_constraint_schema, "TopologySpreadConstraint");

static const struct schema_field pod_scheduling_gate_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
};
SCHEMA_DEFINE(pod_scheduling_gate_schema, "PodSchedulingGate");

static const struct schema_field pod_scheduling_group_schema_fields[] = {
        SCHEMA_SET("podGroupName", STRING, USED),
};
SCHEMA_DEFINE(pod_scheduling_group_schema, "PodSchedulingGroup");

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "kube/pod_schema.h"

#define SET_BY_API "set by the API server, taken out here"
#define HERE_ANYWAY "has no effect: a static pod runs on the node of its manifest"

static const struct schema_field object_meta_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_OPT("generateName", STRING, DROPPED, .note = "not expanded for a static pod, taken out here"),
        SCHEMA_OPT("namespace", STRING, USED),
        SCHEMA_OPT("selfLink", STRING, DROPPED, .note = SET_BY_API),
        SCHEMA_OPT("uid", STRING, USED),
        SCHEMA_OPT("resourceVersion", STRING, DROPPED, .note = SET_BY_API),
        SCHEMA_OPT("generation", INT64, DROPPED, .note = SET_BY_API),
        SCHEMA_SET("creationTimestamp", STRING, DROPPED, .note = SET_BY_API),
        SCHEMA_SET("deletionTimestamp", STRING, DROPPED, .note = SET_BY_API),
        SCHEMA_SET("deletionGracePeriodSeconds", INT64, DROPPED, .note = SET_BY_API),
        SCHEMA_MAP("labels", STRING, USED),
        SCHEMA_MAP("annotations", STRING, USED),
        SCHEMA_LIST("ownerReferences", ANY, DROPPED, .note = SET_BY_API),
        SCHEMA_LIST("finalizers", STRING, DROPPED, .note = SET_BY_API),
        SCHEMA_LIST("managedFields", ANY, DROPPED, .note = SET_BY_API),
};
static SCHEMA_DEFINE(object_meta_schema, "ObjectMeta");

static const struct schema_field sysctl_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_SET("value", STRING, USED),
};
static SCHEMA_DEFINE(sysctl_schema, "Sysctl");

static const struct schema_field pod_security_context_schema_fields[] = {
        SCHEMA_OBJ("seLinuxOptions", se_linux_options_schema, USED),
        SCHEMA_SET("windowsOptions", ANY, REFUSED, .note = "this node runs Linux"),
        SCHEMA_SET("runAsUser", INT64, USED),
        SCHEMA_SET("runAsGroup", INT64, USED),
        SCHEMA_SET("runAsNonRoot", BOOL, USED),
        SCHEMA_LIST("supplementalGroups", INT64, USED),
        SCHEMA_SET("supplementalGroupsPolicy", STRING, REFUSED, .harmless = "Merge"),
        SCHEMA_SET("fsGroup", INT64, USED),
        SCHEMA_OBJ_LIST("sysctls", sysctl_schema, USED),
        SCHEMA_SET("fsGroupChangePolicy", STRING, CARRIED),
        SCHEMA_OBJ("seccompProfile", seccomp_profile_schema, USED),
        SCHEMA_OBJ("appArmorProfile", app_armor_profile_schema, USED),
        SCHEMA_SET("seLinuxChangePolicy", STRING, REFUSED),
};
static SCHEMA_DEFINE(pod_security_context_schema, "PodSecurityContext");

static const struct schema_field host_alias_schema_fields[] = {
        SCHEMA_SET("ip", STRING, USED),
        SCHEMA_LIST("hostnames", STRING, USED),
};
static SCHEMA_DEFINE(host_alias_schema, "HostAlias");

static const struct schema_field pod_dns_config_option_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_SET("value", STRING, USED),
};
static SCHEMA_DEFINE(pod_dns_config_option_schema, "PodDNSConfigOption");

static const struct schema_field pod_dns_config_schema_fields[] = {
        SCHEMA_LIST("nameservers", STRING, USED),
        SCHEMA_LIST("searches", STRING, USED),
        SCHEMA_OBJ_LIST("options", pod_dns_config_option_schema, USED),
};
static SCHEMA_DEFINE(pod_dns_config_schema, "PodDNSConfig");

static const struct schema_field pod_readiness_gate_schema_fields[] = {
        SCHEMA_SET("conditionType", STRING, USED),
};
static SCHEMA_DEFINE(pod_readiness_gate_schema, "PodReadinessGate");

static const struct schema_field pod_os_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
};
static SCHEMA_DEFINE(pod_os_schema, "PodOS");

static const struct schema_field pod_spec_schema_fields[] = {
        SCHEMA_OBJ_LIST("volumes", volume_schema, USED),
        SCHEMA_OBJ_LIST("initContainers", container_schema, USED),
        SCHEMA_OBJ_LIST("containers", container_schema, USED),
        SCHEMA_LIST("ephemeralContainers", ANY, REFUSED, .note = "cannot be set on create"),
        SCHEMA_OPT("restartPolicy", STRING, USED),
        SCHEMA_SET("terminationGracePeriodSeconds", INT64, USED),
        SCHEMA_SET("activeDeadlineSeconds", INT64, USED),
        SCHEMA_OPT("dnsPolicy", STRING, USED),
        SCHEMA_MAP("nodeSelector", STRING, INERT, .note = HERE_ANYWAY),
        SCHEMA_OPT("serviceAccountName", STRING, REFUSED, .note = "static pods may not reference serviceaccounts"),
        SCHEMA_OPT("serviceAccount", STRING, REFUSED, .note = "static pods may not reference serviceaccounts"),
        SCHEMA_SET("automountServiceAccountToken", BOOL, CARRIED),
        SCHEMA_OPT("nodeName", STRING, USED),
        SCHEMA_OPT("hostNetwork", BOOL, USED),
        SCHEMA_OPT("hostPID", BOOL, USED),
        SCHEMA_OPT("hostIPC", BOOL, USED),
        SCHEMA_SET("shareProcessNamespace", BOOL, USED),
        SCHEMA_OBJ("securityContext", pod_security_context_schema, USED),
        SCHEMA_OBJ_LIST("imagePullSecrets", local_object_reference_schema, REFUSED,
                        .note = "static pods may not reference secrets"),
        SCHEMA_OPT("hostname", STRING, USED),
        SCHEMA_OPT("subdomain", STRING, USED),
        SCHEMA_OBJ("affinity", affinity_schema, INERT, .note = HERE_ANYWAY),
        SCHEMA_OPT("schedulerName", STRING, CARRIED),
        SCHEMA_OBJ_LIST("tolerations", toleration_schema, CARRIED),
        SCHEMA_OBJ_LIST("hostAliases", host_alias_schema, USED),
        SCHEMA_OPT("priorityClassName", STRING, USED),
        SCHEMA_SET("priority", INT32, USED),
        SCHEMA_OBJ("dnsConfig", pod_dns_config_schema, USED),
        SCHEMA_OBJ_LIST("readinessGates", pod_readiness_gate_schema, REFUSED),
        SCHEMA_SET("runtimeClassName", STRING, REFUSED),
        SCHEMA_SET("enableServiceLinks", BOOL, CARRIED),
        SCHEMA_SET("preemptionPolicy", STRING, CARRIED),
        SCHEMA_MAP("overhead", QUANTITY, REFUSED),
        SCHEMA_OBJ_LIST("topologySpreadConstraints", topology_spread_constraint_schema, CARRIED),
        SCHEMA_SET("setHostnameAsFQDN", BOOL, USED),
        SCHEMA_OBJ("os", pod_os_schema, USED),
        SCHEMA_SET("hostUsers", BOOL, REFUSED, .harmless = "true"),
        SCHEMA_OBJ_LIST("schedulingGates", pod_scheduling_gate_schema, REFUSED,
                        .note = "a static pod has its node already"),
        SCHEMA_LIST("resourceClaims", ANY, REFUSED, .note = "static pods may not reference resourceclaims"),
        SCHEMA_OBJ("resources", resource_requirements_schema, REFUSED),
        SCHEMA_SET("hostnameOverride", STRING, REFUSED),
        SCHEMA_OBJ("schedulingGroup", pod_scheduling_group_schema, REFUSED, .note = "a static pod is not scheduled"),
};
static SCHEMA_DEFINE(pod_spec_schema, "PodSpec");

/* Only that it is a map: its fields come from the node alone. */
static const struct schema_field pod_status_schema_fields[] = {
        SCHEMA_OPT("phase", STRING, DROPPED),
};
static SCHEMA_DEFINE(pod_status_schema, "PodStatus");

static const struct schema_field pod_schema_fields[] = {
        SCHEMA_OPT("kind", STRING, USED),
        SCHEMA_OPT("apiVersion", STRING, USED),
        SCHEMA_OBJ("metadata", object_meta_schema, USED),
        SCHEMA_OBJ("spec", pod_spec_schema, USED),
        SCHEMA_OPT("status", OBJECT, DROPPED, .object = &pod_status_schema, .note = "set by the node, taken out here"),
};
SCHEMA_DEFINE(pod_schema, "Pod");

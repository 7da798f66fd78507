#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of core/v1 for the enums of kube/pod.h, both ways, each list once. The index in a list is the enum value.
 */
#include <stddef.h>

struct pod_names {
        const char *const *names;
        size_t count;
};

extern const struct pod_names pod_restart_policy_names;
extern const struct pod_names pod_restart_operator_names; /* of a rule: In, NotIn */
extern const struct pod_names pod_pull_policy_names;
extern const struct pod_names pod_protocol_names;
extern const struct pod_names pod_qos_names;
extern const struct pod_names pod_dns_policy_names;
extern const struct pod_names pod_propagation_names;
extern const struct pod_names pod_seccomp_names;        /* UNSET is "" */
extern const struct pod_names pod_app_armor_names;      /* UNSET is "" */
extern const struct pod_names pod_selinux_names;        /* fields of seLinuxOptions, and of Docker's labels */
extern const struct pod_names pod_host_path_type_names; /* UNSET is "" */
extern const struct pod_names pod_resource_names;
extern const struct pod_names pod_probe_kind_names;
extern const struct pod_names pod_probe_field_names; /* livenessProbe, ... */
extern const struct pod_names pod_handler_names;     /* the fields of a handler; NONE is "" */

/* Index of text, or -1 (also for NULL). */
int pod_names_find(const struct pod_names *names, const char *text);

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "kube/pod.h"
#include "kube/pod_names.h"

#define NAMES(what_, max_, ...)                                      \
        static const char *const what_##_list[max_] = {__VA_ARGS__}; \
        const struct pod_names what_##_names = {what_##_list, (size_t)(max_)}

NAMES(pod_restart_policy, POD_RESTART_MAX, [POD_RESTART_ALWAYS] = "Always", [POD_RESTART_ON_FAILURE] = "OnFailure",
      [POD_RESTART_NEVER] = "Never");
NAMES(pod_restart_operator, 2, "In", "NotIn");
NAMES(pod_pull_policy, POD_PULL_MAX, [POD_PULL_ALWAYS] = "Always", [POD_PULL_IF_NOT_PRESENT] = "IfNotPresent",
      [POD_PULL_NEVER] = "Never");
NAMES(pod_protocol,
      POD_PROTOCOL_MAX, [POD_PROTOCOL_TCP] = "TCP", [POD_PROTOCOL_UDP] = "UDP", [POD_PROTOCOL_SCTP] = "SCTP");
NAMES(pod_qos, POD_QOS_MAX, [POD_QOS_GUARANTEED] = "Guaranteed", [POD_QOS_BURSTABLE] = "Burstable",
      [POD_QOS_BEST_EFFORT] = "BestEffort");
NAMES(pod_dns_policy, POD_DNS_MAX, [POD_DNS_CLUSTER_FIRST] = "ClusterFirst",
      [POD_DNS_CLUSTER_FIRST_WITH_HOST_NET] = "ClusterFirstWithHostNet", [POD_DNS_DEFAULT] = "Default",
      [POD_DNS_NONE] = "None");
NAMES(pod_propagation, POD_PROPAGATION_MAX, [POD_PROPAGATION_NONE] = "None",
      [POD_PROPAGATION_HOST_TO_CONTAINER] = "HostToContainer", [POD_PROPAGATION_BIDIRECTIONAL] = "Bidirectional");
NAMES(pod_seccomp, POD_SECCOMP_MAX, [POD_SECCOMP_UNSET] = "", [POD_SECCOMP_UNCONFINED] = "Unconfined",
      [POD_SECCOMP_RUNTIME_DEFAULT] = "RuntimeDefault", [POD_SECCOMP_LOCALHOST] = "Localhost");
NAMES(pod_app_armor, POD_APP_ARMOR_MAX, [POD_APP_ARMOR_UNSET] = "", [POD_APP_ARMOR_UNCONFINED] = "Unconfined",
      [POD_APP_ARMOR_RUNTIME_DEFAULT] = "RuntimeDefault", [POD_APP_ARMOR_LOCALHOST] = "Localhost");
NAMES(pod_selinux, POD_SELINUX_MAX, [POD_SELINUX_USER] = "user", [POD_SELINUX_ROLE] = "role",
      [POD_SELINUX_TYPE] = "type", [POD_SELINUX_LEVEL] = "level");
NAMES(pod_host_path_type, POD_HOST_PATH_MAX, [POD_HOST_PATH_UNSET] = "",
      [POD_HOST_PATH_DIRECTORY_OR_CREATE] = "DirectoryOrCreate", [POD_HOST_PATH_DIRECTORY] = "Directory",
      [POD_HOST_PATH_FILE_OR_CREATE] = "FileOrCreate", [POD_HOST_PATH_FILE] = "File", [POD_HOST_PATH_SOCKET] = "Socket",
      [POD_HOST_PATH_CHAR_DEVICE] = "CharDevice", [POD_HOST_PATH_BLOCK_DEVICE] = "BlockDevice");
NAMES(pod_resource, POD_RESOURCE_MAX, [POD_RESOURCE_CPU] = "cpu", [POD_RESOURCE_MEMORY] = "memory",
      [POD_RESOURCE_EPHEMERAL_STORAGE] = "ephemeral-storage");
NAMES(pod_probe_kind, POD_PROBE_KIND_MAX, [POD_PROBE_STARTUP] = "Startup", [POD_PROBE_LIVENESS] = "Liveness",
      [POD_PROBE_READINESS] = "Readiness");
NAMES(pod_probe_field, POD_PROBE_KIND_MAX, [POD_PROBE_STARTUP] = "startupProbe", [POD_PROBE_LIVENESS] = "livenessProbe",
      [POD_PROBE_READINESS] = "readinessProbe");
NAMES(pod_handler,
      POD_HANDLER_MAX, [POD_HANDLER_NONE] = "", [POD_HANDLER_EXEC] = "exec", [POD_HANDLER_HTTP_GET] = "httpGet",
      [POD_HANDLER_TCP_SOCKET] = "tcpSocket", [POD_HANDLER_GRPC] = "grpc", [POD_HANDLER_SLEEP] = "sleep");

int pod_names_find(const struct pod_names *names, const char *text)
{
        for (size_t i = 0; text && i < names->count; i++) {
                if (str_eq(names->names[i], text))
                        return (int)i;
        }
        return -1;
}

static const char *name_at(const struct pod_names *names, unsigned i)
{
        return i < names->count ? names->names[i] : "";
}

const char *pod_restart_policy_name(enum pod_restart_policy policy)
{
        return name_at(&pod_restart_policy_names, policy);
}

const char *pod_qos_name(enum pod_qos qos)
{
        return name_at(&pod_qos_names, qos);
}

const char *pod_protocol_name(enum pod_protocol protocol)
{
        return name_at(&pod_protocol_names, protocol);
}

const char *pod_probe_kind_name(enum pod_probe_kind kind)
{
        return name_at(&pod_probe_kind_names, kind);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "kube/pod_schema.h"

static const struct schema_field container_port_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),         SCHEMA_OPT("hostPort", INT32, USED),
        SCHEMA_SET("containerPort", INT32, USED), SCHEMA_OPT("protocol", STRING, USED),
        SCHEMA_OPT("hostIP", STRING, USED),
};
static SCHEMA_DEFINE(container_port_schema, "ContainerPort");

static const struct schema_field config_map_env_source_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(config_map_env_source_schema, "ConfigMapEnvSource");

static const struct schema_field secret_env_source_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(secret_env_source_schema, "SecretEnvSource");

static const struct schema_field local_object_reference_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
};
SCHEMA_DEFINE(local_object_reference_schema, "LocalObjectReference");

static const struct schema_field env_from_source_schema_fields[] = {
        SCHEMA_OPT("prefix", STRING, USED),
        SCHEMA_OBJ("configMapRef", config_map_env_source_schema, USED),
        SCHEMA_OBJ("secretRef", secret_env_source_schema, USED),
};
static SCHEMA_DEFINE(env_from_source_schema, "EnvFromSource");

static const struct schema_field config_map_key_selector_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_SET("key", STRING, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(config_map_key_selector_schema, "ConfigMapKeySelector");

static const struct schema_field secret_key_selector_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_SET("key", STRING, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(secret_key_selector_schema, "SecretKeySelector");

static const struct schema_field file_key_selector_schema_fields[] = {
        SCHEMA_SET("volumeName", STRING, USED),
        SCHEMA_SET("path", STRING, USED),
        SCHEMA_SET("key", STRING, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(file_key_selector_schema, "FileKeySelector");

static const struct schema_field env_var_source_schema_fields[] = {
        SCHEMA_OBJ("fieldRef", object_field_selector_schema, USED),
        SCHEMA_OBJ("resourceFieldRef", resource_field_selector_schema, USED),
        SCHEMA_OBJ("configMapKeyRef", config_map_key_selector_schema, USED),
        SCHEMA_OBJ("secretKeyRef", secret_key_selector_schema, USED),
        SCHEMA_OBJ("fileKeyRef", file_key_selector_schema, USED),
};
static SCHEMA_DEFINE(env_var_source_schema, "EnvVarSource");

static const struct schema_field env_var_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_OPT("value", STRING, USED),
        SCHEMA_OBJ("valueFrom", env_var_source_schema, USED),
};
static SCHEMA_DEFINE(env_var_schema, "EnvVar");

static const struct schema_field resource_claim_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_OPT("request", STRING, USED),
};
static SCHEMA_DEFINE(resource_claim_schema, "ResourceClaim");

static const struct schema_field resource_requirements_schema_fields[] = {
        SCHEMA_MAP("limits", QUANTITY, USED),
        SCHEMA_MAP("requests", QUANTITY, USED),
        SCHEMA_OBJ_LIST("claims", resource_claim_schema, REFUSED,
                        .note = "static pods may not reference resourceclaims"),
};
SCHEMA_DEFINE(resource_requirements_schema, "ResourceRequirements");

static const struct schema_field container_resize_policy_schema_fields[] = {
        SCHEMA_SET("resourceName", STRING, CARRIED),
        SCHEMA_SET("restartPolicy", STRING, CARRIED),
};
static SCHEMA_DEFINE(container_resize_policy_schema, "ContainerResizePolicy");

static const struct schema_field container_restart_rule_on_exit_codes_schema_fields[] = {
        SCHEMA_OPT("operator", STRING, USED),
        SCHEMA_LIST("values", INT32, USED),
};
static SCHEMA_DEFINE(container_restart_rule_on_exit_codes_schema, "ContainerRestartRuleOnExitCodes");

static const struct schema_field container_restart_rule_schema_fields[] = {
        SCHEMA_OPT("action", STRING, USED),
        SCHEMA_OBJ("exitCodes", container_restart_rule_on_exit_codes_schema, USED),
};
static SCHEMA_DEFINE(container_restart_rule_schema, "ContainerRestartRule");

static const struct schema_field volume_mount_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_OPT("readOnly", BOOL, USED),
        SCHEMA_SET("recursiveReadOnly", STRING, REFUSED, .harmless = "Disabled"),
        SCHEMA_SET("mountPath", STRING, USED),
        SCHEMA_OPT("subPath", STRING, USED),
        SCHEMA_SET("mountPropagation", STRING, USED),
        SCHEMA_OPT("subPathExpr", STRING, USED),
};
static SCHEMA_DEFINE(volume_mount_schema, "VolumeMount");

static const struct schema_field volume_device_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_SET("devicePath", STRING, USED),
};
static SCHEMA_DEFINE(volume_device_schema, "VolumeDevice");

static const struct schema_field exec_action_schema_fields[] = {
        SCHEMA_LIST("command", STRING, USED),
};
static SCHEMA_DEFINE(exec_action_schema, "ExecAction");

static const struct schema_field http_header_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_SET("value", STRING, USED),
};
static SCHEMA_DEFINE(http_header_schema, "HTTPHeader");

static const struct schema_field http_get_action_schema_fields[] = {
        SCHEMA_OPT("path", STRING, USED),
        SCHEMA_SET("port", INT_OR_STRING, USED),
        SCHEMA_OPT("host", STRING, USED),
        SCHEMA_OPT("scheme", STRING, USED),
        SCHEMA_OBJ_LIST("httpHeaders", http_header_schema, USED),
};
static SCHEMA_DEFINE(http_get_action_schema, "HTTPGetAction");

static const struct schema_field tcp_socket_action_schema_fields[] = {
        SCHEMA_SET("port", INT_OR_STRING, USED),
        SCHEMA_OPT("host", STRING, USED),
};
static SCHEMA_DEFINE(tcp_socket_action_schema, "TCPSocketAction");

static const struct schema_field grpc_action_schema_fields[] = {
        SCHEMA_SET("port", INT32, USED),
        SCHEMA_SET("service", STRING, USED),
};
static SCHEMA_DEFINE(grpc_action_schema, "GRPCAction");

static const struct schema_field probe_schema_fields[] = {
        SCHEMA_OBJ("exec", exec_action_schema, USED),
        SCHEMA_OBJ("httpGet", http_get_action_schema, USED),
        SCHEMA_OBJ("tcpSocket", tcp_socket_action_schema, USED),
        SCHEMA_OBJ("grpc", grpc_action_schema, USED),
        SCHEMA_OPT("initialDelaySeconds", INT32, USED),
        SCHEMA_OPT("timeoutSeconds", INT32, USED),
        SCHEMA_OPT("periodSeconds", INT32, USED),
        SCHEMA_OPT("successThreshold", INT32, USED),
        SCHEMA_OPT("failureThreshold", INT32, USED),
        SCHEMA_SET("terminationGracePeriodSeconds", INT64, USED),
};
static SCHEMA_DEFINE(probe_schema, "Probe");

static const struct schema_field sleep_action_schema_fields[] = {
        SCHEMA_SET("seconds", INT64, USED),
};
static SCHEMA_DEFINE(sleep_action_schema, "SleepAction");

static const struct schema_field lifecycle_handler_schema_fields[] = {
        SCHEMA_OBJ("exec", exec_action_schema, USED),
        SCHEMA_OBJ("httpGet", http_get_action_schema, USED),
        SCHEMA_OBJ("tcpSocket", tcp_socket_action_schema, REFUSED,
                   .note = "a lifecycle hook cannot be a tcpSocket: a kubelet fails it when it is run"),
        SCHEMA_OBJ("sleep", sleep_action_schema, USED),
};
static SCHEMA_DEFINE(lifecycle_handler_schema, "LifecycleHandler");

static const struct schema_field lifecycle_schema_fields[] = {
        SCHEMA_OBJ("postStart", lifecycle_handler_schema, USED),
        SCHEMA_OBJ("preStop", lifecycle_handler_schema, USED),
        SCHEMA_SET("stopSignal", STRING, REFUSED),
};
static SCHEMA_DEFINE(lifecycle_schema, "Lifecycle");

static const struct schema_field capabilities_schema_fields[] = {
        SCHEMA_LIST("add", STRING, USED),
        SCHEMA_LIST("drop", STRING, USED),
};
static SCHEMA_DEFINE(capabilities_schema, "Capabilities");

static const struct schema_field se_linux_options_schema_fields[] = {
        SCHEMA_OPT("user", STRING, USED),
        SCHEMA_OPT("role", STRING, USED),
        SCHEMA_OPT("type", STRING, USED),
        SCHEMA_OPT("level", STRING, USED),
};
SCHEMA_DEFINE(se_linux_options_schema, "SELinuxOptions");

static const struct schema_field seccomp_profile_schema_fields[] = {
        SCHEMA_SET("type", STRING, USED),
        SCHEMA_SET("localhostProfile", STRING, USED),
};
SCHEMA_DEFINE(seccomp_profile_schema, "SeccompProfile");

static const struct schema_field app_armor_profile_schema_fields[] = {
        SCHEMA_SET("type", STRING, USED),
        SCHEMA_SET("localhostProfile", STRING, USED),
};
SCHEMA_DEFINE(app_armor_profile_schema, "AppArmorProfile");

static const struct schema_field security_context_schema_fields[] = {
        SCHEMA_OBJ("capabilities", capabilities_schema, USED),
        SCHEMA_SET("privileged", BOOL, USED),
        SCHEMA_OBJ("seLinuxOptions", se_linux_options_schema, USED),
        SCHEMA_SET("windowsOptions", ANY, REFUSED, .note = "this node runs Linux"),
        SCHEMA_SET("runAsUser", INT64, USED),
        SCHEMA_SET("runAsGroup", INT64, USED),
        SCHEMA_SET("runAsNonRoot", BOOL, USED),
        SCHEMA_SET("readOnlyRootFilesystem", BOOL, USED),
        SCHEMA_SET("allowPrivilegeEscalation", BOOL, USED),
        SCHEMA_SET("procMount", STRING, REFUSED, .harmless = "Default"),
        SCHEMA_OBJ("seccompProfile", seccomp_profile_schema, USED),
        SCHEMA_OBJ("appArmorProfile", app_armor_profile_schema, USED),
};
static SCHEMA_DEFINE(security_context_schema, "SecurityContext");

static const struct schema_field container_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_OPT("image", STRING, USED),
        SCHEMA_LIST("command", STRING, USED),
        SCHEMA_LIST("args", STRING, USED),
        SCHEMA_OPT("workingDir", STRING, USED),
        SCHEMA_OBJ_LIST("ports", container_port_schema, USED),
        SCHEMA_OBJ_LIST("envFrom", env_from_source_schema, USED),
        SCHEMA_OBJ_LIST("env", env_var_schema, USED),
        SCHEMA_OBJ("resources", resource_requirements_schema, USED),
        SCHEMA_OBJ_LIST("resizePolicy", container_resize_policy_schema, CARRIED),
        SCHEMA_SET("restartPolicy", STRING, USED),
        SCHEMA_OBJ_LIST("restartPolicyRules", container_restart_rule_schema, USED),
        SCHEMA_OBJ_LIST("volumeMounts", volume_mount_schema, USED),
        SCHEMA_OBJ_LIST("volumeDevices", volume_device_schema, REFUSED),
        SCHEMA_OBJ("livenessProbe", probe_schema, USED),
        SCHEMA_OBJ("readinessProbe", probe_schema, USED),
        SCHEMA_OBJ("startupProbe", probe_schema, USED),
        SCHEMA_OBJ("lifecycle", lifecycle_schema, USED),
        SCHEMA_OPT("terminationMessagePath", STRING, USED),
        SCHEMA_OPT("terminationMessagePolicy", STRING, USED),
        SCHEMA_OPT("imagePullPolicy", STRING, USED),
        SCHEMA_OBJ("securityContext", security_context_schema, USED),
        SCHEMA_OPT("stdin", BOOL, USED),
        SCHEMA_OPT("stdinOnce", BOOL, USED),
        SCHEMA_OPT("tty", BOOL, USED),
};
SCHEMA_DEFINE(container_schema, "Container");

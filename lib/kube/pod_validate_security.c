/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/str.h"
#include "base/strv.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_names.h"
#include "kube/pod_validate.h"

#define SYSCTL_NAME_MAX 253
#define APP_ARMOR_NAME_MAX 4095

static void validate_id(struct pod_findings *findings, const struct field_path *context, const char *name)
{
        struct field_path path = field_child(context, name);

        (void)field_check_range(findings, &path, 0, INT32_MAX);
}

static void validate_seccomp(struct pod_findings *findings, const struct field_path *context)
{
        static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined"};
        struct field_path profile = field_child(context, "seccompProfile"), type = field_child(&profile, "type");
        struct field_path local = field_child(&profile, "localhostProfile");
        const char *text = value_string(type.value, NULL);

        if (!value_is(profile.value, VALUE_MAP))
                return;
        if (!type.value || str_eq(text, ""))
                field_required(findings, &type, "type is required when seccompProfile is set");
        else if (text && pod_names_find(&pod_seccomp_names, text) < 0)
                field_not_supported(findings, &type, types, 3);
        else if (!str_eq(text, types[0]) && local.value)
                field_invalid(findings, &local, "can only be set when seccomp type is Localhost");
        if (!str_eq(text, types[0]))
                return;
        if (!local.value)
                field_required(findings, &local, "must be set when seccomp type is Localhost");
        (void)field_check(findings, &local, meta_path_descending);
}

static void validate_app_armor(struct pod_findings *findings, const struct field_path *context)
{
        static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined"};
        struct field_path profile = field_child(context, "appArmorProfile"), type = field_child(&profile, "type");
        struct field_path local = field_child(&profile, "localhostProfile");
        const char *text = value_string(type.value, NULL), *name = value_string(local.value, NULL);

        if (!value_is(profile.value, VALUE_MAP))
                return;
        if (!type.value || str_eq(text, ""))
                field_required(findings, &type, "type is required when appArmorProfile is set");
        else if (text && pod_names_find(&pod_app_armor_names, text) < 0)
                field_not_supported(findings, &type, types, 3);
        else if (!str_eq(text, types[0]) && local.value)
                field_invalid(findings, &local, "can only be set when AppArmor type is Localhost");
        if (!str_eq(text, types[0]))
                return;
        if (!local.value || str_eq(name, ""))
                field_required(findings, &local, "must be set when AppArmor type is Localhost");
        else if (name && (isspace((unsigned char)name[0]) || isspace((unsigned char)name[strlen(name) - 1])))
                field_invalid(findings, &local, "must not be padded with whitespace");
        else if (name && strlen(name) > APP_ARMOR_NAME_MAX)
                field_invalid(findings, &local, "must have at most %d bytes", APP_ARMOR_NAME_MAX);
}

/* Runs of [a-z0-9] with inner '-' and '_', joined by '.' or '/'. */
static size_t check_sysctl_name(const char *name, struct strv *msgs)
{
        size_t len = strlen(name);
        bool fine = len <= SYSCTL_NAME_MAX;

        for (size_t i = 0; fine && i <= len; i++) {
                bool end = i == len || name[i] == '.' || name[i] == '/';
                bool inner = i < len && (name[i] == '-' || name[i] == '_');
                bool word = !end && !inner && ((name[i] >= 'a' && name[i] <= 'z') || isdigit((unsigned char)name[i]));
                bool after_word = i > 0 && !strchr("./-_", name[i - 1]);
                bool at_start = i == 0 || name[i - 1] == '.' || name[i - 1] == '/';

                fine = word || (end && after_word) || (inner && !at_start);
        }
        if (!fine && msgs)
                strv_addf(msgs,
                          "must have at most %d characters and match regex "
                          "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
                          SYSCTL_NAME_MAX);
        return fine ? 0 : 1;
}

static bool is_ipc_sysctl(const char *name)
{
        return str_starts(name, "kernel.shm") || str_starts(name, "kernel.msg") || str_eq(name, "kernel.sem") ||
               str_starts(name, "fs.mqueue.");
}

static void validate_sysctls(const struct pod_validation *pod, const struct field_path *context)
{
        struct field_path sysctls = field_child(context, "sysctls");
        struct strv seen CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < field_count(sysctls.value); i++) {
                struct field_path sysctl = field_index(&sysctls, i), name = field_child(&sysctl, "name");
                const char *text = value_string(name.value, "");

                if (!value_is(sysctl.value, VALUE_MAP))
                        continue;
                if (*text == '\0')
                        field_required(pod->findings, &name, NULL);
                else if (field_check(pod->findings, &name, check_sysctl_name) && strv_contains(&seen, text))
                        field_duplicate(pod->findings, &name, NULL);
                if (pod->host_network && str_starts(text, "net."))
                        field_invalid(pod->findings, &name, "may not be specified when 'hostNetwork' is true");
                if (is_ipc_sysctl(text) && field_bool(pod->spec, "hostIPC", false))
                        field_invalid(pod->findings, &name, "may not be specified when 'hostIPC' is true");
                strv_add(&seen, text);
        }
}

void pod_validate_pod_security(const struct pod_validation *pod, const struct field_path *spec)
{
        struct field_path context = field_child(spec, "securityContext");
        struct field_path groups = field_child(&context, "supplementalGroups");
        struct field_path share = field_child(spec, "shareProcessNamespace");

        validate_id(pod->findings, &context, "runAsUser");
        validate_id(pod->findings, &context, "runAsGroup");
        validate_id(pod->findings, &context, "fsGroup");
        for (size_t i = 0; i < field_count(groups.value); i++) {
                struct field_path group = field_index(&groups, i);

                (void)field_check_range(pod->findings, &group, 0, INT32_MAX);
        }
        validate_sysctls(pod, &context);
        validate_seccomp(pod->findings, &context);
        validate_app_armor(pod->findings, &context);
        if (field_bool(pod->spec, "shareProcessNamespace", false) && field_bool(pod->spec, "hostPID", false))
                field_invalid(pod->findings, &share, "ShareProcessNamespace and HostPID cannot both be enabled");
}

static bool adds_sys_admin(const struct value *context)
{
        const struct value *add = value_get(context, "capabilities", "add", NULL);

        for (size_t i = 0; i < field_count(add); i++) {
                if (str_eq(value_string(add->list.items[i], ""), "CAP_SYS_ADMIN"))
                        return true;
        }
        return false;
}

void pod_validate_security(const struct pod_validation *pod, const struct field_path *container)
{
        struct field_path context = field_child(container, "securityContext");
        struct field_path escalation = field_child(&context, "allowPrivilegeEscalation");

        validate_id(pod->findings, &context, "runAsUser");
        validate_id(pod->findings, &context, "runAsGroup");
        validate_seccomp(pod->findings, &context);
        validate_app_armor(pod->findings, &context);
        if (field_bool(context.value, "allowPrivilegeEscalation", true))
                return;
        if (field_bool(context.value, "privileged", false))
                field_invalid(pod->findings, &escalation,
                              "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
        if (adds_sys_admin(context.value))
                field_invalid(pod->findings, &escalation,
                              "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
}

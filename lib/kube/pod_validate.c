/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_names.h"
#include "kube/pod_own.h"
#include "kube/pod_validate.h"

/* One name in a file system. */
#define FILE_NAME_MAX 255
#define UID_MAX 128
/* What the resolver of libc takes. */
#define DNS_NAMESERVERS_MAX 3
#define DNS_SEARCHES_MAX 32
#define DNS_SEARCH_CHARS_MAX 2048

static void validate_labels(struct pod_findings *findings, const struct field_path *labels)
{
        for (size_t i = 0; value_is(labels->value, VALUE_MAP) && i < labels->value->map.count; i++) {
                const struct value_entry *entry = &labels->value->map.entries[i];
                struct value key = {.kind = VALUE_STRING, .place = entry->place, .text = entry->key};
                struct field_path key_path = *labels, value_path = field_key(labels, entry->key, entry->value);

                key.len = strlen(entry->key);
                key_path.value = &key;
                (void)field_check(findings, &key_path, meta_label_key);
                (void)field_check(findings, &value_path, meta_label_value);
        }
}

static void validate_annotations(struct pod_findings *findings, const struct field_path *annotations)
{
        size_t total = 0;

        for (size_t i = 0; value_is(annotations->value, VALUE_MAP) && i < annotations->value->map.count; i++) {
                const struct value_entry *entry = &annotations->value->map.entries[i];
                struct value key = {.kind = VALUE_STRING, .place = entry->place, .text = entry->key};
                struct field_path key_path = *annotations;

                key.len = strlen(entry->key);
                key_path.value = &key;
                (void)field_check(findings, &key_path, meta_annotation_key);
                total += key.len + strlen(value_string(entry->value, ""));
        }
        if (total > META_ANNOTATIONS_MAX_BYTES)
                field_too_long(findings, annotations, META_ANNOTATIONS_MAX_BYTES);
}

#define APPARMOR_PREFIX "container.apparmor.security.beta.kubernetes.io/"

/* Annotations that ask for confinement must not be passed over. */
static void validate_apparmor(struct pod_findings *findings, const struct field_path *annotations)
{
        for (size_t i = 0; value_is(annotations->value, VALUE_MAP) && i < annotations->value->map.count; i++) {
                const struct value_entry *entry = &annotations->value->map.entries[i];
                struct field_path path = field_key(annotations, entry->key, entry->value);

                if (str_starts(entry->key, APPARMOR_PREFIX) &&
                    !str_eq(value_string(entry->value, ""), "runtime/default"))
                        field_forbidden(findings, &path, POD_UNSUPPORTED);
        }
}

/* The UID is part of names of containers, cgroups and directories. */
static size_t check_uid(const char *uid, struct strv *msgs)
{
        size_t len = strlen(uid);
        bool fine = len > 0 && len <= UID_MAX && isalnum((unsigned char)uid[0]);

        for (size_t i = 0; fine && i < len; i++)
                fine = isalnum((unsigned char)uid[i]) || uid[i] == '-' || uid[i] == '.';
        if (!fine && msgs)
                strv_addf(msgs,
                          "must consist of at most %d alphanumeric characters, '-' or '.', and must start with an "
                          "alphanumeric character",
                          UID_MAX);
        return fine ? 0 : 1;
}

static void validate_metadata(struct pod_findings *findings, const struct field_path *root)
{
        struct field_path metadata = field_child(root, "metadata");
        struct field_path name = field_child(&metadata, "name"), space = field_child(&metadata, "namespace");
        struct field_path uid = field_child(&metadata, "uid"), labels = field_child(&metadata, "labels");
        struct field_path annotations = field_child(&metadata, "annotations");
        size_t length;

        pod_own_validate(&annotations, field_string(metadata.value, "namespace", "default"), findings);

        if (!name.value)
                field_required(findings, &name, "name is needed for the pod");
        if (field_check(findings, &name, meta_dns1123_subdomain) && field_check(findings, &space, meta_dns1123_label) &&
            field_check(findings, &uid, check_uid)) {
                /* /var/log/pods/NAMESPACE_NAME_UID */
                length = strlen(value_string(name.value, "")) + strlen(value_string(space.value, "")) +
                         strlen(value_string(uid.value, "")) + 2;
                if (length > FILE_NAME_MAX)
                        field_invalid(findings, &name,
                                      "too long: with namespace and UID it names a directory in %zu bytes, and file "
                                      "systems allow %d",
                                      length, FILE_NAME_MAX);
        }
        validate_labels(findings, &labels);
        validate_annotations(findings, &annotations);
        validate_apparmor(findings, &annotations);
}

static void validate_enum(struct pod_findings *findings, const struct field_path *path, const struct pod_names *names)
{
        if (value_is(path->value, VALUE_STRING) && pod_names_find(names, path->value->text) < 0)
                field_not_supported(findings, path, names->names, names->count);
}

static void validate_search(struct pod_findings *findings, const struct field_path *path)
{
        const char *text = value_string(path->value, ".");
        struct strv msgs CLEANUP_STRV = STRV_INIT, parts CLEANUP_STRV = STRV_INIT;

        if (str_eq(text, "."))
                return;
        strv_add(&parts, text);
        if (str_ends(text, "."))
                parts.items[0][strlen(text) - 1] = '\0';
        (void)meta_dns1123_subdomain_underscore(parts.items[0], &msgs);
        field_invalid_each(findings, path, &msgs);
}

static void validate_dns(struct pod_findings *findings, const struct field_path *spec)
{
        struct field_path policy = field_child(spec, "dnsPolicy"), config = field_child(spec, "dnsConfig");
        struct field_path servers = field_child(&config, "nameservers"), searches = field_child(&config, "searches");
        struct field_path options = field_child(&config, "options");
        bool none = str_eq(value_string(policy.value, ""), pod_dns_policy_names.names[POD_DNS_NONE]);
        size_t chars = 0;

        validate_enum(findings, &policy, &pod_dns_policy_names);
        if (none && !config.value)
                field_required(findings, &config, "must provide `dnsConfig` when `dnsPolicy` is None");
        else if (none && !servers.value)
                field_required(findings, &servers, "must provide at least one DNS nameserver when `dnsPolicy` is None");
        if (field_count(servers.value) > DNS_NAMESERVERS_MAX)
                field_invalid(findings, &servers, "must not have more than %d nameservers", DNS_NAMESERVERS_MAX);
        for (size_t i = 0; i < field_count(servers.value); i++) {
                struct field_path path = field_index(&servers, i);

                (void)field_check(findings, &path, meta_ip);
        }
        if (field_count(searches.value) > DNS_SEARCHES_MAX)
                field_invalid(findings, &searches, "must not have more than %d search paths", DNS_SEARCHES_MAX);
        for (size_t i = 0; i < field_count(searches.value); i++) {
                struct field_path path = field_index(&searches, i);

                chars += strlen(value_string(path.value, "")) + (i > 0 ? 1 : 0);
                validate_search(findings, &path);
        }
        if (chars > DNS_SEARCH_CHARS_MAX)
                field_invalid(findings, &searches,
                              "must not have more than %d characters (including spaces) in the search list",
                              DNS_SEARCH_CHARS_MAX);
        for (size_t i = 0; i < field_count(options.value); i++) {
                struct field_path path = field_index(&options, i);

                if (value_is(path.value, VALUE_MAP) && !value_map_get(path.value, "name"))
                        field_required(findings, &path, "must not be empty");
        }
}

static void validate_host_aliases(struct pod_findings *findings, const struct field_path *spec)
{
        struct field_path aliases = field_child(spec, "hostAliases");

        for (size_t i = 0; i < field_count(aliases.value); i++) {
                struct field_path alias = field_index(&aliases, i), ip = field_child(&alias, "ip");
                struct field_path names = field_child(&alias, "hostnames");

                if (!ip.value)
                        field_required(findings, &ip, NULL);
                (void)field_check(findings, &ip, meta_ip);
                for (size_t k = 0; k < field_count(names.value); k++) {
                        struct field_path name = field_index(&names, k);

                        (void)field_check(findings, &name, meta_dns1123_subdomain);
                }
        }
}

static void validate_toleration(struct pod_findings *findings, const struct field_path *path)
{
        static const char *const operators[] = {"Equal", "Exists"};
        static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
        struct field_path key = field_child(path, "key"), operation = field_child(path, "operator");
        struct field_path value = field_child(path, "value"), effect = field_child(path, "effect");
        const char *op = value_string(operation.value, ""), *eff = value_string(effect.value, "");

        (void)field_check(findings, &key, meta_label_key);
        if (!key.value && !str_eq(op, "Exists"))
                field_invalid(findings, &operation,
                              "operator must be Exists when `key` is empty, which means \"match all values and all "
                              "keys\"");
        if (value_map_get(path->value, "tolerationSeconds") && !str_eq(eff, "NoExecute"))
                field_invalid(findings, &effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        if (str_eq(op, "") || str_eq(op, "Equal")) {
                (void)field_check(findings, &value, meta_label_value);
        } else if (str_eq(op, "Exists")) {
                if (value.value)
                        field_invalid(findings, &value, "value must be empty when `operator` is 'Exists'");
        } else {
                field_not_supported(findings, &operation, operators, ARRAY_SIZE(operators));
        }
        if (effect.value && !str_eq(eff, effects[0]) && !str_eq(eff, effects[1]) && !str_eq(eff, effects[2]))
                field_not_supported(findings, &effect, effects, ARRAY_SIZE(effects));
}

static void validate_scheduling(struct pod_findings *findings, const struct field_path *spec)
{
        static const char *const preemption[] = {"PreemptLowerPriority", "Never"};
        struct field_path tolerations = field_child(spec, "tolerations"), selector = field_child(spec, "nodeSelector");
        struct field_path policy = field_child(spec, "preemptionPolicy"), priority = field_child(spec, "priority");
        struct field_path class_name = field_child(spec, "priorityClassName");
        const char *text = value_string(policy.value, preemption[0]);

        validate_labels(findings, &selector);
        for (size_t i = 0; i < field_count(tolerations.value); i++) {
                struct field_path path = field_index(&tolerations, i);

                validate_toleration(findings, &path);
        }
        if (!str_eq(text, preemption[0]) && !str_eq(text, preemption[1]))
                field_not_supported(findings, &policy, preemption, ARRAY_SIZE(preemption));
        (void)field_check(findings, &class_name, meta_dns1123_subdomain);
        if (priority.value && !class_name.value && field_int(spec->value, "priority", 0) != 0)
                field_finding(findings, false, &priority,
                              "without priorityClassName the API server refuses the mirror pod");
}

static void validate_spec(const struct pod_validation *pod, const struct field_path *spec)
{
        struct pod_findings *findings = pod->findings;
        struct field_path restart = field_child(spec, "restartPolicy"), hostname = field_child(spec, "hostname");
        struct field_path node = field_child(spec, "nodeName"), os = field_child(spec, "os");
        struct field_path os_name = field_child(&os, "name"), subdomain = field_child(spec, "subdomain");
        struct field_path deadline = field_child(spec, "activeDeadlineSeconds");

        pod_validate_volumes(pod, spec);
        pod_validate_containers(pod, spec);
        pod_validate_pod_security(pod, spec);
        validate_enum(findings, &restart, &pod_restart_policy_names);
        validate_dns(findings, spec);
        validate_host_aliases(findings, spec);
        validate_scheduling(findings, spec);
        (void)field_check(findings, &node, meta_dns1123_subdomain);
        (void)field_check(findings, &hostname, meta_dns1123_label);
        (void)field_check(findings, &subdomain, meta_dns1123_label);
        (void)field_check_range(findings, &deadline, 1, INT32_MAX);
        if (os.value && !os_name.value)
                field_required(findings, &os_name, NULL);
        else if (os_name.value && !str_eq(value_string(os_name.value, ""), "linux"))
                field_invalid(findings, &os_name, "this node runs linux");
}

void pod_validate(const struct value *value, struct pod_findings *findings)
{
        struct field_path root = field_root(value), spec = field_child(&root, "spec");
        struct field_path metadata = field_child(&root, "metadata");
        struct pod_validation pod = {
                .findings = findings,
                .spec = spec.value,
                .host_network = field_bool(spec.value, "hostNetwork", false),
                .grace_seconds = field_int(spec.value, "terminationGracePeriodSeconds", 0),
        };

        if (!metadata.value || value_is(metadata.value, VALUE_MAP))
                validate_metadata(findings, &root);
        if (!spec.value)
                field_required(findings, &spec, NULL);
        else if (value_is(spec.value, VALUE_MAP))
                validate_spec(&pod, &spec);
}

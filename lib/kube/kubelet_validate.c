/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/timefmt.h"
#include "kube/field.h"
#include "kube/kubelet_decode.h"
#include "kube/meta.h"
#include "kube/pod_names.h"

#define JOURNAL_MIN ((int64_t)1024 * 1024)
#define JOURNAL_MAX ((int64_t)16 * 1024 * 1024 * 1024)
#define REVISIONS_MAX 1000
#define REMOVED_MAX 10000
#define SECOND_NSEC 1000000000LL

struct range {
        const char *name;
        int64_t min, max;
};

static void validate_ranges(struct pod_findings *findings, const struct field_path *root)
{
        static const struct range ranges[] = {
                {"healthzPort", 0, 65535},
                {"port", 1, 65535},
                {"readOnlyPort", 0, 65535},
                {"nodeLeaseDurationSeconds", 1, INT32_MAX},
                {"maxPods", 0, INT32_MAX},
                {"imageGCHighThresholdPercent", 0, 100},
                {"imageGCLowThresholdPercent", 0, 100},
        };

        for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
                struct field_path path = field_child(root, ranges[i].name);

                (void)field_check_range(findings, &path, ranges[i].min, ranges[i].max);
        }
}

static void validate_durations(struct pod_findings *findings, const struct field_path *root)
{
        static const char *const names[] = {
                "fileCheckFrequency",  "nodeStatusUpdateFrequency",       "nodeStatusReportFrequency",
                "shutdownGracePeriod", "shutdownGracePeriodCriticalPods", "imageMinimumGCAge",
                "imageMaximumGCAge",
        };
        struct field_path backoff = field_child(root, "crashLoopBackOff");
        struct field_path period = field_child(&backoff, "maxContainerRestartPeriod");
        int64_t nsec;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct field_path path = field_child(root, names[i]);

                if (value_is(path.value, VALUE_STRING) && duration_parse(path.value->text, &nsec, NULL) == 0 &&
                    nsec < 0)
                        field_invalid(findings, &path, "must not be negative");
        }
        if (value_is(period.value, VALUE_STRING) && duration_parse(period.value->text, &nsec, NULL) == 0 &&
            (nsec < SECOND_NSEC || nsec > 300 * SECOND_NSEC))
                field_invalid(findings, &period, "must be between 1s and 300s, inclusive");
}

static void validate_names(struct pod_findings *findings, const struct field_path *root)
{
        static const char *const addresses[] = {"address", "healthzBindAddress"};
        static const char *const drivers[] = {"cgroupfs", "systemd"}, *const formats[] = {"text", "json"};
        struct field_path dns = field_child(root, "clusterDNS"), driver = field_child(root, "cgroupDriver");
        struct field_path logging = field_child(root, "logging"), format = field_child(&logging, "format");
        struct field_path domain = field_child(root, "clusterDomain");
        const char *name = value_string(driver.value, drivers[0]), *form = value_string(format.value, formats[0]);

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
                struct field_path path = field_child(root, addresses[i]);

                (void)field_check(findings, &path, meta_ip);
        }
        for (size_t i = 0; i < field_count(dns.value); i++) {
                struct field_path path = field_index(&dns, i);

                (void)field_check(findings, &path, meta_ip);
        }
        (void)field_check(findings, &domain, meta_dns1123_subdomain);
        if (!str_eq(name, drivers[0]) && !str_eq(name, drivers[1]))
                field_not_supported(findings, &driver, drivers, ARRAY_SIZE(drivers));
        if (!str_eq(form, formats[0]) && !str_eq(form, formats[1]))
                field_not_supported(findings, &format, formats, ARRAY_SIZE(formats));
}

static void validate_server(struct pod_findings *findings, const struct field_path *root)
{
        static const char *const modes[] = {KUBELET_ALWAYS_ALLOW, "Webhook"};
        static const char *const versions[] = {"VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"};
        struct field_path authorization = field_child(root, "authorization"),
                          mode = field_child(&authorization, "mode");
        struct field_path version = field_child(root, "tlsMinVersion"), cert = field_child(root, "tlsCertFile");
        struct field_path key = field_child(root, "tlsPrivateKeyFile");
        const char *name = value_string(mode.value, modes[0]), *least = value_string(version.value, versions[0]);
        bool known = false;

        if (*name && !str_eq(name, modes[0]) && !str_eq(name, modes[1]))
                field_not_supported(findings, &mode, modes, ARRAY_SIZE(modes));
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
                known = known || str_eq(least, versions[i]);
        if (*least && !known)
                field_not_supported(findings, &version, versions, ARRAY_SIZE(versions));
        if (str_empty(value_string(cert.value, NULL)) && !str_empty(value_string(key.value, NULL)))
                field_required(findings, &cert, "must be given together with tlsPrivateKeyFile");
        if (str_empty(value_string(key.value, NULL)) && !str_empty(value_string(cert.value, NULL)))
                field_required(findings, &key, "must be given together with tlsCertFile");
}

static void validate_paths(struct pod_findings *findings, const struct field_path *root, const char *const *names,
                           size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct field_path path = field_child(root, names[i]);
                const char *text = value_string(path.value, "/");

                if (*text && *text != '/')
                        field_invalid(findings, &path, "must be an absolute path");
        }
}

static void validate_reserved(struct pod_findings *findings, const struct field_path *root, const char *name)
{
        struct field_path reserved = field_child(root, name);

        for (size_t i = 0; value_is(reserved.value, VALUE_MAP) && i < reserved.value->map.count; i++) {
                const struct value_entry *entry = &reserved.value->map.entries[i];
                struct field_path path = field_key(&reserved, entry->key, entry->value);
                const char *text = value_string(entry->value, NULL);
                struct quantity q;
                int64_t pids;

                if (str_eq(entry->key, "pid") && text && (str_to_i64(text, &pids) < 0 || pids < 0))
                        field_invalid(findings, &path, "must be a number that is not negative");
                else if (str_eq(entry->key, "pid") || !text)
                        continue;
                else if (pod_names_find(&pod_resource_names, entry->key) < 0)
                        field_finding(findings, true, &path,
                                      "unknown resource: cpu, memory, ephemeral-storage and pid can be reserved");
                else if (quantity_parse(text, &q, NULL) < 0 || q.nano < 0)
                        field_invalid(findings, &path, "must be a quantity that is not negative");
        }
}

static void validate_eviction(struct pod_findings *findings, const struct field_path *root)
{
        struct field_path hard = field_child(root, "evictionHard");

        for (size_t i = 0; value_is(hard.value, VALUE_MAP) && i < hard.value->map.count; i++) {
                const struct value_entry *entry = &hard.value->map.entries[i];
                struct field_path path = field_key(&hard, entry->key, entry->value);
                struct kubelet_threshold threshold;
                const char *text = value_string(entry->value, NULL);
                bool known = false;

                for (size_t k = 0; k < kubelet_eviction_signal_count; k++)
                        known = known || str_eq(entry->key, kubelet_eviction_signals[k]);
                if (!known)
                        field_finding(findings, true, &path, "unknown signal");
                else if (text && kubelet_parse_threshold(text, &threshold) < 0)
                        field_invalid(findings, &path, "must be a quantity or a percentage, not negative");
        }
}

static void validate_taints(struct pod_findings *findings, const struct field_path *root)
{
        static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
        struct field_path taints = field_child(root, "registerWithTaints");

        for (size_t i = 0; i < field_count(taints.value); i++) {
                struct field_path taint = field_index(&taints, i), key = field_child(&taint, "key");
                struct field_path value = field_child(&taint, "value"), effect = field_child(&taint, "effect");
                const char *text = value_string(effect.value, "");

                if (!value_is(taint.value, VALUE_MAP))
                        continue;
                if (!key.value)
                        field_required(findings, &key, NULL);
                (void)field_check(findings, &key, meta_label_key);
                (void)field_check(findings, &value, meta_label_value);
                if (!str_eq(text, effects[0]) && !str_eq(text, effects[1]) && !str_eq(text, effects[2]))
                        field_not_supported(findings, &effect, effects, ARRAY_SIZE(effects));
        }
}

static void validate_shutdown(struct pod_findings *findings, const struct field_path *root)
{
        struct field_path all = field_child(root, "shutdownGracePeriod");
        struct field_path critical = field_child(root, "shutdownGracePeriodCriticalPods");
        int64_t all_nsec = 0, critical_nsec = 0;

        (void)duration_parse(value_string(all.value, "0s"), &all_nsec, NULL);
        (void)duration_parse(value_string(critical.value, "0s"), &critical_nsec, NULL);
        if (critical_nsec > all_nsec)
                field_invalid(findings, &critical, "must not be greater than shutdownGracePeriod");
}

/* As the kubelet does, with its defaults where a value is not there, or a time is zero. */
static void validate_images(struct pod_findings *findings, const struct field_path *root)
{
        struct field_path low = field_child(root, "imageGCLowThresholdPercent"),
                          high = field_child(root, "imageGCHighThresholdPercent");
        struct field_path least = field_child(root, "imageMinimumGCAge"), most = field_child(root, "imageMaximumGCAge");
        int64_t least_nsec = 0, most_nsec = 0;

        if (field_int(root->value, low.name, KUBELET_IMAGE_GC_LOW) >=
            field_int(root->value, high.name, KUBELET_IMAGE_GC_HIGH))
                field_invalid(findings, low.value ? &low : &high,
                              "imageGCLowThresholdPercent (default 80) must be less than imageGCHighThresholdPercent "
                              "(default 85)");
        (void)duration_parse(value_string(least.value, "0s"), &least_nsec, NULL);
        (void)duration_parse(value_string(most.value, "0s"), &most_nsec, NULL);
        if (least_nsec == 0)
                least_nsec = (int64_t)KUBELET_IMAGE_GC_AGE * 1000;
        if (most_nsec > 0 && most_nsec <= least_nsec)
                field_invalid(findings, &most, "must be greater than imageMinimumGCAge (default 2m)");
}

static void validate_flag_addresses(struct pod_findings *findings, const struct field_path *path)
{
        struct strv parts CLEANUP_STRV = STRV_INIT, msgs CLEANUP_STRV = STRV_INIT;

        if (!value_is(path->value, VALUE_STRING) || *path->value->text == '\0')
                return;
        strv_split(&parts, path->value->text, ',');
        for (size_t i = 0; i < parts.len; i++)
                (void)meta_ip(parts.items[i], &msgs);
        if (parts.len > 2)
                strv_add(&msgs, "must be one address, or one of each family");
        field_invalid_each(findings, path, &msgs);
}

static void validate_flag_labels(struct pod_findings *findings, const struct field_path *path)
{
        struct strv parts CLEANUP_STRV = STRV_INIT, msgs CLEANUP_STRV = STRV_INIT;

        if (!value_is(path->value, VALUE_STRING) || *path->value->text == '\0')
                return;
        strv_split(&parts, path->value->text, ',');
        for (size_t i = 0; i < parts.len; i++) {
                char *value = strchr(parts.items[i], '=');

                if (!value) {
                        strv_addf(&msgs, "\"%.200s\" is not of the form key=value", parts.items[i]);
                        continue;
                }
                *value++ = '\0';
                (void)meta_label_key(parts.items[i], &msgs);
                (void)meta_label_value(value, &msgs);
        }
        field_invalid_each(findings, path, &msgs);
}

static void validate_own(struct pod_findings *findings, const struct field_path *podwatch, const struct field_path *own)
{
        static const char *const paths[] = {"stateDirectory", "runDirectory"};
        static const char *const flag_paths[] = {"root-dir", "cert-dir"};
        struct field_path journal = field_child(podwatch, "journalSize");
        struct field_path revisions = field_child(podwatch, "revisionHistoryLimit");
        struct field_path removed = field_child(podwatch, "removedHistoryLimit");
        struct field_path docker = field_child(podwatch, "dockerEndpoint");
        struct field_path ip = field_child(own, "node-ip"), labels = field_child(own, "node-labels");
        struct quantity q;

        validate_paths(findings, podwatch, paths, ARRAY_SIZE(paths));
        validate_paths(findings, own, flag_paths, ARRAY_SIZE(flag_paths));
        if (value_is(journal.value, VALUE_STRING) && quantity_parse(journal.value->text, &q, NULL) == 0 &&
            (quantity_value(&q) < JOURNAL_MIN || quantity_value(&q) > JOURNAL_MAX))
                field_invalid(findings, &journal, "must be between 1Mi and 16Gi, inclusive");
        (void)field_check_range(findings, &revisions, 1, REVISIONS_MAX);
        (void)field_check_range(findings, &removed, 0, REMOVED_MAX);
        if (docker.value && !str_starts(value_string(docker.value, "unix:///"), "unix:///"))
                field_invalid(findings, &docker, "must be the path of a socket, as unix:///var/run/docker.sock");
        validate_flag_addresses(findings, &ip);
        validate_flag_labels(findings, &labels);
}

void kubelet_validate(const struct value *kubelet, const struct value *podwatch, const struct value *own,
                      struct pod_findings *findings)
{
        static const char *const paths[] = {"staticPodPath", "podLogsDir", "resolvConf", "tlsCertFile",
                                            "tlsPrivateKeyFile"};
        static const char *const ca[] = {"clientCAFile"};
        struct field_path root = field_root(kubelet), podwatch_root = field_root(podwatch), own_root = field_root(own);
        struct field_path authentication = field_child(&root, "authentication");
        struct field_path x509 = field_child(&authentication, "x509");

        validate_ranges(findings, &root);
        validate_durations(findings, &root);
        validate_names(findings, &root);
        validate_server(findings, &root);
        validate_paths(findings, &root, paths, ARRAY_SIZE(paths));
        validate_paths(findings, &x509, ca, ARRAY_SIZE(ca));
        validate_reserved(findings, &root, "kubeReserved");
        validate_reserved(findings, &root, "systemReserved");
        validate_eviction(findings, &root);
        validate_taints(findings, &root);
        validate_images(findings, &root);
        validate_shutdown(findings, &root);
        validate_own(findings, &podwatch_root, &own_root);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pod_test.h"

#include "base/file.h"
#include "base/strv.h"
#include "codec/json.h"
#include "codec/value.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_env.h"
#include "kube/kubelet_schema.h"

#define KUBELET "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
#define GI (1LL << 30)
#define PODWATCH "apiVersion: podwatch.io/v1alpha1\nkind: PodwatchConfiguration\n"

/* What `kubeadm init phase kubelet-start` of 1.36 writes. */
#define KUBEADM                                                                                                        \
        KUBELET "authentication:\n  anonymous:\n    enabled: false\n  webhook:\n    cacheTTL: 0s\n    enabled: true\n" \
                "  x509:\n    clientCAFile: /etc/kubernetes/pki/ca.crt\nauthorization:\n  mode: Webhook\n  webhook:\n" \
                "    cacheAuthorizedTTL: 0s\n    cacheUnauthorizedTTL: 0s\ncgroupDriver: systemd\nclusterDNS:\n"       \
                "- 10.96.0.10\nclusterDomain: cluster.local\ncontainerRuntimeEndpoint: \"\"\n"                         \
                "cpuManagerReconcilePeriod: 0s\ncrashLoopBackOff: {}\nevictionPressureTransitionPeriod: 0s\n"          \
                "fileCheckFrequency: 0s\nhealthzBindAddress: 127.0.0.1\nhealthzPort: 10248\nhttpCheckFrequency: 0s\n"  \
                "imageMaximumGCAge: 0s\nimageMinimumGCAge: 0s\nlogging:\n  flushFrequency: 0\n  options:\n"            \
                "    json:\n      infoBufferSize: \"0\"\n    text:\n      infoBufferSize: \"0\"\n  verbosity: 0\n"     \
                "memorySwap: {}\nnodeStatusReportFrequency: 0s\nnodeStatusUpdateFrequency: 0s\n"                       \
                "rotateCertificates: true\nruntimeRequestTimeout: 0s\nshutdownGracePeriod: 0s\n"                       \
                "shutdownGracePeriodCriticalPods: 0s\nstaticPodPath: /etc/kubernetes/manifests\n"                      \
                "streamingConnectionIdleTimeout: 0s\nsyncFrequency: 0s\nvolumeStatsAggPeriod: 0s\n"

/* Findings one a line, "=>" fatal and "~>" warnings; the result in ret. */
static int load(const char *text, const struct strv *flags, struct kubelet_config *ret, struct buf *found)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct err err = ERR_INIT;
        const struct kubelet_config_file file = {"c.yaml", text, text ? strlen(text) : 0};
        const struct kubelet_config_sources sources = {.files = &file, .file_count = text ? 1 : 0, .flags = flags};
        int r = kubelet_config_load(&sources, ret, &findings, &err);

        assert_int_equal(r < 0, err.code != 0);
        for (size_t i = 0; i < findings.count; i++)
                buf_addf(found, "%s %s\n", findings.items[i].fatal ? "=>" : "~>", findings.items[i].text);
        if (r < 0 && findings.count == 0)
                buf_addf(found, "=> %s\n", err.msg);
        return r;
}

static void check_defaults(const struct kubelet_config *c)
{
        assert_int_equal(c->file_check_frequency, 20 * USEC_PER_SEC);
        assert_string_equal(c->pod_logs_dir, "/var/log/pods");
        assert_string_equal(c->root_dir, "/var/lib/kubelet");
        assert_string_equal(c->healthz_bind_address, "127.0.0.1");
        assert_int_equal(c->healthz_port, 10248);
        assert_string_equal(c->address, "0.0.0.0");
        assert_int_equal(c->port, 10250);
        assert_int_equal(c->read_only_port, 0);
        assert_string_equal(c->resolv_conf, "/etc/resolv.conf");
        assert_int_equal(c->max_pods, 110);
        assert_int_equal(c->pod_pids_limit, -1);
        assert_int_equal(c->max_container_restart_period, 300 * USEC_PER_SEC);
        assert_true(c->register_node);
        assert_int_equal(c->node_status_update_frequency, 10 * USEC_PER_SEC);
        assert_int_equal(c->node_status_report_frequency, 300 * USEC_PER_SEC);
        assert_int_equal(c->node_lease_duration_seconds, 40);
        assert_int_equal(c->eviction_hard_count, 5);
        assert_string_equal(c->state_directory, "/var/lib/podwatch");
        assert_string_equal(c->run_directory, "/run/podwatch");
        assert_int_equal(c->journal_bytes, 64 << 20);
        assert_int_equal(c->revision_history_limit, 20);
        assert_int_equal(c->removed_history_limit, 100);
        assert_int_equal(c->revert_after, 0);
        assert_false(c->strict || c->log_json || c->each_removal_counts);
        assert_null(c->hostname_override);
        assert_null(c->kubeconfig);
        assert_null(c->sandbox_image);
        assert_null(c->docker_endpoint);
        assert_null(c->socket_group);
        assert_true(c->enable_server && c->enable_debugging_handlers && c->token_webhook);
        assert_false(c->anonymous_auth || c->always_allow || c->tls_1_3);
        assert_int_equal(c->token_ttl, 120 * USEC_PER_SEC);
        assert_int_equal(c->authorized_ttl, 300 * USEC_PER_SEC);
        assert_int_equal(c->unauthorized_ttl, 30 * USEC_PER_SEC);
        assert_string_equal(c->cert_dir, "/var/lib/kubelet/pki");
        assert_null(c->tls_cert_file);
}

static struct value *effective(const char *text)
{
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);
        struct err err = ERR_INIT;
        struct value *v = NULL;

        if (load(text, NULL, &c, &found) < 0)
                fail_msg("%s", buf_str(&found));
        if (json_load("configz", c.effective_json, strlen(c.effective_json), &v, &err) < 0)
                fail_msg("%s", err.msg);
        return v;
}

static const char *effective_text(const struct value *v, const char *first, const char *second, const char *third)
{
        return value_string(value_get(v, first, second, third, NULL), "?");
}

/* What was given, what is done where nothing was, and nothing secret. */
static void test_effective(void **state)
{
        struct value *v CLEANUP_VALUE = effective(KUBEADM);
        struct value *other CLEANUP_VALUE = effective(
                KUBELET "staticPodURLHeader: {Authorization: [Bearer secret]}\nevictionHard: {memory.available: "
                        "1Gi}\nfileCheckFrequency: 10s\npodCIDR: 10.1.0.0/24\nhairpinMode: none\n");

        (void)state;
        assert_string_equal(effective_text(v, "kind", NULL, NULL), "KubeletConfiguration");
        assert_string_equal(effective_text(v, "apiVersion", NULL, NULL), "kubelet.config.k8s.io/v1beta1");
        assert_string_equal(effective_text(v, "staticPodPath", NULL, NULL), "/etc/kubernetes/manifests");
        assert_string_equal(effective_text(v, "fileCheckFrequency", NULL, NULL), "20s");
        assert_string_equal(effective_text(v, "authentication", "x509", "clientCAFile"), "/etc/kubernetes/pki/ca.crt");
        assert_string_equal(effective_text(v, "authentication", "webhook", "cacheTTL"), "2m0s");
        assert_string_equal(effective_text(v, "authorization", "mode", NULL), "Webhook");
        assert_string_equal(effective_text(v, "authorization", "webhook", "cacheUnauthorizedTTL"), "30s");
        assert_string_equal(effective_text(v, "evictionHard", "memory.available", NULL), "100Mi");
        assert_string_equal(effective_text(v, "evictionHard", "nodefs.available", NULL), "10%");
        assert_string_equal(effective_text(v, "crashLoopBackOff", "maxContainerRestartPeriod", NULL), "5m0s");
        assert_string_equal(effective_text(other, "evictionHard", "memory.available", NULL), "1Gi");
        assert_null(value_get(other, "evictionHard", "nodefs.available", NULL));
        assert_string_equal(effective_text(other, "fileCheckFrequency", NULL, NULL), "10s");
        assert_string_equal(effective_text(other, "podCIDR", NULL, NULL), "10.1.0.0/24");
        assert_string_equal(value_get(other, "staticPodURLHeader", "Authorization", NULL)->list.items[0]->text,
                            "<masked>");
}

static void test_defaults(void **state)
{
        static const char *const texts[] = {NULL, "", "# nothing\n", KUBELET, PODWATCH, PODWATCH "---\n" KUBELET};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
                struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);

                if (load(texts[i], NULL, &c, &found) < 0 || found.len > 0)
                        fail_msg("%zu: %s", i, buf_str(&found));
                check_defaults(&c);
                assert_null(c.static_pod_path);
                assert_null(c.cgroup_driver);
        }
}

static void test_kubeadm(void **state)
{
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);

        (void)state;
        assert_int_equal(load(KUBEADM, NULL, &c, &found), 0);
        assert_string_equal(buf_str(&found), "");
        assert_true(c.rotate_certificates);
        check_defaults(&c);
        assert_string_equal(c.static_pod_path, "/etc/kubernetes/manifests");
        assert_string_equal(c.cgroup_driver, "systemd");
        assert_string_equal(c.cluster_domain, "cluster.local");
        assert_string_equal(c.cluster_dns.items[0], "10.96.0.10");
}

static void read_recorded(const char *name, struct buf *ret)
{
        char *path CLEANUP_FREE = xasprintf("%s/kubelet-start/%s", getenv("TEST_DATA"), name);
        struct err err = ERR_INIT;

        if (file_read(path, ret, &err) < 0)
                fail_msg("%s", err.msg);
}

/* The files of kubelet-start, which genphase writes byte for byte: podwatch runs with them. */
static void test_kubelet_start(void **state)
{
        struct buf text CLEANUP_BUF = BUF_INIT(1 << 16), env CLEANUP_BUF = BUF_INIT(1 << 16),
                        found CLEANUP_BUF = BUF_INIT(1 << 16);
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct kubelet_env flags CLEANUP_KUBELET_ENV = {0};
        struct err err = ERR_INIT;

        (void)state;
        read_recorded("config.yaml", &text);
        read_recorded("kubeadm-flags.env", &env);
        assert_int_equal(kubelet_env_read("env", buf_str(&env), env.len, &flags, &err), 0);
        assert_int_equal(load(buf_str(&text), &flags.words[KUBELET_ENV_KUBEADM_ARGS], &c, &found), 0);
        assert_null(strstr(buf_str(&found), "=>"));
        assert_string_equal(c.hostname_override, "node1");
        assert_string_equal(c.node_ip, "192.0.2.10");
        assert_string_equal(c.static_pod_path, "/etc/kubernetes/manifests");
}

static void test_all_used(void **state)
{
        static const char text[] =
                KUBELET "staticPodPath: /m\nfileCheckFrequency: 1500ms\npodLogsDir: /logs\nhealthzBindAddress: '::1'\n"
                        "healthzPort: 0\naddress: 10.0.0.1\nport: 10350\nreadOnlyPort: 10255\n"
                        "clusterDNS: [10.0.0.10, 'fd00::a']\nclusterDomain: x.y\nresolvConf: ''\nmaxPods: 250\n"
                        "podPidsLimit: 4096\ncgroupRoot: /pods\ncgroupDriver: cgroupfs\nproviderID: x://y\n"
                        "crashLoopBackOff: {maxContainerRestartPeriod: 1m}\nregisterNode: false\n"
                        "registerWithTaints: [{key: a, value: b, effect: NoSchedule}, {key: c/d, effect: NoExecute}]\n"
                        "nodeStatusUpdateFrequency: 5s\nnodeLeaseDurationSeconds: 20\n"
                        "kubeReserved: {cpu: 100m, memory: 1Gi, pid: '500'}\nsystemReserved: {memory: 512Mi}\n"
                        "evictionHard: {memory.available: 5%, nodefs.available: 1Gi}\n"
                        "logging: {format: json, verbosity: 4}\n"
                        "---\n" PODWATCH "strict: true\nstateDirectory: /s\nrunDirectory: /r\nsocketGroup: adm\n"
                        "dockerEndpoint: unix:///d.sock\nsandboxImage: pause:1\njournalSize: 1Gi\n"
                        "revisionHistoryLimit: 5\nrevertAfter: 2m\nremovedHistoryLimit: 0\neachRemovalCounts: true\n";
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);

        (void)state;
        if (load(text, NULL, &c, &found) < 0 || found.len > 0)
                fail_msg("%s", buf_str(&found));
        assert_string_equal(c.static_pod_path, "/m");
        assert_int_equal(c.revert_after, 120 * USEC_PER_SEC);
        assert_int_equal(c.removed_history_limit, 0);
        assert_true(c.each_removal_counts);
        assert_int_equal(c.file_check_frequency, 1500 * USEC_PER_MSEC);
        assert_string_equal(c.pod_logs_dir, "/logs");
        assert_string_equal(c.healthz_bind_address, "::1");
        assert_int_equal(c.healthz_port, 0);
        assert_string_equal(c.address, "10.0.0.1");
        assert_int_equal(c.port, 10350);
        assert_int_equal(c.read_only_port, 10255);
        assert_int_equal(c.cluster_dns.len, 2);
        assert_string_equal(c.cluster_domain, "x.y");
        assert_null(c.resolv_conf);
        assert_int_equal(c.max_pods, 250);
        assert_int_equal(c.pod_pids_limit, 4096);
        assert_string_equal(c.cgroup_root, "/pods");
        assert_string_equal(c.cgroup_driver, "cgroupfs");
        assert_string_equal(c.provider_id, "x://y");
        assert_int_equal(c.max_container_restart_period, 60 * USEC_PER_SEC);
        assert_false(c.register_node);
        assert_int_equal(c.register_with_taint_count, 2);
        assert_string_equal(c.register_with_taints[0].value, "b");
        assert_string_equal(c.register_with_taints[1].key, "c/d");
        assert_string_equal(c.register_with_taints[1].value, "");
        assert_string_equal(c.register_with_taints[1].effect, "NoExecute");
        assert_int_equal(c.node_status_update_frequency, 5 * USEC_PER_SEC);
        assert_int_equal(c.node_status_report_frequency, 5 * USEC_PER_SEC); /* follows the update frequency */
        assert_int_equal(c.node_lease_duration_seconds, 20);
        assert_int_equal(c.kube_reserved.pids, 500);
        assert_int_equal(quantity_milli(&c.kube_reserved.resources[POD_RESOURCE_CPU]), 100);
        assert_int_equal(c.eviction_hard_count, 2);
        assert_true(c.log_json);
        assert_int_equal(c.verbosity, 4);
        assert_true(c.strict);
        assert_string_equal(c.state_directory, "/s");
        assert_string_equal(c.run_directory, "/r");
        assert_string_equal(c.socket_group, "adm");
        assert_string_equal(c.docker_endpoint, "unix:///d.sock");
        assert_string_equal(c.sandbox_image, "pause:1");
        assert_int_equal(c.journal_bytes, 1 << 30);
        assert_int_equal(c.revision_history_limit, 5);

        /* less 1Gi, 512Mi, 1Gi */
        assert_int_equal(kubelet_config_allocatable(&c, POD_RESOURCE_MEMORY, 20 * GI), 17920LL << 20);
        assert_int_equal(kubelet_config_allocatable(&c, POD_RESOURCE_EPHEMERAL_STORAGE, 20 * GI), 19 * GI);
        assert_int_equal(kubelet_config_allocatable(&c, POD_RESOURCE_CPU, 2000), 1900);
        assert_int_equal(kubelet_config_allocatable(&c, POD_RESOURCE_CPU, 50), 0);

        /* What is kept back must be there. */
        struct err err = ERR_INIT;
        assert_int_equal(kubelet_config_check_reserved(&c, POD_RESOURCE_MEMORY, 20 * GI, &err), 0);
        assert_int_equal(kubelet_config_check_reserved(&c, POD_RESOURCE_CPU, 100, &err), 0);
        assert_int_equal(kubelet_config_check_reserved(&c, POD_RESOURCE_CPU, 99, &err), -ERR_INVALID);
        assert_string_equal(err.msg,
                            "kubeReserved.cpu (100) and systemReserved.cpu (0) are more than the node's cpu (99 "
                            "thousandths)");
        err_clear(&err);
        assert_int_equal(kubelet_config_check_reserved(&c, POD_RESOURCE_MEMORY, GI, &err), -ERR_INVALID);
        assert_non_null(strstr(err.msg, "more than the node's memory (1073741824 bytes)"));
}

/* Thresholds count as they are written: quantities beside percentages, parts of a per cent, any signal. */
static void test_thresholds(void **state)
{
        static const char text[] =
                KUBELET "evictionHard: {memory.available: 0.5%, nodefs.available: 10Gi, imagefs.available: 0%,"
                        " imagefs.inodesFree: 100%, nodefs.inodesFree: 5%, pid.available: '1000'}\n";
        static const struct {
                const char *signal;
                int64_t available, capacity;
                bool under;
        } rows[] = {
                {"memory.available", 999, 200000, true},
                {"memory.available", 1000, 200000, false},
                {"memory.available", 0, 0, false}, /* not known */
                {"nodefs.available", 10 * GI - 1, 1000 * GI, true},
                {"nodefs.available", 10 * GI, 1000 * GI, false},
                {"nodefs.available", 5 * GI, 5 * GI, true},
                {"nodefs.inodesFree", 49, 1000, true},
                {"nodefs.inodesFree", 50, 1000, false},
                {"pid.available", 999, 32768, true},
                {"pid.available", 1000, 32768, false},
                {"imagefs.available", 0, GI, false},
                {"imagefs.inodesFree", 0, 1000, false},
                {"containerfs.available", 0, GI, false},
        };
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);

        (void)state;
        assert_int_equal(load(text, NULL, &c, &found), 0);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (kubelet_config_under_threshold(&c, rows[i].signal, rows[i].available, rows[i].capacity) !=
                    rows[i].under)
                        fail_msg("row %zu: %s", i, rows[i].signal);
        assert_true(kubelet_config_has_threshold(&c, "pid.available"));
        assert_false(kubelet_config_has_threshold(&c, "imagefs.available"));
        assert_int_equal(kubelet_config_allocatable(&c, POD_RESOURCE_MEMORY, 200000), 199000);
        assert_int_equal(kubelet_config_allocatable(&c, POD_RESOURCE_EPHEMERAL_STORAGE, 5 * GI), 0);
}

static void test_findings(void **state)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                {KUBELET "staticPodPaths: /m\n",
                 "=> c.yaml:3:1: staticPodPaths: unknown field (did you mean \"staticPodPath\"?)\n"},
                {KUBELET "hairpinMode: none\nmaxOpenFiles: 5\nfeatureGates: {A: true}\n",
                 "~> c.yaml:3:14: hairpinMode: has no effect in podwatch\n"
                 "~> c.yaml:4:15: maxOpenFiles: has no effect in podwatch\n"
                 "~> c.yaml:5:15: featureGates: has no effect in podwatch\n"},
                {KUBELET "failSwapOn: false\ncgroupsPerQOS: true\n", ""},
                {KUBELET "authentication: {anonymous: {enabled: true}}\nenableServer: false\n", ""},
                {KUBELET "authorization: {mode: RBAC}\n",
                 "=> c.yaml:3:23: authorization.mode: Unsupported value: \"RBAC\": supported values: \"AlwaysAllow\", "
                 "\"Webhook\"\n"},
                {KUBELET "tlsMinVersion: VersionTLS14\n",
                 "=> c.yaml:3:16: tlsMinVersion: Unsupported value: \"VersionTLS14\": supported values: "
                 "\"VersionTLS10\", \"VersionTLS11\", \"VersionTLS12\", \"VersionTLS13\"\n"},
                {KUBELET "tlsCertFile: /a\n",
                 "=> c.yaml:1:1: tlsPrivateKeyFile: Required value: must be given together with "
                 "tlsCertFile\n"},
                {KUBELET "tlsCertFile: a\ntlsPrivateKeyFile: /b\n",
                 "=> c.yaml:3:14: tlsCertFile: Invalid value: \"a\": must be an absolute path\n"},
                {KUBELET "authentication: {x509: {clientCAFile: ca.crt}}\n",
                 "=> c.yaml:3:39: authentication.x509.clientCAFile: Invalid value: \"ca.crt\": must be an absolute "
                 "path\n"},
                {KUBELET "maxPods: -1\n", "=> c.yaml:3:10: maxPods: Invalid value: -1: must be between 0 and "
                                          "2147483647, inclusive\n"},
                {KUBELET "maxPods: many\n", "=> c.yaml:3:10: maxPods: Invalid value: \"many\": must be an integer, not "
                                            "a string\n"},
                {KUBELET "readOnlyPort: 65536\n",
                 "=> c.yaml:3:15: readOnlyPort: Invalid value: 65536: must be between 0 and 65535, inclusive\n"},
                {KUBELET "nodeLeaseDurationSeconds: -5\n",
                 "=> c.yaml:3:27: nodeLeaseDurationSeconds: Invalid value: -5: must be between 1 and 2147483647, "
                 "inclusive\n"},
                {KUBELET "fileCheckFrequency: 20\n",
                 "=> c.yaml:3:21: fileCheckFrequency: Invalid value: 20: must be a string, not a number (put it in "
                 "quotes)\n"},
                {KUBELET "fileCheckFrequency: -1s\n",
                 "=> c.yaml:3:21: fileCheckFrequency: Invalid value: \"-1s\": must not be negative\n"},
                {KUBELET "crashLoopBackOff: {maxContainerRestartPeriod: 301s}\n",
                 "=> c.yaml:3:47: crashLoopBackOff.maxContainerRestartPeriod: Invalid value: \"301s\": must be between "
                 "1s and 300s, inclusive\n"},
                {KUBELET "clusterDNS: [x]\n", "=> c.yaml:3:14: clusterDNS[0]: Invalid value: \"x\": must be a valid IP "
                                              "address, (e.g. 10.9.8.7 or 2001:db8::ffff)\n"},
                {KUBELET "cgroupDriver: cgroup\n", "=> c.yaml:3:15: cgroupDriver: Unsupported value: \"cgroup\": "
                                                   "supported values: \"cgroupfs\", \"systemd\"\n"},
                {KUBELET "logging: {format: xml}\n", "=> c.yaml:3:19: logging.format: Unsupported value: \"xml\": "
                                                     "supported values: \"text\", \"json\"\n"},
                {KUBELET "staticPodPath: manifests\n",
                 "=> c.yaml:3:16: staticPodPath: Invalid value: \"manifests\": must be an absolute path\n"},
                {KUBELET "kubeReserved: {gpu: '1', cpu: x, pid: '-1'}\n",
                 "=> c.yaml:3:21: kubeReserved[gpu]: unknown resource: cpu, memory, ephemeral-storage and pid can be "
                 "reserved\n=> c.yaml:3:31: kubeReserved[cpu]: Invalid value: \"x\": must be a quantity that is not "
                 "negative\n=> c.yaml:3:39: kubeReserved[pid]: Invalid value: \"-1\": must be a number that is not "
                 "negative\n"},
                {KUBELET "evictionHard: {memory.free: 1Gi, memory.available: 101%}\n",
                 "=> c.yaml:3:29: evictionHard[memory.free]: unknown signal\n"
                 "=> c.yaml:3:52: evictionHard[memory.available]: Invalid value: \"101%\": must be a quantity or a "
                 "percentage, not negative\n"},
                {KUBELET "registerWithTaints: [{key: a, effect: None}, {effect: NoSchedule}]\n",
                 "=> c.yaml:3:39: registerWithTaints[0].effect: Unsupported value: \"None\": supported values: "
                 "\"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"\n"
                 "=> c.yaml:3:46: registerWithTaints[1].key: Required value\n"},
                {KUBELET "shutdownGracePeriodCriticalPods: 5s\n",
                 "~> c.yaml:3:34: shutdownGracePeriodCriticalPods: has no effect in podwatch\n"
                 "=> c.yaml:3:34: shutdownGracePeriodCriticalPods: Invalid value: \"5s\": must not be greater than "
                 "shutdownGracePeriod\n"},
                {KUBELET "imageGCHighThresholdPercent: 70\n",
                 "=> c.yaml:3:30: imageGCHighThresholdPercent: Invalid value: 70: imageGCLowThresholdPercent (default "
                 "80) must be less than imageGCHighThresholdPercent (default 85)\n"},
                {KUBELET "imageGCHighThresholdPercent: 50\nimageGCLowThresholdPercent: 50\nimageMaximumGCAge: 2m\n",
                 "=> c.yaml:4:29: imageGCLowThresholdPercent: Invalid value: 50: imageGCLowThresholdPercent (default "
                 "80) must be less than imageGCHighThresholdPercent (default 85)\n"
                 "=> c.yaml:5:20: imageMaximumGCAge: Invalid value: \"2m\": must be greater than imageMinimumGCAge "
                 "(default 2m)\n"},
                {KUBELET "imageMinimumGCAge: 1h\nimageMaximumGCAge: 1h1s\n", ""},
                {PODWATCH "journalSize: 1k\nrevisionHistoryLimit: 0\nstateDirectory: x\ndockerEndpoint: tcp://x\n",
                 "=> c.yaml:5:17: stateDirectory: Invalid value: \"x\": must be an absolute path\n"
                 "=> c.yaml:3:14: journalSize: Invalid value: \"1k\": must be between 1Mi and 16Gi, inclusive\n"
                 "=> c.yaml:4:23: revisionHistoryLimit: Invalid value: 0: must be between 1 and 1000, inclusive\n"
                 "=> c.yaml:6:17: dockerEndpoint: Invalid value: \"tcp://x\": must be the path of a socket, as "
                 "unix:///var/run/docker.sock\n"},
                {PODWATCH "removedHistoryLimit: -1\n",
                 "=> c.yaml:3:22: removedHistoryLimit: Invalid value: -1: must be between 0 and 10000, inclusive\n"},
                {PODWATCH "stateDir: /x\n", "=> c.yaml:3:1: stateDir: unknown field\n"},
                {KUBELET "---\n" KUBELET, "=> c.yaml:5:7: kind: a second KubeletConfiguration; one may be there\n"},
                {"apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n",
                 "=> c.yaml:1:13: apiVersion: Unsupported value: \"kubelet.config.k8s.io/v1\": supported values: "
                 "\"kubelet.config.k8s.io/v1beta1\"\n"},
                {"apiVersion: v1\nkind: Pod\n", "=> c.yaml:2:7: kind: Unsupported value: \"Pod\": supported values: "
                                                "\"KubeletConfiguration\", \"PodwatchConfiguration\"\n"},
                {"a: b\n", "=> c.yaml:1:1: kind: Required value: must be KubeletConfiguration or "
                           "PodwatchConfiguration\n"},
                {"- a\n", "=> c.yaml:1:1: a configuration is a map, not a list\n"},
                {KUBELET "a: [\n", "=> c.yaml:4:1: did not find expected node content, while parsing a flow node\n"},
                {KUBELET "port: 1\nport: 2\n",
                 "=> c.yaml:4:1: duplicate key \"port\": it is already at line 3, column 1\n"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
                struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);
                int r = load(rows[i].text, NULL, &c, &found);

                if (!str_eq(buf_str(&found), rows[i].want))
                        fail_msg("%s\ngot:\n%s\nwanted:\n%s", rows[i].text, buf_str(&found), rows[i].want);
                assert_int_equal(r < 0, strstr(rows[i].want, "=>") != NULL);
                if (r < 0)
                        assert_null(c.state_directory);
        }
}

static void test_flags(void **state)
{
        static const char *const words[] = {
                "--hostname-override=Node-1",
                "--node-ip",
                "10.0.0.1,fd00::1",
                "--max-pods=5",
                "--register-node=false",
                "--v=3",
                "--cluster_dns=10.0.0.10,10.0.0.11",
                "--register-with-taints=a=b:NoSchedule,c:NoExecute",
                "--eviction-hard=memory.available<1Gi,nodefs.available<3%",
                "--kube-reserved=cpu=1,memory=2Gi",
                "--pod-infra-container-image=pause:2",
                "--root-dir=/k",
                "--kubeconfig",
                "/k/c",
                "--node-labels=a=b,c/d=",
                "--pod-manifest-path=/m",
                "--container-runtime-endpoint=unix:///x",
                "--cert-dir=/x",
                "--fail-swap-on=false",
                "--logging-format=json",
                "--bootstrap-kubeconfig=/b",
        };
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct strv flags CLEANUP_STRV = STRV_INIT;
        struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                strv_add(&flags, words[i]);
        if (load(KUBELET "maxPods: 7\nport: 10350\nlogging: {verbosity: 1}\n", &flags, &c, &found) < 0)
                fail_msg("%s", buf_str(&found));
        assert_string_equal(buf_str(&found),
                            "~> --bootstrap-kubeconfig: has no effect in podwatch\n"
                            "~> --container-runtime-endpoint: containerRuntimeEndpoint: has no effect in podwatch\n");
        assert_string_equal(c.hostname_override, "node-1");
        assert_string_equal(c.cert_dir, "/x");
        assert_string_equal(c.node_ip, "10.0.0.1,fd00::1");
        assert_int_equal(c.max_pods, 5); /* the flag, not the file */
        assert_int_equal(c.port, 10350);
        assert_false(c.register_node);
        assert_int_equal(c.verbosity, 3);
        assert_true(c.log_json);
        assert_string_equal(c.cluster_dns.items[1], "10.0.0.11");
        assert_string_equal(c.register_with_taints[0].value, "b");
        assert_string_equal(c.register_with_taints[1].key, "c");
        assert_int_equal(c.eviction_hard_count, 2);
        assert_string_equal(c.eviction_hard[1].signal, "nodefs.available");
        assert_int_equal(c.eviction_hard[1].milli_percent, 3000);
        assert_int_equal(quantity_value(&c.kube_reserved.resources[POD_RESOURCE_MEMORY]), (int64_t)2 << 30);
        assert_string_equal(c.sandbox_image, "pause:2");
        assert_string_equal(c.root_dir, "/k");
        assert_string_equal(c.kubeconfig, "/k/c");
        assert_int_equal(c.node_labels.len, 2);
        assert_string_equal(c.node_labels.items[1], "c/d=");
        assert_string_equal(c.static_pod_path, "/m");
}

static void test_bad_flags(void **state)
{
        static const struct {
                const char *word, *want;
        } rows[] = {
                {"--max-podz=5", "=> --max-podz: unknown flag (did you mean \"--max-pods\"?)\n"},
                {"--frobnicate", "=> --frobnicate: unknown flag\n"},
                {"word", "=> \"word\" is not a flag\n"},
                {"--", "=> \"--\" is not a flag\n"},
                {"", "=> \"\" is not a flag\n"},
                {"--max-pods", "=> --max-pods: needs a value\n"},
                {"--max-pods=x", "=> --max-pods: \"x\" is not an integer\n"},
                {"--max-pods=-5", "=> --max-pods: maxPods: Invalid value: -5: must be between 0 and 2147483647, "
                                  "inclusive\n"},
                {"--register-node=maybe", "=> --register-node: \"maybe\" is not true or false\n"},
                {"--kube-reserved=cpu", "=> --kube-reserved: \"cpu\" is not a list as name=value,name=value\n"},
                {"--eviction-hard=memory.available=5",
                 "=> --eviction-hard: \"memory.available=5\" is not a list as signal<value,signal<value\n"},
                {"--register-with-taints=a=b",
                 "=> --register-with-taints: registerWithTaints[0].effect: Unsupported value: \"\": supported values: "
                 "\"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"\n"},
                {"--node-ip=x",
                 "=> --node-ip: node-ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 "
                 "or 2001:db8::ffff)\n"},
                {"--node-labels=a", "=> --node-labels: node-labels: Invalid value: \"a\": \"a\" is not of the form "
                                    "key=value\n"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
                struct strv flags CLEANUP_STRV = STRV_INIT;
                struct buf found CLEANUP_BUF = BUF_INIT(1 << 16);

                strv_add(&flags, rows[i].word);
                assert_true(load(NULL, &flags, &c, &found) < 0);
                assert_string_equal(buf_str(&found), rows[i].want);
        }
}

/* A later file is merged over those before it: maps key by key, null takes away, all else is replaced. */
static void test_files(void **state)
{
        static const char first[] = KUBELET "maxPods: 5\nclusterDNS: [10.0.0.1, 10.0.0.2]\nclusterDomain: a.b\n"
                                            "authentication: {webhook: {cacheTTL: 1m}, x509: {clientCAFile: /ca}}\n"
                                            "evictionHard: {memory.available: 1Mi, nodefs.available: 1Gi}\n";
        static const char second[] =
                PODWATCH "strict: true\nsandboxImage: a\n---\n" KUBELET "clusterDNS: [10.0.0.3]\nclusterDomain: null\n"
                         "authentication: {x509: {clientCAFile: /other}}\n"
                         "evictionHard: {memory.available: 2Mi}\n";
        static const char third[] = PODWATCH "sandboxImage: b\n", bad[] = KUBELET "\n\nmaxPods: many\n";
        struct kubelet_config_file files[] = {{"1", first, sizeof(first) - 1},
                                              {"2", second, sizeof(second) - 1},
                                              {"3", third, sizeof(third) - 1},
                                              {"4", bad, sizeof(bad) - 1}};
        struct kubelet_config_sources sources = {.files = files, .file_count = 3};
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct err err = ERR_INIT;

        (void)state;
        if (kubelet_config_load(&sources, &c, &findings, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(findings.count, 0);
        assert_int_equal(c.max_pods, 5);
        assert_int_equal(c.cluster_dns.len, 1);
        assert_string_equal(c.cluster_dns.items[0], "10.0.0.3");
        assert_null(c.cluster_domain);
        assert_string_equal(c.client_ca_file, "/other");
        assert_int_equal(c.token_ttl, 60 * USEC_PER_SEC);
        assert_int_equal(c.eviction_hard_count, 2);
        assert_true(c.strict);
        assert_string_equal(c.sandbox_image, "b");
        kubelet_config_release(&c);
        sources.file_count = 4;
        assert_int_equal(kubelet_config_load(&sources, &c, &findings, &err), -ERR_INVALID);
        assert_true(str_starts(err.msg, "4:5:"));
}

/* The example that is installed: nothing in it is wrong or without effect, it changes no default of podwatch's own, and
 * each of these settings is in it. */
static void test_example(void **state)
{
        (void)state;
        char *path CLEANUP_FREE = file_join(getenv("PROJECT_ROOT"), "etc-kubernetes/podwatch.yaml");
        struct kubelet_config config CLEANUP_KUBELET_CONFIG = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(1 << 16), found CLEANUP_BUF = BUF_INIT(1 << 16);
        const struct schema *schema = &podwatch_configuration_schema;

        assert_int_equal(file_read(path, &text, NULL), 0);
        assert_int_equal(load(buf_str(&text), NULL, &config, &found), 0);
        assert_string_equal(buf_str(&found), "");
        check_defaults(&config);
        for (size_t i = 0; i < schema->count; i++) {
                char *line CLEANUP_FREE = xasprintf("\n%s: ", schema->fields[i].name);

                if (!strstr(buf_str(&text), line))
                        fail_msg("%s has no %s", path, schema->fields[i].name);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults), cmocka_unit_test(test_kubeadm),   cmocka_unit_test(test_kubelet_start),
                cmocka_unit_test(test_all_used), cmocka_unit_test(test_findings),  cmocka_unit_test(test_effective),
                cmocka_unit_test(test_flags),    cmocka_unit_test(test_bad_flags),

                cmocka_unit_test(test_example),  cmocka_unit_test(test_files),     cmocka_unit_test(test_thresholds),
        };

        return cmocka_run_group_tests_name("kube/kubelet_config", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Pods into the bodies that Docker gets, field by field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "codec/cjson_get.h"
#include "kube/pod.h"
#include "node/container_env.h"
#include "node/container_name.h"
#include "node/container_resources.h"
#include "node/container_spec.h"
#include "node/host.h"
#include "node/pod_apply.h"
#include "node/sandbox_spec.h"

#include "../pod_of_text.h"

static const struct host host = {
        .node_name = "n1",
        .node_ip = "10.0.0.1",
        .root_dir = "/var/lib/kubelet",
        .log_dir = "/var/log/pods",
        .links_dir = "/var/log/containers",
        .pause_image = "registry.k8s.io/pause:3.10",
        .cgroup_version = 1,
        .docker_api_minor = 41,
        .cgroups_per_qos = true,
        .cgroup_mount = "/sys/fs/cgroup",
        .cgroup_root = "/",
        .cpu_cfs_quota = true,
        .pod_pids_limit = -1,
        .memory_capacity = (int64_t)8 * 1024 * 1024 * 1024,
        .cpu_milli = 2000,
        .network_mode = "default",
        .cluster_domain = "cluster.local",
};

static struct pod *pod_of(const char *text)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1700000000 * USEC_PER_SEC};

        return test_pod(text, &source);
}

static cJSON *container_body(const struct host *h, const struct pod *pod, size_t index)
{
        static const struct spec_mount mounts[] = {
                {"/data", "/var/data", true, "rprivate"},
                {"/run", "/run/x", false, "rshared"},
        };
        const struct container_spec_input in = {
                .host = h,
                .pod = pod,
                .container = &pod->containers[index],
                .attempt = 3,
                .sandbox_id = "5a5a",
                .pod_ip = "172.17.0.2",
                .image_id = "sha256:1234",
                .image_user = "",
                .mounts = mounts,
                .mount_count = 2,
        };
        struct err err = ERR_INIT;
        char *body = NULL;

        if (container_spec(&in, &body, &err) < 0)
                fail_msg("%s", err.msg);
        cJSON *json = cJSON_Parse(body);
        assert_non_null(json);
        free(body);
        return json;
}

static cJSON *sandbox_body(const struct host *h, const struct pod *pod)
{
        struct err err = ERR_INIT;
        char *body = NULL;

        if (sandbox_spec(h, pod, 1, &body, &err) < 0)
                fail_msg("%s", err.msg);
        cJSON *json = cJSON_Parse(body);
        assert_non_null(json);
        free(body);
        return json;
}

static void assert_json(const cJSON *json, const char *expected)
{
        char *text = cJSON_PrintUnformatted(json);

        assert_string_equal(text ? text : "(none)", expected);
        cJSON_free(text);
}

#define HEAD "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  uid: u-1\n  labels: {app: w}\nspec:\n"

static void test_plain_container(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  containers:\n"
                                                  "  - name: c\n"
                                                  "    image: busybox:1\n"
                                                  "    command: [sh, -c]\n"
                                                  "    args: ['echo $(A) $(NO) $$(A)']\n"
                                                  "    workingDir: /w\n"
                                                  "    env:\n"
                                                  "    - {name: A, value: one}\n"
                                                  "    - {name: B, value: '$(A)-two'}\n");
        cJSON *body CLEANUP_CJSON = container_body(&host, pod, 0);
        const cJSON *config = cjson_get(body, "HostConfig", NULL);

        assert_string_equal(cjson_text(body, "Image", ""), "sha256:1234");
        assert_json(cjson_get(body, "Entrypoint", NULL), "[\"sh\",\"-c\"]");
        assert_json(cjson_get(body, "Cmd", NULL), "[\"echo one $(NO) $(A)\"]");
        assert_json(cjson_get(body, "Env", NULL), "[\"A=one\",\"B=one-two\"]");
        assert_string_equal(cjson_text(body, "WorkingDir", ""), "/w");
        assert_json(cjson_get(body, "Healthcheck", NULL), "{\"Test\":[\"NONE\"]}");
        assert_null(cjson_get(body, "User", NULL));
        assert_string_equal(cjson_text(config, "NetworkMode", ""), "container:5a5a");
        assert_string_equal(cjson_text(config, "IpcMode", ""), "container:5a5a");
        assert_null(cjson_get(config, "UTSMode", NULL));
        assert_null(cjson_get(config, "PidMode", NULL));
        assert_json(cjson_get(config, "RestartPolicy", NULL), "{\"Name\":\"no\"}");
        assert_json(cjson_get(config, "SecurityOpt", NULL), "[\"seccomp=unconfined\"]");
        assert_int_equal(cjson_int(config, "OomScoreAdj", 0), 1000);
        assert_int_equal(cjson_int(config, "CpuShares", 0), 2);
        assert_int_equal(cjson_int(config, "CpuQuota", -1), 0);
        assert_null(cjson_get(config, "Memory", NULL));
        assert_int_equal(cjson_int(config, "ShmSize", 0), 64 * 1024 * 1024);
        assert_string_equal(cjson_text(config, "CgroupParent", ""), "/kubepods/besteffort/podu-1");
        assert_json(cjson_get(config, "Mounts", NULL),
                    "[{\"Type\":\"bind\",\"Source\":\"/data\",\"Target\":\"/var/data\",\"ReadOnly\":true,"
                    "\"BindOptions\":{\"Propagation\":\"rprivate\"}},"
                    "{\"Type\":\"bind\",\"Source\":\"/run\",\"Target\":\"/run/x\","
                    "\"BindOptions\":{\"Propagation\":\"rshared\"}}]");
}

static void test_labels(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  terminationGracePeriodSeconds: 12\n"
                                                  "  containers:\n"
                                                  "  - name: c\n"
                                                  "    image: busybox:1\n"
                                                  "    ports: [{name: http, containerPort: 80, hostPort: 8080}]\n");
        struct pod_handler *pre_stop = &pod->containers[0].pre_stop;
        pre_stop->type = POD_HANDLER_EXEC;
        strv_add(&pre_stop->command, "a");
        strv_add(&pre_stop->command, "b");
        cJSON *body CLEANUP_CJSON = container_body(&host, pod, 0);
        const cJSON *labels = cjson_get(body, "Labels", NULL);
        char hash[9];

        pod_container_hash(&pod->containers[0], hash);
        assert_string_equal(cjson_text(labels, "io.kubernetes.pod.name", ""), "web-n1");
        assert_string_equal(cjson_text(labels, "io.kubernetes.pod.namespace", ""), "default");
        assert_string_equal(cjson_text(labels, "io.kubernetes.pod.uid", ""), "u-1");
        assert_string_equal(cjson_text(labels, "io.kubernetes.container.name", ""), "c");
        assert_string_equal(cjson_text(labels, "io.kubernetes.docker.type", ""), "container");
        assert_string_equal(cjson_text(labels, "io.kubernetes.sandbox.id", ""), "5a5a");
        assert_string_equal(cjson_text(labels, "io.kubernetes.container.logpath", ""),
                            "/var/log/pods/default_web-n1_u-1/c/3.log");
        assert_string_equal(cjson_text(labels, "annotation.io.kubernetes.container.hash", ""), hash);
        assert_string_equal(cjson_text(labels, "annotation.io.kubernetes.container.restartCount", ""), "3");
        assert_string_equal(cjson_text(labels, "annotation.io.kubernetes.container.terminationMessagePath", ""),
                            "/dev/termination-log");
        assert_string_equal(cjson_text(labels, "annotation.io.kubernetes.container.terminationMessagePolicy", ""),
                            "File");
        assert_string_equal(cjson_text(labels, "annotation.io.kubernetes.pod.terminationGracePeriod", ""), "12");
        assert_string_equal(cjson_text(labels, "annotation.io.kubernetes.container.ports", ""),
                            "[{\"name\":\"http\",\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"TCP\"}]");
        assert_string_equal(cjson_text(labels, "annotation.io.kubernetes.container.preStopHandler", ""),
                            "{\"exec\":{\"command\":[\"a\",\"b\"]}}");
        assert_string_equal(cjson_text(labels, POD_LABEL_SPEC_HASH, ""), pod->spec_hash);
        assert_null(cjson_get(labels, "app", NULL));
}

static void test_resources(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  containers:\n"
                                                  "  - name: c\n"
                                                  "    image: i\n"
                                                  "    resources:\n"
                                                  "      requests: {cpu: 250m, memory: 2Gi}\n"
                                                  "      limits: {cpu: '1.5', memory: 4Gi}\n");
        cJSON *body CLEANUP_CJSON = container_body(&host, pod, 0);
        const cJSON *config = cjson_get(body, "HostConfig", NULL);

        assert_int_equal(cjson_int(config, "CpuShares", 0), 256);
        assert_int_equal(cjson_int(config, "CpuPeriod", 0), 100000);
        assert_int_equal(cjson_int(config, "CpuQuota", 0), 150000);
        assert_int_equal(cjson_int(config, "Memory", 0), 4294967296);
        assert_int_equal(cjson_int(config, "MemorySwap", 0), 4294967296);
        /* A quarter of the node's memory is requested. */
        assert_int_equal(cjson_int(config, "OomScoreAdj", 0), 750);
        assert_string_equal(cjson_text(config, "CgroupParent", ""), "/kubepods/burstable/podu-1");
}

static void test_guaranteed(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  containers:\n"
                                                  "  - name: c\n"
                                                  "    image: i\n"
                                                  "    resources: {limits: {cpu: 1m, memory: 1Gi}}\n");
        struct host systemd = host, refusing = host;
        systemd.cgroup_systemd = true;
        refusing.refuses_oom_score = true;
        cJSON *body CLEANUP_CJSON = container_body(&host, pod, 0);
        cJSON *slice CLEANUP_CJSON = container_body(&systemd, pod, 0);
        cJSON *plain CLEANUP_CJSON = container_body(&refusing, pod, 0);

        assert_int_equal(cjson_int(cjson_get(body, "HostConfig", NULL), "OomScoreAdj", 0), -997);
        assert_int_equal(cjson_int(cjson_get(plain, "HostConfig", NULL), "OomScoreAdj", 1), 0);
        assert_int_equal(cjson_int(cjson_get(body, "HostConfig", NULL), "CpuQuota", 0), CPU_QUOTA_MIN_USEC);
        assert_string_equal(cjson_text(cjson_get(body, "HostConfig", NULL), "CgroupParent", ""), "/kubepods/podu-1");
        assert_string_equal(cjson_text(cjson_get(slice, "HostConfig", NULL), "CgroupParent", ""),
                            "kubepods-podu_1.slice");
}

static void test_security(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD =
                pod_of(HEAD "  hostNetwork: true\n"
                            "  hostPID: true\n"
                            "  securityContext: {runAsUser: 7, runAsGroup: 8,"
                            " seccompProfile: {type: RuntimeDefault}}\n"
                            "  containers:\n"
                            "  - name: c\n"
                            "    image: i\n"
                            "    securityContext:\n"
                            "      runAsUser: 70\n"
                            "      readOnlyRootFilesystem: true\n"
                            "      allowPrivilegeEscalation: false\n"
                            "      capabilities: {add: [NET_ADMIN], drop: [ALL]}\n"
                            "  - name: d\n"
                            "    image: i\n"
                            "    securityContext: {privileged: true, seccompProfile: {type: Unconfined}}\n");
        free(pod->security.supplemental_groups);
        pod->security.supplemental_groups = xcalloc(1, sizeof(int64_t));
        pod->security.supplemental_groups[0] = 5;
        pod->security.supplemental_group_count = 1;
        pod->security.has_fs_group = true;
        pod->security.fs_group = 9;
        cJSON *c CLEANUP_CJSON = container_body(&host, pod, 0);
        cJSON *d CLEANUP_CJSON = container_body(&host, pod, 1);
        const cJSON *config = cjson_get(c, "HostConfig", NULL);

        assert_string_equal(cjson_text(c, "User", ""), "70:8");
        assert_json(cjson_get(config, "GroupAdd", NULL), "[\"5\",\"9\"]");
        assert_json(cjson_get(config, "CapAdd", NULL), "[\"NET_ADMIN\"]");
        assert_json(cjson_get(config, "CapDrop", NULL), "[\"ALL\"]");
        assert_json(cjson_get(config, "SecurityOpt", NULL), "[\"no-new-privileges\"]");
        assert_true(cjson_bool(config, "ReadonlyRootfs"));
        assert_false(cjson_bool(config, "Privileged"));
        assert_string_equal(cjson_text(config, "PidMode", ""), "host");
        assert_string_equal(cjson_text(config, "UTSMode", ""), "host");
        assert_string_equal(cjson_text(config, "NetworkMode", ""), "container:5a5a");
        config = cjson_get(d, "HostConfig", NULL);
        assert_string_equal(cjson_text(d, "User", ""), "7:8");
        assert_true(cjson_bool(config, "Privileged"));
        assert_json(cjson_get(config, "SecurityOpt", NULL), "[\"seccomp=unconfined\"]");
}

static void test_non_root(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  containers:\n"
                                                  "  - name: c\n"
                                                  "    image: i\n"
                                                  "    securityContext: {runAsNonRoot: true}\n");
        struct container_spec_input in = {.host = &host,
                                          .pod = pod,
                                          .container = &pod->containers[0],
                                          .sandbox_id = "s",
                                          .pod_ip = "",
                                          .image_id = "x"};
        struct err err = ERR_INIT;
        char *body = NULL;

        in.image_user = "";
        assert_true(container_spec(&in, &body, &err) < 0);
        in.image_user = "nobody";
        assert_true(container_spec(&in, &body, &err) < 0);
        assert_non_null(strstr(err.msg, "nobody"));
        in.image_user = "0:5";
        assert_true(container_spec(&in, &body, &err) < 0);
        in.image_user = "65534:65534";
        assert_int_equal(container_spec(&in, &body, &err), 0);
        free(body);
}

static void test_read_only_since_api_1_44(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  containers: [{name: c, image: i}]\n");
        struct host newer = host;
        newer.docker_api_minor = 44;
        cJSON *body CLEANUP_CJSON = container_body(&newer, pod, 0);
        const cJSON *mounts = cjson_get(body, "HostConfig", "Mounts", NULL);

        assert_true(cjson_bool(cjson_get(cJSON_GetArrayItem(mounts, 0), "BindOptions", NULL), "ReadOnlyNonRecursive"));
        assert_false(cjson_bool(cjson_get(cJSON_GetArrayItem(mounts, 1), "BindOptions", NULL), "ReadOnlyNonRecursive"));
}

static void test_sandbox(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  containers:\n"
                                                  "  - name: c\n"
                                                  "    image: i\n"
                                                  "    ports:\n"
                                                  "    - {containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}\n"
                                                  "    - {containerPort: 53, hostPort: 53, protocol: UDP}\n"
                                                  "    - {containerPort: 90}\n");
        cJSON *body CLEANUP_CJSON = sandbox_body(&host, pod);
        const cJSON *config = cjson_get(body, "HostConfig", NULL), *labels = cjson_get(body, "Labels", NULL);

        assert_string_equal(cjson_text(body, "Image", ""), "registry.k8s.io/pause:3.10");
        assert_string_equal(cjson_text(body, "Hostname", ""), "web-n1");
        assert_string_equal(cjson_text(config, "NetworkMode", ""), "default");
        assert_string_equal(cjson_text(config, "IpcMode", ""), "shareable");
        assert_int_equal(cjson_int(config, "CpuShares", 0), 2);
        assert_int_equal(cjson_int(config, "OomScoreAdj", 0), -998);
        assert_json(cjson_get(body, "ExposedPorts", NULL), "{\"80/tcp\":{},\"53/udp\":{}}");
        assert_json(cjson_get(config, "PortBindings", NULL),
                    "{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}],"
                    "\"53/udp\":[{\"HostIp\":\"\",\"HostPort\":\"53\"}]}");
        assert_string_equal(cjson_text(labels, "io.kubernetes.container.name", ""), "POD");
        assert_string_equal(cjson_text(labels, "io.kubernetes.docker.type", ""), "podsandbox");
        assert_string_equal(cjson_text(labels, "app", ""), "w");
        assert_string_equal(cjson_text(labels, "annotation.kubernetes.io/config.hash", ""), "u-1");
        assert_string_equal(cjson_text(labels, "annotation.kubernetes.io/config.source", ""), "file");
}

static void test_sandbox_on_host_network(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  hostNetwork: true\n"
                                                  "  hostIPC: true\n"
                                                  "  containers:\n"
                                                  "  - {name: c, image: i, ports: [{containerPort: 80}]}\n");
        cJSON *body CLEANUP_CJSON = sandbox_body(&host, pod);
        const cJSON *config = cjson_get(body, "HostConfig", NULL);

        assert_null(cjson_get(body, "Hostname", NULL));
        assert_null(cjson_get(body, "ExposedPorts", NULL));
        assert_null(cjson_get(config, "PortBindings", NULL));
        assert_string_equal(cjson_text(config, "NetworkMode", ""), "host");
        assert_string_equal(cjson_text(config, "IpcMode", ""), "host");
}

static void test_labels_of_pod_do_not_hide_ours(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n"
                                             "  labels: {io.kubernetes.pod.name: other}\n"
                                             "spec:\n  containers: [{name: c, image: i}]\n");
        cJSON *body CLEANUP_CJSON = sandbox_body(&host, pod);

        assert_string_equal(cjson_text(cjson_get(body, "Labels", NULL), "io.kubernetes.pod.name", ""), "web-n1");
}

static void test_env_of_fields(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD =
                pod_of("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  uid: u-1\n"
                       "  labels: {app: w}\n  annotations: {note: text}\n"
                       "spec:\n  containers:\n  - name: c\n    image: i\n"
                       "    resources: {limits: {cpu: 1500m, memory: 1Gi}}\n"
                       "    env:\n"
                       "    - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n"
                       "    - {name: UID_, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}\n"
                       "    - {name: APP, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}}\n"
                       "    - {name: NOTE, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['note']\"}}}\n"
                       "    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}\n"
                       "    - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}\n"
                       "    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"
                       "    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}\n"
                       "    - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}\n"
                       "    - {name: NAME, value: again}\n");
        cJSON *body CLEANUP_CJSON = container_body(&host, pod, 0);

        assert_json(cjson_get(body, "Env", NULL),
                    "[\"NAME=again\",\"UID_=u-1\",\"APP=w\",\"NOTE=text\",\"NODE=n1\",\"HOST=10.0.0.1\","
                    "\"IP=172.17.0.2\",\"CPU=2\",\"MEM=1024\"]");
        assert_true(container_env_needs_pod_ip(&pod->containers[0]));
}

static void test_names(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(HEAD "  containers: [{name: c, image: i}]\n");
        char *name CLEANUP_FREE = container_name(pod, "c", 4);
        char *link CLEANUP_FREE = container_log_link("/l", pod, "c", "abc");
        struct container_name_parts parts;

        assert_string_equal(name, "k8s_c_web-n1_default_u-1_4");
        assert_string_equal(link, "/l/web-n1_default_c-abc.log");
        assert_true(container_name_parse("k8s_POD_web-n1_default_u-1_12", &parts));
        assert_string_equal(parts.container, "POD");
        assert_string_equal(parts.pod, "web-n1");
        assert_int_equal(parts.attempt, 12);
        container_name_release(&parts);
        assert_false(container_name_parse("k8s_c_web_default_u", &parts));
        assert_false(container_name_parse("k8s_c_web_default_u_x", &parts));
        assert_false(container_name_parse("redis", &parts));
}

static void test_pod_cgroup(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD =
                pod_of(HEAD "  initContainers:\n"
                            "  - {name: i, image: i, resources: {limits: {cpu: 2, memory: 1Gi}}}\n"
                            "  containers:\n"
                            "  - {name: a, image: i, resources: {limits: {cpu: 500m, memory: 1Gi}}}\n"
                            "  - {name: b, image: i, resources: {limits: {cpu: 250m, memory: 2Gi}}}\n");
        struct pod_cgroup_limits limits;

        pod_cgroup_limits(&host, pod, &limits);
        /* The init container needs more CPU than the others together, and less memory. */
        assert_int_equal(limits.cpu_shares, 2048);
        assert_int_equal(limits.cpu_quota_usec, 200000);
        assert_int_equal(limits.memory_bytes, (int64_t)3 * 1024 * 1024 * 1024);
        assert_int_equal(limits.pids, -1);
        assert_int_equal(cpu_weight_from_shares(2), 1);
        assert_int_equal(cpu_weight_from_shares(1024), 39);
        assert_int_equal(cpu_weight_from_shares(CPU_SHARES_MAX), 10000);
}

static void test_extremes(void **state)
{
        (void)state;
        assert_int_equal(cpu_shares_from_milli(0), 2);
        assert_int_equal(cpu_shares_from_milli(1), 2);
        assert_int_equal(cpu_shares_from_milli(INT64_MAX), CPU_SHARES_MAX);
        assert_int_equal(cpu_quota_from_milli(0), 0);
        assert_int_equal(cpu_quota_from_milli(INT64_MAX), INT64_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain_container),
                cmocka_unit_test(test_labels),
                cmocka_unit_test(test_resources),
                cmocka_unit_test(test_guaranteed),
                cmocka_unit_test(test_security),
                cmocka_unit_test(test_non_root),
                cmocka_unit_test(test_read_only_since_api_1_44),
                cmocka_unit_test(test_sandbox),
                cmocka_unit_test(test_sandbox_on_host_network),
                cmocka_unit_test(test_labels_of_pod_do_not_hide_ours),
                cmocka_unit_test(test_env_of_fields),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_pod_cgroup),
                cmocka_unit_test(test_extremes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

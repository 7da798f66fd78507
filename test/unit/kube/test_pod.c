/* SPDX-License-Identifier: Apache-2.0
 *
 * The typed fields of a pod, and the questions that can be asked of it.
 */
#include "pod_test.h"

#include "codec/json.h"
#include "codec/value.h"

/* The second manifest of the recordings has every field that is used. */
static struct pod *full_pod(void)
{
        struct buf data CLEANUP_BUF = BUF_INIT(1 << 22);
        struct value *v CLEANUP_VALUE = NULL;
        struct err err = ERR_INIT;
        const char *line;

        test_read("pods/defaults.jsonl", &data);
        line = strchr(buf_str(&data), '\n') + 1;
        if (json_load("defaults.jsonl", line, strcspn(line, "\n"), &v, &err) < 0)
                fail_msg("%s", err.msg);
        return test_pod(value_string(value_get(v, "manifest", NULL), ""), &test_source);
}

static void test_pod_fields(void **state)
{
        struct pod *pod CLEANUP_POD = full_pod();

        (void)state;
        assert_string_equal(pod->name, "full-node");
        assert_string_equal(pod->namespace, "kube-system");
        assert_string_equal(pod_map_get(&pod->labels, "tier"), "control-plane");
        assert_string_equal(pod_map_get(&pod->labels, "empty"), "");
        assert_null(pod_map_get(&pod->labels, "none"));
        assert_int_equal(pod->restart_policy, POD_RESTART_ON_FAILURE);
        assert_int_equal(pod->termination_grace_seconds, 0);
        assert_int_equal(pod->active_deadline_seconds, 0);
        assert_true(pod->host_network);
        assert_false(pod->host_pid || pod->host_ipc || pod->share_process_namespace);
        assert_int_equal(pod->dns_policy, POD_DNS_NONE);
        assert_string_equal(pod->dns_nameservers.items[0], "1.1.1.1");
        assert_string_equal(pod->dns_searches.items[0], "a.b");
        assert_int_equal(pod->dns_options.count, 2);
        assert_string_equal(pod->dns_options.items[0].key, "ndots");
        assert_string_equal(pod->dns_options.items[0].value, "5");
        assert_string_equal(pod->dns_options.items[1].value, "");
        assert_int_equal(pod->host_alias_count, 1);
        assert_string_equal(pod->host_aliases[0].ip, "127.0.0.1");
        assert_string_equal(pod->host_aliases[0].hostnames.items[1], "b");
        assert_string_equal(pod->hostname, "full");
        assert_null(pod->subdomain);
        assert_true(pod->enable_service_links);
        assert_true(pod->has_priority);
        assert_int_equal(pod->priority, 2000001000);
        assert_string_equal(pod->priority_class_name, "system-node-critical");
        assert_null(pod->service_account_name);
        assert_int_equal(pod->qos, POD_QOS_BURSTABLE);
}

static void test_volumes(void **state)
{
        struct pod *pod CLEANUP_POD = full_pod();
        const struct pod_volume *v = pod->volumes;

        (void)state;
        assert_int_equal(pod->volume_count, 4);
        assert_string_equal(v[0].name, "host");
        assert_int_equal(v[0].type, POD_VOLUME_HOST_PATH);
        assert_string_equal(v[0].host_path, "/srv");
        assert_int_equal(v[0].host_path_type, POD_HOST_PATH_DIRECTORY_OR_CREATE);
        assert_int_equal(v[1].host_path_type, POD_HOST_PATH_UNSET);
        assert_int_equal(v[2].type, POD_VOLUME_EMPTY_DIR);
        assert_true(v[2].memory);
        assert_true(v[2].has_size_limit);
        assert_int_equal(quantity_value(&v[2].size_limit), 1 << 30);
        assert_int_equal(v[3].type, POD_VOLUME_EMPTY_DIR);
        assert_false(v[3].memory || v[3].has_size_limit);
}

static void test_containers(void **state)
{
        struct pod *pod CLEANUP_POD = full_pod();
        const struct pod_container *c = pod->containers;

        (void)state;
        assert_int_equal(pod->container_count, 3);
        assert_int_equal(pod->init_count, 2);
        assert_true(c[0].init && !c[0].sidecar);
        assert_true(c[1].init && c[1].sidecar);
        assert_false(c[2].init || c[2].sidecar);
        assert_ptr_equal(pod_find_container(pod, "app"), &c[2]);
        assert_null(pod_find_container(pod, "App"));
        assert_string_equal(c[0].command.items[2], "true");
        assert_int_equal(c[0].pull_policy, POD_PULL_IF_NOT_PRESENT);
        assert_int_equal(c[1].pull_policy, POD_PULL_IF_NOT_PRESENT);
        assert_int_equal(c[2].pull_policy, POD_PULL_NEVER);
        assert_string_equal(c[2].working_dir, "/srv");
        assert_null(c[0].working_dir);
        assert_true(c[2].stdin && c[2].tty && !c[2].stdin_once);
        assert_true(c[2].termination_message_fallback);
        assert_string_equal(c[2].termination_message_path, "/dev/termination-log");
        assert_true(c[2].resources.has_limit[POD_RESOURCE_CPU]);
        assert_int_equal(quantity_milli(&c[2].resources.limit[POD_RESOURCE_CPU]), 500);
        assert_int_equal(quantity_milli(&c[2].resources.request[POD_RESOURCE_CPU]), 100);
        assert_int_equal(quantity_value(&c[2].resources.request[POD_RESOURCE_MEMORY]), 512 << 20);
        assert_true(c[0].resources.has_request[POD_RESOURCE_MEMORY]); /* from the limit */
        assert_false(c[0].resources.has_request[POD_RESOURCE_CPU]);
        assert_int_equal(c[2].mounts[0].propagation, POD_PROPAGATION_BIDIRECTIONAL);
        assert_false(c[2].mounts[0].read_only);
        assert_true(c[2].mounts[1].read_only);
        assert_int_equal(c[2].port_count, 2);
        assert_int_equal(c[2].ports[0].host_port, 80); /* host network */
        assert_int_equal(c[2].ports[1].protocol, POD_PROTOCOL_UDP);
        assert_string_equal(c[2].ports[1].host_ip, "127.0.0.1");
        assert_null(c[2].ports[0].host_ip);
}

static void test_env(void **state)
{
        struct pod *pod CLEANUP_POD = full_pod();
        const struct pod_env *env = pod_find_container(pod, "app")->env;

        (void)state;
        assert_int_equal(pod_find_container(pod, "app")->env_count, 5);
        assert_string_equal(env[0].field_path, "spec.nodeName");
        assert_null(env[0].value);
        assert_string_equal(env[1].field_path, "metadata.labels['tier']");
        assert_string_equal(env[2].resource, "limits.memory");
        assert_int_equal(quantity_value(&env[2].divisor), 1 << 20);
        assert_null(env[2].resource_container);
        assert_string_equal(env[3].resource_container, "app");
        assert_true(env[3].divisor.nano == 0);
        assert_string_equal(env[4].value, "");
}

static void test_probes(void **state)
{
        struct pod *pod CLEANUP_POD = full_pod();
        const struct pod_container *app = pod_find_container(pod, "app"), *side = pod_find_container(pod, "sidecar");
        const struct pod_probe *live = &app->probes[POD_PROBE_LIVENESS], *ready = &app->probes[POD_PROBE_READINESS];
        const struct pod_probe *startup = &side->probes[POD_PROBE_STARTUP];

        (void)state;
        assert_int_equal(live->handler.type, POD_HANDLER_HTTP_GET);
        assert_true(live->handler.https);
        assert_string_equal(live->handler.host, "127.0.0.1");
        assert_string_equal(live->handler.path, "/livez");
        assert_string_equal(live->handler.port_name, "http");
        assert_int_equal(pod_handler_port(app, &live->handler), 80);
        assert_int_equal(pod_handler_port(side, &live->handler), 0); /* no such port there */
        assert_int_equal(live->handler.headers.count, 2);
        assert_string_equal(live->handler.headers.items[0].key, "X-A");
        assert_string_equal(live->handler.headers.items[1].value, "");
        assert_int_equal(live->termination_grace_seconds, 5);
        assert_int_equal(live->failure_threshold, 3);
        assert_int_equal(ready->handler.type, POD_HANDLER_TCP_SOCKET);
        assert_int_equal(pod_handler_port(app, &ready->handler), 80);
        assert_int_equal(ready->success_threshold, 2);
        assert_int_equal(ready->period_seconds, 10);
        assert_int_equal(ready->timeout_seconds, 1);
        assert_int_equal(ready->termination_grace_seconds, -1);
        assert_int_equal(startup->handler.type, POD_HANDLER_EXEC);
        assert_int_equal(startup->failure_threshold, 30);
        assert_int_equal(app->probes[POD_PROBE_STARTUP].handler.type, POD_HANDLER_NONE);
        assert_int_equal(app->pre_stop.type, POD_HANDLER_NONE);
        assert_string_equal(pod_probe_kind_name(POD_PROBE_LIVENESS), "Liveness");
}

static void test_security(void **state)
{
        struct pod *pod CLEANUP_POD = test_pod("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
                                               "  securityContext: {runAsUser: 5, runAsGroup: 6, runAsNonRoot: true,\n"
                                               "    seccompProfile: {type: RuntimeDefault}}\n"
                                               "  containers:\n"
                                               "  - {name: a, image: b}\n"
                                               "  - name: c\n"
                                               "    image: b\n"
                                               "    securityContext: {runAsUser: 7, runAsNonRoot: false,\n"
                                               "      allowPrivilegeEscalation: false, readOnlyRootFilesystem: true,\n"
                                               "      capabilities: {add: [A], drop: [B, C]},\n"
                                               "      seccompProfile: {type: Unconfined}}\n",
                                               &test_source);
        struct pod_security a = pod_container_security(pod, &pod->containers[0]);
        struct pod_security c = pod_container_security(pod, &pod->containers[1]);

        (void)state;
        assert_true(a.has_run_as_user && a.has_run_as_group && a.has_run_as_non_root && a.run_as_non_root);
        assert_int_equal(a.run_as_user, 5);
        assert_int_equal(a.run_as_group, 6);
        assert_int_equal(a.seccomp, POD_SECCOMP_RUNTIME_DEFAULT);
        assert_false(a.has_allow_privilege_escalation || a.privileged || a.read_only_root_filesystem);
        assert_int_equal(c.run_as_user, 7);
        assert_int_equal(c.run_as_group, 6);
        assert_true(c.has_run_as_non_root && !c.run_as_non_root);
        assert_int_equal(c.seccomp, POD_SECCOMP_UNCONFINED);
        assert_true(c.has_allow_privilege_escalation && !c.allow_privilege_escalation);
        assert_true(c.read_only_root_filesystem);
        assert_string_equal(c.cap_add.items[0], "A");
        assert_int_equal(c.cap_drop.len, 2);
        assert_int_equal(pod->qos, POD_QOS_BEST_EFFORT);
}

static void test_stored(void **state)
{
        static const char *const broken[] = {
                "",
                "[]",
                "{}",
                "null",
                "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}",
                "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":5}}",
        };
        /* Another program wrote it: no annotations. */
        static const char bare[] =
                "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"b\","
                "\"uid\":\"u\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"d\"}]}}";
        struct pod *pod CLEANUP_POD = full_pod(), *again = NULL;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(pod_from_json(bare, strlen(bare), &again, &err), 0);
        assert_string_equal(again->uid, "u");
        again = pod_unref(again);
        for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
                assert_true(pod_from_json(broken[i], strlen(broken[i]), &again, &err) < 0);
                assert_null(again);
        }
        for (size_t len = 0; len < pod->json_len; len += 97)
                assert_true(pod_from_json(pod->json, len, &again, &err) < 0);
        assert_int_equal(pod_from_json(pod->json, pod->json_len, &again, &err), 0);
        assert_string_equal(again->containers[2].name, "app");
        assert_null(pod_unref(again));
        assert_null(pod_unref(NULL));
}

/* Rules come down to a set of exit codes; the policy of a container stands before the pod's. */
static void test_restarts(void **state)
{
        static const struct {
                const char *container;
                int code;
                bool restarts;
        } rows[] = {
                {"pods", 0, false},  {"pods", 255, true},  {"never", 7, false}, {"in", 0, false},
                {"in", 42, true},    {"in", 255, true},    {"in", 43, false},   {"in", 256, false},
                {"not-in", 0, true}, {"not-in", 1, false}, {"not-in", 2, true}, {"two", 0, true},
                {"two", 1, true},    {"two", 3, false},    {"always", 0, true},
        };
        static const char manifest[] =
                "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  restartPolicy: OnFailure\n  containers:\n"
                "  - {name: pods, image: b}\n"
                "  - {name: always, image: b, restartPolicy: Always}\n"
                "  - {name: never, image: b, restartPolicy: Never}\n"
                "  - name: in\n    image: b\n    restartPolicy: Never\n    restartPolicyRules:\n"
                "    - {action: Restart, exitCodes: {operator: In, values: [42, 255, 300]}}\n"
                "  - name: not-in\n    image: b\n    restartPolicy: Never\n    restartPolicyRules:\n"
                "    - {action: Restart, exitCodes: {operator: NotIn, values: [1]}}\n"
                "  - name: two\n    image: b\n    restartPolicy: Never\n    restartPolicyRules:\n"
                "    - {action: Restart, exitCodes: {operator: In, values: [1]}}\n"
                "    - {action: Restart, exitCodes: {operator: In, values: [0]}}\n";
        struct pod *pod CLEANUP_POD = test_pod(manifest, &test_source);

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(pod_container_restarts(pod, pod_find_container(pod, rows[i].container), rows[i].code),
                                 rows[i].restarts);
        assert_false(pod_container_may_restart(pod, pod_find_container(pod, "never")));
        assert_true(pod_container_may_restart(pod, pod_find_container(pod, "in")));
        assert_true(pod_container_may_restart(pod, pod_find_container(pod, "pods")));
}

static void test_references(void **state)
{
        struct pod *pod = full_pod(), *same = pod_ref(pod);

        (void)state;
        assert_ptr_equal(pod, same);
        assert_int_equal(pod->refs, 2);
        assert_null(pod_unref(pod));
        assert_string_equal(same->name, "full-node");
        assert_null(pod_unref(same));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pod_fields), cmocka_unit_test(test_volumes),    cmocka_unit_test(test_containers),
                cmocka_unit_test(test_env),        cmocka_unit_test(test_probes),     cmocka_unit_test(test_security),
                cmocka_unit_test(test_stored),     cmocka_unit_test(test_references), cmocka_unit_test(test_restarts),
        };

        return cmocka_run_group_tests_name("kube/pod", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a pod waits for on a node: room, sysctls, AppArmor; in the kubelet's words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "node/admission.h"

#include "../pod_of_text.h"

/* spec: flow YAML of the spec. */
static struct pod *pod_of(const char *spec)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: %s\n", spec);

        return test_pod(text, &source);
}

#define REQUESTS \
        "{name: a, image: b, resources: {requests: {cpu: 500m, memory: 10Mi}, limits: {ephemeral-storage: 1Gi}}}"

static void room(void **state)
{
        static const struct {
                const char *spec;
                struct admission_sum used, limit;
                const char *want; /* "" where it fits */
        } rows[] = {
                {"{containers: [" REQUESTS "]}", {{500}, 1}, {{1000, 10 << 20, 1 << 30}, 2}, ""},
                {"{containers: [" REQUESTS "]}",
                 {{501}, 1},
                 {{1000, 10 << 20, 1 << 30}, 2},
                 "OutOfcpu: Node didn't have enough resource: cpu, requested: 500, used: 501, capacity: 1000"},
                {"{containers: [" REQUESTS "]}",
                 {{0, 1}, 1},
                 {{1000, 10 << 20, 0}, 2},
                 "OutOfmemory: Node didn't have enough resource: memory, requested: 10485760, used: 1, capacity: "
                 "10485760"},
                {"{containers: [" REQUESTS "]}",
                 {{0}, 0},
                 {{1000, 10 << 20, 1 << 20}, 2},
                 "OutOfephemeral-storage: Node didn't have enough resource: ephemeral-storage, requested: 1073741824, "
                 "used: 0, capacity: 1048576"},
                {"{containers: [{name: a, image: b}]}",
                 {{0}, 2},
                 {{1000}, 2},
                 "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2"},
                /* What asks for nothing fits on a full node, and a limit that is not known holds nobody. */
                {"{containers: [{name: a, image: b}]}", {{5000, 1 << 30, 0}, 1}, {{1000, 1}, 2}, ""},
                {"{containers: [" REQUESTS "]}", {{5000, 1 << 30, 0}, 1}, {{-1, -1, -1}, -1}, ""},
                /* Where everything is reserved there is nothing. */
                {"{containers: [" REQUESTS "]}",
                 {{0}, 0},
                 {{0, 10 << 20, 1 << 30}, 2},
                 "OutOfcpu: Node didn't have enough resource: cpu, requested: 500, used: 0, capacity: 0"},
                {"{containers: [{name: a, image: b}]}",
                 {{0}, 0},
                 {{1000}, 0},
                 "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 0, capacity: 0"},
                /* The larger of what runs together and of an init container beside the sidecars before it. */
                {"{initContainers: [{name: s, image: b, restartPolicy: Always, resources: {requests: {cpu: 300m}}}, "
                 "{name: i, image: b, resources: {requests: {cpu: 1}}}], containers: [" REQUESTS "]}",
                 {{0}, 0},
                 {{1299}, 2},
                 "OutOfcpu: Node didn't have enough resource: cpu, requested: 1300, used: 0, capacity: 1299"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pod *pod CLEANUP_POD = pod_of(rows[i].spec);
                char text[256] = "";

                assert_int_equal(admission_lacks_room(pod, &rows[i].used, &rows[i].limit, text, sizeof(text)),
                                 *rows[i].want != '\0');
                assert_string_equal(text, rows[i].want);
        }
        struct pod *pod CLEANUP_POD = pod_of("{containers: [" REQUESTS "]}");
        struct admission_sum sum = {0};
        admission_add(&sum, pod);
        admission_add(&sum, pod);
        assert_int_equal(sum.pods, 2);
        assert_int_equal(sum.resources[POD_RESOURCE_CPU], 1000);
        assert_int_equal(sum.resources[POD_RESOURCE_MEMORY], 20 << 20);
}

static void sysctls(void **state)
{
        static const struct {
                const char *name;
                bool forbidden;
        } rows[] = {
                {"kernel.shm_rmid_forced", false},
                {"net/ipv4/tcp_syncookies", false},
                {"kernel.msgmax", false},
                {"net.core.somaxconn", false},
                {"net.corex", true},
                {"kernel.msgmax2", true},
                {"vm.swappiness", true},
                {"net/ipv4/conf/eth0.1/x", true},
        };
        struct strv allowed CLEANUP_STRV = STRV_INIT;

        (void)state;
        strv_add(&allowed, "kernel/msgmax");
        strv_add(&allowed, "net.core.*");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *spec CLEANUP_FREE = xasprintf("{securityContext: {sysctls: [{name: %s, value: \"1\"}]}, "
                                                    "containers: [{name: a, image: b}]}",
                                                    rows[i].name);
                struct pod *pod CLEANUP_POD = pod_of(spec);
                char text[256] = "";

                assert_int_equal(admission_forbids_sysctl(pod, &allowed, text, sizeof(text)), rows[i].forbidden);
                assert_int_equal(strncmp(text, "SysctlForbidden: forbidden sysctl: ", 35) == 0, rows[i].forbidden);
        }
}

static void app_armor(void **state)
{
        struct pod *none CLEANUP_POD = pod_of("{containers: [{name: a, image: b}]}");
        struct pod *unconfined CLEANUP_POD =
                pod_of("{securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: a, image: b, "
                       "securityContext: {appArmorProfile: {type: Unconfined}}}]}");
        struct pod *pods CLEANUP_POD = pod_of(
                "{securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: a, image: b}]}");
        char text[256] = "";

        (void)state;
        assert_false(admission_lacks_app_armor(none, text, sizeof(text)));
        assert_false(admission_lacks_app_armor(unconfined, text, sizeof(text)));
        assert_true(admission_lacks_app_armor(pods, text, sizeof(text)));
        assert_string_equal(text, "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host");
}

static void reasons(void **state)
{
        static const struct {
                const char *text, *reason, *message;
        } rows[] = {
                {"OutOfephemeral-storage: no", "OutOfephemeral-storage", "no"},
                {"HostPortConflict: port 80: taken", "HostPortConflict", "port 80: taken"},
                {"port 80: taken", "Held", "port 80: taken"},
                {"After: ", "After", ""},
                {"Waiting for x: y", "Held", "Waiting for x: y"},
                {"", "Held", ""},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char reason[ADMISSION_REASON_MAX];

                assert_string_equal(admission_reason(rows[i].text, reason), rows[i].message);
                assert_string_equal(reason, rows[i].reason);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(room), cmocka_unit_test(sysctls),
                                           cmocka_unit_test(app_armor), cmocka_unit_test(reasons)};

        return cmocka_run_group_tests_name("node/admission", tests, NULL, NULL);
}

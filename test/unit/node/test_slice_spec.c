/* SPDX-License-Identifier: Apache-2.0
 *
 * Properties as the kubelet 1.36 has opencontainers/cgroups v0.0.6 set them for the same pods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "node/container_resources.h"
#include "node/host.h"
#include "node/slice_spec.h"

#include "../pod_of_text.h"

static const struct host host = {
        .cgroup_systemd = true,
        .cgroup_version = 2,
        .cgroups_per_qos = true,
        .cgroup_root = "/",
        .cpu_cfs_quota = true,
        .pod_pids_limit = -1,
};

static struct pod *pod_with(const char *resources)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: web, uid: u-1}, spec: "
                                            "{containers: [{name: c, image: i, resources: {%s}}]}}",
                                            resources);

        return test_pod(text, &source);
}

static void expect_limits(const struct slice_spec *spec, const char *want)
{
        struct buf text CLEANUP_BUF = BUF_INIT(1024);

        for (size_t i = 0; i < spec->limit_count; i++)
                buf_addf(&text, "%s=%llu ", spec->limits[i].property, (unsigned long long)spec->limits[i].value);
        assert_string_equal(buf_str(&text), want);
}

#define GUARANTEED "limits: {cpu: 250m, memory: 64Mi}"

static void test_pods(void **state)
{
        static const struct {
                const char *resources;
                int version;
                int64_t pids;
                const char *name, *above, *limits;
        } rows[] = {
                {GUARANTEED, 2, -1, "kubepods-podu_1.slice", "kubepods.slice",
                 "CPUWeight=10 CPUQuotaPerSecUSec=250000 MemoryMax=67108864 "},
                {GUARANTEED, 1, 100, "kubepods-podu_1.slice", "kubepods.slice",
                 "CPUShares=256 CPUQuotaPerSecUSec=250000 MemoryLimit=67108864 TasksMax=100 "},
                {"requests: {cpu: 100m}", 2, -1, "kubepods-burstable-podu_1.slice", "kubepods-burstable.slice",
                 "CPUWeight=4 "},
                {"limits: {memory: 1Gi}", 1, -1, "kubepods-burstable-podu_1.slice", "kubepods-burstable.slice",
                 "CPUShares=2 MemoryLimit=1073741824 "},
                /* Up to the next hundredth of a processor. */
                {"limits: {cpu: 1201m}", 2, -1, "kubepods-burstable-podu_1.slice", "kubepods-burstable.slice",
                 "CPUWeight=47 CPUQuotaPerSecUSec=1210000 "},
                {"limits: {cpu: 1m}", 2, -1, "kubepods-burstable-podu_1.slice", "kubepods-burstable.slice",
                 "CPUWeight=1 CPUQuotaPerSecUSec=10000 "},
                {"limits: {cpu: 9223372036854775}", 1, -1, "kubepods-burstable-podu_1.slice",
                 "kubepods-burstable.slice", "CPUShares=262144 CPUQuotaPerSecUSec=9223372036854775807 "},
                {"", 2, 7, "kubepods-besteffort-podu_1.slice", "kubepods-besteffort.slice", "CPUWeight=1 TasksMax=7 "},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pod *pod CLEANUP_POD = pod_with(rows[i].resources);
                struct host h = host;
                struct slice_spec spec;

                h.cgroup_version = rows[i].version;
                h.pod_pids_limit = rows[i].pids;
                slice_spec_pod(&h, pod, &spec);
                assert_string_equal(spec.name, rows[i].name);
                assert_string_equal(spec.above, rows[i].above);
                assert_string_equal(spec.description, "containers of the pod default/web-n1");
                assert_string_equal(spec.io_accounting, rows[i].version == 2 ? "IOAccounting" : "BlockIOAccounting");
                expect_limits(&spec, rows[i].limits);
                slice_spec_release(&spec);
                slice_spec_release(&spec);
        }
}

static void test_no_quota(void **state)
{
        struct pod *pod CLEANUP_POD = pod_with(GUARANTEED);
        struct host h = host;
        struct slice_spec spec;

        (void)state;
        h.cpu_cfs_quota = false;
        slice_spec_pod(&h, pod, &spec);
        expect_limits(&spec, "CPUWeight=10 MemoryMax=67108864 ");
        slice_spec_release(&spec);
}

static void test_classes(void **state)
{
        struct host h = host;
        struct slice_spec spec;

        (void)state;
        slice_spec_class(&h, POD_QOS_BURSTABLE, 358, &spec);
        assert_string_equal(spec.name, "kubepods-burstable.slice");
        assert_string_equal(spec.above, "kubepods.slice");
        assert_string_equal(spec.description, "Burstable pods");
        expect_limits(&spec, "CPUWeight=14 ");
        slice_spec_release(&spec);
        h.cgroup_version = 1;
        h.cgroup_root = "/a-b";
        slice_spec_class(&h, POD_QOS_BEST_EFFORT, 2, &spec);
        assert_string_equal(spec.name, "a_b-kubepods-besteffort.slice");
        assert_string_equal(spec.above, "a_b-kubepods.slice");
        assert_string_equal(spec.description, "BestEffort pods");
        expect_limits(&spec, "CPUShares=2 ");
        slice_spec_release(&spec);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_pods), cmocka_unit_test(test_no_quota),
                                           cmocka_unit_test(test_classes)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "kube/pod.h"
#include "node/cgroup_usage.h"
#include "node/host.h"

struct state {
        char mount[64];
        struct host host;
};

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));

        (void)snprintf(s->mount, sizeof(s->mount), "/tmp/test-cgroup-usage-XXXXXX");
        assert_non_null(mkdtemp(s->mount));
        s->host = (struct host){.cgroup_mount = s->mount, .cgroup_root = "/", .cgroups_per_qos = true};
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;

        assert_int_equal(file_remove_tree(s->mount, &err), 0);
        free(s);
        return 0;
}

static void put(struct state *s, const char *path, const char *text)
{
        char *whole CLEANUP_FREE = file_join(s->mount, path), *directory CLEANUP_FREE = file_dirname(whole);
        struct err err = ERR_INIT;

        assert_true(file_mkdir_p(directory, 0755, &err) >= 0);
        assert_int_equal(file_write_atomic(whole, text, strlen(text), 0644, FILE_WRITE_NO_SYNC, &err), 0);
}

static void test_v1(void **state)
{
        struct state *s = *state;
        struct cgroup_usage usage;

        s->host.cgroup_version = 1;
        put(s, "cpuacct/a/cpuacct.usage", "9223372036854775807\n");
        put(s, "memory/a/memory.usage_in_bytes", "5000\n");
        put(s, "memory/a/memory.limit_in_bytes", "9223372036854771712\n");
        put(s, "memory/a/memory.stat",
            "cache 1\ninactive_file 4\ntotal_inactive_file_x 9\ntotal_inactive_file 2000\ntotal_rss 700\n"
            "total_pgfault 30\ntotal_pgmajfault 2\n");
        cgroup_usage_read(&s->host, "/a", &usage);
        assert_true(usage.has_cpu && usage.has_memory);
        assert_int_equal(usage.cpu_nsec, INT64_MAX);
        assert_int_equal(usage.memory_bytes, 5000);
        assert_int_equal(usage.working_set_bytes, 3000);
        assert_int_equal(usage.rss_bytes, 700);
        assert_int_equal(usage.limit_bytes, 0);
        assert_int_equal(usage.page_faults, 30);
        assert_int_equal(usage.major_page_faults, 2);
        put(s, "memory/a/memory.limit_in_bytes", "8192\n");
        cgroup_usage_read(&s->host, "/a", &usage);
        assert_int_equal(usage.limit_bytes, 8192);
        put(s, "cpuacct/a/cpuacct.usage", "");
        put(s, "memory/a/memory.stat", "");
        cgroup_usage_read(&s->host, "/a", &usage);
        assert_false(usage.has_cpu || usage.has_memory);
}

static void test_v2(void **state)
{
        struct state *s = *state;
        struct cgroup_usage usage;

        s->host.cgroup_version = 2;
        put(s, "a/cpu.stat", "usage_usec 1234567\nuser_usec 1\n");
        put(s, "a/memory.current", "100\n");
        put(s, "a/memory.max", "max\n");
        put(s, "a/memory.stat", "anon 70\ninactive_file 300\npgfault 3\npgmajfault 1"); /* more than is used */
        cgroup_usage_read(&s->host, "/a", &usage);
        assert_true(usage.has_cpu && usage.has_memory);
        assert_int_equal(usage.cpu_nsec, 1234567000);
        assert_int_equal(usage.working_set_bytes, 0);
        assert_int_equal(usage.rss_bytes, 70);
        assert_int_equal(usage.limit_bytes, 0);
        assert_int_equal(usage.major_page_faults, 1);
}

static void test_what_is_not_there(void **state)
{
        struct state *s = *state;
        struct cgroup_usage usage = {.has_cpu = true, .has_memory = true};

        for (s->host.cgroup_version = 1; s->host.cgroup_version <= 2; s->host.cgroup_version++) {
                cgroup_usage_read(&s->host, "/gone", &usage);
                assert_false(usage.has_cpu || usage.has_memory);
        }
        put(s, "a/cpu.stat", "");
        put(s, "a/memory.current", "what\n");
        cgroup_usage_read(&s->host, "/a", &usage);
        assert_false(usage.has_cpu || usage.has_memory);
}

static void test_paths(void **state)
{
        struct state *s = *state;
        char uid[] = "u-1";
        struct pod pod = {.uid = uid};
        const struct {
                bool systemd, per_qos;
                const char *want;
        } rows[] = {
                {false, true, "/kubepods/podu-1/id"},
                {true, true, "/kubepods.slice/kubepods-podu_1.slice/docker-id.scope"},
                {false, false, "/docker/id"},
                {true, false, "/system.slice/docker-id.scope"},
        };

        pod.qos = POD_QOS_GUARANTEED;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                s->host.cgroup_systemd = rows[i].systemd;
                s->host.cgroups_per_qos = rows[i].per_qos;
                char *path CLEANUP_FREE = cgroup_usage_container_path(&s->host, &pod, "id");
                assert_string_equal(path, rows[i].want);
        }
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {TEST(test_v1), TEST(test_v2), TEST(test_what_is_not_there),
                                           TEST(test_paths)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}

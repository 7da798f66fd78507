/* SPDX-License-Identifier: Apache-2.0
 *
 * What is written where, on a directory that stands for the cgroup mount: the files are pipes, so that each write is
 * seen as it was made. What the kernel makes of it is the integration tests' (security, cgroup_modes).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "node/cgroup.h"
#include "node/container_resources.h"
#include "node/host.h"

#include "../pod_of_text.h"

#define KNOBS_MAX 64
#define GROUP_MODE 0755

struct knob {
        char *path;
        int fd; /* its reading end */
};

struct state {
        char mount[64];
        struct host host;
        struct knob knobs[KNOBS_MAX];
        size_t count;
        char said[256];
};

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));

        (void)snprintf(s->mount, sizeof(s->mount), "/tmp/test-cgroup-XXXXXX");
        assert_non_null(mkdtemp(s->mount));
        s->host = (struct host){.cgroup_mount = s->mount,
                                .cgroup_root = "/",
                                .cgroup_version = 2,
                                .cgroups_per_qos = true,
                                .cpu_cfs_quota = true,
                                .pod_pids_limit = -1};
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;

        for (size_t i = 0; i < s->count; i++) {
                (void)fd_close(s->knobs[i].fd);
                free(s->knobs[i].path);
        }
        assert_int_equal(file_remove_tree(s->mount, &err), 0);
        free(s);
        return 0;
}

static void make(struct state *s, const char *group)
{
        char *path CLEANUP_FREE = xasprintf("%s%s", s->mount, group);

        assert_true(file_mkdir_p(path, GROUP_MODE, NULL) >= 0);
}

/* A file that the kernel has in a cgroup. */
static void put(struct state *s, const char *group, const char *file)
{
        struct knob *knob = &s->knobs[s->count++];

        assert_true(s->count <= KNOBS_MAX);
        make(s, group);
        knob->path = xasprintf("%s%s/%s", s->mount, group, file);
        assert_int_equal(mkfifo(knob->path, 0644), 0);
        knob->fd = open(knob->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(knob->fd >= 0);
}

static void put_v2(struct state *s, const char *group)
{
        const char *const files[] = {"cgroup.subtree_control", "cpu.weight", "cpu.max", "memory.max", "pids.max"};

        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                put(s, group, files[i]);
}

/* All that was written to it since. */
static const char *said(struct state *s, const char *file)
{
        char *path CLEANUP_FREE = xasprintf("%s%s", s->mount, file);

        for (size_t i = 0; i < s->count; i++) {
                if (!str_eq(s->knobs[i].path, path))
                        continue;
                ssize_t n = read(s->knobs[i].fd, s->said, sizeof(s->said) - 1);
                s->said[n > 0 ? n : 0] = '\0';
                return s->said;
        }
        fail_msg("there is no %s", file);
        return NULL;
}

static bool is_there(struct state *s, const char *group)
{
        char *path CLEANUP_FREE = xasprintf("%s%s", s->mount, group);

        return file_exists(path);
}

/* A pod u-1 of one container with these resources. */
static struct pod *pod_with(const char *resources)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: web, uid: u-1}, spec: "
                                            "{containers: [{name: c, image: i, resources: {%s}}]}}",
                                            resources);

        return test_pod(text, &source);
}

#define GUARANTEED "limits: {cpu: 250m, memory: 64Mi}"
#define REQUESTS "requests: {cpu: 100m, memory: 32Mi}"

static void test_v2_values(void **state)
{
        static const struct {
                const char *resources, *group;
                int64_t pids;
                bool no_quota;
                const char *weight, *cpu_max, *memory_max, *pids_max;
        } rows[] = {
                {GUARANTEED, "/kubepods/podu-1", -1, false, "10", "25000 100000", "67108864", ""},
                {GUARANTEED, "/kubepods/podu-1", 100, true, "10", "", "67108864", "100"},
                {REQUESTS, "/kubepods/burstable/podu-1", -1, false, "4", "", "", ""},
                {"limits: {memory: 1Gi}", "/kubepods/burstable/podu-1", -1, false, "1", "", "1073741824", ""},
                {"limits: {cpu: 1m}, requests: {cpu: 1m}", "/kubepods/burstable/podu-1", -1, false, "1", "1000 100000",
                 "", ""},
                {"", "/kubepods/besteffort/podu-1", 7, false, "1", "", "", "7"},
                {"requests: {cpu: 1000}", "/kubepods/burstable/podu-1", -1, false, "10000", "", "", ""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pod *pod CLEANUP_POD = pod_with(rows[i].resources);
                const struct {
                        const char *file, *want;
                } files[] = {{"cpu.weight", rows[i].weight},
                             {"cpu.max", rows[i].cpu_max},
                             {"memory.max", rows[i].memory_max},
                             {"pids.max", rows[i].pids_max},
                             /* Those below a pod are given theirs by who makes them. */
                             {"cgroup.subtree_control", ""}};
                struct err err = ERR_INIT;
                struct state *s;

                (void)setup((void **)&s);
                s->host.pod_pids_limit = rows[i].pids;
                s->host.cpu_cfs_quota = !rows[i].no_quota;
                put_v2(s, rows[i].group);
                if (cgroup_setup(&s->host, pod, &err) != 0)
                        fail_msg("%s: %s", rows[i].resources, err.msg);
                for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
                        char *path CLEANUP_FREE = xasprintf("%s/%s", rows[i].group, files[k].file);

                        assert_string_equal(said(s, path), files[k].want);
                }
                (void)teardown((void **)&s);
        }
        (void)state;
}

/* Each level hands its controllers down before the next is made, and none of another class is made. */
static void test_v2_tree(void **state)
{
        struct state *s = *state;
        struct pod *pod CLEANUP_POD = pod_with(REQUESTS);
        struct err err = ERR_INIT;

        s->host.cgroup_root = "/pods/";
        put(s, "", "cgroup.subtree_control");
        put(s, "/pods", "cgroup.subtree_control");
        /* The files of a cgroup are the kernel's: without it there is only the directory. */
        assert_int_equal(cgroup_setup(&s->host, pod, &err), -ENOENT);
        assert_non_null(strstr(err.msg, "cgroup of the pod: opening "));
        assert_non_null(strstr(err.msg, "/pods/kubepods/burstable/podu-1/cpu.weight"));
        assert_string_equal(said(s, "/cgroup.subtree_control"), "+cpu+memory+pids");
        assert_string_equal(said(s, "/pods/cgroup.subtree_control"), "+cpu+memory+pids");
        assert_true(is_there(s, "/pods/kubepods/burstable/podu-1"));
        assert_false(is_there(s, "/pods/kubepods/besteffort"));
        put_v2(s, "/pods/kubepods/burstable/podu-1");
        assert_int_equal(cgroup_setup(&s->host, pod, &err), 0);
        assert_string_equal(said(s, "/pods/kubepods/burstable/podu-1/cpu.weight"), "4");
}

static void test_v2_classes(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;

        put_v2(s, "/kubepods/burstable");
        put_v2(s, "/kubepods/besteffort");
        assert_int_equal(cgroup_classes(&s->host, 350, &err), 0);
        assert_string_equal(said(s, "/kubepods/burstable/cpu.weight"), "14");
        assert_string_equal(said(s, "/kubepods/besteffort/cpu.weight"), "1");
        assert_int_equal(cgroup_classes(&s->host, 0, &err), 0);
        assert_string_equal(said(s, "/kubepods/burstable/cpu.weight"), "1");
        assert_string_equal(said(s, "/kubepods/burstable/cpu.max"), "");
        assert_string_equal(said(s, "/kubepods/burstable/cgroup.subtree_control"), "");
}

static void test_v1(void **state)
{
        struct state *s = *state;
        struct pod *pod CLEANUP_POD = pod_with(GUARANTEED);
        struct err err = ERR_INIT;

        s->host.cgroup_version = 1;
        s->host.pod_pids_limit = 9;
        put(s, "/cpu/kubepods/podu-1", "cpu.shares");
        put(s, "/cpu/kubepods/podu-1", "cpu.cfs_period_us");
        put(s, "/cpu/kubepods/podu-1", "cpu.cfs_quota_us");
        put(s, "/memory/kubepods/podu-1", "memory.limit_in_bytes");
        /* A kernel without the pids controller. */
        assert_int_equal(cgroup_setup(&s->host, pod, &err), 0);
        assert_string_equal(said(s, "/cpu/kubepods/podu-1/cpu.shares"), "256");
        assert_string_equal(said(s, "/cpu/kubepods/podu-1/cpu.cfs_period_us"), "100000");
        assert_string_equal(said(s, "/cpu/kubepods/podu-1/cpu.cfs_quota_us"), "25000");
        assert_string_equal(said(s, "/memory/kubepods/podu-1/memory.limit_in_bytes"), "67108864");
        assert_false(is_there(s, "/pids"));
        put(s, "/pids/kubepods/podu-1", "pids.max");
        assert_int_equal(cgroup_setup(&s->host, pod, &err), 0);
        assert_string_equal(said(s, "/pids/kubepods/podu-1/pids.max"), "9");

        put(s, "/cpu/kubepods/burstable", "cpu.shares");
        put(s, "/cpu/kubepods/besteffort", "cpu.shares");
        assert_int_equal(cgroup_classes(&s->host, 350, &err), 0);
        assert_string_equal(said(s, "/cpu/kubepods/burstable/cpu.shares"), "358");
        assert_string_equal(said(s, "/cpu/kubepods/besteffort/cpu.shares"), "2");
}

/* With the systemd driver, or without cgroups of pods, nothing is made here. */
static void test_not_ours(void **state)
{
        struct state *s = *state;
        struct pod *pod CLEANUP_POD = pod_with(GUARANTEED);
        struct strv found CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;

        for (int i = 0; i < 2; i++) {
                s->host.cgroup_systemd = i == 0;
                s->host.cgroups_per_qos = i == 0;
                assert_int_equal(cgroup_setup(&s->host, pod, &err), 0);
                assert_int_equal(cgroup_classes(&s->host, 350, &err), 0);
                assert_false(is_there(s, "/kubepods"));
        }
        make(s, "/kubepods/podu-1");
        cgroup_list(&s->host, &found);
        assert_int_equal(found.len, 0);
        assert_int_equal(cgroup_remove(&s->host, "u-1", &err), 0);
        assert_true(is_there(s, "/kubepods/podu-1"));
}

static void test_list_and_remove(void **state)
{
        struct state *s = *state;
        struct strv found CLEANUP_STRV = STRV_INIT;
        struct strv slices CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;

        make(s, "/kubepods/podu-1");
        make(s, "/kubepods/burstable/podu-2");
        make(s, "/kubepods/besteffort/pod");
        make(s, "/kubepods/besteffort/other");
        cgroup_list(&s->host, &found);
        strv_sort(&found);
        assert_int_equal(found.len, 2);
        assert_string_equal(found.items[0], "u-1");
        assert_string_equal(found.items[1], "u-2");
        assert_int_equal(cgroup_remove(&s->host, "u-2", &err), 0);
        assert_int_equal(cgroup_remove(&s->host, "u-3", &err), 0);
        assert_false(is_there(s, "/kubepods/burstable/podu-2"));
        assert_true(is_there(s, "/kubepods/podu-1"));
        cgroup_slices(&s->host, "u-1", &slices);
        assert_int_equal(slices.len, 0);
}

static void test_slices(void **state)
{
        struct state *s = *state;
        struct strv found CLEANUP_STRV = STRV_INIT;
        struct strv slices CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;

        s->host.cgroup_version = 1;
        s->host.cgroup_systemd = true;
        s->host.cgroup_root = "pods//of-mine";
#define ABOVE "/pods.slice/pods-of_mine.slice/pods-of_mine-kubepods.slice"
        make(s, "/systemd" ABOVE "/pods-of_mine-kubepods-podu_1.slice");
        make(s, "/memory" ABOVE "/pods-of_mine-kubepods-podu_1.slice");
        make(s,
             "/systemd" ABOVE "/pods-of_mine-kubepods-burstable.slice/pods-of_mine-kubepods-burstable-poda_b_c.slice");
        make(s, "/systemd" ABOVE "/pods-of_mine-kubepods-podu_2.scope");
        make(s, "/systemd" ABOVE "/pods-of_mine-kubepods-pod.slice");
        cgroup_list(&s->host, &found);
        strv_sort(&found);
        assert_int_equal(found.len, 2);
        assert_string_equal(found.items[0], "a-b-c");
        assert_string_equal(found.items[1], "u-1");
        cgroup_slices(&s->host, "u-1", &slices);
        cgroup_slices(&s->host, "a-b-c", &slices);
        cgroup_slices(&s->host, "u-2", &slices);
        assert_int_equal(slices.len, 2);
        assert_string_equal(slices.items[0], "pods-of_mine-kubepods-podu_1.slice");
        assert_string_equal(slices.items[1], "pods-of_mine-kubepods-burstable-poda_b_c.slice");
        assert_int_equal(cgroup_remove(&s->host, "u-1", &err), 0);
        assert_false(is_there(s, "/memory" ABOVE "/pods-of_mine-kubepods-podu_1.slice"));
        assert_false(is_there(s, "/systemd" ABOVE "/pods-of_mine-kubepods-podu_1.slice"));
        assert_true(is_there(s, "/systemd" ABOVE "/pods-of_mine-kubepods-podu_2.scope"));
}

/* Names as CgroupName.ToSystemd has them, whole and the last alone. */
static void test_slice_names(void **state)
{
        static const struct {
                const char *root, *resources, *parent, *path;
        } rows[] = {
                {"/", GUARANTEED, "kubepods-podu_1.slice", "/kubepods.slice/kubepods-podu_1.slice"},
                {NULL, REQUESTS, "kubepods-burstable-podu_1.slice",
                 "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podu_1.slice"},
                {"/a-b/c/", "", "a_b-c-kubepods-besteffort-podu_1.slice",
                 "/a_b.slice/a_b-c.slice/a_b-c-kubepods.slice/a_b-c-kubepods-besteffort.slice/"
                 "a_b-c-kubepods-besteffort-podu_1.slice"},
        };
        struct state *s = *state;

        s->host.cgroup_systemd = true;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pod *pod CLEANUP_POD = pod_with(rows[i].resources);

                s->host.cgroup_root = rows[i].root;
                char *parent CLEANUP_FREE = pod_cgroup_parent(&s->host, pod);
                char *path CLEANUP_FREE = pod_cgroup_slice_path(&s->host, pod);
                assert_string_equal(parent, rows[i].parent);
                assert_string_equal(path, rows[i].path);
        }
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_v2_values),
                TEST(test_v2_tree),
                TEST(test_v2_classes),
                TEST(test_v1),
                TEST(test_not_ours),
                TEST(test_list_and_remove),
                TEST(test_slices),
                TEST(test_slice_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

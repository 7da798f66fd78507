/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "docker/image_recipe.h"
#include "docker/pause_image.h"

struct state {
        char dir[64];
        struct image_files files;
        struct image_config config;
};

static void put(struct state *s, const char *name, const void *data, size_t len)
{
        struct err err;
        char *path CLEANUP_FREE = file_join(s->dir, name);
        assert_int_equal(file_write_atomic(path, data, len, 0755, 0, &err), 0);
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-image-recipe-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        put(s, "kube-scheduler", pause_binary, pause_binary_size); /* any static program */
        put(s, "etcd", pause_binary, pause_binary_size);
        put(s, "etcdctl", pause_binary, pause_binary_size);
        put(s, "kube-proxy", pause_binary, pause_binary_size);
        put(s, "kube-apiserver", "#!/bin/sh\n", 10);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;
        image_files_release(&s->files);
        image_config_release(&s->config);
        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        free(s);
        return 0;
}

static const struct image_file *find(const struct state *s, const char *path)
{
        for (size_t i = 0; i < s->files.count; i++)
                if (str_eq(s->files.items[i].path, path))
                        return &s->files.items[i];
        return NULL;
}

static void test_component(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        assert_int_equal(image_recipe("kube-scheduler", s->dir, &s->files, &s->config, &err), 0);
        const struct image_file *f = find(s, "usr/local/bin/kube-scheduler");
        assert_true(f && f->type == IMAGE_FILE && f->mode == 0755);
        assert_string_equal(s->config.entrypoint.items[0], "/usr/local/bin/kube-scheduler");
        assert_string_equal(s->config.architecture, image_architecture());
        assert_int_equal(find(s, "tmp")->mode, 01777);
        assert_non_null(find(s, "etc/passwd"));
        assert_null(find(s, "usr/local/bin/etcdctl"));
        for (size_t i = 0; i < s->files.count; i++) /* static: no library comes along */
                assert_null(strstr(s->files.items[i].path, ".so"));
        /* parents before what is in them */
        assert_true(find(s, "usr/local") < f);
}

static void test_companions(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        assert_int_equal(image_recipe("etcd", s->dir, &s->files, &s->config, &err), 0);
        assert_non_null(find(s, "usr/local/bin/etcdctl"));
        assert_null(find(s, "usr/local/bin/etcdutl")); /* not in the directory */
}

static void test_pause(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        assert_int_equal(image_recipe("pause", s->dir, &s->files, &s->config, &err), 0);
        assert_ptr_equal(find(s, "pause")->data, pause_binary);
        assert_string_equal(s->config.user, "65535:65535");
        image_files_release(&s->files);
        image_config_release(&s->config);
        put(s, "pause", pause_binary, pause_binary_size);
        assert_int_equal(image_recipe("pause", s->dir, &s->files, &s->config, &err), 0);
        assert_true(str_starts(find(s, "pause")->source, s->dir));
}

/* The host's packet filter tools, whole: their libraries and extensions too. */
static void test_proxy(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        if (image_recipe("kube-proxy", s->dir, &s->files, &s->config, &err) < 0)
                fail_msg("%s", err.msg);
        const struct image_file *iptables = find(s, "usr/sbin/iptables");
        assert_non_null(iptables);
        if (iptables->type == IMAGE_SYMLINK) {
                char *target CLEANUP_FREE = file_join("usr/sbin", iptables->target);
                assert_true(find(s, target) && find(s, target)->type == IMAGE_FILE);
        }
        assert_non_null(find(s, "usr/sbin/nft"));
        assert_non_null(find(s, "usr/sbin/conntrack"));
        bool libc = false, extension = false, interpreter = false;
        for (size_t i = 0; i < s->files.count; i++) {
                const char *path = s->files.items[i].path;
                libc |= strstr(path, "/libc.so.6") != NULL;
                interpreter |= strstr(path, "/ld-linux") != NULL;
                extension |= str_ends(path, "/xtables/libxt_conntrack.so");
                if (s->files.items[i].source)
                        assert_int_equal(access(s->files.items[i].source, R_OK), 0);
        }
        assert_true(libc && extension && interpreter);
}

static void test_mistakes(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        assert_int_equal(image_recipe("coredns", s->dir, &s->files, &s->config, &err), 1);
        assert_int_equal(image_recipe("kube-apiserver", s->dir, &s->files, &s->config, &err), -ENOEXEC);
        assert_non_null(strstr(err.msg, "/kube-apiserver: not an ELF program"));
}

static void test_names(void **state)
{
        static const char *const cases[][2] = {{"registry.k8s.io/kube-proxy:v1.36.3", "kube-proxy"},
                                               {"registry.k8s.io/coredns/coredns:v1.14.2", "coredns"},
                                               {"localhost:5000/etcd", "etcd"},
                                               {"pause@sha256:00", "pause"}};
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *component CLEANUP_FREE = image_recipe_component(cases[i][0]);
                assert_string_equal(component, cases[i][1]);
        }
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {TEST(test_component), TEST(test_companions), TEST(test_pause),
                                           TEST(test_proxy),     TEST(test_mistakes),   cmocka_unit_test(test_names)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}

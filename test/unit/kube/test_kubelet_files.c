/* SPDX-License-Identifier: Apache-2.0 */
#include "pod_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strv.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_files.h"

#define KUBELET "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"

struct fixture {
        char dir[32];
        char *paths[4];                        /* config, config, env, env */
        const char *configs[3], *env_files[3]; /* end with NULL */
        struct kubelet_file_defaults defaults;
};

static int make(void **state)
{
        static const char *const names[] = {"config.yaml", "podwatch.yaml", "kubeadm-flags.env", "default"};
        struct fixture *f = xcalloc(1, sizeof(*f));

        str_copy(f->dir, sizeof(f->dir), "/tmp/kubelet-files-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                f->paths[i] = file_join(f->dir, names[i]);
        f->configs[0] = f->paths[0], f->configs[1] = f->paths[1];
        f->env_files[0] = f->paths[2], f->env_files[1] = f->paths[3];
        f->defaults = (struct kubelet_file_defaults){f->configs, f->env_files};
        *state = f;
        return 0;
}

static int unmake(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(file_remove_tree(f->dir, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(f->paths); i++)
                free(f->paths[i]);
        free(f);
        return 0;
}

static void put(const struct fixture *f, size_t i, const char *text)
{
        assert_int_equal(file_write_atomic(f->paths[i], text, strlen(text), 0644, FILE_WRITE_NO_SYNC, NULL), 0);
}

/* Loads with a command line of up to three words; the names of what was read, joined by a space. */
static int load(const struct fixture *f, struct kubelet_config *ret, char **ret_read, struct err *err, const char *a,
                const char *b, const char *c)
{
        struct strv flags CLEANUP_STRV = STRV_INIT, read CLEANUP_STRV = STRV_INIT;
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        const char *const words[] = {a, b, c};
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(words) && words[i]; i++)
                strv_add(&flags, words[i]);
        r = kubelet_files_load(&flags, &f->defaults, ret, &read, &findings, err);
        free(*ret_read);
        *ret_read = strv_join(&read, " ");
        return r;
}

/* Where nothing is named: what is there of the defaults, the flags over the files and the later over the earlier. */
static void test_defaults(void **state)
{
        const struct fixture *f = *state;
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        char *read CLEANUP_FREE = NULL, *want CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(load(f, &c, &read, &err, NULL, NULL, NULL), 0);
        assert_string_equal(read, "");
        assert_int_equal(c.max_pods, 110);
        kubelet_config_release(&c);

        put(f, 0, KUBELET "maxPods: 1\nclusterDomain: x.y\nport: 10251\n");
        put(f, 1, KUBELET "maxPods: 2\nport: 10252\n");
        put(f, 2, "KUBELET_KUBEADM_ARGS=\"--max-pods=3 --hostname-override=cp1 --port=10253\"\n");
        if (load(f, &c, &read, &err, "--max-pods=4", NULL, NULL) < 0)
                fail_msg("%s", err.msg);
        want = xasprintf("%s %s %s", f->paths[0], f->paths[1], f->paths[2]);
        assert_string_equal(read, want);
        assert_string_equal(c.cluster_domain, "x.y");
        assert_string_equal(c.hostname_override, "cp1");
        assert_int_equal(c.port, 10253);
        assert_int_equal(c.max_pods, 4);
}

/* Where files are named, these alone; "" is none. */
static void test_named(void **state)
{
        const struct fixture *f = *state;
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        char *read CLEANUP_FREE = NULL, *config CLEANUP_FREE = xasprintf("--config=%s", f->paths[1]);
        struct err err = ERR_INIT;

        put(f, 0, KUBELET "maxPods: 1\n");
        put(f, 1, KUBELET "clusterDomain: x.y\n");
        put(f, 2, "KUBELET_KUBEADM_ARGS=--hostname-override=cp1\n");
        assert_int_equal(load(f, &c, &read, &err, config, "--env-file=", NULL), 0);
        assert_string_equal(read, f->paths[1]);
        assert_int_equal(c.max_pods, 110);
        assert_string_equal(c.cluster_domain, "x.y");
        assert_null(c.hostname_override);
        kubelet_config_release(&c);
        assert_int_equal(load(f, &c, &read, &err, "--env-file", f->paths[2], "--config="), 0);
        assert_string_equal(read, f->paths[2]);
        assert_string_equal(c.hostname_override, "cp1");
        assert_null(c.cluster_domain);
}

static void test_bad(void **state)
{
        const struct fixture *f = *state;
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        char *read CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        assert_true(load(f, &c, &read, &err, "--config", f->paths[0], NULL) < 0);
        assert_non_null(strstr(err.msg, f->paths[0]));
        assert_int_equal(load(f, &c, &read, &err, "--env-file", NULL, NULL), -ERR_INVALID);
        assert_string_equal(err.msg, "--env-file: needs a value");
        put(f, 2, "KUBELET_KUBEADM_ARGS=--node-ip=nowhere\n");
        assert_int_equal(load(f, &c, &read, &err, NULL, NULL, NULL), -ERR_INVALID);
        assert_non_null(strstr(err.msg, "--node-ip"));
        put(f, 2, "KUBELET_KUBEADM_ARGS\n");
        assert_int_equal(load(f, &c, &read, &err, NULL, NULL, NULL), -ERR_INVALID);
        assert_true(str_starts(err.msg, f->paths[2]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_defaults, make, unmake),
                cmocka_unit_test_setup_teardown(test_named, make, unmake),
                cmocka_unit_test_setup_teardown(test_bad, make, unmake),
        };

        return cmocka_run_group_tests_name("kube/kubelet_files", tests, NULL, NULL);
}

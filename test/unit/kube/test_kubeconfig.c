/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/strv.h"
#include "kube/kubeconfig.h"

static int parse(const char *text, struct kubeconfig *ret, struct err *err)
{
        return kubeconfig_parse("", "/nowhere/k.conf", text, strlen(text), ret, err);
}

static void writes_as_kubeadm_and_reads_back(void **state)
{
        struct kubeconfig in = {.cluster = (char *)"kubernetes",
                                .user = (char *)"system:kube-scheduler",
                                .context = (char *)"system:kube-scheduler@kubernetes",
                                .server = (char *)"https://10.0.0.1:6443",
                                .ca_pem = (char *)"CA\n",
                                .cert_pem = (char *)"CERT\n",
                                .key_pem = (char *)"KEY\n"};
        struct kubeconfig out CLEANUP_KUBECONFIG = {0};
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct err err = ERR_INIT;

        (void)state;
        kubeconfig_write(&in, false, &b);
        assert_string_equal(buf_str(&b), "apiVersion: v1\n"
                                         "clusters:\n"
                                         "- cluster:\n"
                                         "    certificate-authority-data: Q0EK\n"
                                         "    server: https://10.0.0.1:6443\n"
                                         "  name: kubernetes\n"
                                         "contexts:\n"
                                         "- context:\n"
                                         "    cluster: kubernetes\n"
                                         "    user: system:kube-scheduler\n"
                                         "  name: system:kube-scheduler@kubernetes\n"
                                         "current-context: system:kube-scheduler@kubernetes\n"
                                         "kind: Config\n"
                                         "users:\n"
                                         "- name: system:kube-scheduler\n"
                                         "  user:\n"
                                         "    client-certificate-data: Q0VSVAo=\n"
                                         "    client-key-data: S0VZCg==\n");
        assert_int_equal(parse(buf_str(&b), &out, &err), 0);
        assert_string_equal(out.server, in.server);
        assert_string_equal(out.ca_pem, in.ca_pem);
        assert_string_equal(out.cert_pem, in.cert_pem);
        assert_string_equal(out.key_pem, in.key_pem);
        assert_string_equal(out.user, in.user);
        assert_null(out.token);
        buf_clear(&b);
        kubeconfig_write(&in, true, &b);
        assert_non_null(strstr(buf_str(&b), "kind: Config\npreferences: {}\nusers:"));
}

static const struct {
        const char *text, *error;
} bad[] = {
        {"kind: Pod\n", "/nowhere/k.conf:1:1: kind \"Pod\" is no kubeconfig"},
        {"kind: Config\n", "no current-context"},
        {"kind: Config\ncurrent-context: a\ncontexts: []\n", "no entry \"a\" in contexts"},
        {"kind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\nclusters: []\n",
         "no entry \"c\" in clusters"},
        {"kind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
         "clusters:\n- name: c\n  cluster: {server: nope}\nusers:\n- name: u\n  user: {}\n",
         "server \"nope\" is no http(s) URL"},
        {"kind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
         "clusters:\n- name: c\n  cluster: {server: https://x}\nusers:\n- name: u\n  user: {exec: {command: x}}\n",
         "exec is not supported"},
        {"kind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
         "clusters:\n- name: c\n  cluster: {server: https://x}\nusers:\n- name: u\n  user: {client-key-data: "
         "S0VZCg==}\n",
         "client key without its certificate"},
        {"kind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
         "clusters:\n- name: c\n  cluster: {server: https://x, certificate-authority-data: '!'}\nusers:\n- name: u\n  "
         "user: {}\n",
         "certificate-authority-data: not base64"},
        {"kind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
         "clusters:\n- name: c\n  cluster: {server: https://x, certificate-authority: ca.crt}\nusers:\n- name: u\n  "
         "user: {}\n",
         "/nowhere/ca.crt: No such file or directory"},
};

static void refuses_with_the_place(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct kubeconfig out CLEANUP_KUBECONFIG = {0};
                struct err err = ERR_INIT;
                assert_true(parse(bad[i].text, &out, &err) < 0);
                if (!strstr(err.msg, bad[i].error))
                        fail_msg("%s: not in: %s", bad[i].error, err.msg);
                assert_null(out.server);
        }
}

static void put(const char *dir, const char *name, const char *text)
{
        char *path CLEANUP_FREE = file_join(dir, name);

        assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, 0, NULL), 0);
}

static void put_link(const char *dir, const char *name, const char *target)
{
        char *path CLEANUP_FREE = file_join(dir, name);

        assert_return_code(symlink(target, path), errno);
}

/* What a kubeconfig below a root directory names, and its own name, are looked up there. */
static void files_below_a_root(void **state)
{
        char dir[] = "/tmp/test_kubeconfig.XXXXXX";
        struct err err = ERR_INIT;

        (void)state;
        assert_non_null(mkdtemp(dir));
        char *root CLEANUP_FREE = file_join(dir, "root"), *outside CLEANUP_FREE = file_join(dir, "ca.crt");
        assert_return_code(mkdir(root, 0755), errno);
        put(root, "inside.crt", "INSIDE");
        put(dir, "ca.crt", "OUTSIDE");
        put_link(root, "ca.crt", "/inside.crt");
        put_link(root, "out.crt", outside);
        put_link(root, "k.conf", "/real.conf");
        static const struct {
                const char *ca;
                int r;
        } cases[] = {{"/ca.crt", 0}, {"../../../inside.crt", 0}, {"../ca.crt", 0}, {"out.crt", -ERR_INVALID}};
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct kubeconfig config CLEANUP_KUBECONFIG = {0};
                char *text CLEANUP_FREE =
                        xasprintf("clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: %s}}]\n"
                                  "users: [{name: u, user: {token: t}}]\n"
                                  "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n",
                                  cases[i].ca);

                put(root, "real.conf", text);
                assert_int_equal(kubeconfig_load(root, "/k.conf", &config, &err), cases[i].r);
                if (cases[i].r == 0)
                        assert_string_equal(config.ca_pem, "INSIDE");
        }
        /* A missing file is told as such, and the kubeconfig alone by its code. */
        assert_non_null(strstr(err.msg, "/k.conf:1:"));
        assert_non_null(strstr(err.msg, "/out.crt: No such file or directory"));
        struct kubeconfig none CLEANUP_KUBECONFIG = {0};
        assert_int_equal(kubeconfig_load(root, "/none.conf", &none, &err), -ENOENT);
        assert_string_equal(err.msg, "open /none.conf: no such file or directory");
        assert_int_equal(file_remove_tree(dir, NULL), 0);
}

/* The files that somebody may renew are named, also where one of them is missing. */
static void names_its_files(void **state)
{
        static const char text[] =
                "clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ca.crt}}]\n"
                "users: [{name: u, user: {client-certificate: a.pem, client-key: a.key}}]\n"
                "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n";
        char dir[] = "/tmp/test_kubeconfig.XXXXXX";
        struct strv files CLEANUP_STRV = STRV_INIT;
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        struct err err = ERR_INIT;

        (void)state;
        assert_non_null(mkdtemp(dir));
        char *path CLEANUP_FREE = file_join(dir, "k.conf");
        assert_int_equal(kubeconfig_load_files(path, &config, &files, &err), -ENOENT);
        assert_int_equal(files.len, 1);
        assert_string_equal(files.items[0], path);
        put(dir, "k.conf", text);
        put(dir, "ca.crt", "CA");
        put(dir, "a.pem", "CERTIFICATE");
        assert_int_equal(kubeconfig_load_files(path, &config, &files, &err), -ERR_INVALID);
        assert_int_equal(files.len, 5);
        for (size_t i = 2; i < files.len; i++) {
                char *wanted CLEANUP_FREE = file_join(dir, (const char *const[]){"ca.crt", "a.pem", "a.key"}[i - 2]);

                assert_string_equal(files.items[i], wanted);
        }
        assert_int_equal(file_remove_tree(dir, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(writes_as_kubeadm_and_reads_back),
                                           cmocka_unit_test(refuses_with_the_place),
                                           cmocka_unit_test(files_below_a_root), cmocka_unit_test(names_its_files)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

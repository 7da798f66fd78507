/* SPDX-License-Identifier: Apache-2.0 */
#include "pod_test.h"

#include "base/strv.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_env.h"

static void test_words(void **state)
{
        static const struct {
                const char *text, *want; /* words joined with '|'; NULL: refused */
        } rows[] = {
                {"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///x --node-ip=1.2.3.4\"\n",
                 "--container-runtime-endpoint=unix:///x|--node-ip=1.2.3.4"},
                {"# comment\n; too\n\nOTHER=\"a\nb\"\n  KUBELET_KUBEADM_ARGS=--v=2\n", "--v=2"},
                {"KUBELET_KUBEADM_ARGS=\"\"", ""},
                {"", ""},
                {"KUBELET_KUBEADM_ARGS='--a \"b c\"  --d'", "--a|b c|--d"},
                {"KUBELET_KUBEADM_ARGS=\"--a=\\\"b c\\\" \\\\\\\\d\"", "--a=b c|\\d"},
                {"KUBELET_KUBEADM_ARGS=--a \\\n--b", "--a|--b"},
                {"KUBELET_KUBEADM_ARGS=--a\nKUBELET_KUBEADM_ARGS=--b\n", "--b"},
                {"KUBELET_KUBEADM_ARGS2=--a\n", ""},
                {"KUBELET_KUBEADM_ARGS=\"--a", NULL},
                {"KUBELET_KUBEADM_ARGS=\"--a 'b\"", NULL},
                {"KUBELET_KUBEADM_ARGS", NULL},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct kubelet_env env CLEANUP_KUBELET_ENV = {0};
                struct err err = ERR_INIT;
                char *joined CLEANUP_FREE = NULL;
                int r = kubelet_env_read("f.env", rows[i].text, strlen(rows[i].text), &env, &err);

                if (!rows[i].want) {
                        assert_int_equal(r, -ERR_INVALID);
                        assert_true(str_starts(err.msg, "f.env:1: "));
                        continue;
                }
                if (r < 0)
                        fail_msg("%s: %s", rows[i].text, err.msg);
                joined = strv_join(&env.words[KUBELET_ENV_KUBEADM_ARGS], "|");
                assert_string_equal(joined, rows[i].want);
        }
}

/* A file after another: names that it assigns replace those before it, and one that is broken changes nothing. */
static void test_several(void **state)
{
        static const char *const texts[] = {"KUBELET_EXTRA_ARGS=--a --b\nKUBELET_KUBEADM_ARGS=--c\n",
                                            "KUBELET_EXTRA_ARGS=\"--d\"\n",
                                            "KUBELET_EXTRA_ARGS=\nKUBELET_KUBEADM_ARGS='\n"};
        static const char nul[] = "A=b\0c";
        struct kubelet_env env CLEANUP_KUBELET_ENV = {0};
        struct err err = ERR_INIT;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_int_equal(kubelet_env_read("f", texts[i], strlen(texts[i]), &env, &err),
                                 i < 2 ? 0 : -ERR_INVALID);
        assert_string_equal(err.msg, "f:2: a quote is not closed");
        assert_int_equal(kubelet_env_read("f", nul, sizeof(nul) - 1, &env, &err), -ERR_INVALID);
        assert_int_equal(env.words[KUBELET_ENV_EXTRA_ARGS].len, 1);
        assert_string_equal(env.words[KUBELET_ENV_EXTRA_ARGS].items[0], "--d");
        assert_string_equal(env.words[KUBELET_ENV_KUBEADM_ARGS].items[0], "--c");
}

/* Flags of files are of lower rank than those of the command line, and one that nobody knows is no reason not to start.
 */
static void test_env(void **state)
{
        static const char text[] =
                "KUBELET_EXTRA_ARGS=--max-pods=3 --new x --v=2\n"
                "KUBELET_KUBEADM_ARGS=\"--hostname-override=CP1 --max-pods=2 --node-ip=192.0.2.1 word\"\n";
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct kubelet_env env CLEANUP_KUBELET_ENV = {0};
        struct strv flags CLEANUP_STRV = STRV_INIT;
        const struct kubelet_config_sources sources = {.env = &env, .flags = &flags};
        struct err err = ERR_INIT;

        (void)state;
        strv_add(&flags, "--node-ip=192.0.2.2");
        assert_int_equal(kubelet_env_read("f", text, sizeof(text) - 1, &env, &err), 0);
        if (kubelet_config_load(&sources, &c, &findings, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(c.hostname_override, "cp1");
        assert_string_equal(c.node_ip, "192.0.2.2");
        assert_int_equal(c.max_pods, 3);
        assert_int_equal(c.verbosity, 2);
        assert_int_equal(findings.count, 2);
        assert_string_equal(findings.items[0].text, "\"word\" is not a flag");
        assert_string_equal(findings.items[1].text, "--new: unknown flag");
}

/* kubeadm names a pause image without being asked: podwatch's own stays. What the user says counts. */
static void test_pause_image(void **state)
{
        static const char *const texts[] = {
                "KUBELET_KUBEADM_ARGS=--pod-infra-container-image=registry.k8s.io/pause:3.9\n",
                "KUBELET_KUBEADM_ARGS=--pod-infra-container-image=a\nKUBELET_EXTRA_ARGS=--pod-infra-container-image="
                "b\n"};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
                struct pod_findings findings CLEANUP(pod_findings_release) = {0};
                struct kubelet_env env CLEANUP_KUBELET_ENV = {0};
                const struct kubelet_config_sources sources = {.env = &env};

                assert_int_equal(kubelet_env_read("f", texts[i], strlen(texts[i]), &env, NULL), 0);
                assert_int_equal(kubelet_config_load(&sources, &c, &findings, NULL), 0);
                assert_int_equal(findings.count, 0);
                if (i == 0)
                        assert_null(c.sandbox_image);
                else
                        assert_string_equal(c.sandbox_image, "b");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_several),
                cmocka_unit_test(test_env),
                cmocka_unit_test(test_pause_image),
        };

        return cmocka_run_group_tests_name("kube/kubelet_env", tests, NULL, NULL);
}

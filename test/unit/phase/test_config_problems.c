/* SPDX-License-Identifier: Apache-2.0
 *
 * All that is wrong with a configuration in one run, each with its place; and what has no effect in a version.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cli.h"
#include "base/str.h"
#include "base/strv.h"
#include "fixture.h"

#define NODE "nodeRegistration: {criSocket: 'unix:///run/x.sock', name: node1}\n"
#define INIT(api)                              \
        "apiVersion: kubeadm.k8s.io/" api "\n" \
        "kind: InitConfiguration\n"            \
        "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n" NODE
#define CLUSTER(api, version)                  \
        "---\n"                                \
        "apiVersion: kubeadm.k8s.io/" api "\n" \
        "kind: ClusterConfiguration\n"         \
        "kubernetesVersion: " version "\n"

static int nothing(struct phase *phase, const char *arg, struct err *err)
{
        (void)phase, (void)arg, (void)err;
        return 0;
}

/* How many times text is in s. */
static size_t times(const char *s, const char *text)
{
        size_t n = 0;

        for (; (s = strstr(s, text)); s += strlen(text))
                n++;
        return n;
}

struct no_effect {
        const char *config;
        const char *line; /* NULL: no warning */
};

static const struct no_effect no_effect_cases[] = {
        {INIT("v1beta4") "timeouts: {discovery: 1m0s}\n" CLUSTER("v1beta4", "v1.36.3"),
         "kubeadm.yaml:5:12: warning: timeouts.discovery has no effect in v1.36.3: it is for kubeadm join\n"},
        {INIT("v1beta4") "timeouts:\n  tlsBootstrap: 1m0s\n" CLUSTER("v1beta4", "v1.31.0"),
         "kubeadm.yaml:6:3: warning: timeouts.tlsBootstrap has no effect in v1.31."},
        {INIT("v1beta4") "timeouts:\n  upgradeManifests: 1m0s\n" CLUSTER("v1beta4", "v1.34.0"),
         "kubeadm.yaml:6:3: warning: timeouts.upgradeManifests has no effect in v1.34."},
        {INIT("v1beta4") "timeouts:\n  kubeletHealthCheck: 1m0s\n" CLUSTER("v1beta4", "v1.34.0"), NULL},
        {INIT("v1beta3") CLUSTER("v1beta3", "v1.30.1") "apiServer:\n  timeoutForControlPlane: 2m0s\n",
         "kubeadm.yaml:10:3: warning: apiServer.timeoutForControlPlane has no effect in v1.30."},
        {INIT("v1beta3") CLUSTER("v1beta3", "v1.29.1") "apiServer:\n  timeoutForControlPlane: 2m0s\n", NULL},
        {INIT("v1beta3") CLUSTER("v1beta3", "v1.31.1") "apiServer:\n  timeoutForControlPlane: 2m0s\n", NULL},
        {INIT("v1beta3") CLUSTER("v1beta3", "v1.31.1") "apiServer:\n  timeoutForControlPlane: 0s\n",
         "kubeadm.yaml:10:3: warning: apiServer.timeoutForControlPlane has no effect in v1.31."},
        {INIT("v1beta2") CLUSTER("v1beta2", "v1.22.1") "useHyperKubeImage: true\n",
         "kubeadm.yaml:9:1: warning: useHyperKubeImage has no effect in v1.22."},
        {INIT("v1beta2") CLUSTER("v1beta2", "v1.21.1") "useHyperKubeImage: true\n", NULL},
        {INIT("v1beta2") CLUSTER("v1beta2", "v1.23.1") "dns: {type: CoreDNS}\n",
         "kubeadm.yaml:9:7: warning: dns.type has no effect in v1.23."},
        {INIT("v1beta4") CLUSTER("v1beta4",
                                 "v1.36.3") "encryptionAlgorithm: ECDSA-P384\nfeatureGates: {PublicKeysECDSA: false}\n",
         "kubeadm.yaml:9:1: warning: encryptionAlgorithm has no effect in v1.36.3: the feature gate PublicKeysECDSA"},
        {INIT("v1beta4") CLUSTER("v1beta4", "v1.36.3") "encryptionAlgorithm: ECDSA-P384\n", NULL},
        {INIT("v1beta4") CLUSTER("v1beta4", "v1.36.3") "dns: {disabled: true, imageTag: x}\n",
         "kubeadm.yaml:9:23: warning: dns.imageTag has no effect in v1.36.3: dns.disabled is set\n"},
        {INIT("v1beta4") CLUSTER("v1beta4", "v1.36.3") "dns: {disabled: true, imageRepository: x}\n",
         "kubeadm.yaml:9:23: warning: dns.imageRepository has no effect"},
        {INIT("v1beta4") CLUSTER("v1beta4", "v1.36.3") "dns: {disabled: false, imageTag: x}\n", NULL},
        {INIT("v1beta4")
                 CLUSTER("v1beta4", "v1.36.3") "proxy: {disabled: true}\n---\napiVersion: "
                                               "kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n",
         "kubeadm.yaml:11:1: warning: KubeProxyConfiguration has no effect in v1.36.3: proxy.disabled is set\n"},
        {INIT("v1beta4")
                 CLUSTER("v1beta4",
                         "v1.36.3") "---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n",
         NULL},
        {INIT("v1beta4")
                 CLUSTER("v1beta4", "v1.36.3") "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n",
         "kubeadm.yaml:10:1: warning: JoinConfiguration has no effect in v1.36.3: it is for kubeadm join\n"},
        {INIT("v1beta4")
                 CLUSTER("v1beta4", "v1.36.3") "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\n",
         "kubeadm.yaml:10:1: warning: ResetConfiguration has no effect"},
        {INIT("v1beta4")
                 CLUSTER("v1beta4", "v1.36.3") "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: UpgradeConfiguration\n",
         "kubeadm.yaml:10:1: warning: UpgradeConfiguration has no effect"},
};

static void test_no_effect(void **state)
{
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(no_effect_cases); i++) {
                const struct no_effect *c = &no_effect_cases[i];

                fixture_config(f, c->config);
                if (fixture_run(f, nothing, NULL) < 0)
                        fail_msg("case %zu: %s", i, f->err.msg);
                if (times(f->log, "has no effect") != (c->line ? 1 : 0) || (c->line && !strstr(f->log, c->line)))
                        fail_msg("case %zu: %s", i, f->log);
        }
}

static const char many_mistakes[] =
        "apiVersion: kubeadm.k8s.io/v1beta4\n"
        "kind: InitConfiguration\n"
        "localAPIEndpoint: {advertiseAdress: 192.0.2.10, bindPort: 99999}\n"
        "nodeRegistration: {criSocket: 'unix:///run/x.sock', name: Node_1, imagePullPolicy: Allways}\n"
        "---\n"
        "apiVersion: kubeadm.k8s.io/v1beta4\n"
        "kind: ClusterConfiguration\n"
        "kubernetesVersion: v1.36.3\n"
        "encryptionAlgorithm: [RSA-2048]\n"
        "networking: {serviceSubnet: 10.96.0.0/33}\n"
        "featureGates: {RootlesControlPlane: true}\n";

/* Mistakes of decoding and of meaning in one run; the error is kubeadm's. */
static void test_all_at_once(void **state)
{
        static const char *const lines[] = {
                "kubeadm.yaml:3:20: unknown field \"localAPIEndpoint.advertiseAdress\"; did you mean "
                "\"advertiseAddress\"?\n",
                "kubeadm.yaml:9:22: encryptionAlgorithm: expected ",
                "kubeadm.yaml:4:59: nodeRegistration.name: Invalid value: \"node_1\"",
                "kubeadm.yaml:4:84: nodeRegistration.imagePullPolicy: Invalid value: \"Allways\": invalid pull policy "
                "(did you mean \"Always\"?)\n",
                "kubeadm.yaml:10:29: networking.serviceSubnet: Invalid value",
                "kubeadm.yaml:11:16: featureGates: Invalid value: ",
                "(did you mean \"RootlessControlPlane\"?)\n",
                "kubeadm.yaml:3:59: localAPIEndpoint.bindPort: Invalid value",
        };
        struct fixture *f = *state;

        fixture_config(f, many_mistakes);
        assert_true(fixture_run(f, nothing, NULL) < 0);
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                if (times(f->log, lines[i]) != 1)
                        fail_msg("not once: %s\n%s", lines[i], f->log);
        /* What was read wrong is not judged a second time. */
        assert_int_equal(times(f->log, "encryptionAlgorithm"), 1);
        /* The text that ends the run names the first mistake of its kind, as kubeadm does. */
        assert_int_equal(times(f->err.msg, "unknown field") + times(f->err.msg, "encryptionAlgorithm: expected"), 1);
        assert_null(strstr(f->err.msg, "did you mean"));
        assert_null(strstr(f->err.msg, "bindPort"));
}

/* A version that is none ends kubeadm before it validates. */
static void test_behind_a_version(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, INIT("v1beta4") CLUSTER("v1beta4", "v1.x") "networking: {serviceSubnet: none}\n");
        assert_true(fixture_run(f, nothing, NULL) < 0);
        assert_non_null(strstr(f->log, "kubeadm.yaml:8:20: version \"v1.x\" doesn't match"));
        assert_non_null(strstr(f->log, "kubeadm.yaml:9:29: networking.serviceSubnet: Invalid value"));
        assert_true(str_starts(f->err.msg, "version \"v1.x\" doesn't match"));
        assert_null(strstr(f->err.msg, "serviceSubnet"));
}

static void test_suggestions(void **state)
{
        static const struct {
                const char *config, *line, *error;
        } cases[] = {
                {INIT("v1beta4") CLUSTER("v1beta4", "v1.36.3") "encryptionAlgorithm: RSA-2047\n",
                 "(did you mean \"RSA-2048\"?)", "encryptionAlgorithm: Invalid value"},
                {INIT("v1beta4") CLUSTER("v1beta4", "v1.36.3") "encryptionAlgorithm: what\n", NULL,
                 "encryptionAlgorithm: Invalid value"},
                {INIT("v1beta4") CLUSTER("v1beta4", "v1.27.1"), "(did you mean \"v1beta3\"?)",
                 "no kind \"InitConfiguration\""},
                {INIT("v1beta5") CLUSTER("v1beta5", "v1.36.3"), "(did you mean \"v1beta4\"?)",
                 "no kind \"ClusterConfiguration\""},
                {INIT("v1beta5") CLUSTER("v1beta4", "v1.36.3"), "(did you mean \"v1beta4\"?)",
                 "no kind \"InitConfiguration\""},
                {INIT("v1beta4")
                         CLUSTER("v1beta4", "v1.36.3") "---\napiVersion: kubeproxy.config.k8s.oi/v1alpha1\nkind: X\n",
                 "kubeadm.yaml:10:1: warning: Ignored configuration document with GroupVersionKind "
                 "kubeproxy.config.k8s.oi/v1alpha1, Kind=X (did you mean \"kubeproxy.config.k8s.io\"?)",
                 NULL},
                {INIT("v1beta4") CLUSTER(
                         "v1beta4", "v1.36.3") "---\napiVersion: podwatch.io/v1alpha1\nkind: ArgumentConfiguration\n",
                 "(did you mean \"ArgumentsConfiguration\"?)", NULL},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                fixture_config(f, cases[i].config);
                int r = fixture_run(f, nothing, NULL);
                if ((r < 0) != (cases[i].error != NULL) || (r < 0 && !strstr(f->err.msg, cases[i].error)) ||
                    strstr(f->err.msg, "did you mean"))
                        fail_msg("case %zu: %s", i, f->err.msg);
                if (times(f->log, "did you mean") != (cases[i].line ? 1 : 0) ||
                    (cases[i].line && !strstr(f->log, cases[i].line)))
                        fail_msg("case %zu: %s", i, f->log);
        }
}

/* What kubeadm's own parser says of each, in the last version that the row is for. */
static void test_absent_flags(void **state)
{
        static const struct {
                const char *version, *command, *name, *word;
        } cases[] = {
                {"v1.36.3", "wait-control-plane", "dry-run", "--dry-run"},
                {"v1.30.4", "certs sa", "dry-run", "--dry-run"},
                {"v1.25.3", "certs all", "dry-run", "--dry-run=true"},
                {"v1.23.17", "reset", "dry-run", "--dry-run"},
                {"v1.21.14", "control-plane all", "dry-run", "--dry-run"},
                {"v1.30.4", "certs sa", "kubernetes-version", "--kubernetes-version=v1.30.1"},
                {"v1.28.15", "preflight", "image-repository", "--image-repository"},
                {"v1.26.3", "upload-config all", "cri-socket", "--cri-socket"},
                {"v1.24.17", "kubelet-start", "patches", "--patches"},
                {"v1.21.14", "etcd local", "patches", "--patches=x"},
                {"v1.23.17", "etcd local", "experimental-patches", "--experimental-patches"},
                {"v1.27.3", "config migrate", "allow-experimental-api", "--allow-experimental-api"},
                {"v1.33.13", "config validate", "allow-deprecated-api", "--allow-deprecated-api"},
                {"v1.30.4", "config images list", "output", "--output=json"},
                {"v1.31.2", "token list", "experimental-output", "--experimental-output"},
                {"v1.29.15", "certs check-expiration", "experimental-output", "--experimental-output"},
                {"v1.29.15", "certs check-expiration", "output", "-ojson"},
                {"v1.23.17", "certs renew all", "csr-only", "--csr-only"},
                {"v1.23.17", "certs renew all", "csr-dir", "--csr-dir"},
                {"v1.25.3", "reset", "cleanup-tmp-dir", "--cleanup-tmp-dir"},
                {"v1.27.3", "reset", "config", "--config"},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct cli_seen seen = {STRV_INIT, STRV_INIT, STRV_INIT};
                bool is_long = strncmp(cases[i].word, "--", 2) == 0;
                char *text CLEANUP_FREE =
                        is_long ? xasprintf("unknown flag: --%s", cases[i].name)
                                : xasprintf("unknown shorthand flag: '%c' in %s", cases[i].word[1], cases[i].word);

                strv_add(&seen.names, cases[i].name);
                strv_add(&seen.words, cases[i].word);
                strv_add(&seen.values, "");
                struct phase_options options = {.seen = &seen,
                                                .kubeadm_version = cases[i].version,
                                                .command = cases[i].command,
                                                .templates_dir = getenv("TEST_TEMPLATES")};
                int r = phase_check_options(&options, &f->err);
                strv_release(&seen.names);
                strv_release(&seen.words);
                strv_release(&seen.values);
                if (r >= 0 || strcmp(f->err.msg, text) != 0)
                        fail_msg("case %zu: %s", i, f->err.msg);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_no_effect, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_all_at_once, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_behind_a_version, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_suggestions, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_absent_flags, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

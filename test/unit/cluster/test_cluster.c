/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a cluster is asked: the constants of older versions are too long for a recording (40 s and two minutes).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cluster/cluster.h"
#include "codec/value.h"
#include "phase/phase.h"

#define SETTING_SECONDS 7
#define NSEC_PER_SEC 1000000000

/* What a dry run with timeouts.kubernetesAPICall of 7 s would wait. */
static void expect(const char *version, unsigned call_seconds, unsigned node_seconds)
{
        struct phase_config config;
        struct phase phase;
        struct kube_version v;
        struct cluster *cluster = NULL;
        struct err err = ERR_INIT;

        memset(&config, 0, sizeof(config));
        memset(&phase, 0, sizeof(phase));
        config.init.timeouts.kubernetes_api_call.nsec = (int64_t)SETTING_SECONDS * NSEC_PER_SEC;
        phase.config = &config;
        phase.options.rootfs = "/nonexistent";
        phase.options.dry_run = true;
        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &phase.era, NULL), 0);
        assert_int_equal(kube_version_parse(version, false, &v, NULL), 0);
        assert_int_equal(era_set_version(phase.era, &v, NULL), 0);
        if (cluster_open(&phase, NULL, 0, &cluster, &err) < 0)
                fail_msg("%s: %s", version, err.msg);
        assert_int_equal(cluster->call_timeout, call_seconds * USEC_PER_SEC);
        assert_int_equal(cluster->node_timeout, node_seconds * USEC_PER_SEC);
        (void)cluster_free(cluster);
        (void)era_free(phase.era);
}

/* constants.KubernetesAPICallTimeout and PatchNodeTimeout up to 1.29, then timeouts.kubernetesAPICall */
static void test_timeouts(void **state)
{
        (void)state;
        expect("1.20.15", 40, 120);
        expect("1.29.15", 40, 120);
        expect("1.30.0", SETTING_SECONDS, SETTING_SECONDS);
        expect("1.37.1", SETTING_SECONDS, SETTING_SECONDS);
}

/* PatchNodeOnce gave up on most failures until kubernetes#135776, which was taken over by these patch releases. */
static void test_patch_releases_that_try_again(void **state)
{
        static const struct {
                const char *version;
                bool listed;
        } cases[] = {
                {"1.26.15", true}, {"1.32.11", true}, {"1.32.12", false}, {"1.33.7", true},  {"1.33.8", false},
                {"1.34.3", true},  {"1.34.4", false}, {"1.35.0", true},   {"1.35.1", false}, {"1.36.0", false},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct kube_version v;
                struct era *era;

                assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &era, NULL), 0);
                assert_int_equal(kube_version_parse(cases[i].version, false, &v, NULL), 0);
                assert_int_equal(era_set_version(era, &v, NULL), 0);
                if ((era_value(era, "cluster", "nodePatchRetries") != NULL) != cases[i].listed)
                        fail_msg("%s", cases[i].version);
                (void)era_free(era);
        }
}

static void expect_kubelet(const char *version, const char *said, const char *address, const char *joined)
{
        struct phase phase;
        struct kube_version v;

        memset(&phase, 0, sizeof(phase));
        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &phase.era, NULL), 0);
        assert_int_equal(kube_version_parse(version, false, &v, NULL), 0);
        assert_int_equal(era_set_version(phase.era, &v, NULL), 0);
        const struct value *row = era_value(phase.era, "cluster", "kubeletHealth");
        assert_string_equal(value_string(value_map_get(row, "said"), ""), said);
        assert_string_equal(value_string(value_map_get(row, "address"), ""), address);
        assert_string_equal(value_string(value_map_get(row, "joined"), ""), joined);
        (void)era_free(phase.era);
}

/* WaitForKubelet in the sources of these: 1.30.2 began to look at the configuration, 1.30.4 to say the address, and
 * kubernetes/kubernetes#134274 with its backports to put an IPv6 address into brackets. */
static void test_where_the_kubelet_is_asked(void **state)
{
        (void)state;
        expect_kubelet("1.29.15", "", "localhost:10248", "");
        expect_kubelet("1.30.1", "unnamed", "localhost:10248", "");
        expect_kubelet("1.30.3", "unnamed", "", "plainly");
        expect_kubelet("1.30.4", "", "", "plainly");
        expect_kubelet("1.33.5", "", "", "plainly");
        expect_kubelet("1.33.6", "", "", "");
        expect_kubelet("1.34.1", "", "", "plainly");
        expect_kubelet("1.34.2", "", "", "");
}

static void expect_server(const char *version, const char *who)
{
        struct era *era = NULL;
        struct kube_version v;

        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &era, NULL), 0);
        assert_int_equal(kube_version_parse(version, false, &v, NULL), 0);
        assert_int_equal(era_set_version(era, &v, NULL), 0);
        assert_string_equal(era_text(era, "cluster", "localServer", ""), who);
        (void)era_free(era);
}

/* kubernetes/kubernetes#134265, then #138449, with their backports. */
static void test_who_asks_this_node(void **state)
{
        (void)state;
        expect_server("1.20.15", "");
        expect_server("1.33.5", "");
        expect_server("1.33.6", "wait");
        expect_server("1.33.12", "always");
        expect_server("1.34.1", "");
        expect_server("1.34.2", "wait");
        expect_server("1.34.8", "always");
        expect_server("1.35.4", "wait");
        expect_server("1.35.5", "always");
        expect_server("1.36.0", "wait");
        expect_server("1.36.1", "always");
        expect_server("1.37.1", "always");
}

static void expect_fetch(const char *version, const char *reading, const char *hint, bool directory)
{
        struct era *era = NULL;
        struct kube_version v;

        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &era, NULL), 0);
        assert_int_equal(kube_version_parse(version, false, &v, NULL), 0);
        assert_int_equal(era_set_version(era, &v, NULL), 0);
        assert_non_null(strstr(era_text(era, "cluster", "fetchReading", ""), reading));
        assert_non_null(strstr(era_text(era, "cluster", "fetchHint", ""), hint));
        assert_int_equal(era_flag(era, "certificates", "clusterDirectory"), directory);
        (void)era_free(era);
}

/* FetchInitConfigurationFromCluster and getInternalCfg in the sources of these. */
static void test_what_is_said_of_the_configuration(void **state)
{
        static const char of_map[] = "from the \"kubeadm-config\" ConfigMap in namespace \"kube-system\"...";

        (void)state;
        expect_fetch("1.22.17", "configuration from the cluster...", "FYI: ", true);
        expect_fetch("1.24.17", "configuration from the cluster...", "FYI: ", true);
        expect_fetch("1.25.16", "configuration from the cluster...", "FYI: ", false);
        expect_fetch("1.31.14", "configuration from the cluster...", "FYI: ", false);
        expect_fetch("1.32.0", of_map, "upload-config --config your-config.yaml' to", false);
        expect_fetch("1.33.0", of_map, "upload-config --config your-config-file' to", false);
        expect_fetch("1.34.0", of_map, "upload-config kubeadm --config your-config-file' to", false);
        expect_fetch("1.36.3", of_map, "upload-config kubeadm --config your-config-file' to", false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_said_of_the_configuration), cmocka_unit_test(test_timeouts),
                cmocka_unit_test(test_where_the_kubelet_is_asked), cmocka_unit_test(test_who_asks_this_node),
                cmocka_unit_test(test_patch_releases_that_try_again)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

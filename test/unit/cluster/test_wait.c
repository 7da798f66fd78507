/* SPDX-License-Identifier: Apache-2.0
 *
 * The wait for the API server with the kubelet asked meanwhile (kubeadm up to 1.29), which takes minutes: under the
 * simulator's time. Everything of api/api_wait.h that would need a server is here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api_wait.h"
#include "base/err.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/phases.h"
#include "glue_rig.h"
#include "phase/phase.h"
#include "sim_loop.h"

#define NSEC_PER_SEC 1000000000
#define TIMEOUT_SECONDS 240
#define ANSWER_DELAY (10 * USEC_PER_MSEC)
#define NEVER (-1)
#define REQUESTS 5
#define OUTPUT_MAX 8192

#define WAITING                                                                                                    \
        "[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods from directory " \
        "\"/etc/kubernetes/manifests\". This can take up to 4m0s\n"
#define ASKING "[kubelet-check] Initial timeout of 40s passed.\n"
#define CALL                                                                    \
        "[kubelet-check] It seems like the kubelet isn't running or healthy.\n" \
        "[kubelet-check] The HTTP call equal to 'curl -sSL http://localhost:10248/healthz' "
#define DIAL "dial tcp 127.0.0.1:10248"
#define REFUSED \
        CALL "failed with error: Get \"http://localhost:10248/healthz\": " DIAL ": connect: connection refused.\n"
#define UNWELL CALL "returned HTTP code 503\n"

struct api_wait {
        struct loop *loop;
};

const char *api_wait_server(const struct api_wait *wait)
{
        (void)wait;
        return "https://192.0.2.1:6443";
}

struct loop *api_wait_loop(struct api_wait *wait)
{
        return wait->loop;
}

/* Of requests the phase makes none but those of health.c. */
int api_wait_new(const struct api_credentials *credentials, const char *user_agent, struct api_wait **ret,
                 struct err *err)
{
        (void)credentials;
        (void)user_agent;
        (void)ret;
        return err_set(err, ENOSYS, "no connection in this test");
}

struct api_wait *api_wait_free(struct api_wait *wait)
{
        (void)wait;
        return NULL;
}

int api_wait_request(struct api_wait *wait, const char *method, enum api_patch patch, const char *path,
                     const struct value *body, struct value **ret_body, struct err *err)
{
        (void)wait;
        (void)method;
        (void)patch;
        (void)body;
        (void)ret_body;
        return err_set(err, ENOSYS, "no request for %s in this test", path);
}

int api_wait_pause(struct api_wait *wait, usec_t duration, struct err *err)
{
        (void)wait;
        (void)duration;
        return err_set(err, ENOSYS, "no pause in this test");
}

struct scene {
        struct loop *loop;
        usec_t began;
        unsigned server_up;    /* second from which the API server is well; 0: not in this test */
        int kubelet[REQUESTS]; /* what each request to the kubelet gets; 0: nobody is there */
        unsigned seconds[REQUESTS];
        size_t asked;
};

static void answer(void *userdata)
{
        struct scene *scene = userdata;
        usec_t passed = loop_now(scene->loop) - scene->began;
        bool up = scene->server_up && passed >= scene->server_up * USEC_PER_SEC;

        (void)glue_rig_answer("https://192.0.2.1:6443/healthz", up ? 200 : 0, "ok");
        if (scene->asked < REQUESTS && scene->kubelet[scene->asked] != NEVER &&
            glue_rig_answer("http://localhost:10248/healthz", scene->kubelet[scene->asked] ?: -ECONNREFUSED, "ok") > 0)
                scene->seconds[scene->asked++] = (unsigned)(passed / USEC_PER_SEC);
        (void)sim_after(scene->loop, ANSWER_DELAY, answer, scene);
}

/* Runs the phase; returns the second at which it ended. */
static unsigned play(const char *version, struct scene *scene, int expected, char output[OUTPUT_MAX])
{
        struct phase_config config;
        struct phase phase;
        struct kube_version v;
        struct err err = ERR_INIT;
        struct api_wait api = {.loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC)};
        struct cluster cluster = {.phase = &phase, .api = &api};

        memset(&config, 0, sizeof(config));
        memset(&phase, 0, sizeof(phase));
        memset(output, 0, OUTPUT_MAX);
        config.init.timeouts.control_plane_component_health_check.nsec = (int64_t)TIMEOUT_SECONDS * NSEC_PER_SEC;
        config.init.node_registration.cri_socket.text = (char *)"unix:///run/cri.sock";
        phase.config = &config;
        phase.options.out = fmemopen(output, OUTPUT_MAX, "w");
        assert_non_null(phase.options.out);
        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &phase.era, NULL), 0);
        assert_int_equal(kube_version_parse(version, false, &v, NULL), 0);
        assert_int_equal(era_set_version(phase.era, &v, NULL), 0);
        scene->loop = api.loop;
        scene->began = loop_now(api.loop);
        (void)sim_after(api.loop, ANSWER_DELAY, answer, scene);
        assert_int_equal(cluster_wait_control_plane(&cluster, &err), expected);
        if (expected < 0)
                assert_string_equal(err.msg, "couldn't initialize a Kubernetes cluster");
        unsigned end = (unsigned)((loop_now(api.loop) - scene->began) / USEC_PER_SEC);
        (void)fclose(phase.options.out);
        (void)era_free(phase.era);
        (void)loop_free(api.loop);
        return end;
}

/* The whole of the output up to a text, which what follows begins with. */
static void expect_output(char output[OUTPUT_MAX], const char *all, const char *then)
{
        /* What localhost is depends on the machine. */
        for (char *v6; (v6 = strstr(output, "[::1]:")) != NULL;) {
                memmove(v6 + strlen("127.0.0.1"), v6 + strlen("[::1]"), strlen(v6 + strlen("[::1]")) + 1);
                memcpy(v6, "127.0.0.1", strlen("127.0.0.1"));
        }
        if (!str_starts(output, all) || !str_starts(output + strlen(all), then))
                fail_msg("%s", output);
}

static void test_neither_ever_answers(void **state)
{
        static const unsigned seconds[REQUESTS] = {40, 45, 55, 75, 115};

        (void)state;
        for (const char *const *version = (const char *const[]){"1.20.15", "1.29.15", NULL}; *version; version++) {
                struct scene scene = {0};
                char output[OUTPUT_MAX];

                assert_int_equal(play(*version, &scene, -ETIMEDOUT, output), 115);
                assert_memory_equal(scene.seconds, seconds, sizeof(seconds));
                expect_output(output, WAITING ASKING REFUSED REFUSED REFUSED REFUSED REFUSED, "\n");
                assert_non_null(strstr(output, "Unfortunately, an error has occurred:\n"));
                assert_non_null(strstr(output, "\ttimed out waiting for the condition\n"));
        }
}

static void test_the_server_comes_while_the_kubelet_is_asked(void **state)
{
        struct scene scene = {.server_up = 50, .kubelet = {0, 503}};
        char output[OUTPUT_MAX];

        (void)state;
        assert_int_equal(play("1.29.15", &scene, 0, output), 50);
        assert_int_equal(scene.asked, 2);
        expect_output(output, WAITING ASKING REFUSED UNWELL, "[apiclient] All control plane components are healthy");
}

/* It is not asked again, and the server has its whole time. */
static void test_the_kubelet_is_well(void **state)
{
        struct scene scene = {.kubelet = {503, 200}};
        char output[OUTPUT_MAX];

        (void)state;
        assert_int_equal(play("1.29.15", &scene, -ETIMEDOUT, output), TIMEOUT_SECONDS);
        assert_int_equal(scene.asked, 2);
        expect_output(output, WAITING ASKING UNWELL, "\nUnfortunately");
}

/* No limit of time is set for its answer. */
static void test_the_kubelet_never_answers(void **state)
{
        struct scene scene = {.kubelet = {NEVER}};
        char output[OUTPUT_MAX];

        (void)state;
        assert_int_equal(play("1.29.15", &scene, -ETIMEDOUT, output), TIMEOUT_SECONDS);
        expect_output(output, WAITING ASKING, "\nUnfortunately");
}

static void test_the_server_is_there_before(void **state)
{
        struct scene scene = {.server_up = 39};
        char output[OUTPUT_MAX];

        (void)state;
        assert_int_equal(play("1.29.15", &scene, 0, output), 39);
        expect_output(output, WAITING, "[apiclient] All control plane components are healthy after 39.");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_neither_ever_answers),
                cmocka_unit_test(test_the_server_comes_while_the_kubelet_is_asked),
                cmocka_unit_test(test_the_kubelet_is_well),
                cmocka_unit_test(test_the_kubelet_never_answers),
                cmocka_unit_test(test_the_server_is_there_before),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

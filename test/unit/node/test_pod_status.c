/* SPDX-License-Identifier: Apache-2.0
 *
 * PodStatus of views that the rig brings about: each case is a course of events and the members that matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "codec/cjson_get.h"
#include "docker/docker.h"
#include "node/pod_status.h"
#include "rig.h"

static struct cJSON *status_of(struct rig *rig, const struct cJSON *previous)
{
        struct pod_status_message message = {.container = 0, .text = "last words"};
        struct pod_status_input in = {
                .view = rig->view,
                .incarnation = rig->view->current ? rig->view->current : rig->view->next,
                .plan = &rig->plan,
                .previous = previous,
                .messages = &message,
                .message_count = 1,
                .host_ip = "10.0.0.1",
                .now_wall = 1700000000 * USEC_PER_SEC + rig->now,
        };

        return pod_status(&in);
}

/* A member by a path of words and list indices, as text; "" where it is not there. */
static const char *at(const struct cJSON *status, const char *path)
{
        char *copy CLEANUP_FREE = xstrdup(path), *save = NULL;
        static char number[32];

        for (char *word = strtok_r(copy, "/", &save); word && status; word = strtok_r(NULL, "/", &save)) {
                if (cJSON_IsArray(status))
                        status = cJSON_GetArrayItem(status, word[0] - '0');
                else
                        status = cJSON_GetObjectItemCaseSensitive(status, word);
        }
        if (cJSON_IsString(status))
                return status->valuestring;
        if (cJSON_IsBool(status))
                return cJSON_IsTrue(status) ? "true" : "false";
        if (cJSON_IsNumber(status)) {
                (void)snprintf(number, sizeof(number), "%g", status->valuedouble);
                return number;
        }
        return "";
}

static const char *condition(const struct cJSON *status, const char *type, const char *member)
{
        const struct cJSON *c;

        cJSON_ArrayForEach (c, cJSON_GetObjectItemCaseSensitive(status, "conditions")) {
                if (strcmp(cjson_text(c, "type", ""), type) == 0)
                        return cjson_text(c, member, "");
        }
        return "none";
}

static void pending_until_every_container_ran(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 2));
        rig_step(&rig);
        struct cJSON *before CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(before, "phase"), "Pending");
        assert_string_equal(at(before, "containerStatuses/0/state/waiting/reason"), "ContainerCreating");
        assert_string_equal(condition(before, "Ready", "reason"), "ContainersNotReady");
        assert_string_equal(condition(before, "Ready", "message"), "containers with unready status: [app0 app1]");
        assert_string_equal(condition(before, "PodScheduled", "status"), "True");
        rig_settle(&rig);
        struct cJSON *after CLEANUP_CJSON = status_of(&rig, before);
        assert_string_equal(at(after, "phase"), "Running");
        assert_string_equal(at(after, "containerStatuses/1/ready"), "true");
        assert_string_equal(at(after, "containerStatuses/1/restartCount"), "0");
        assert_string_equal(condition(after, "Ready", "status"), "True");
        assert_string_equal(condition(after, "ContainersReady", "status"), "True");
        assert_string_equal(condition(after, "Initialized", "status"), "True");
        assert_string_equal(at(after, "hostIP"), "10.0.0.1");
        rig_release(&rig);
}

static void transition_times_stay_until_a_flip(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_settle(&rig);
        struct cJSON *first CLEANUP_CJSON = status_of(&rig, NULL);
        rig_at(&rig, 100 * SEC);
        struct cJSON *second CLEANUP_CJSON = status_of(&rig, first);
        assert_string_equal(condition(first, "Ready", "lastTransitionTime"),
                            condition(second, "Ready", "lastTransitionTime"));
        rig_exits(&rig, "app0", 1);
        struct cJSON *third CLEANUP_CJSON = status_of(&rig, second);
        assert_string_equal(condition(third, "Ready", "status"), "False");
        assert_string_not_equal(condition(second, "Ready", "lastTransitionTime"),
                                condition(third, "Ready", "lastTransitionTime"));
        assert_string_equal(condition(third, "PodScheduled", "lastTransitionTime"),
                            condition(first, "PodScheduled", "lastTransitionTime"));
        rig_release(&rig);
}

static void crash_loop_waits_with_its_last_words(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_settle(&rig);
        rig_at(&rig, 1 * SEC);
        rig_exits(&rig, "app0", 7); /* the first restart is at once */
        rig_step(&rig);
        rig_settle(&rig);
        struct cJSON *running CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(running, "containerStatuses/0/restartCount"), "1");
        assert_string_equal(at(running, "containerStatuses/0/lastState/terminated/exitCode"), "7");
        rig_at(&rig, 2 * SEC);
        rig_exits(&rig, "app0", 7);
        rig_step(&rig);
        struct cJSON *waiting CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(waiting, "phase"), "Running");
        assert_string_equal(at(waiting, "containerStatuses/0/state/waiting/reason"), "CrashLoopBackOff");
        assert_string_equal(at(waiting, "containerStatuses/0/lastState/terminated/reason"), "Error");
        assert_string_equal(at(waiting, "containerStatuses/0/lastState/terminated/exitCode"), "7");
        assert_string_equal(at(waiting, "containerStatuses/0/restartCount"), "1");
        assert_string_equal(at(waiting, "containerStatuses/0/ready"), "false");
        rig_release(&rig);
}

/* It ran, and Docker knows nothing of it any more; of what could not be started Docker tells no times either. */
static void what_somebody_removed_has_an_unknown_status(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        pod_observe_gone(rig.view, rig_view(&rig, "app0")->now.id, rig.now);
        struct cJSON *gone CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(gone, "containerStatuses/0/state/terminated/reason"), "ContainerStatusUnknown");
        assert_string_equal(at(gone, "containerStatuses/0/state/terminated/exitCode"), "137");
        rig_view(&rig, "app0")->now.started = 0;
        struct cJSON *never CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(never, "containerStatuses/0/state/terminated/reason"), "ContainerCannotRun");
        rig_release(&rig);
}

static void init_containers_hold_the_rest(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 1, 1));
        rig_step(&rig);
        rig_settle(&rig);
        struct cJSON *during CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(during, "phase"), "Pending");
        assert_string_equal(at(during, "containerStatuses/0/state/waiting/reason"), "PodInitializing");
        assert_string_equal(condition(during, "Initialized", "status"), "False");
        assert_string_equal(condition(during, "Initialized", "message"), "containers with incomplete status: [init0]");
        rig_exits(&rig, "init0", 0);
        rig_step(&rig);
        rig_settle(&rig);
        struct cJSON *after CLEANUP_CJSON = status_of(&rig, during);
        assert_string_equal(at(after, "phase"), "Running");
        assert_string_equal(at(after, "initContainerStatuses/0/ready"), "true");
        assert_string_equal(at(after, "initContainerStatuses/0/state/terminated/reason"), "Completed");
        assert_string_equal(condition(after, "Initialized", "status"), "True");
        rig_release(&rig);
}

static void ended_pods_stay_ended(void **state)
{
        struct rig rig;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_init(&rig);
        rig_want(&rig, pod);
        rig_step(&rig);
        rig_settle(&rig);
        rig_exits(&rig, "app0", 0);
        rig_step(&rig);
        struct cJSON *succeeded CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(succeeded, "phase"), "Succeeded");
        assert_string_equal(condition(succeeded, "Ready", "reason"), "PodCompleted");
        assert_string_equal(at(succeeded, "containerStatuses/0/state/terminated/reason"), "Completed");
        assert_string_equal(at(succeeded, "containerStatuses/0/state/terminated/message"), "last words");
        rig_settle(&rig);
        struct cJSON *later CLEANUP_CJSON = status_of(&rig, succeeded);
        assert_string_equal(at(later, "phase"), "Succeeded");
        rig_release(&rig);
}

/* getPhase of the kubelet: what runs keeps the phase, and how a sidecar ends is no matter. */
static void ended_pods_have_stopped_their_sidecars_first(void **state)
{
        static const struct {
                int app, sidecar;
                const char *phase;
        } cases[] = {{0, 143, "Succeeded"}, {3, 0, "Failed"}};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct rig rig;
                struct pod *pod = rig_pod("u1", "h1", 1, 1);

                pod->restart_policy = POD_RESTART_NEVER;
                rig_container(pod, "init0")->sidecar = true;
                rig_up(&rig, pod);
                struct cJSON *before CLEANUP_CJSON = status_of(&rig, NULL);
                rig_exits(&rig, "app0", cases[i].app);
                rig_step(&rig);
                struct cJSON *stopping CLEANUP_CJSON = status_of(&rig, before);
                assert_string_equal(at(stopping, "phase"), "Running");
                assert_string_equal(condition(stopping, "Ready", "reason"), "ContainersNotReady");
                rig_exits(&rig, "init0", cases[i].sidecar);
                struct cJSON *ended CLEANUP_CJSON = status_of(&rig, stopping);
                assert_string_equal(at(ended, "phase"), cases[i].phase);
                rig_release(&rig);
        }
}

/* Removed and put back before the last of it was gone: what it was then is no status of what it is now. */
static void what_came_back_has_not_ended(void **state)
{
        struct rig rig;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_up(&rig, pod_ref(pod));
        rig_exits(&rig, "app0", 0);
        rig_settle(&rig);
        rig_exits(&rig, "", 137);
        struct cJSON *ended CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(ended, "phase"), "Succeeded");
        (void)pod_unwant(rig.view, rig.now);
        rig_at(&rig, 5 * SEC);
        rig_want(&rig, pod);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        struct cJSON *again CLEANUP_CJSON = status_of(&rig, ended);
        assert_string_equal(at(again, "phase"), "Running");
        assert_string_not_equal(at(again, "startTime"), at(ended, "startTime"));
        assert_string_equal(condition(again, "PodScheduled", "lastTransitionTime"),
                            condition(again, "Ready", "lastTransitionTime"));
        rig_release(&rig);
}

/* Nobody knows whether it will run again: its labels tell no restartPolicy, and an ended status is for ever. */
static void an_orphan_has_not_ended(void **state)
{
        struct docker_container seen;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        (void)pod_hold(rig.view, "starts after another");
        assert_int_equal(pod_insert_orphan(rig.view, pod, 0, rig.now, rig.wall), 1);
        pod_unref(pod);
        rig_show(&rig, &seen, "sandbox", "u1", "h1", "", 0, "", true);
        seen.state = DOCKER_STATE_RUNNING;
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        rig_show(&rig, &seen, "app", "u1", "h1", "app0", 0, "sandbox", true);
        seen.state = DOCKER_STATE_EXITED;
        seen.exit_code = 1;
        seen.finished = rig.wall;
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        rig_step(&rig);
        struct cJSON *status CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(status, "phase"), "Running");
        rig_release(&rig);
}

/* Whose init container somebody took away while nobody knew what it was; the app container says that it has run. */
static void an_orphan_that_is_wanted_again_is_past_its_steps(void **state)
{
        struct docker_container seen;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        (void)pod_hold(rig.view, "starts after another");
        rig_orphan(&rig, pod);
        rig_show(&rig, &seen, "app", "u1", "h1", "app0", 0, "sandbox", true);
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        rig_step(&rig);
        (void)pod_hold(rig.view, "");
        rig_want(&rig, rig_pod("u1", "h1", 1, 1));
        rig_step(&rig);
        struct cJSON *status CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(status, "phase"), "Running");
        assert_string_equal(condition(status, "Initialized", "status"), "True");
        rig_release(&rig);
}

/* A pod that has ended for ever and is edited is another one, which begins. */
static void the_status_of_another_version_counts_for_nothing(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_init(&rig);
        rig_want(&rig, pod);
        rig_settle(&rig);
        rig_exits(&rig, "app0", 0);
        rig_settle(&rig);
        struct cJSON *succeeded CLEANUP_CJSON = status_of(&rig, NULL);
        assert_string_equal(at(succeeded, "phase"), "Succeeded");
        char *version CLEANUP_FREE = pod_status_version(rig.view->current->pod);
        rig_release(&rig);

        rig_init(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_settle(&rig);
        struct pod_status_input in = {
                .view = rig.view,
                .incarnation = rig.view->current,
                .plan = &rig.plan,
                .previous = succeeded,
                .previous_version = version,
                .host_ip = "10.0.0.1",
                .now_wall = 1700000000 * USEC_PER_SEC,
        };
        struct cJSON *next CLEANUP_CJSON = pod_status(&in);
        assert_string_equal(at(next, "phase"), "Running");
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pending_until_every_container_ran),
                cmocka_unit_test(transition_times_stay_until_a_flip),
                cmocka_unit_test(crash_loop_waits_with_its_last_words),
                cmocka_unit_test(what_somebody_removed_has_an_unknown_status),
                cmocka_unit_test(init_containers_hold_the_rest),
                cmocka_unit_test(ended_pods_stay_ended),
                cmocka_unit_test(ended_pods_have_stopped_their_sidecars_first),
                cmocka_unit_test(what_came_back_has_not_ended),
                cmocka_unit_test(an_orphan_has_not_ended),
                cmocka_unit_test(an_orphan_that_is_wanted_again_is_past_its_steps),
                cmocka_unit_test(the_status_of_another_version_counts_for_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

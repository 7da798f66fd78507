/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing up: what waits for what, and what goes side by side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "rig.h"

static void images_are_looked_up_while_volumes_are_made(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 2));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "ACTIVATE volumes image:app0 image:app1");
        rig_release(&rig);
}

static void containers_are_created_while_the_sandbox_starts(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 2));
        rig_step(&rig);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        rig_done(&rig, POD_OP_VOLUMES, "");
        (void)rig_take(&rig);
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        assert_string_equal(rig_take(&rig), "sandbox-start create:app0");
        /* The pull of one holds up nobody else. */
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        rig_done(&rig, POD_OP_CREATE, "app0");
        assert_string_equal(rig_take(&rig), "start:app0");
        rig_done(&rig, POD_OP_IMAGE, "app1");
        assert_string_equal(rig_take(&rig), "create:app1");
        rig_release(&rig);
}

static void not_when_the_environment_needs_the_pods_address(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        pod->host_network = false;
        pod->containers[0].env = xcalloc(1, sizeof(*pod->containers[0].env));
        pod->containers[0].env_count = 1;
        pod->containers[0].env[0].name = xstrdup("IP");
        pod->containers[0].env[0].field_path = xstrdup("status.podIP");
        rig_want(&rig, pod);
        rig_step(&rig);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        rig_done(&rig, POD_OP_VOLUMES, "");
        (void)rig_take(&rig);
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        assert_string_equal(rig_take(&rig), "sandbox-start");
        rig_address(&rig, "10.0.0.7");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        assert_string_equal(rig_take(&rig), "create:app0");
        assert_string_equal(rig.view->current->ip, "10.0.0.7");
        rig_release(&rig);
}

static void a_failed_pull_is_tried_again_after_10_s(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_IMAGE, "app0", "ErrImagePull");
        assert_string_equal(rig_take(&rig), "");
        assert_string_equal(rig_wait(&rig, "app0"), "ImagePullBackOff");
        assert_int_equal(rig.plan.deadline, rig.now + 10 * SEC);
        rig_at(&rig, 10 * SEC);
        assert_string_equal(rig_take(&rig), "image:app0");
        assert_string_equal(rig_wait(&rig, "app0"), "ErrImagePull");
        rig_fail(&rig, POD_OP_IMAGE, "app0", "ErrImageNeverPull");
        assert_string_equal(rig_wait(&rig, "app0"), "ErrImageNeverPull");
        assert_int_equal(rig.plan.deadline, rig.now + 20 * SEC);
        rig_release(&rig);
}

static void a_failed_create_looks_for_the_image_again(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_CREATE, "app0", "CreateContainerError");
        assert_string_equal(rig_take(&rig), "image:app0");
        rig_done(&rig, POD_OP_IMAGE, "app0");
        assert_string_equal(rig_take(&rig), "");
        assert_string_equal(rig_wait(&rig, "app0"), "CreateContainerError");
        rig_at(&rig, 1 * SEC);
        assert_string_equal(rig_take(&rig), "create:app0");
        rig_release(&rig);
}

/* The create was done and its answer is lost; the container is seen. */
static void no_wake_up_for_a_start_while_its_image_is_looked_for(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        (void)rig_take(&rig);
        rig_view(&rig, "app0")->now.state = INSTANCE_CREATED;
        rig_fail(&rig, POD_OP_CREATE, "app0", "CreateContainerError");
        assert_string_equal(rig_take(&rig), "image:app0");
        assert_true(rig.plan.deadline == USEC_INFINITY);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        assert_true(rig.plan.deadline == rig_view(&rig, "app0")->retry.at);
        rig_at(&rig, 1 * SEC);
        assert_string_equal(rig_take(&rig), "start:app0");
        rig_release(&rig);
}

static void a_failed_start_is_tried_again_with_the_same_container(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        rig_done(&rig, POD_OP_CREATE, "app0");
        rig_fail(&rig, POD_OP_START, "app0", "RunContainerError");
        (void)rig_take(&rig);
        assert_string_equal(rig_wait(&rig, "app0"), "RunContainerError");
        rig_at(&rig, 1 * SEC);
        assert_string_equal(rig_take(&rig), "start:app0");
        rig_fail(&rig, POD_OP_START, "app0", "RunContainerError");
        (void)rig_take(&rig);
        rig_at(&rig, 3 * SEC);
        assert_string_equal(rig_take(&rig), "start:app0");
        rig_release(&rig);
}

static void a_sandbox_that_cannot_be_made_is_tried_again_and_does_not_pile_up(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "");
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_SANDBOX_CREATE, "", "FailedCreatePodSandBox");
        assert_string_equal(rig_wait(&rig, ""), "FailedCreatePodSandBox");
        rig_at(&rig, 1 * SEC);
        assert_string_equal(rig_take(&rig), "sandbox-create");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        assert_string_equal(rig_take(&rig), "sandbox-start");
        rig_fail(&rig, POD_OP_SANDBOX_START, "", "FailedCreatePodSandBox");
        (void)rig_take(&rig);
        rig_at(&rig, 2 * SEC);
        assert_string_equal(rig_take(&rig), "sandbox-start");
        assert_int_equal(rig.view->garbage_count, 0);
        rig_release(&rig);
}

static void a_post_start_hook_holds_up_the_containers_behind_it(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 3);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_handler_exec(&rig_container(pod, "app1")->post_start);
        rig_want(&rig, pod);
        rig_settle(&rig);
        assert_true(rig_view(&rig, "app0")->ready);
        assert_false(rig_view(&rig, "app1")->started);
        assert_int_equal(rig_view(&rig, "app1")->now.state, INSTANCE_RUNNING);
        assert_int_equal(rig_view(&rig, "app2")->now.state, INSTANCE_CREATED);
        assert_string_equal(rig_wait(&rig, "app1"), "ContainerCreating");
        (void)rig_take(&rig);
        rig_done(&rig, POD_OP_POST_START, "app1");
        assert_string_equal(rig_take(&rig), "start:app2");
        assert_true(rig_view(&rig, "app1")->ready);
        rig_release(&rig);
}

static void one_that_has_failed_holds_up_nobody(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 2);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_handler_exec(&rig_container(pod, "app0")->post_start);
        rig_want(&rig, pod);
        rig_step(&rig);
        rig_done(&rig, POD_OP_IMAGE, "app1");
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        rig_done(&rig, POD_OP_CREATE, "app1");
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_IMAGE, "app0", "ErrImagePull");
        assert_string_equal(rig_take(&rig), "start:app1");
        rig_release(&rig);
}

/* Until its time comes, the one before it will be tried again and hold it up: nothing happens at that time. */
static void no_wake_up_for_a_start_that_a_hook_will_hold_up(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 2);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_handler_exec(&rig_container(pod, "app0")->post_start);
        rig_want(&rig, pod);
        rig_step(&rig);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        rig_done(&rig, POD_OP_IMAGE, "app1");
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        rig_done(&rig, POD_OP_CREATE, "app1");
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_CREATE, "app0", "CreateContainerError");
        assert_string_equal(rig_take(&rig), "image:app0 start:app1");
        rig_at(&rig, USEC_PER_MSEC);
        rig_fail(&rig, POD_OP_START, "app1", "RunContainerError");
        assert_true(rig.plan.deadline == USEC_INFINITY);
        rig_done(&rig, POD_OP_IMAGE, "app0");
        assert_true(rig.plan.deadline == rig_view(&rig, "app0")->retry.at);
        rig_release(&rig);
}

static void a_failed_post_start_hook_stops_the_container(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_handler_exec(&rig_container(pod, "app0")->post_start);
        rig_want(&rig, pod);
        rig_settle(&rig);
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_POST_START, "app0", "PostStartHookError");
        assert_string_equal(rig_take(&rig), "signal:app0");
        assert_string_equal(rig.plan.waits[0].reason, "PostStartHookError");
        rig_exits(&rig, "app0", 143);
        assert_string_equal(rig_take(&rig), "create:app0");
        /* It is said until there is another container, which is not made later for it. */
        assert_string_equal(rig.plan.waits[0].reason, "PostStartHookError");
        rig_done(&rig, POD_OP_CREATE, "app0");
        assert_string_equal(rig.plan.waits[0].reason, "ContainerCreating");
        rig_release(&rig);
}

static void hold_makes_all_but_starts_nothing(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        assert_true(pod_hold(rig.view, "port 80 is in use by default/other"));
        assert_false(pod_hold(rig.view, "port 80 is in use by default/other"));
        rig_settle(&rig);
        (void)rig_take(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_CREATED);
        assert_int_equal(rig.view->current->sandbox.state, INSTANCE_CREATED);
        assert_string_equal(rig_wait(&rig, ""), "Held");
        assert_int_equal(rig.plan.deadline, USEC_INFINITY);
        assert_true(pod_hold(rig.view, ""));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "ACTIVATE sandbox-start");
        /* What runs is not stopped by it. */
        rig_settle(&rig);
        (void)rig_take(&rig);
        (void)pod_hold(rig.view, "again");
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "");
        rig_release(&rig);
}

static void without_a_runtime_nothing_is_done_and_nothing_forgotten(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        pod_observe_runtime(rig.view, false, rig.now);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "");
        assert_string_equal(rig_wait(&rig, ""), "RuntimeNotReady");
        assert_int_equal(rig.plan.deadline, USEC_INFINITY);
        pod_observe_runtime(rig.view, true, rig.now);
        rig_settle(&rig);
        assert_true(rig_view(&rig, "app0")->ready);
        (void)rig_take(&rig);

        pod_observe_runtime(rig.view, false, rig.now);
        (void)pod_unwant(rig.view, rig.now);
        rig_at(&rig, 100 * SEC);
        assert_string_equal(rig_take(&rig), "");
        assert_true(rig_view(&rig, "app0")->ready);
        pod_observe_runtime(rig.view, true, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:app0");
        rig_release(&rig);
}

static void what_fails_because_docker_is_away_is_no_failure(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        pod_observe_runtime(rig.view, false, rig.now);
        rig_fail(&rig, POD_OP_VOLUMES, "", "gone");
        rig_fail(&rig, POD_OP_IMAGE, "app0", "gone");
        (void)rig_take(&rig);
        pod_observe_runtime(rig.view, true, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "volumes image:app0");
        assert_int_equal(rig_view(&rig, "app0")->image_retry.failures, 0);
        rig_release(&rig);
}

static void the_same_view_gives_the_same_plan(void **state)
{
        struct pod_plan a = {0}, b = {0};
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 1, 2));
        rig.view->current->phase = POD_ACTIVE;
        pod_step(rig.view, rig.now, &a);
        pod_step(rig.view, rig.now, &b);
        pod_step(rig.view, rig.now, &b);
        assert_int_equal(a.count, 4);
        assert_int_equal(a.count, b.count);
        assert_memory_equal(a.actions, b.actions, a.count * sizeof(*a.actions));
        assert_int_equal(a.wait_count, b.wait_count);
        assert_memory_equal(a.waits, b.waits, a.wait_count * sizeof(*a.waits));
        pod_plan_release(&a);
        pod_plan_release(&b);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(images_are_looked_up_while_volumes_are_made),
                cmocka_unit_test(containers_are_created_while_the_sandbox_starts),
                cmocka_unit_test(not_when_the_environment_needs_the_pods_address),
                cmocka_unit_test(a_failed_pull_is_tried_again_after_10_s),
                cmocka_unit_test(a_failed_create_looks_for_the_image_again),
                cmocka_unit_test(no_wake_up_for_a_start_while_its_image_is_looked_for),
                cmocka_unit_test(a_failed_start_is_tried_again_with_the_same_container),
                cmocka_unit_test(a_sandbox_that_cannot_be_made_is_tried_again_and_does_not_pile_up),
                cmocka_unit_test(a_post_start_hook_holds_up_the_containers_behind_it),
                cmocka_unit_test(one_that_has_failed_holds_up_nobody),
                cmocka_unit_test(no_wake_up_for_a_start_that_a_hook_will_hold_up),
                cmocka_unit_test(a_failed_post_start_hook_stops_the_container),
                cmocka_unit_test(hold_makes_all_but_starts_nothing),
                cmocka_unit_test(without_a_runtime_nothing_is_done_and_nothing_forgotten),
                cmocka_unit_test(what_fails_because_docker_is_away_is_no_failure),
                cmocka_unit_test(the_same_view_gives_the_same_plan),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

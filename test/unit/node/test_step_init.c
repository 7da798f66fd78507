/* SPDX-License-Identifier: Apache-2.0
 *
 * Init containers and sidecars: order, restarts, what becomes of the pod.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static void one_at_a_time_in_order_then_the_apps(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 2, 2));
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "ACTIVATE volumes image:init0 image:init1 image:app0 image:app1 "
                                            "sandbox-create sandbox-start create:init0 start:init0");
        assert_string_equal(rig_wait(&rig, "init1"), "PodInitializing");
        assert_string_equal(rig_wait(&rig, "app0"), "PodInitializing");
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "create:init1 start:init1");
        rig_exits(&rig, "init1", 0);
        assert_string_equal(rig_take(&rig), "create:app0 create:app1");
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "start:app0 start:app1");
        assert_string_equal(rig_wait(&rig, "init0"), "");
        rig_release(&rig);
}

static void a_failed_init_container_is_run_again_with_backoff(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 1, 1));
        rig_settle(&rig);
        (void)rig_take(&rig);
        rig_at(&rig, 1 * SEC);
        rig_exits(&rig, "init0", 1);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "create:init0 start:init0");
        rig_at(&rig, 2 * SEC);
        rig_exits(&rig, "init0", 1);
        assert_string_equal(rig_wait(&rig, "init0"), "CrashLoopBackOff");
        assert_int_equal(rig.plan.deadline, rig.now + 10 * SEC);
        rig_at(&rig, 12 * SEC);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "create:init0 start:init0 remove:id2");
        assert_int_equal(rig_view(&rig, "init0")->now.attempt, 2);
        rig_release(&rig);
}

static void a_failed_init_container_ends_a_pod_that_runs_once(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 2, 1);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        pod->restart_policy = POD_RESTART_NEVER;
        rig_want(&rig, pod);
        rig_settle(&rig);
        (void)rig_take(&rig);
        rig_exits(&rig, "init0", 3);
        assert_string_equal(rig_take(&rig), "STOP:completed sandbox-stop");
        rig_exits(&rig, "", 137);
        assert_string_equal(rig_take(&rig), "END");
        assert_true(rig.view->current->terminal && rig.view->current->terminal_failed);
        assert_int_equal(rig.plan.deadline, USEC_INFINITY);
        rig_release(&rig);
}

static struct pod *with_sidecar(void)
{
        struct pod *pod = rig_pod("u1", "h1", 3, 1);

        rig_container(pod, "init1")->sidecar = true;
        return pod;
}

static void what_follows_a_sidecar_waits_until_it_has_started(void **state)
{
        struct pod *pod = with_sidecar();
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_probe(pod, "init1", POD_PROBE_STARTUP, 1, 3);
        rig_want(&rig, pod);
        rig_settle(&rig);
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "init1")->now.state, INSTANCE_RUNNING);
        assert_int_equal(rig_view(&rig, "init2")->now.state, INSTANCE_ABSENT);
        (void)rig_take(&rig);
        rig_probed(&rig, "init1", POD_PROBE_STARTUP, true);
        assert_string_equal(rig_take(&rig), "create:init2");
        rig_settle(&rig);
        rig_exits(&rig, "init2", 0);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

static void a_sidecar_is_run_again_whatever_the_policy(void **state)
{
        struct pod *pod = with_sidecar();
        struct rig rig;

        (void)state;
        rig_init(&rig);
        pod->restart_policy = POD_RESTART_NEVER;
        rig_want(&rig, pod);
        rig_settle(&rig);
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        rig_exits(&rig, "init2", 0);
        rig_settle(&rig);
        (void)rig_take(&rig);
        rig_exits(&rig, "init1", 0);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "create:init1 start:init1");
        /* ... and does not keep the pod from completing. */
        rig_exits(&rig, "app0", 0);
        assert_string_equal(rig_take(&rig), "STOP:completed signal:init1");
        rig_exits(&rig, "init1", 143);
        rig_exits(&rig, "", 137);
        assert_true(rig.view->current->terminal);
        assert_false(rig.view->current->terminal_failed);
        rig_release(&rig);
}

static void init_containers_are_not_run_again_while_an_app_runs(void **state)
{
        struct rig rig;
        char id[POD_VIEW_ID_MAX];

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 1, 1));
        rig_settle(&rig);
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        (void)rig_take(&rig);
        /* Its record is removed. */
        pod_view_text(id, sizeof(id), rig_view(&rig, "init0")->now.id);
        pod_observe_gone(rig.view, id, rig.now);
        rig_view(&rig, "init0")->now = (struct pod_instance){0};
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "");
        rig_exits(&rig, "app0", 1);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "create:app0 start:app0");
        rig_release(&rig);
}

static void a_new_sandbox_runs_them_again(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 1, 1));
        rig_settle(&rig);
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        (void)rig_take(&rig);
        rig_exits(&rig, "", 137);
        assert_string_equal(rig_take(&rig), "STOP:sandbox signal:app0");
        rig_exits(&rig, "app0", 143);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "END REVIVE ACTIVATE volumes sandbox-create sandbox-start create:init0 "
                                            "start:init0 remove:id1");
        assert_int_equal(rig_view(&rig, "init0")->now.attempt, 1);
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_at_a_time_in_order_then_the_apps),
                cmocka_unit_test(a_failed_init_container_is_run_again_with_backoff),
                cmocka_unit_test(a_failed_init_container_ends_a_pod_that_runs_once),
                cmocka_unit_test(what_follows_a_sidecar_waits_until_it_has_started),
                cmocka_unit_test(a_sidecar_is_run_again_whatever_the_policy),
                cmocka_unit_test(init_containers_are_not_run_again_while_an_app_runs),
                cmocka_unit_test(a_new_sandbox_runs_them_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing down: order, hooks, deadlines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static void apps_side_by_side_then_the_sandbox(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 3));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:app0 signal:app1 signal:app2");
        rig_exits(&rig, "app1", 0);
        rig_exits(&rig, "app0", 0);
        assert_string_equal(rig_take(&rig), "");
        rig_exits(&rig, "app2", 0);
        assert_string_equal(rig_take(&rig), "sandbox-stop");
        rig_release(&rig);
}

static void sidecars_in_reverse_order_after_the_apps(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 2, 2);
        struct rig rig;

        (void)state;
        rig_container(pod, "init0")->sidecar = rig_container(pod, "init1")->sidecar = true;
        rig_up(&rig, pod);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:app0 signal:app1");
        rig_exits(&rig, "app0", 0);
        assert_string_equal(rig_take(&rig), "");
        rig_exits(&rig, "app1", 0);
        assert_string_equal(rig_take(&rig), "signal:init1");
        rig_exits(&rig, "init1", 0);
        assert_string_equal(rig_take(&rig), "signal:init0");
        rig_exits(&rig, "init0", 0);
        assert_string_equal(rig_take(&rig), "sandbox-stop");
        rig_release(&rig);
}

static void hooks_run_first_all_at_once_and_use_up_the_grace(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 1, 1);
        struct rig rig;

        (void)state;
        rig_container(pod, "init0")->sidecar = true;
        rig_handler_exec(&rig_container(pod, "init0")->pre_stop);
        rig_handler_exec(&rig_container(pod, "app0")->pre_stop);
        rig_up(&rig, pod);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed pre-stop:init0 pre-stop:app0");
        assert_int_equal(rig.plan.deadline, rig.now + 30 * SEC);
        rig_at(&rig, 10 * SEC);
        rig_done(&rig, POD_OP_PRE_STOP, "app0");
        assert_string_equal(rig_take(&rig), "signal:app0");
        assert_int_equal(rig_view(&rig, "app0")->kill_at, rig.now + 20 * SEC);
        rig_exits(&rig, "app0", 0);
        assert_string_equal(rig_take(&rig), ""); /* the sidecar's hook still runs */
        rig_done(&rig, POD_OP_PRE_STOP, "init0");
        assert_string_equal(rig_take(&rig), "signal:init0");
        rig_release(&rig);
}

static void a_hook_that_outlives_the_grace_is_cut_and_2_s_are_left(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_handler_exec(&rig_container(pod, "app0")->pre_stop);
        rig_up(&rig, pod);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        (void)rig_take(&rig);
        rig_at(&rig, 30 * SEC);
        assert_string_equal(rig_take(&rig), "signal:app0");
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        rig_at(&rig, 32 * SEC - 1);
        assert_string_equal(rig_take(&rig), "");
        rig_at(&rig, 32 * SEC);
        assert_string_equal(rig_take(&rig), "kill:app0");
        rig_release(&rig);
}

static void a_failed_hook_does_not_hold_up_the_stop(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_handler_exec(&rig_container(pod, "app0")->pre_stop);
        rig_up(&rig, pod);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_PRE_STOP, "app0", "FailedPreStopHook");
        assert_string_equal(rig_take(&rig), "signal:app0");
        rig_release(&rig);
}

static void the_grace_counts_from_the_signal_that_was_sent(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_up(&rig, pod);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        rig_at(&rig, 4 * SEC);
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        assert_int_equal(rig_view(&rig, "app0")->kill_at, rig.now + 30 * SEC);
        rig_release(&rig);
}

static void no_grace_still_leaves_2_s(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->termination_grace_seconds = 0;
        rig_up(&rig, pod);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:app0");
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        assert_int_equal(rig.plan.deadline, rig.now + 2 * SEC);
        rig_release(&rig);
}

static void a_kill_that_shows_no_effect_is_repeated(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        rig_at(&rig, 30 * SEC);
        (void)rig_take(&rig);
        rig_done(&rig, POD_OP_KILL, "app0");
        assert_int_equal(rig.plan.deadline, rig.now + 1 * SEC);
        rig_at(&rig, 31 * SEC);
        assert_string_equal(rig_take(&rig), "kill:app0");
        rig_done(&rig, POD_OP_KILL, "app0");
        assert_int_equal(rig.plan.deadline, rig.now + 1 * SEC);
        rig_release(&rig);
}

static void a_signal_that_failed_is_sent_again(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_SIGNAL, "app0", "FailedKillPod");
        assert_string_equal(rig_take(&rig), "");
        rig_at(&rig, 1 * SEC);
        assert_string_equal(rig_take(&rig), "signal:app0");
        /* The deadline does not move with it. */
        assert_int_equal(rig_view(&rig, "app0")->kill_at, rig.view->current->stop_deadline);
        rig_release(&rig);
}

/* Docker does not take the signal, or its answer never comes. */
static void what_no_signal_reaches_is_killed_in_time(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        for (int failures = 0; failures < 5; failures++) { /* at 0, 1, 3, 7, 15 s */
                rig_at(&rig, ((1 << failures) - 1) * SEC);
                rig_fail(&rig, POD_OP_SIGNAL, "app0", "FailedKillPod");
        }
        (void)rig_take(&rig);
        rig_at(&rig, 30 * SEC - 1);
        assert_string_equal(rig_take(&rig), "");
        rig_at(&rig, 30 * SEC);
        assert_string_equal(rig_take(&rig), "kill:app0");
        rig_fail(&rig, POD_OP_KILL, "app0", "FailedKillPod");
        assert_string_equal(rig_take(&rig), "");
        rig_at(&rig, 31 * SEC);
        assert_string_equal(rig_take(&rig), "kill:app0");
        rig_done(&rig, POD_OP_KILL, "app0");
        rig_exits(&rig, "app0", 137);
        assert_string_equal(rig_take(&rig), "sandbox-stop");
        rig_release(&rig);
}

static void a_kill_that_fails_is_tried_again_after_a_second(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        (void)rig_take(&rig);
        for (unsigned second = 30; second < 33; second++) {
                rig_at(&rig, second * SEC);
                assert_string_equal(rig_take(&rig), "kill:app0");
                rig_fail(&rig, POD_OP_KILL, "app0", "FailedKillPod");
                assert_string_equal(rig_take(&rig), "");
        }
        rig_release(&rig);
}

/* The failure that is kept there is the hook's, whose container was not signalled yet. */
static void a_failed_hook_after_the_start_costs_no_signal(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_handler_exec(&rig_container(pod, "app0")->post_start);
        rig_handler_exec(&rig_container(pod, "app0")->pre_stop);
        rig_up(&rig, pod);
        rig_fail(&rig, POD_OP_POST_START, "app0", REASON_POST_START);
        assert_string_equal(rig_take(&rig), "pre-stop:app0");
        rig_at(&rig, 30 * SEC);
        assert_string_equal(rig_take(&rig), "signal:app0");
        rig_release(&rig);
}

static void a_stop_leaves_2_s_to_what_was_signalled_for_its_restart(void **state)
{
        struct rig rig;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);

        (void)state;
        pod->termination_grace_seconds = 0;
        rig_up(&rig, pod);
        pod_request_restart(rig.view, -1, "asked for", rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "signal:app0");
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        rig_at(&rig, 1 * SEC);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed");
        rig_at(&rig, 2 * SEC);
        assert_string_equal(rig_take(&rig), "kill:app0");
        rig_release(&rig);
}

static void a_start_under_way_is_waited_for(void **state)
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
        (void)rig_take(&rig);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed");
        rig_done(&rig, POD_OP_START, "app0");
        assert_string_equal(rig_take(&rig), "signal:app0");
        rig_release(&rig);
}

static void a_pull_under_way_is_not_waited_for(void **state)
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
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed sandbox-stop");
        rig_exits(&rig, "", 137);
        assert_string_equal(rig_take(&rig), "END cleanup remove:id1");
        rig_release(&rig);
}

static void a_running_init_container_is_stopped_as_an_app(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 1, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:init0");
        rig_exits(&rig, "init0", 143);
        assert_string_equal(rig_take(&rig), "sandbox-stop");
        rig_release(&rig);
}

static void readiness_is_probed_until_the_end(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_probe(pod, "app0", POD_PROBE_READINESS, 10, 1);
        rig_probe(pod, "app0", POD_PROBE_LIVENESS, 10, 1);
        rig_up(&rig, pod);
        rig_probed(&rig, "app0", POD_PROBE_READINESS, true);
        assert_true(rig_view(&rig, "app0")->ready);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        (void)rig_take(&rig);
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        rig_at(&rig, 20 * SEC);
        assert_string_equal(rig_take(&rig), "readiness?:app0");
        rig_probed(&rig, "app0", POD_PROBE_READINESS, false);
        assert_false(rig_view(&rig, "app0")->ready);
        rig_release(&rig);
}

static void the_deadline_of_the_pod_fails_it(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->active_deadline_seconds = 60;
        rig_up(&rig, pod);
        assert_int_equal(rig.plan.deadline, rig.now + 60 * SEC);
        rig_at(&rig, 60 * SEC);
        assert_string_equal(rig_take(&rig), "STOP:deadline signal:app0");
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 137);
        assert_true(rig.view->current->terminal && rig.view->current->terminal_failed);
        rig_at(&rig, 6000 * SEC);
        assert_string_equal(rig_take(&rig), "sandbox-stop END");
        rig_release(&rig);
}

/* The outcome of a probe that was under way when the pod was removed. */
static void a_probe_that_fails_while_the_pod_stops_cuts_no_grace_short(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;
        usec_t kill_at;

        (void)state;
        pod->termination_grace_seconds = 1;
        rig_probe(pod, "app0", POD_PROBE_STARTUP, 1, 1);
        rig_init(&rig);
        rig_want(&rig, pod);
        rig_settle(&rig);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        kill_at = rig_view(&rig, "app0")->kill_at;
        assert_true(kill_at >= rig.now + 2 * SEC);
        rig_probed(&rig, "app0", POD_PROBE_STARTUP, false);
        assert_int_equal(rig_view(&rig, "app0")->kill_at, kill_at);
        assert_false(rig_view(&rig, "app0")->restart_wanted);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(apps_side_by_side_then_the_sandbox),
                cmocka_unit_test(sidecars_in_reverse_order_after_the_apps),
                cmocka_unit_test(hooks_run_first_all_at_once_and_use_up_the_grace),
                cmocka_unit_test(a_hook_that_outlives_the_grace_is_cut_and_2_s_are_left),
                cmocka_unit_test(a_failed_hook_does_not_hold_up_the_stop),
                cmocka_unit_test(the_grace_counts_from_the_signal_that_was_sent),
                cmocka_unit_test(no_grace_still_leaves_2_s),
                cmocka_unit_test(a_kill_that_shows_no_effect_is_repeated),
                cmocka_unit_test(a_signal_that_failed_is_sent_again),
                cmocka_unit_test(what_no_signal_reaches_is_killed_in_time),
                cmocka_unit_test(a_kill_that_fails_is_tried_again_after_a_second),
                cmocka_unit_test(a_failed_hook_after_the_start_costs_no_signal),
                cmocka_unit_test(a_stop_leaves_2_s_to_what_was_signalled_for_its_restart),
                cmocka_unit_test(a_start_under_way_is_waited_for),
                cmocka_unit_test(a_pull_under_way_is_not_waited_for),
                cmocka_unit_test(a_running_init_container_is_stopped_as_an_app),
                cmocka_unit_test(readiness_is_probed_until_the_end),
                cmocka_unit_test(the_deadline_of_the_pod_fails_it),
                cmocka_unit_test(a_probe_that_fails_while_the_pod_stops_cuts_no_grace_short),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

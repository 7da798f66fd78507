/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs: restart rule, probes, restarts that are asked for, the sandbox's death.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

/* restartPolicy and the exit codes of two app containers: what becomes of the pod. */
static void restart_rule(void **state)
{
        static const struct {
                enum pod_restart_policy policy;
                int codes[2];
                bool restarts[2];
                bool terminal, failed;
        } cases[] = {
                {POD_RESTART_ALWAYS, {0, 0}, {true, true}, false, false},
                {POD_RESTART_ALWAYS, {0, 1}, {true, true}, false, false},
                {POD_RESTART_ON_FAILURE, {0, 0}, {false, false}, true, false},
                {POD_RESTART_ON_FAILURE, {0, 1}, {false, true}, false, false},
                {POD_RESTART_ON_FAILURE, {2, 1}, {true, true}, false, false},
                {POD_RESTART_NEVER, {0, 0}, {false, false}, true, false},
                {POD_RESTART_NEVER, {0, 1}, {false, false}, true, true},
                {POD_RESTART_NEVER, {137, 1}, {false, false}, true, true},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct pod *pod = rig_pod("u1", "h1", 0, 2);
                struct rig rig;

                pod->restart_policy = cases[i].policy;
                rig_up(&rig, pod);
                rig_exits(&rig, "app0", cases[i].codes[0]);
                rig_settle(&rig);
                rig_exits(&rig, "app1", cases[i].codes[1]);
                rig_settle(&rig);
                assert_int_equal(rig_view(&rig, "app0")->now.attempt, cases[i].restarts[0]);
                assert_int_equal(rig_view(&rig, "app1")->now.attempt, cases[i].restarts[1]);
                if (cases[i].terminal)
                        rig_exits(&rig, "", 137);
                assert_int_equal(rig.view->current->terminal, cases[i].terminal);
                assert_int_equal(rig.view->current->terminal_failed, cases[i].failed);
                assert_int_equal(rig.view->current->phase, cases[i].terminal ? POD_ENDED : POD_ACTIVE);
                rig_release(&rig);
        }
}

/* Rules and policies of single containers count before the pod's; what they restart keeps the pod going. */
static void restart_rules_of_a_container(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 1, 3);
        struct pod_container *init = rig_container(pod, "init0"), *rule = rig_container(pod, "app0");
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        init->has_restart_policy = rule->has_restart_policy = true;
        init->restart_policy = POD_RESTART_ON_FAILURE;
        rule->restart_policy = POD_RESTART_NEVER;
        memset(rule->restart_codes, '0', 64);
        rule->restart_codes[42 / 4] = '4'; /* 42 alone */
        rig_container(pod, "app1")->has_restart_policy = true;
        rig_container(pod, "app1")->restart_policy = POD_RESTART_ON_FAILURE;
        rig_up(&rig, pod);
        rig_exits(&rig, "init0", 1);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "init0")->now.attempt, 1);
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        rig_exits(&rig, "app2", 0); /* the pod's policy */
        rig_exits(&rig, "app1", 1);
        rig_exits(&rig, "app0", 42);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        assert_int_equal(rig_view(&rig, "app1")->now.attempt, 1);
        assert_int_equal(rig_view(&rig, "app2")->now.state, INSTANCE_EXITED);
        assert_int_equal(rig.view->current->phase, POD_ACTIVE);
        rig_exits(&rig, "app1", 0);
        rig_exits(&rig, "app0", 43);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        rig_exits(&rig, "", 137);
        assert_true(rig.view->current->terminal);
        assert_true(rig.view->current->terminal_failed);
        rig_release(&rig);
}

/* With Always the registry is asked before each start: when the backoff has passed, not when the run ended. */
static void an_image_is_pulled_again_for_each_start(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 2);
        struct rig rig;

        (void)state;
        rig_container(pod, "app0")->pull_policy = POD_PULL_ALWAYS;
        rig_up(&rig, pod);
        rig_exits(&rig, "app0", 1);
        assert_string_equal(rig_take(&rig), "image:app0");
        rig_done(&rig, POD_OP_IMAGE, "app0");
        assert_string_equal(rig_take(&rig), "create:app0");
        rig_settle(&rig);
        (void)rig_take(&rig);
        rig_at(&rig, 1 * SEC);
        rig_exits(&rig, "app0", 1);
        rig_exits(&rig, "app1", 1);
        assert_string_equal(rig_take(&rig), "create:app1");
        rig_at(&rig, 11 * SEC);
        assert_string_equal(rig_take(&rig), "image:app0");
        rig_release(&rig);
}

static void a_run_of_ten_minutes_is_followed_at_once(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_exits(&rig, "app0", 1);
        rig_settle(&rig);
        rig_at(&rig, 600 * SEC);
        rig_exits(&rig, "app0", 1);
        assert_int_equal(rig.plan.deadline, USEC_INFINITY);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 2);
        rig_at(&rig, 601 * SEC);
        rig_exits(&rig, "app0", 1);
        assert_int_equal(rig.plan.deadline, rig.now + 10 * SEC);
        rig_release(&rig);
}

static void the_newest_dead_one_is_kept_and_older_ones_go(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1)); /* id2 */
        rig_exits(&rig, "app0", 1);
        rig_settle(&rig); /* id3 */
        assert_string_equal(rig_view(&rig, "app0")->last.id, "id2");
        rig_exits(&rig, "app0", 1);
        rig_at(&rig, 100 * SEC);
        (void)rig_take(&rig);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "start:app0 remove:id2");
        assert_string_equal(rig_view(&rig, "app0")->last.id, "id3");
        rig_release(&rig);
}

static void startup_probe_comes_first_and_gates_the_others(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_probe(pod, "app0", POD_PROBE_STARTUP, 1, 3);
        rig_probe(pod, "app0", POD_PROBE_READINESS, 5, 1);
        rig_probe(pod, "app0", POD_PROBE_LIVENESS, 5, 1);
        rig_init(&rig);
        rig_want(&rig, pod);
        rig_settle(&rig);
        assert_non_null(strstr(rig_take(&rig), "start:app0 startup?:app0"));
        rig_probed(&rig, "app0", POD_PROBE_STARTUP, false);
        rig_at(&rig, 1 * SEC);
        assert_string_equal(rig_take(&rig), "startup?:app0");
        assert_false(rig_view(&rig, "app0")->started);
        rig_probed(&rig, "app0", POD_PROBE_STARTUP, true);
        assert_true(rig_view(&rig, "app0")->started);
        assert_false(rig_view(&rig, "app0")->ready);
        assert_string_equal(rig_take(&rig), "readiness?:app0");
        rig_probed(&rig, "app0", POD_PROBE_READINESS, true);
        assert_true(rig_view(&rig, "app0")->ready);
        /* Liveness within one period by its offset; startup never again. */
        rig_at(&rig, 6 * SEC);
        assert_non_null(strstr(rig_take(&rig), "liveness?:app0"));
        assert_int_equal(rig_view(&rig, "app0")->probes[POD_PROBE_STARTUP].slot.op, POD_OP_NONE);
        rig_release(&rig);
}

static void a_failed_startup_probe_stops_the_container_by_its_own_grace(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_probe(pod, "app0", POD_PROBE_STARTUP, 1, 2);
        pod->containers[0].probes[POD_PROBE_STARTUP].termination_grace_seconds = 5;
        rig_up(&rig, pod);
        rig_probed(&rig, "app0", POD_PROBE_STARTUP, false);
        rig_at(&rig, 1 * SEC);
        (void)rig_take(&rig);
        rig_probed(&rig, "app0", POD_PROBE_STARTUP, false);
        assert_string_equal(rig_take(&rig), "signal:app0");
        assert_string_equal(rig_wait(&rig, "app0"), "Restarting");
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        assert_int_equal(rig.plan.deadline, rig.now + 5 * SEC);
        rig_at(&rig, 6 * SEC);
        assert_string_equal(rig_take(&rig), "kill:app0");
        rig_exits(&rig, "app0", 137);
        assert_string_equal(rig_take(&rig), "create:app0");
        rig_release(&rig);
}

static void a_failed_liveness_probe_restarts_with_backoff(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;
        usec_t due;

        (void)state;
        rig_probe(pod, "app0", POD_PROBE_LIVENESS, 10, 1);
        rig_up(&rig, pod);
        for (int round = 0; round < 2; round++) {
                due = rig_view(&rig, "app0")->probes[POD_PROBE_LIVENESS].due;
                rig.wall += due - rig.now;
                rig.now = due;
                rig_step(&rig);
                (void)rig_take(&rig);
                rig_probed(&rig, "app0", POD_PROBE_LIVENESS, false);
                assert_string_equal(rig_take(&rig), "signal:app0");
                assert_string_equal(rig.event, "Killing: Container app0 failed liveness probe, will be restarted");
                rig_exits(&rig, "app0", 143);
                if (round == 0)
                        rig_settle(&rig);
        }
        assert_string_equal(rig_wait(&rig, "app0"), "CrashLoopBackOff");
        assert_int_equal(rig.plan.deadline, rig.now + 10 * SEC);
        rig_release(&rig);
}

static void a_failed_liveness_probe_ends_a_pod_that_runs_once(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_probe(pod, "app0", POD_PROBE_STARTUP, 1, 1);
        rig_up(&rig, pod);
        rig_probed(&rig, "app0", POD_PROBE_STARTUP, false);
        assert_string_equal(rig.event, "Killing: Container app0 failed startup probe");
        rig_exits(&rig, "app0", 137);
        assert_string_equal(rig_take(&rig), "signal:app0 STOP:completed sandbox-stop");
        rig_release(&rig);
}

static void a_probe_result_of_an_earlier_container_is_dropped(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;
        uint32_t generation;

        (void)state;
        rig_probe(pod, "app0", POD_PROBE_READINESS, 10, 1);
        rig_up(&rig, pod);
        generation = rig_view(&rig, "app0")->probes[POD_PROBE_READINESS].slot.generation;
        rig_exits(&rig, "app0", 1);
        rig_settle(&rig);
        assert_int_equal(pod_apply_probe(rig.view, generation, true, false, "ok", rig.now), 1);
        assert_false(rig_view(&rig, "app0")->ready);
        rig_release(&rig);
}

static void probes_wait_for_the_address(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->host_network = false;
        rig_probe(pod, "app0", POD_PROBE_READINESS, 10, 1);
        pod->containers[0].probes[POD_PROBE_READINESS].handler.type = POD_HANDLER_TCP_SOCKET;
        rig_init(&rig);
        rig_want(&rig, pod);
        rig_settle(&rig);
        assert_null(strstr(rig_take(&rig), "readiness?"));
        rig_address(&rig, "10.0.0.7");
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "readiness?:app0");
        rig_release(&rig);
}

static void a_restart_that_a_person_asks_for_waits_for_nothing(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 2);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_up(&rig, pod);
        for (unsigned round = 1; round < 4; round++) {
                pod_request_restart(rig.view, 0, "asked for", rig.now);
                rig_step(&rig);
                assert_string_equal(rig_take(&rig), "signal:app0");
                rig_exits(&rig, "app0", 0);
                rig_settle(&rig);
                assert_int_equal(rig_view(&rig, "app0")->now.attempt, round);
                (void)rig_take(&rig);
        }
        assert_int_equal(rig_view(&rig, "app1")->now.attempt, 0);
        rig_release(&rig);
}

static void a_retry_that_a_person_asks_for_ends_the_wait(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_exits(&rig, "app0", 1);
        rig_settle(&rig);
        rig_exits(&rig, "app0", 1);
        (void)rig_take(&rig);
        pod_request_retry(rig.view, -1, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "create:app0");
        rig_release(&rig);
}

static void the_sandboxs_death_restarts_the_pod(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 2)); /* id1, id2, id3 */
        rig_exits(&rig, "", 137);
        assert_string_equal(rig_take(&rig), "STOP:sandbox signal:app0 signal:app1");
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "app1", 0);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "END REVIVE ACTIVATE volumes sandbox-create sandbox-start create:app0 "
                                            "create:app1 start:app0 start:app1 remove:id1");
        assert_int_equal(rig.view->current->sandbox.attempt, 1);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        assert_string_equal(rig_view(&rig, "app0")->last.id, "id2");
        rig_release(&rig);
}

static void a_sandbox_that_dies_again_and_again_waits(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_exits(&rig, "", 137);
        rig_exits(&rig, "app0", 0);
        rig_settle(&rig);
        assert_int_equal(rig.view->current->sandbox.state, INSTANCE_RUNNING);
        rig_exits(&rig, "", 137);
        rig_exits(&rig, "app0", 0);
        rig_settle(&rig);
        assert_int_equal(rig.view->current->sandbox.state, INSTANCE_ABSENT);
        assert_string_equal(rig_wait(&rig, ""), "SandboxBackOff");
        assert_int_equal(rig.plan.deadline, rig.now + 10 * SEC);
        rig_release(&rig);
}

/* By restartPolicy: what has ended well is not run again in the new sandbox, a pod that runs once is not begun again.
 */
static void the_sandboxs_death_and_what_has_ended(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 2);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_ON_FAILURE;
        rig_up(&rig, pod);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 137);
        rig_exits(&rig, "app1", 143);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_EXITED);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 0);
        assert_int_equal(rig_view(&rig, "app1")->now.state, INSTANCE_RUNNING);
        assert_int_equal(rig_view(&rig, "app1")->now.attempt, 1);
        rig_release(&rig);

        pod = rig_pod("u1", "h1", 0, 2);
        pod->restart_policy = POD_RESTART_NEVER;
        rig_up(&rig, pod);
        rig_exits(&rig, "", 137);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "app1", 143);
        rig_settle(&rig);
        assert_true(rig.view->current->terminal && rig.view->current->terminal_failed);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(restart_rule),
                cmocka_unit_test(restart_rules_of_a_container),
                cmocka_unit_test(an_image_is_pulled_again_for_each_start),
                cmocka_unit_test(a_run_of_ten_minutes_is_followed_at_once),
                cmocka_unit_test(the_newest_dead_one_is_kept_and_older_ones_go),
                cmocka_unit_test(startup_probe_comes_first_and_gates_the_others),
                cmocka_unit_test(a_failed_startup_probe_stops_the_container_by_its_own_grace),
                cmocka_unit_test(a_failed_liveness_probe_restarts_with_backoff),
                cmocka_unit_test(a_failed_liveness_probe_ends_a_pod_that_runs_once),
                cmocka_unit_test(a_probe_result_of_an_earlier_container_is_dropped),
                cmocka_unit_test(probes_wait_for_the_address),
                cmocka_unit_test(a_restart_that_a_person_asks_for_waits_for_nothing),
                cmocka_unit_test(a_retry_that_a_person_asks_for_ends_the_wait),
                cmocka_unit_test(the_sandboxs_death_restarts_the_pod),
                cmocka_unit_test(a_sandbox_that_dies_again_and_again_waits),
                cmocka_unit_test(the_sandboxs_death_and_what_has_ended),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

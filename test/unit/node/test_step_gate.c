/* SPDX-License-Identifier: Apache-2.0
 *
 * The trial of a new version, and the node that is emptied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/pod_gate.h"
#include "node/revert.h"
#include "rig.h"

static struct pod *tried(const char *uid, const char *hash, int64_t seconds)
{
        struct pod *pod = rig_pod(uid, hash, 0, 1);

        pod->revert_seconds = seconds;
        return pod;
}

/* Version one runs, version two has just been started in its place. */
static void edited(struct rig *rig, struct pod *one, struct pod *two)
{
        rig_init(rig);
        rig_want(rig, one);
        rig_settle(rig);
        rig_want(rig, two);
        rig_settle(rig);
        rig_exits(rig, "app0", 0);
        rig_exits(rig, "", 0);
        rig_settle(rig);
        assert_string_equal(rig->view->current->pod->uid, "u2");
        (void)rig_take(rig);
}

static void stop_and_settle(struct rig *rig)
{
        rig_settle(rig);
        if (rig_view(rig, "app0")->now.state == INSTANCE_RUNNING)
                rig_exits(rig, "app0", 0);
        rig_exits(rig, "", 0);
        rig_settle(rig);
}

static void ready_for_a_while_stays(void **state)
{
        struct rig rig;

        (void)state;
        edited(&rig, tried("u1", "h1", 0), tried("u2", "h2", 60));
        assert_true(rig.view->current->gated);
        assert_string_equal(rig.view->fallback->uid, "u1");
        assert_string_equal(rig_wait(&rig, ""), "OnTrial");
        rig_at(&rig, 9 * SEC);
        assert_string_equal(rig_take(&rig), "");
        rig_at(&rig, 11 * SEC);
        assert_string_equal(rig_take(&rig), "ACCEPT");
        assert_false(rig.view->current->gated);
        assert_null(rig.view->fallback);
        rig_release(&rig);
}

static void not_ready_in_time_goes_back(void **state)
{
        struct pod *two = tried("u2", "h2", 60);
        struct rig rig;

        (void)state;
        rig_probe(two, "app0", POD_PROBE_READINESS, 10, 3);
        edited(&rig, tried("u1", "h1", 60), two);
        rig_at(&rig, 59 * SEC);
        (void)rig_take(&rig);
        assert_null(rig.view->next);
        rig_at(&rig, 61 * SEC);
        assert_non_null(strstr(rig_take(&rig), "REVERT"));
        assert_string_equal(rig.view->next->pod->uid, "u1");
        stop_and_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u1");
        assert_false(rig.view->current->gated);
        assert_true(rig_view(&rig, "app0")->ready);
        /* It is over: nothing more is tried, whatever happens. */
        rig_exits(&rig, "app0", 1);
        rig_at(&rig, 10000 * SEC);
        assert_null(strstr(rig_take(&rig), "REVERT"));
        rig_release(&rig);
}

/* Without a readiness probe a container is Ready as soon as it runs, for a moment. */
static void a_crash_loop_is_not_ready(void **state)
{
        struct rig rig;

        (void)state;
        edited(&rig, tried("u1", "h1", 0), tried("u2", "h2", 8));
        rig_exits(&rig, "app0", 1);
        rig_settle(&rig);
        rig_at(&rig, 1 * SEC);
        rig_exits(&rig, "app0", 1);
        rig_at(&rig, 7 * SEC);
        assert_null(strstr(rig_take(&rig), "ACCEPT"));
        rig_at(&rig, 9 * SEC);
        assert_non_null(strstr(rig_take(&rig), "REVERT"));
        assert_string_equal(rig.view->next->pod->uid, "u1");
        rig_release(&rig);
}

static void nothing_to_go_back_to_is_no_trial(void **state)
{
        struct pod *one = tried("u1", "h1", 0);
        struct rig rig;

        (void)state;
        rig_probe(one, "app0", POD_PROBE_READINESS, 10, 3); /* never Ready */
        edited(&rig, one, tried("u2", "h2", 60));
        assert_false(rig.view->current->gated);
        assert_null(rig.view->fallback);
        rig_release(&rig);
}

static void an_edit_during_the_trial_keeps_the_good_version(void **state)
{
        struct pod *two = tried("u2", "h2", 60), *three = tried("u3", "h3", 60);
        struct rig rig;

        (void)state;
        rig_probe(two, "app0", POD_PROBE_READINESS, 10, 3);
        rig_probe(three, "app0", POD_PROBE_READINESS, 10, 3);
        edited(&rig, tried("u1", "h1", 0), two);
        rig_want(&rig, three);
        stop_and_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u3");
        assert_true(rig.view->current->gated);
        assert_string_equal(rig.view->fallback->uid, "u1");
        rig_release(&rig);
}

static void never_and_the_default_of_the_node(void **state)
{
        struct rig rig;

        (void)state;
        edited(&rig, tried("u1", "h1", 0), tried("u2", "h2", 0));
        assert_false(rig.view->current->gated);
        rig_release(&rig);

        rig_init(&rig);
        rig.view->revert_default = 30 * SEC;
        rig_want(&rig, tried("u1", "h1", 0));
        rig_settle(&rig);
        rig_want(&rig, tried("u2", "h2", -1));
        stop_and_settle(&rig);
        assert_false(rig.view->current->gated);
        rig_want(&rig, tried("u3", "h3", 0));
        stop_and_settle(&rig);
        assert_true(rig.view->current->gated);
        rig_release(&rig);
}

static void removed_during_the_trial(void **state)
{
        struct rig rig;

        (void)state;
        edited(&rig, tried("u1", "h1", 0), tried("u2", "h2", 60));
        (void)pod_unwant(rig.view, rig.now);
        assert_null(rig.view->fallback);
        rig_at(&rig, 100 * SEC);
        assert_null(strstr(rig_take(&rig), "REVERT"));
        rig_release(&rig);
}

/* The file is back before the pod has stopped: it stays, and is a version to go back to later. */
static void removed_and_back_during_the_trial(void **state)
{
        struct pod *two = tried("u2", "h2", 60);
        struct rig rig;

        (void)state;
        edited(&rig, tried("u1", "h1", 0), pod_ref(two));
        (void)pod_unwant(rig.view, rig.now);
        assert_false(rig.view->current->gated);
        rig_want(&rig, two);
        rig_settle(&rig);
        rig_want(&rig, tried("u3", "h3", 60));
        stop_and_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u3");
        assert_true(rig.view->current->gated);
        assert_string_equal(rig.view->fallback->uid, "u2");
        rig_release(&rig);
}

/* After a restart of podwatch the version before cannot be read: what is there stays, and is not on trial for ever. */
static void nothing_left_to_go_back_to_ends_the_trial(void **state)
{
        struct rig rig;

        (void)state;
        edited(&rig, tried("u1", "h1", 0), tried("u2", "h2", 60));
        rig.view->fallback = pod_unref(rig.view->fallback);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "ACCEPT");
        assert_null(strstr(rig.event, "RevisionAccepted"));
        assert_false(rig.view->current->gated);
        rig_release(&rig);
}

/* It waits to come up again when its time is over: it is not started once more. */
static void what_is_not_up_goes_back_at_once(void **state)
{
        struct rig rig;

        (void)state;
        edited(&rig, tried("u1", "h1", 0), tried("u2", "h2", 60));
        rig_exits(&rig, "app0", 1);
        rig_exits(&rig, "", 137);
        (void)pod_hold(rig.view, "held");
        rig_settle(&rig);
        assert_int_equal(rig.view->current->phase, POD_PREPARING);
        (void)rig_take(&rig);
        (void)pod_hold(rig.view, "");
        rig.now = rig.view->current->gate_until;
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "REVERT PROMOTE ACTIVATE volumes image:app0 remove:id7 remove:id6");
        assert_string_equal(rig.view->current->pod->uid, "u1");
        rig_release(&rig);
}

/* All of it has ended when its time is over: the version before takes its place in the same turn, and who is to know
 * which version failed gets to know. */
static void what_has_ended_goes_back_at_once(void **state)
{
        struct pod *two = tried("u2", "h2", 60);
        struct revert revert = {0};
        struct rig rig;

        (void)state;
        two->restart_policy = POD_RESTART_NEVER;
        edited(&rig, tried("u1", "h1", 0), two);
        rig_exits(&rig, "app0", 1);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        assert_int_equal(rig.view->current->phase, POD_ENDED);
        rig.now += 61 * SEC;
        pod_step(rig.view, rig.now, &rig.plan);
        assert_int_equal(rig.plan.actions[0].kind, POD_ACTION_REVERT);
        (void)pod_apply_action(rig.view, &rig.plan.actions[0], rig.now);
        revert_note(&revert, rig.view);
        pod_step(rig.view, rig.now, &rig.plan);
        assert_int_equal(rig.plan.actions[0].kind, POD_ACTION_PROMOTE);
        (void)pod_apply_action(rig.view, &rig.plan.actions[0], rig.now);
        assert_null(rig.view->next);
        assert_string_equal(revert.pod->uid, "u2");
        assert_string_equal(revert.to->uid, "u1");
        assert_int_equal(revert.to_revision, 1);
        revert_release(&revert);
        rig_release(&rig);
}

/* As after a podwatch that was killed before it had written that the trial had begun. */
static void on_trial_and_not_begun(struct rig *rig, enum pod_restart_policy policy)
{
        struct pod *one = tried("u1", "h1", 0), *two = tried("u2", "h2", 60);

        two->restart_policy = policy;
        rig_up(rig, two);
        rig->view->current->gated = true;
        gate_set_fallback(rig->view, one, 1);
        pod_unref(one);
}

static void what_is_found_running_is_on_trial_from_then_on(void **state)
{
        struct rig rig;

        (void)state;
        on_trial_and_not_begun(&rig, POD_RESTART_ALWAYS);
        rig_step(&rig);
        assert_int_equal(rig.view->current->gate_until, rig.now + 60 * SEC);
        rig_release(&rig);
}

static void what_is_found_ended_is_on_trial_from_then_on(void **state)
{
        struct rig rig;

        (void)state;
        on_trial_and_not_begun(&rig, POD_RESTART_NEVER);
        rig.view->current->phase = POD_PREPARING;
        rig_exits(&rig, "app0", 1);
        rig_exits(&rig, "", 0);
        assert_true(rig.view->current->terminal_failed);
        assert_int_equal(rig.view->current->gate_until, rig.now + 60 * SEC);
        (void)rig_take(&rig);
        rig_at(&rig, 61 * SEC);
        assert_non_null(strstr(rig_take(&rig), "REVERT"));
        rig_release(&rig);
}

static void an_emptied_node_starts_nothing_until_resumed(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_settle(&rig);
        (void)rig_take(&rig);
        assert_true(pod_drain(rig.view, true));
        assert_false(pod_drain(rig.view, true));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:drained signal:app0");
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        (void)rig_take(&rig);
        assert_int_equal(rig.view->current->phase, POD_ENDED);
        assert_string_equal(rig_wait(&rig, ""), "Drained");
        /* An edit is prepared, not started. */
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_settle(&rig);
        assert_null(strstr(rig_take(&rig), "start:app0"));
        (void)pod_drain(rig.view, false);
        rig_settle(&rig);
        assert_non_null(strstr(rig_take(&rig), "ACTIVATE"));
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

static void what_was_stopped_by_draining_comes_back_at_once(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_settle(&rig);
        for (int i = 0; i < 3; i++) {
                (void)pod_drain(rig.view, true);
                rig_step(&rig);
                rig_exits(&rig, "app0", 143);
                rig_exits(&rig, "", 0);
                rig_settle(&rig);
                (void)pod_drain(rig.view, false);
                rig_settle(&rig);
                assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        }
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 3);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ready_for_a_while_stays),
                cmocka_unit_test(not_ready_in_time_goes_back),
                cmocka_unit_test(a_crash_loop_is_not_ready),
                cmocka_unit_test(nothing_to_go_back_to_is_no_trial),
                cmocka_unit_test(an_edit_during_the_trial_keeps_the_good_version),
                cmocka_unit_test(never_and_the_default_of_the_node),
                cmocka_unit_test(removed_during_the_trial),
                cmocka_unit_test(removed_and_back_during_the_trial),
                cmocka_unit_test(nothing_left_to_go_back_to_ends_the_trial),
                cmocka_unit_test(what_is_not_up_goes_back_at_once),
                cmocka_unit_test(what_has_ended_goes_back_at_once),
                cmocka_unit_test(what_is_found_running_is_on_trial_from_then_on),
                cmocka_unit_test(what_is_found_ended_is_on_trial_from_then_on),
                cmocka_unit_test(an_emptied_node_starts_nothing_until_resumed),
                cmocka_unit_test(what_was_stopped_by_draining_comes_back_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

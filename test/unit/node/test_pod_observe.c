/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker shows, late or by a wall clock that was set back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "docker/docker.h"
#include "rig.h"

static void up(struct rig *rig)
{
        rig_up(rig, rig_pod("u1", "h1", 0, 1));
}

/* The container app0 ("" the sandbox) as an inspect shows it. */
static enum pod_observed show(struct rig *rig, const char *container, enum docker_state state, usec_t started,
                              usec_t finished)
{
        struct pod_incarnation *inc = rig->view->current;
        const struct pod_instance *known = container[0] ? &rig_view(rig, container)->now : &inc->sandbox;
        struct docker_container seen;
        enum pod_observed r;

        rig_show(rig, &seen, known->id, "u1", "h1", container, known->attempt, inc->sandbox.id, true);
        seen.state = state;
        seen.started = started;
        seen.finished = finished;
        r = pod_observe_container(rig->view, &seen, rig->now, rig->wall);
        docker_container_release(&seen);
        rig_step(rig);
        return r;
}

/* The clock was set back between its end and its new start: that start lies before the end by the clock. */
static void what_somebody_starts_is_seen_though_the_clock_was_set_back(void **state)
{
        struct rig rig;
        usec_t wall;

        (void)state;
        up(&rig);
        wall = rig.wall;
        (void)show(&rig, "app0", DOCKER_STATE_RUNNING, wall, 0);
        (void)show(&rig, "app0", DOCKER_STATE_EXITED, wall, wall + SEC);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_EXITED);
        /* An answer that was under way when it ended. */
        (void)show(&rig, "app0", DOCKER_STATE_RUNNING, wall, 0);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_EXITED);
        rig.wall -= 3600 * SEC;
        (void)show(&rig, "app0", DOCKER_STATE_RUNNING, rig.wall, wall + SEC);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

/* The end of another run than the one that is known: an answer that comes late, or the newest there is. It is looked at
 * again before anything is stopped for it. */
static void the_end_of_another_run_is_looked_at_again(void **state)
{
        struct rig rig;
        usec_t wall;

        (void)state;
        up(&rig);
        wall = rig.wall;
        (void)show(&rig, "", DOCKER_STATE_RUNNING, wall, 0);
        assert_int_equal(show(&rig, "", DOCKER_STATE_EXITED, wall - 5 * SEC, wall - SEC), POD_OBSERVED_INSPECT);
        assert_int_equal(rig.view->current->sandbox.state, INSTANCE_RUNNING);
        /* It was late. */
        assert_int_equal(show(&rig, "", DOCKER_STATE_RUNNING, wall, 0), POD_OBSERVED);
        assert_int_equal(rig.view->current->sandbox.state, INSTANCE_RUNNING);
        assert_int_equal(rig.view->current->phase, POD_ACTIVE);
        /* Somebody had started it once more, and it has ended. */
        assert_int_equal(show(&rig, "", DOCKER_STATE_EXITED, wall + 5 * SEC, wall + 6 * SEC), POD_OBSERVED_INSPECT);
        assert_int_equal(rig.view->current->phase, POD_ACTIVE);
        assert_int_equal(show(&rig, "", DOCKER_STATE_EXITED, wall + 5 * SEC, wall + 6 * SEC), POD_OBSERVED);
        assert_int_equal(rig.view->current->phase, POD_STOPPING);
        rig_release(&rig);
}

/* A version was put back while podwatch was away, and what is left of its run before is still in Docker: its sandbox
 * has ended. The one that runs goes on until a new sandbox is made. */
static void a_replacement_makes_a_sandbox_in_place_of_one_that_has_ended(void **state)
{
        struct docker_container seen;
        struct rig rig;

        (void)state;
        up(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_show(&rig, &seen, "before", "u2", "h2", "", 3, "", true);
        seen.state = DOCKER_STATE_EXITED;
        seen.started = rig.wall - 5 * SEC;
        seen.finished = rig.wall - 2 * SEC;
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        assert_int_equal(rig.view->next->sandbox.state, INSTANCE_EXITED);
        rig_settle(&rig);
        assert_int_equal(rig.view->current->phase, POD_STOPPING);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u2");
        assert_int_equal(rig.view->current->sandbox.attempt, 4);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

/* Somebody removes the sandbox of a replacement while a container is being created in it: that one is of no use. */
static void a_create_under_way_does_not_count_for_the_next_sandbox(void **state)
{
        struct rig rig;
        char sandbox[POD_VIEW_ID_MAX];
        uint32_t generation;

        (void)state;
        up(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "next/");
        rig_done(&rig, POD_OP_IMAGE, "next/app0");
        generation = rig.view->next->containers[0].slot.generation;
        memcpy(sandbox, rig.view->next->sandbox.id, sizeof(sandbox));
        pod_observe_gone(rig.view, sandbox, rig.now);
        rig_step(&rig);
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "next/");
        (void)rig_take(&rig);
        assert_int_equal(pod_apply_outcome(rig.view,
                                           &(struct pod_outcome){.op = POD_OP_CREATE,
                                                                 .generation = generation,
                                                                 .success = true,
                                                                 .id = "useless",
                                                                 .sandbox = sandbox},
                                           rig.now),
                         0);
        assert_int_equal(rig.view->next->containers[0].now.state, INSTANCE_ABSENT);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "create:next/app0 remove:useless");
        assert_int_equal(rig.view->next->containers[0].next_attempt, 1);
        rig_release(&rig);
}

static void init_containers_run_again_in_the_sandbox_that_takes_its_place(void **state)
{
        static const char *const names[] = {"", "init0"};
        struct docker_container seen;
        struct rig rig;

        (void)state;
        up(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 1, 1));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                rig_show(&rig, &seen, i ? "init" : "before", "u2", "h2", names[i], 0, i ? "before" : "", true);
                seen.state = DOCKER_STATE_EXITED;
                seen.started = rig.wall - 5 * SEC;
                seen.finished = rig.wall - 2 * SEC;
                (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
                docker_container_release(&seen);
        }
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "next/");
        assert_false(rig.view->next->containers[0].init_done);
        rig_release(&rig);
}

/* A container of this version that Docker shows, as a list (or, where it has ended, an inspect) does. */
static void show_other(struct rig *rig, const char *id, const char *container, unsigned attempt, const char *sandbox,
                       enum docker_state state)
{
        bool ended = state == DOCKER_STATE_EXITED;
        struct docker_container seen;

        rig_show(rig, &seen, id, "u1", "h1", container, attempt, sandbox, ended);
        seen.state = state;
        seen.started = ended ? rig->wall - 5 * SEC : 0;
        seen.finished = ended ? rig->wall - 2 * SEC : 0;
        (void)pod_observe_container(rig->view, &seen, rig->now, rig->wall);
        docker_container_release(&seen);
        rig_step(rig);
}

/* A version came back after it had been forgotten, so that its attempts began again; then something of its life before
 * is shown, with a higher one: the sandbox of a create whose answer was lost, or by an answer that comes late, after it
 * was removed. What runs was killed for it. */
static void a_sandbox_of_a_life_before_does_not_replace_what_runs(void **state)
{
        static const enum docker_state states[] = {DOCKER_STATE_CREATED, DOCKER_STATE_EXITED};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                struct rig rig;

                up(&rig);
                show_other(&rig, "before", "", 1, "", states[i]);
                assert_string_equal(rig_take(&rig), "remove:before");
                assert_int_equal(rig.view->current->sandbox.state, INSTANCE_RUNNING);
                assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
                assert_int_equal(rig.view->current->phase, POD_ACTIVE);
                /* Its name is taken. */
                assert_int_equal(rig.view->current->sandbox_next_attempt, 2);
                rig_release(&rig);
        }
}

/* The same while the sandbox of now is on its way up. */
static void a_sandbox_of_a_life_before_does_not_replace_what_is_being_started(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        (void)rig_take(&rig);
        show_other(&rig, "before", "", 1, "", DOCKER_STATE_EXITED);
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "create:app0 start:app0 remove:before");
        rig_release(&rig);
}

/* podwatch was started again, and Docker shows the one of before first. */
static void a_sandbox_that_runs_replaces_one_that_never_did(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig.view->runtime_ready = false;
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        show_other(&rig, "before", "", 1, "", DOCKER_STATE_CREATED);
        show_other(&rig, "runs", "", 0, "", DOCKER_STATE_RUNNING);
        show_other(&rig, "app", "app0", 0, "runs", DOCKER_STATE_RUNNING);
        assert_string_equal(rig.view->current->sandbox.id, "runs");
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

/* At the first look a container runs whose sandbox has died, and the one before that is still there. The container was
 * removed by force, its directories with it. */
static void a_sandbox_that_has_ended_does_not_replace_one_in_which_a_container_runs(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig.view->runtime_ready = false;
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        show_other(&rig, "app", "app0", 2, "died", DOCKER_STATE_RUNNING);
        show_other(&rig, "before", "", 1, "", DOCKER_STATE_EXITED);
        show_other(&rig, "died", "", 2, "", DOCKER_STATE_EXITED);
        assert_string_equal(rig.view->current->sandbox.id, "died");
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        pod_observe_runtime(rig.view, true, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:sandbox signal:app0 remove:before");
        rig_release(&rig);
}

static void a_container_of_a_life_before_does_not_replace_what_runs(void **state)
{
        struct rig rig;

        (void)state;
        up(&rig);
        show_other(&rig, "before", "app0", 3, "gone", DOCKER_STATE_EXITED);
        assert_string_equal(rig_take(&rig), "");
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        /* Kept for its logs; its name is taken. */
        assert_string_equal(rig_view(&rig, "app0")->last.id, "before");
        assert_int_equal(rig_view(&rig, "app0")->next_attempt, 4);
        rig_release(&rig);
}

/* Somebody removed an init container after its end and before that was seen: it counts as killed, until an answer that
 * was under way tells how it ended. Or somebody started again what had failed, and it was over before it was seen to
 * run. The pod was said to have failed for good. */
static void an_init_container_that_ended_well_after_all_counts(void **state)
{
        (void)state;
        for (int by_hand = 0; by_hand < 2; by_hand++) {
                struct rig rig;
                usec_t wall;

                rig_init(&rig);
                wall = rig.wall;
                rig_want(&rig, rig_pod("u1", "h1", 1, 1));
                rig_settle(&rig);
                assert_int_equal(rig_view(&rig, "init0")->now.state, INSTANCE_RUNNING);
                if (by_hand)
                        rig_exits(&rig, "init0", 1);
                else
                        pod_observe_gone(rig.view, rig_view(&rig, "init0")->now.id, rig.now);
                assert_false(rig_view(&rig, "init0")->init_done);
                (void)show(&rig, "init0", DOCKER_STATE_EXITED, wall + SEC, wall + 2 * SEC);
                assert_true(rig_view(&rig, "init0")->init_done);
                rig_settle(&rig);
                assert_int_equal(rig.view->current->phase, POD_ACTIVE);
                assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
                rig_release(&rig);
        }
}

/* The list was made before the end that is known already: nothing is done before a second look. */
static void a_list_that_comes_late_takes_nothing_away(void **state)
{
        struct rig rig;
        char last[POD_VIEW_ID_MAX];

        (void)state;
        up(&rig);
        rig_exits(&rig, "app0", 1);
        rig_settle(&rig);
        memcpy(last, rig_view(&rig, "app0")->last.id, sizeof(last));
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        show_other(&rig, last, "app0", 0, rig.view->current->sandbox.id, DOCKER_STATE_RUNNING);
        assert_string_equal(rig_view(&rig, "app0")->last.id, last);
        assert_int_equal(rig.view->garbage_count, 0);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_somebody_starts_is_seen_though_the_clock_was_set_back),
                cmocka_unit_test(the_end_of_another_run_is_looked_at_again),
                cmocka_unit_test(a_replacement_makes_a_sandbox_in_place_of_one_that_has_ended),
                cmocka_unit_test(a_create_under_way_does_not_count_for_the_next_sandbox),
                cmocka_unit_test(init_containers_run_again_in_the_sandbox_that_takes_its_place),
                cmocka_unit_test(a_sandbox_of_a_life_before_does_not_replace_what_runs),
                cmocka_unit_test(a_sandbox_of_a_life_before_does_not_replace_what_is_being_started),
                cmocka_unit_test(a_sandbox_that_runs_replaces_one_that_never_did),
                cmocka_unit_test(a_sandbox_that_has_ended_does_not_replace_one_in_which_a_container_runs),
                cmocka_unit_test(a_container_of_a_life_before_does_not_replace_what_runs),
                cmocka_unit_test(an_init_container_that_ended_well_after_all_counts),
                cmocka_unit_test(a_list_that_comes_late_takes_nothing_away),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

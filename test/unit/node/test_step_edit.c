/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits and removals: current, next and old.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "docker/docker.h"
#include "rig.h"

static void prepared_while_the_old_one_runs_then_stop_then_start(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1)); /* sandbox id1, app id2 */
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "volumes:next/ image:next/app0");
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "next/");
        rig_done(&rig, POD_OP_IMAGE, "next/app0");
        assert_string_equal(rig_take(&rig), "sandbox-create:next/ create:next/app0");
        assert_true(rig_view(&rig, "app0")->ready);
        rig_done(&rig, POD_OP_CREATE, "next/app0");
        assert_string_equal(rig_take(&rig), "STOP:replaced signal:app0");
        rig_exits(&rig, "app0", 0);
        assert_string_equal(rig_take(&rig), "sandbox-stop");
        rig_exits(&rig, "", 137);
        /* From the end of the old to the start of the new: nothing but the starts. */
        assert_string_equal(rig_take(&rig), "END PROMOTE ACTIVATE sandbox-start");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        assert_string_equal(rig_take(&rig), "start:app0");
        rig_done(&rig, POD_OP_START, "app0");
        assert_string_equal(rig_take(&rig), "cleanup:old/ remove:id2 remove:id1");
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "DROP:old/");
        assert_null(rig.view->old);
        assert_string_equal(rig.view->current->pod->uid, "u2");
        rig_release(&rig);
}

/* A create that nobody waited for any more answers late with what the next one of the same name has found. */
static void what_a_late_create_names_may_be_in_use(void **state)
{
        struct rig rig;
        struct pod_outcome late = {.op = POD_OP_SANDBOX_CREATE, .success = true, .id = "id3"};

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1)); /* sandbox id1, app id2 */
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        late.generation = rig.view->next->slot.generation;
        assert_true(pod_awaits(rig.view, POD_OP_SANDBOX_CREATE, late.generation));
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        assert_false(pod_awaits(rig.view, POD_OP_SANDBOX_CREATE, late.generation));
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "next/"); /* id3 */
        assert_string_equal(rig.view->next->sandbox.id, "id3");
        assert_int_equal(pod_apply_outcome(rig.view, &late, rig.now), 0);
        assert_int_equal(rig.view->garbage_count, 0);
        rig_release(&rig);
}

static void one_that_cannot_be_prepared_changes_nothing(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "next/");
        (void)rig_take(&rig);
        rig_fail(&rig, POD_OP_IMAGE, "next/app0", "ErrImagePull");
        assert_string_equal(rig_take(&rig), "");
        assert_string_equal(rig_wait(&rig, "next/app0"), "ImagePullBackOff");
        assert_string_equal(rig_wait(&rig, "app0"), "");
        assert_true(rig_view(&rig, "app0")->ready);
        rig_at(&rig, 1000 * SEC);
        assert_string_equal(rig_take(&rig), "image:next/app0");
        /* The old one goes on being looked after. */
        rig_exits(&rig, "app0", 1);
        assert_string_equal(rig_take(&rig), "create:app0");
        rig_release(&rig);
}

/* Docker shows a container of the replacement that has ended for good: it needs no image any more. */
static void what_has_ended_for_good_is_not_waited_for(void **state)
{
        struct pod *pod = rig_pod("u2", "h2", 0, 2);
        struct docker_container ended;
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_container(pod, "app1")->pull_policy = POD_PULL_ALWAYS;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, pod);
        rig_show(&rig, &ended, "app", "u2", "h2", "app1", 0, "before", true);
        ended.state = DOCKER_STATE_EXITED;
        (void)pod_observe_container(rig.view, &ended, rig.now, rig.wall);
        docker_container_release(&ended);
        (void)rig_take(&rig);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "next/app1")->now.state, INSTANCE_EXITED);
        assert_non_null(strstr(rig_take(&rig), "STOP:replaced"));
        rig_release(&rig);
}

static void one_that_is_held_changes_nothing(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        (void)pod_hold(rig.view, "port 80 is in use by default/other");
        rig_settle(&rig);
        (void)rig_take(&rig);
        assert_true(rig_view(&rig, "app0")->ready);
        assert_string_equal(rig_wait(&rig, "next/"), "Held");
        (void)pod_hold(rig.view, "");
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:replaced signal:app0");
        rig_release(&rig);
}

static void a_change_back_drops_the_new_one(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "next/"); /* id3 */
        (void)rig_take(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        assert_null(rig.view->next);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "remove:id3");
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "cleanup:old/ DROP:old/");
        assert_true(rig_view(&rig, "app0")->ready);
        rig_release(&rig);
}

static void a_change_back_while_it_stops_runs_the_old_one_again(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_settle(&rig);
        (void)rig_take(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 137);
        rig_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u1");
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        assert_true(rig_view(&rig, "app0")->ready);
        assert_null(rig.view->old);
        assert_int_equal(rig.view->garbage_count, 0);
        rig_release(&rig);
}

static void a_create_under_way_for_a_dropped_one_is_taken_away(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        (void)rig_take(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        /* Its directories are used by what is being made. */
        assert_string_equal(rig_take(&rig), "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        assert_string_equal(rig_take(&rig), "remove:id3");
        rig_settle(&rig);
        assert_null(rig.view->old);
        rig_release(&rig);
}

static void the_newest_edit_wins(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        rig_want(&rig, rig_pod("u3", "h3", 0, 1));
        rig_settle(&rig);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u3");
        assert_true(rig_view(&rig, "app0")->ready);
        assert_null(rig.view->next);
        assert_null(rig.view->old);
        rig_release(&rig);
}

static void a_fixed_uid_gives_no_name_twice(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u1", "h2", 0, 1));
        rig_settle(&rig);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        assert_true(rig_view(&rig, "app0")->ready);
        assert_string_equal(rig.view->current->pod->spec_hash, "h2");
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        assert_int_equal(rig.view->current->sandbox.attempt, 1);
        assert_null(rig.view->old); /* without a clean-up of the directories that it shares */
        assert_null(strstr(rig_take(&rig), "cleanup"));
        rig_release(&rig);
}

/* Its directories are those of what runs: they are made over, and what is mounted from them is made, afterwards. */
static void a_fixed_uid_leaves_the_directories_to_what_runs(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u1", "h2", 0, 1));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "volumes:next/ image:next/app0");
        rig_done(&rig, POD_OP_IMAGE, "next/app0");
        /* What shows beforehand stops nothing. */
        rig_fail(&rig, POD_OP_VOLUMES, "next/", "FailedMount");
        assert_string_equal(rig_take(&rig), "");
        assert_true(rig_view(&rig, "app0")->ready);
        rig_at(&rig, 10 * SEC);
        assert_string_equal(rig_take(&rig), "volumes:next/");
        rig_done(&rig, POD_OP_VOLUMES, "next/");
        assert_string_equal(rig_take(&rig), "STOP:replaced signal:app0");
        rig_exits(&rig, "app0", 0);
        assert_string_equal(rig_take(&rig), "sandbox-stop");
        rig_exits(&rig, "", 137);
        assert_string_equal(rig_take(&rig), "END PROMOTE ACTIVATE DROP:old/ volumes");
        rig_settle(&rig);
        assert_true(rig_view(&rig, "app0")->ready);
        assert_null(strstr(rig_take(&rig), "cleanup"));
        rig_release(&rig);
}

/* The end of the old one comes while the new one is checked: the answer is none about directories. */
static void a_check_that_is_late_has_made_nothing(void **state)
{
        struct rig rig;
        struct pod_outcome late = {.op = POD_OP_VOLUMES, .success = true};

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig.view->current->pod->containers[0].restart_policy = POD_RESTART_NEVER;
        rig_want(&rig, rig_pod("u1", "h2", 0, 1));
        rig_step(&rig);
        late.generation = rig.view->next->slot.generation;
        rig_exits(&rig, "", 0);
        rig_exits(&rig, "app0", 0);
        assert_string_equal(rig.view->current->pod->spec_hash, "h2");
        assert_int_equal(pod_apply_outcome(rig.view, &late, rig.now), 1);
        assert_false(rig.view->current->volumes_ready);
        rig_release(&rig);
}

static void removed_and_put_back_while_stopping_runs_again_as_the_next_attempt(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:app0");
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        assert_int_equal(rig_view(&rig, "app0")->last.attempt, 0);
        assert_true(rig_view(&rig, "app0")->ready);
        rig_release(&rig);
}

static void removed_and_put_back_while_directories_go_waits_for_them(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:app0 sandbox-stop END cleanup remove:id2 remove:id1");
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "");
        rig_done(&rig, POD_OP_CLEANUP, "");
        assert_string_equal(rig_take(&rig), "REVIVE ACTIVATE volumes");
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        rig_release(&rig);
}

static void removed_and_replaced_while_stopping_runs_the_new_one(void **state)
{
        struct rig rig;

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "next/app0")->now.state, INSTANCE_CREATED);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u2");
        assert_true(rig_view(&rig, "app0")->ready);
        rig_release(&rig);
}

static void an_edit_of_a_pod_that_cannot_start_is_taken_when_it_is_prepared(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        rig_fail(&rig, POD_OP_IMAGE, "app0", "ErrImagePull");
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        (void)rig_take(&rig);
        rig_settle(&rig);
        rig_exits(&rig, "", 0);
        rig_settle(&rig);
        assert_true(rig_view(&rig, "app0")->ready);
        rig_release(&rig);
}

static void an_edit_of_a_held_pod_takes_its_place_at_once(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        (void)pod_hold(rig.view, "no port");
        rig_settle(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        assert_string_equal(rig.view->current->pod->uid, "u2");
        assert_null(rig.view->next);
        rig_settle(&rig);
        assert_null(rig.view->old);
        assert_int_equal(rig.view->garbage_count, 0);
        rig_release(&rig);
}

/* Left over of an earlier time when it was wanted; Docker has it under the very name that the create asks for. */
static void what_is_found_while_it_is_removed_is_made_anew(void **state)
{
        struct rig rig;
        char id[32];

        (void)state;
        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_step(&rig);
        rig_done(&rig, POD_OP_VOLUMES, "");
        rig_done(&rig, POD_OP_IMAGE, "next/app0");
        (void)rig_take(&rig);
        for (size_t i = 0; i < 2; i++) {
                const enum pod_op create = i == 0 ? POD_OP_SANDBOX_CREATE : POD_OP_CREATE;
                const char *name = i == 0 ? "" : "next/app0";

                (void)snprintf(id, sizeof(id), "id%u", rig.ids + 1);
                pod_apply_garbage(rig.view, id, INSTANCE_CREATED);
                rig_step(&rig);
                rig_done(&rig, create, name);
                assert_int_equal(rig.view->garbage_count, 1);
                assert_null(strstr(buf_str(&rig.log), "stop"));
                rig_done(&rig, POD_OP_REMOVE, "");
                rig_done(&rig, create, name);
                assert_int_equal(rig.view->garbage_count, 0);
        }
        assert_int_equal(rig.view->next->sandbox.attempt, 1);
        assert_int_equal(rig.view->next->containers[0].now.attempt, 1);
        assert_int_equal(rig.view->current->stop_reason, POD_STOP_REPLACED);
        rig_release(&rig);
}

/* podwatch was killed after it had sent a start; Docker has not got to it when the next podwatch looks, and the pod is
 * wanted in another version by then. Both would run. `known`: the version that it is of was still wanted at the look.
 */
static void what_may_start_yet_goes_before_another_version_starts(void **state)
{
        (void)state;
        for (int known = 0; known < 2; known++) {
                struct docker_container late;
                struct rig rig;

                rig_init(&rig);
                pod_observe_runtime(rig.view, false, rig.now);
                rig_want(&rig, rig_pod("u1", known ? "h1" : "h2", 0, 1));
                rig_show(&rig, &late, "late", "u1", "h1", "", 0, "", true);
                late.state = DOCKER_STATE_CREATED;
                assert_int_equal(pod_observe_container(rig.view, &late, rig.now, rig.wall), POD_OBSERVED);
                pod_observe_runtime(rig.view, true, rig.now);
                rig_want(&rig, rig_pod("u1", "h2", 0, 1));
                rig_step(&rig);
                rig_done(&rig, POD_OP_VOLUMES, known ? "next/" : "");
                rig_done(&rig, POD_OP_SANDBOX_CREATE, known ? "next/" : "");
                rig_done(&rig, POD_OP_IMAGE, known ? "next/app0" : "app0");
                rig_done(&rig, POD_OP_CREATE, known ? "next/app0" : "app0");
                assert_non_null(strstr(rig_take(&rig), "remove:late"));
                assert_string_equal(rig.view->current->pod->spec_hash, "h2");
                assert_string_equal(rig_wait(&rig, ""), "Replacing");
                /* Docker gets to the start before the removal, which it then refuses. */
                late.state = DOCKER_STATE_RUNNING;
                late.started = rig.wall;
                assert_int_equal(pod_observe_container(rig.view, &late, rig.now, rig.wall), POD_OBSERVED);
                rig_fail(&rig, POD_OP_REMOVE, "", "it runs");
                assert_null(strstr(rig_take(&rig), "start"));
                rig_at(&rig, SEC);
                assert_string_equal(rig_take(&rig), "kill-remove:late");
                rig_done(&rig, POD_OP_REMOVE, "");
                assert_string_equal(rig_take(&rig), "sandbox-start");
                rig_settle(&rig);
                assert_true(rig_view(&rig, "app0")->ready);
                docker_container_release(&late);
                rig_release(&rig);
        }
}

static void a_completed_pod_is_replaced_by_an_edit(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_up(&rig, pod);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        assert_true(rig.view->current->terminal);
        (void)rig_take(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        rig_settle(&rig);
        assert_true(rig_view(&rig, "app0")->ready);
        assert_int_equal(rig.view->garbage_count, 0);
        rig_release(&rig);
}

static void a_completed_pod_that_is_put_back_runs_again(void **state)
{
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_up(&rig, pod);
        rig_exits(&rig, "app0", 0);
        rig_exits(&rig, "", 0);
        assert_int_equal(rig.view->current->phase, POD_ENDED);
        (void)pod_unwant(rig.view, rig.now);
        pod = rig_pod("u1", "h1", 0, 1);
        pod->restart_policy = POD_RESTART_NEVER;
        rig_want(&rig, pod);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        rig_release(&rig);
}

/* It still stops for what ended the life before, which is not the end of this one. */
static void put_back_while_it_stops_for_good_it_runs_again(void **state)
{
        (void)state;
        for (int deadline = 0; deadline < 2; deadline++) {
                struct pod *pod = rig_pod("u1", "h1", 0, 1);
                struct rig rig;

                pod->restart_policy = POD_RESTART_NEVER;
                pod->active_deadline_seconds = deadline ? 60 : 0;
                rig_up(&rig, pod_ref(pod));
                rig_at(&rig, 60 * SEC);
                rig_exits(&rig, "app0", 0);
                assert_int_equal(rig.view->current->phase, POD_STOPPING);
                assert_int_equal(rig.view->current->stop_reason, deadline ? POD_STOP_DEADLINE : POD_STOP_COMPLETED);
                (void)pod_unwant(rig.view, rig.now);
                rig_step(&rig);
                rig_want(&rig, pod);
                rig_exits(&rig, "", 137);
                rig_settle(&rig);
                assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
                assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
                rig_release(&rig);
        }
}

/* Its replacement is held; what it lacks cannot be made, since its labels do not tell what that is. */
static void an_orphan_of_an_unknown_version_is_left_as_it_is(void **state)
{
        struct docker_container seen;
        struct pod *pod = rig_pod("u1", "h1", 0, 2);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        (void)pod_hold(rig.view, "starts after another");
        assert_int_equal(pod_insert_orphan(rig.view, pod, 0, rig.now, rig.wall), 1);
        pod_unref(pod);
        rig_show(&rig, &seen, "sandbox", "u1", "h1", "", 0, "", true);
        seen.state = DOCKER_STATE_RUNNING;
        seen.started = rig.wall;
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        rig_show(&rig, &seen, "first", "u1", "h1", "app0", 0, "sandbox", true);
        seen.state = DOCKER_STATE_RUNNING;
        seen.started = rig.wall;
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        rig_settle(&rig);
        assert_string_equal(rig.view->current->pod->uid, "u1");
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        assert_int_equal(rig_view(&rig, "app1")->now.state, INSTANCE_ABSENT);
        (void)pod_hold(rig.view, "");
        rig_step(&rig);
        assert_int_equal(rig.view->current->phase, POD_STOPPING);
        rig_release(&rig);
}

/* By its labels it is a pod of one container that has ended; by its manifest the first of two has done its work. */
static void an_orphan_that_is_wanted_again_goes_on(void **state)
{
        struct docker_container seen;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        free(pod->containers[0].name);
        pod->containers[0].name = xstrdup("init0");
        pod->restart_policy = POD_RESTART_NEVER;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u2", "h2", 0, 1));
        (void)pod_hold(rig.view, "starts after another");
        rig_orphan(&rig, pod);
        rig_show(&rig, &seen, "init", "u1", "h1", "init0", 0, "sandbox", true);
        seen.state = DOCKER_STATE_EXITED;
        seen.finished = rig.wall;
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        rig_step(&rig);
        assert_int_equal(rig.view->current->phase, POD_ACTIVE);
        (void)pod_hold(rig.view, "");
        rig_want(&rig, rig_pod("u1", "h1", 1, 1));
        rig_settle(&rig);
        assert_int_equal(rig.view->current->phase, POD_ACTIVE);
        assert_true(rig_view(&rig, "init0")->init_done);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

/* Labels tell no probes: what looked Ready by them is so by its probes only, and was not before. */
static void an_orphan_that_is_wanted_again_is_probed(void **state)
{
        struct docker_container seen;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_orphan(&rig, pod);
        rig_show(&rig, &seen, "app", "u1", "h1", "app0", 0, "sandbox", true);
        (void)pod_observe_container(rig.view, &seen, rig.now, rig.wall);
        docker_container_release(&seen);
        pod = rig_pod("u1", "h1", 0, 1);
        rig_probe(pod, "app0", POD_PROBE_READINESS, 1, 1);
        rig_want(&rig, pod);
        assert_false(rig_view(&rig, "app0")->ready);
        assert_false(rig.view->current->proven);
        assert_true(rig.view->current->ready_since == 0);
        rig_at(&rig, 5 * SEC);
        rig_probed(&rig, "app0", POD_PROBE_READINESS, true);
        assert_true(rig_view(&rig, "app0")->ready);
        assert_true(rig.view->current->proven);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(prepared_while_the_old_one_runs_then_stop_then_start),
                cmocka_unit_test(what_a_late_create_names_may_be_in_use),
                cmocka_unit_test(one_that_cannot_be_prepared_changes_nothing),
                cmocka_unit_test(what_has_ended_for_good_is_not_waited_for),
                cmocka_unit_test(one_that_is_held_changes_nothing),
                cmocka_unit_test(a_change_back_drops_the_new_one),
                cmocka_unit_test(a_change_back_while_it_stops_runs_the_old_one_again),
                cmocka_unit_test(a_create_under_way_for_a_dropped_one_is_taken_away),
                cmocka_unit_test(the_newest_edit_wins),
                cmocka_unit_test(a_fixed_uid_gives_no_name_twice),
                cmocka_unit_test(a_fixed_uid_leaves_the_directories_to_what_runs),
                cmocka_unit_test(a_check_that_is_late_has_made_nothing),
                cmocka_unit_test(removed_and_put_back_while_stopping_runs_again_as_the_next_attempt),
                cmocka_unit_test(removed_and_put_back_while_directories_go_waits_for_them),
                cmocka_unit_test(removed_and_replaced_while_stopping_runs_the_new_one),
                cmocka_unit_test(an_edit_of_a_pod_that_cannot_start_is_taken_when_it_is_prepared),
                cmocka_unit_test(an_edit_of_a_held_pod_takes_its_place_at_once),
                cmocka_unit_test(what_may_start_yet_goes_before_another_version_starts),
                cmocka_unit_test(a_completed_pod_is_replaced_by_an_edit),
                cmocka_unit_test(what_is_found_while_it_is_removed_is_made_anew),
                cmocka_unit_test(a_completed_pod_that_is_put_back_runs_again),
                cmocka_unit_test(put_back_while_it_stops_for_good_it_runs_again),
                cmocka_unit_test(an_orphan_of_an_unknown_version_is_left_as_it_is),
                cmocka_unit_test(an_orphan_that_is_wanted_again_goes_on),
                cmocka_unit_test(an_orphan_that_is_wanted_again_is_probed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

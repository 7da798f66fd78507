/* SPDX-License-Identifier: Apache-2.0
 *
 * Events that the API server does not take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/client.h"
#include "api/event.h"
#include "base/err.h"
#include "glue_rig.h"
#include "sim_loop.h"

static struct api_client *connect_to(struct loop *loop)
{
        static const struct api_client_options options = {.user_agent = "test"};
        static const struct api_credentials credentials = {.server = "https://api"};
        struct api_client *client;
        struct err err = ERR_INIT;

        assert_int_equal(api_client_new(loop, &options, &client, &err), 0);
        assert_int_equal(api_client_set_credentials(client, &credentials, &err), 0);
        return client;
}

struct fixture {
        struct loop *loop;
        struct api_client *client;
        struct events *events;
};

static void begin(struct fixture *f)
{
        f->loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC);
        f->client = connect_to(f->loop);
        f->events = events_new(f->loop, f->client, "kubelet", "node");
        (void)glue_rig_answer("/readyz", 200, "ok");
        assert_true(api_client_up(f->client));
}

static void end(struct fixture *f)
{
        (void)events_free(f->events);
        (void)api_client_free(f->client);
        (void)loop_free(f->loop);
}

static void post(struct fixture *f, const char *pod)
{
        const struct event event = {
                .kind = "Pod", .namespace = pod, .name = pod, .uid = pod, .reason = "Created", .message = "made"};

        events_post(f->events, &event);
        sim_loop_run(f->loop, 0);
}

static void what_is_answered_with_500_is_tried_twelve_times_and_does_not_hold_up_the_next(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f);
        post(&f, "spoiled");
        post(&f, "sound");
        for (unsigned i = 1; i <= 12; i++) {
                assert_int_equal(glue_rig_asked("spoiled"), i);
                assert_int_equal(glue_rig_asked("sound"), 0);
                assert_int_equal(glue_rig_answer("spoiled", 500, "{}"), 1);
                sim_loop_run(f.loop, i < 12 ? 10 * USEC_PER_SEC : 0);
        }
        assert_int_equal(glue_rig_asked("sound"), 1);
        assert_int_equal(glue_rig_answer("sound", 201, "{}"), 1);
        sim_loop_run(f.loop, 3600 * USEC_PER_SEC);
        assert_int_equal(glue_rig_asked("spoiled"), 12);
        assert_int_equal(events_waiting(f.events), 0);
        assert_int_equal(events_dropped(f.events), 1);
        end(&f);
}

static void what_is_taken_at_last_has_its_tries_again_for_a_repeat(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f);
        for (unsigned round = 0; round < 2; round++) {
                post(&f, "late");
                for (unsigned i = 0; i < 11; i++) {
                        assert_int_equal(glue_rig_answer("late", 503, "{}"), 1);
                        sim_loop_run(f.loop, 10 * USEC_PER_SEC);
                }
                assert_int_equal(glue_rig_answer("late", 200, "{}"), 1);
                sim_loop_run(f.loop, 0);
                assert_int_equal(events_waiting(f.events), 0);
        }
        assert_int_equal(events_dropped(f.events), 0);
        end(&f);
}

static void a_server_that_has_it_and_has_it_not_is_asked_twelve_times_with_pauses(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f);
        post(&f, "riddle");
        assert_int_equal(glue_rig_answer("POST https://api/api/v1/namespaces/riddle", 409, "{}"), 1);
        sim_loop_run(f.loop, 0);
        for (unsigned i = 2; i <= 12; i++) {
                assert_int_equal(glue_rig_asked("riddle"), i);
                assert_int_equal(i % 2 ? glue_rig_answer("POST https://api/api/v1/namespaces/riddle", 409, "{}")
                                       : glue_rig_answer("PATCH https://api/api/v1/namespaces/riddle", 404, "{}"),
                                 1);
                sim_loop_run(f.loop, 9 * USEC_PER_SEC);
                assert_int_equal(glue_rig_asked("riddle"), i);
                sim_loop_run(f.loop, USEC_PER_SEC);
        }
        assert_int_equal(glue_rig_asked("riddle"), 12);
        assert_int_equal(events_waiting(f.events), 0);
        assert_int_equal(events_dropped(f.events), 1);
        end(&f);
}

static void a_repeat_in_conflict_waits_before_it_is_tried_again(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f);
        post(&f, "busy");
        assert_int_equal(glue_rig_answer("POST", 201, "{}"), 1);
        post(&f, "busy");
        assert_int_equal(glue_rig_answer("PATCH", 409, "{}"), 1);
        sim_loop_run(f.loop, 9 * USEC_PER_SEC);
        assert_int_equal(glue_rig_asked("PATCH"), 1);
        sim_loop_run(f.loop, USEC_PER_SEC);
        assert_int_equal(glue_rig_asked("PATCH"), 2);
        assert_int_equal(glue_rig_answer("PATCH", 200, "{}"), 1);
        assert_int_equal(events_waiting(f.events), 0);
        end(&f);
}

static void a_repeat_of_what_has_expired_is_posted_anew_also_after_failures(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f);
        post(&f, "old");
        assert_int_equal(glue_rig_answer("POST", 201, "{}"), 1);
        post(&f, "old");
        assert_int_equal(glue_rig_answer("PATCH", 503, "{}"), 1);
        sim_loop_run(f.loop, 10 * USEC_PER_SEC);
        assert_int_equal(glue_rig_answer("PATCH", 404, "{}"), 1);
        sim_loop_run(f.loop, 10 * USEC_PER_SEC);
        assert_int_equal(glue_rig_answer("POST", 201, "{}"), 1);
        assert_int_equal(events_waiting(f.events), 0);
        assert_int_equal(events_dropped(f.events), 0);
        end(&f);
}

static void one_that_grew_while_it_was_sent_has_its_tries_again(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f);
        post(&f, "often");
        for (unsigned i = 0; i < 11; i++) {
                assert_int_equal(glue_rig_answer("POST", 503, "{}"), 1);
                sim_loop_run(f.loop, 10 * USEC_PER_SEC);
        }
        post(&f, "often");
        assert_int_equal(glue_rig_answer("POST", 201, "{}"), 1);
        sim_loop_run(f.loop, 0);
        assert_int_equal(glue_rig_answer("PATCH", 503, "{}"), 1);
        sim_loop_run(f.loop, 10 * USEC_PER_SEC);
        assert_int_equal(glue_rig_answer("PATCH", 200, "{}"), 1);
        assert_int_equal(events_waiting(f.events), 0);
        assert_int_equal(events_dropped(f.events), 0);
        end(&f);
}

static void one_too_large_to_send_does_not_hold_up_the_next(void **state)
{
        static char reason[70 * 1024];
        const struct event event = {
                .kind = "Pod", .namespace = "big", .name = "big", .uid = "big", .reason = reason, .message = "made"};
        struct fixture f;

        (void)state;
        begin(&f);
        memset(reason, 'x', sizeof(reason) - 1);
        events_post(f.events, &event);
        post(&f, "sound");
        assert_int_equal(glue_rig_asked("big"), 0);
        assert_int_equal(glue_rig_answer("sound", 201, "{}"), 1);
        assert_int_equal(events_waiting(f.events), 0);
        assert_int_equal(events_dropped(f.events), 1);
        end(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_answered_with_500_is_tried_twelve_times_and_does_not_hold_up_the_next),
                cmocka_unit_test(what_is_taken_at_last_has_its_tries_again_for_a_repeat),
                cmocka_unit_test(a_server_that_has_it_and_has_it_not_is_asked_twelve_times_with_pauses),
                cmocka_unit_test(a_repeat_in_conflict_waits_before_it_is_tried_again),
                cmocka_unit_test(a_repeat_of_what_has_expired_is_posted_anew_also_after_failures),
                cmocka_unit_test(one_too_large_to_send_does_not_hold_up_the_next),
                cmocka_unit_test(one_that_grew_while_it_was_sent_has_its_tries_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

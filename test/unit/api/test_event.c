/* SPDX-License-Identifier: Apache-2.0
 *
 * Events that the API server does not take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_answered_with_500_is_tried_twelve_times_and_does_not_hold_up_the_next),
                cmocka_unit_test(what_is_taken_at_last_has_its_tries_again_for_a_repeat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

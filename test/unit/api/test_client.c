/* SPDX-License-Identifier: Apache-2.0
 *
 * The link to the API server: when it is tried again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/client.h"
#include "base/err.h"
#include "glue_rig.h"
#include "net/curl_glue.h"
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

static void ignore(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        (void)userdata;
        (void)status;
        (void)body;
        (void)err;
}

static void come_up(struct loop *loop, struct api_client *client)
{
        for (unsigned i = 0; i < 200 && !api_client_up(client); i++) {
                (void)glue_rig_answer("/readyz", 200, "ok");
                sim_loop_run(loop, 100 * USEC_PER_MSEC);
        }
        assert_true(api_client_up(client));
}

/* It comes up, what is asked breaks, and so on. */
static void break_it(struct api_client *client)
{
        (void)api_client_request(client, "GET", API_PATCH_JSON_MERGE, "/api/v1/nodes", NULL, ignore, NULL);
        assert_int_equal(glue_rig_answer("/nodes", 0, ""), 1);
        assert_false(api_client_up(client));
}

static void a_link_that_flaps_is_tried_less_and_less_often(void **state)
{
        struct loop *loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC);
        struct api_client *client = connect_to(loop);
        usec_t end = loop_now(loop) + 120 * USEC_PER_SEC;
        unsigned flaps = 0;

        (void)state;
        while (loop_now(loop) < end) {
                come_up(loop, client);
                break_it(client);
                flaps++;
        }
        /* 0.25 s doubling to 10 s. */
        assert_in_range(flaps, 10, 20);
        assert_in_range(api_client_next_try(client) - loop_now(loop), 9 * USEC_PER_SEC, 10 * USEC_PER_SEC);
        (void)api_client_free(client);
        (void)loop_free(loop);
}

static void after_a_link_that_held_the_next_try_is_soon(void **state)
{
        struct loop *loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC);
        struct api_client *client = connect_to(loop);

        (void)state;
        for (unsigned i = 0; i < 10; i++) {
                come_up(loop, client);
                break_it(client);
        }
        come_up(loop, client);
        sim_loop_run(loop, 30 * USEC_PER_SEC);
        break_it(client);
        assert_int_equal(api_client_next_try(client) - loop_now(loop), 250 * USEC_PER_MSEC);
        (void)api_client_free(client);
        (void)loop_free(loop);
}

/* Somebody who knows that it is there again says so. */
static void a_poke_tries_at_once(void **state)
{
        struct loop *loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC);
        struct api_client *client = connect_to(loop);

        (void)state;
        for (unsigned i = 0; i < 10; i++) {
                come_up(loop, client);
                break_it(client);
        }
        glue_rig_reset();
        api_client_poke(client);
        assert_int_equal(glue_rig_asked("/readyz"), 1);
        (void)api_client_free(client);
        (void)loop_free(loop);
}

/* Somebody's webhook answers it, or does not; who asked may be a stranger. */
static void a_review_that_takes_too_long_says_nothing_about_the_link(void **state)
{
        static const char path[] = "/apis/authentication.k8s.io/v1/tokenreviews";
        struct loop *loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC);
        struct api_client *client = connect_to(loop);

        (void)state;
        come_up(loop, client);
        (void)api_client_review(client, path, "{}", ignore, NULL);
        assert_int_equal(glue_rig_answer("POST https://api/apis/authentication", -ETIMEDOUT, ""), 1);
        assert_true(api_client_up(client));
        (void)api_client_review(client, path, "{}", ignore, NULL);
        assert_int_equal(glue_rig_answer("/tokenreviews", -ECONNREFUSED, ""), 1);
        assert_false(api_client_up(client));
        (void)api_client_free(client);
        (void)loop_free(loop);
}

static void what_an_earlier_link_began_does_not_end_the_next(void **state)
{
        struct loop *loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC);
        struct api_client *client = connect_to(loop);

        (void)state;
        come_up(loop, client);
        (void)api_client_request(client, "GET", API_PATCH_JSON_MERGE, "/api/v1/pods", NULL, ignore, NULL);
        break_it(client);
        come_up(loop, client);
        assert_int_equal(glue_rig_answer("/pods", -ETIMEDOUT, ""), 1);
        assert_true(api_client_up(client));
        break_it(client);
        (void)api_client_free(client);
        (void)loop_free(loop);
}

/* A connection may lead nowhere any more without anybody having said so. */
static void what_is_older_than_a_link_is_not_used_by_it(void **state)
{
        struct loop *loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC);
        struct api_client *client = connect_to(loop);
        static const usec_t ages[][2] = {{0, 1}, {3, 3}, {300, 15}};

        (void)state;
        for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
                assert_true(glue_rig_flags("/readyz") & CURL_GLUE_NO_REUSE);
                assert_int_equal(glue_rig_answer("/readyz", 200, "ok"), 1);
                sim_loop_run(loop, ages[i][0] * USEC_PER_SEC);
                (void)api_client_request(client, "GET", API_PATCH_JSON_MERGE, "/api/v1/pods", NULL, ignore, NULL);
                assert_int_equal(glue_rig_max_idle("/pods"), ages[i][1] * USEC_PER_SEC);
                assert_int_equal(glue_rig_answer("/pods", 0, ""), 1);
                assert_false(api_client_up(client));
                api_client_poke(client);
        }
        (void)api_client_free(client);
        (void)loop_free(loop);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_link_that_flaps_is_tried_less_and_less_often),
                cmocka_unit_test(after_a_link_that_held_the_next_try_is_soon),
                cmocka_unit_test(a_poke_tries_at_once),
                cmocka_unit_test(a_review_that_takes_too_long_says_nothing_about_the_link),
                cmocka_unit_test(what_an_earlier_link_began_does_not_end_the_next),
                cmocka_unit_test(what_is_older_than_a_link_is_not_used_by_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

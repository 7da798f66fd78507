/* SPDX-License-Identifier: Apache-2.0
 *
 * The link to the API server: when it is tried again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/client.h"
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_link_that_flaps_is_tried_less_and_less_often),
                cmocka_unit_test(after_a_link_that_held_the_next_try_is_soon),
                cmocka_unit_test(a_poke_tries_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * List and watch: how its streams end, and what is seen afterwards.
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

#define LIST "GET https://api/api/v1/pods"
#define WATCH "watch=true"
#define EMPTY_LIST "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]}"
#define EVENT "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"6\"}}}\n"

struct seen {
        unsigned objects, lists;
};

static void listing(void *userdata)
{
        struct seen *seen = userdata;

        seen->lists++;
}

static void object(void *userdata, const struct cJSON *o)
{
        struct seen *seen = userdata;

        (void)o;
        seen->objects++;
}

static void deleted(void *userdata, const struct cJSON *o)
{
        (void)userdata;
        (void)o;
}

static void listed(void *userdata)
{
        (void)userdata;
}

struct rig {
        struct loop *loop;
        struct api_client *client;
        struct api_watch *watch;
        struct seen seen;
};

static void ignore(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        (void)userdata;
        (void)status;
        (void)body;
        (void)err;
}

static void run(struct rig *rig, usec_t span)
{
        sim_loop_run(rig->loop, span);
}

/* The link is up and the list read; the watch is asked for. */
static void begin(struct rig *rig)
{
        static const struct api_client_options options = {.user_agent = "test"};
        static const struct api_credentials credentials = {.server = "https://api"};
        static const struct api_watch_handlers handlers = {listing, object, deleted, listed};
        struct err err = ERR_INIT;

        *rig = (struct rig){.loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC)};
        assert_int_equal(api_client_new(rig->loop, &options, &rig->client, &err), 0);
        rig->watch = api_watch_new(rig->client, "/api/v1/pods", &handlers, &rig->seen);
        assert_int_equal(api_client_set_credentials(rig->client, &credentials, &err), 0);
        assert_int_equal(glue_rig_answer("/readyz", 200, "ok"), 1);
        assert_int_equal(glue_rig_answer(LIST, 200, EMPTY_LIST), 1);
        assert_int_equal(glue_rig_asked(WATCH), 1);
}

static void end(struct rig *rig)
{
        (void)api_watch_free(rig->watch);
        (void)api_client_free(rig->client);
        (void)loop_free(rig->loop);
}

/* The server took the request and never said a word, as one does whose connection a firewall forgot, or that hangs. An
 * API server gives the head of a watch at once, so nothing is to be waited for: what changed meanwhile was not seen for
 * the five minutes and a half that a watch lasts at most. */
static void a_watch_without_an_answer_is_given_up(void **state)
{
        struct rig rig;

        (void)state;
        begin(&rig);
        run(&rig, 40 * USEC_PER_SEC);
        assert_int_equal(glue_rig_answer(WATCH, 0, ""), 0); /* it was cancelled */
        assert_true(api_client_up(rig.client));             /* the list asks whether the server is there */
        assert_int_equal(glue_rig_answer(LIST, 200, EMPTY_LIST), 1);
        assert_int_equal(rig.seen.lists, 2);
        assert_int_equal(glue_rig_asked(WATCH), 2);
        end(&rig);
}

/* No event for minutes is what a node without changes has. */
static void a_watch_that_is_quiet_stays(void **state)
{
        struct rig rig;

        (void)state;
        begin(&rig);
        run(&rig, 20 * USEC_PER_SEC);
        glue_rig_head(WATCH, 200);
        run(&rig, 250 * USEC_PER_SEC);
        assert_int_equal(glue_rig_asked(LIST), 2); /* the list and the watch */
        glue_rig_data(WATCH, EVENT);
        assert_int_equal(rig.seen.objects, 1);
        end(&rig);
}

/* The connection broke within an event; the first event of the next watch was not understood then. */
static void half_an_event_of_a_lost_link_is_forgotten(void **state)
{
        struct rig rig;

        (void)state;
        begin(&rig);
        glue_rig_head(WATCH, 200);
        glue_rig_data(WATCH, "{\"type\":\"ADD");
        (void)api_client_request(rig.client, "GET", API_PATCH_JSON_MERGE, "/api/v1/nodes", NULL, ignore, NULL);
        assert_int_equal(glue_rig_answer("/nodes", 0, ""), 1);
        assert_false(api_client_up(rig.client));
        run(&rig, USEC_PER_SEC);
        (void)glue_rig_answer(WATCH, 0, "");
        assert_int_equal(glue_rig_answer("/readyz", 200, "ok"), 1);
        assert_int_equal(glue_rig_answer(LIST, 200, EMPTY_LIST), 1);
        glue_rig_head(WATCH, 200);
        glue_rig_data(WATCH, EVENT);
        assert_int_equal(rig.seen.objects, 1);
        end(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_watch_without_an_answer_is_given_up),
                cmocka_unit_test(a_watch_that_is_quiet_stays),
                cmocka_unit_test(half_an_event_of_a_lost_link_is_forgotten),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

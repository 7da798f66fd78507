/* SPDX-License-Identifier: Apache-2.0
 *
 * Mirror pods that the API server is not asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/client.h"
#include "api/mirror.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "glue_rig.h"
#include "sim_loop.h"

#define KEY "default/web-n1"
#define STATUS "{\"phase\":\"Running\"}"

struct fixture {
        struct loop *loop;
        struct api_client *client;
        struct mirrors *mirrors;
        unsigned told;
        char refusal[256];
};

static void refused(void *userdata, const char *key, const char *message)
{
        struct fixture *f = userdata;

        assert_string_equal(key, KEY);
        f->told++;
        str_copy(f->refusal, sizeof(f->refusal), message);
}

static void begin(struct fixture *f)
{
        static const struct api_client_options options = {.user_agent = "test"};
        static const struct api_credentials credentials = {.server = "https://api"};
        struct err err = ERR_INIT;

        *f = (struct fixture){.loop = sim_loop_new(1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC)};
        assert_int_equal(api_client_new(f->loop, &options, &f->client, &err), 0);
        assert_int_equal(api_client_set_credentials(f->client, &credentials, &err), 0);
        f->mirrors = mirrors_new(f->loop, f->client, "n1", refused, f);
        mirrors_set_node(f->mirrors, "u1");
        mirrors_complete(f->mirrors);
        assert_int_equal(glue_rig_answer("/readyz", 200, "ok"), 1);
        assert_int_equal(glue_rig_answer("fieldSelector", 200, "{\"metadata\":{},\"items\":[]}"), 1);
        sim_loop_run(f->loop, 0);
}

static void end(struct fixture *f)
{
        (void)mirrors_free(f->mirrors);
        (void)api_client_free(f->client);
        (void)loop_free(f->loop);
}

/* Its pod, with a note of so many bytes. */
static void set(struct fixture *f, size_t note)
{
        char *text = xcalloc(1, note + 1);
        struct err err = ERR_INIT;

        memset(text, 'x', note);
        char *pod CLEANUP_FREE =
                xasprintf("{\"metadata\":{\"name\":\"web-n1\",\"namespace\":\"default\",\"uid\":\"h%zu\","
                          "\"annotations\":{\"note\":\"%s\"}},\"spec\":{\"containers\":[]}}",
                          note, text);
        assert_int_equal(mirrors_set(f->mirrors, KEY, pod, STATUS, true, &err), 0);
        sim_loop_run(f->loop, 3600 * USEC_PER_SEC);
        free(text);
}

static void a_pod_too_large_to_send_is_refused_here(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f);
        set(&f, 7 << 20);
        assert_int_equal(glue_rig_asked("POST"), 0);
        assert_int_equal(f.told, 1);
        assert_string_equal(f.refusal, "the mirror pod as JSON: larger than 6291456 bytes");
        set(&f, 100);
        assert_int_equal(glue_rig_asked("POST https://api/api/v1/namespaces/default/pods"), 1);
        assert_int_equal(
                glue_rig_answer("POST", 201,
                                "{\"metadata\":{\"name\":\"web-n1\",\"namespace\":\"default\",\"uid\":\"m\"}}"),
                1);
        assert_int_equal(f.told, 2);
        assert_string_equal(f.refusal, "");
        end(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_pod_too_large_to_send_is_refused_here),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "net/bus.h"
#include "net/loop.h"

#include "../fake_bus.h"

#define LONG (20 * USEC_PER_SEC)
#define SHORT (20 * USEC_PER_MSEC)

struct call {
        struct state *state;
        const char *text;  /* the argument */
        struct call *then; /* called when it is answered */
        unsigned ended;
        int code;
        char why[256], name[64];
};

struct state {
        struct loop *loop;
        struct fake_bus fake;
        struct bus_peer peers[2];
        struct bus *bus;
        char heard[256]; /* by the peer */
        bool silent;
        unsigned left; /* not ended */
        bool done;
};

static void called(void *userdata, sd_bus_message *message)
{
        struct state *s = userdata;
        const char *text;

        assert_true(sd_bus_message_is_method_call(message, "org.example.I", "Say") > 0);
        assert_true(sd_bus_message_read(message, "s", &text) > 0);
        str_copy(s->heard + strlen(s->heard), sizeof(s->heard) - strlen(s->heard), text);
        if (s->silent)
                return;
        if (str_eq(text, "die"))
                fake_bus_hang_up(&s->fake);
        else if (str_eq(text, "no"))
                assert_true(sd_bus_reply_method_errorf(message, "org.example.No", "it is no") >= 0);
        else
                assert_true(sd_bus_reply_method_return(message, NULL) >= 0);
}

static int setup(void **state)
{
        struct state *s = xcalloc(1, sizeof(*s));

        assert_int_equal(loop_new(&s->loop, NULL), 0);
        s->fake = (struct fake_bus){.loop = s->loop, .called = called, .userdata = s};
        fake_bus_init(&s->fake);
        s->peers[0] = (struct bus_peer){"unix:path=/nonexistent/socket", true};
        s->peers[1] = (struct bus_peer){s->fake.address, false};
        s->bus = bus_new(s->loop, s->peers, ARRAY_SIZE(s->peers));
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        s->bus = bus_free(s->bus);
        fake_bus_release(&s->fake);
        s->loop = loop_free(s->loop);
        free(s);
        return 0;
}

static int fill(void *userdata, sd_bus_message *message)
{
        const struct call *call = userdata;

        return str_eq(call->text, "unfilled") ? -EINVAL : sd_bus_message_append(message, "s", call->text);
}

static struct bus_call *begin(struct state *s, struct call *call, const char *text, usec_t timeout);

static void ended(void *userdata, const struct err *err, const char *name)
{
        struct call *call = userdata;
        struct state *s = call->state;

        call->ended++;
        call->code = err ? err->code : 0;
        str_copy(call->why, sizeof(call->why), err ? err->msg : "");
        str_copy(call->name, sizeof(call->name), name);
        if (call->then)
                (void)begin(s, call->then, "then", LONG);
        s->done = --s->left == 0;
}

static struct bus_call *begin(struct state *s, struct call *call, const char *text, usec_t timeout)
{
        const struct bus_method method = {"org.example", "/org/example", "org.example.I", "Say"};
        struct bus_call *made;

        call->state = s;
        call->text = text;
        s->left++;
        s->done = false;
        made = bus_call(s->bus, &method, timeout, fill, ended, call);
        assert_int_equal(call->ended, 0);
        return made;
}

static void wait_all(struct state *s)
{
        assert_int_equal(loop_wait(s->loop, &s->done, usec_add(loop_now(s->loop), LONG), NULL), 0);
        assert_true(s->done);
}

/* Nothing is left that could wake: the peer's end has been closed. */
static void wait_closed(struct state *s)
{
        usec_t deadline = usec_add(loop_now(s->loop), LONG);

        while (s->fake.sd)
                assert_int_equal(loop_step(s->loop, deadline, NULL), 1);
}

static void test_calls(void **state)
{
        struct state *s = *state;

        for (int daemon = 0; daemon < 2; daemon++) {
                struct call third = {0}, first = {.then = &third}, second = {0};

                s->fake.daemon = s->peers[1].daemon = daemon == 1;
                (void)begin(s, &first, "one", LONG);
                (void)begin(s, &second, "no", LONG);
                wait_all(s);
                assert_int_equal(first.code, 0);
                assert_string_equal(first.name, "");
                assert_int_equal(second.code, ERR_REMOTE);
                assert_string_equal(second.why, "Say: it is no");
                assert_string_equal(second.name, "org.example.No");
                assert_int_equal(third.code, 0);
                assert_string_equal(s->heard, "onenothen");
                wait_closed(s);
                /* One connection for all that were under way together, and another one later. */
                assert_int_equal(s->fake.connections, (size_t)daemon + 1);
                s->heard[0] = '\0';
        }
}

static void test_nobody_listens(void **state)
{
        struct state *s = *state;
        struct call call = {0};

        (void)bus_free(s->bus);
        s->bus = bus_new(s->loop, s->peers, 1);
        (void)begin(s, &call, "one", LONG);
        wait_all(s);
        assert_int_equal(call.code, ENOENT);
        assert_non_null(strstr(call.why, "Say: connecting to unix:path=/nonexistent/socket: "));
        assert_string_equal(call.name, "");
        assert_int_equal(s->fake.connections, 0);
}

/* Also where nobody takes the connection at all. */
static void test_no_answer(void **state)
{
        struct state *s = *state;
        struct call call = {0}, again = {0};

        s->silent = true;
        (void)begin(s, &call, "one", SHORT);
        wait_all(s);
        assert_int_equal(call.code, ETIMEDOUT);
        assert_string_equal(call.why, "Say: no answer in time");
        wait_closed(s);
        s->fake.accepts = loop_source_free(s->fake.accepts);
        (void)begin(s, &again, "two", SHORT);
        wait_all(s);
        assert_int_equal(again.code, ETIMEDOUT);
        assert_string_equal(s->heard, "one");
}

static void test_the_peer_goes(void **state)
{
        struct state *s = *state;
        struct call first = {0}, second = {0}, third = {0};

        (void)begin(s, &first, "die", LONG);
        (void)begin(s, &second, "two", LONG);
        wait_all(s);
        assert_true(first.code != 0 && first.code != ETIMEDOUT);
        assert_true(second.code != 0 && second.code != ETIMEDOUT);
        assert_int_equal(first.ended, 1);
        (void)begin(s, &third, "three", LONG);
        wait_all(s);
        assert_int_equal(third.code, 0);
        assert_int_equal(s->fake.connections, 2);
}

static void test_cancelled(void **state)
{
        struct state *s = *state;
        struct call first = {0}, second = {0};
        struct bus_call *one = begin(s, &first, "one", LONG);

        (void)begin(s, &second, "two", LONG);
        bus_cancel(one);
        s->left--;
        wait_all(s);
        assert_int_equal(first.ended, 0);
        assert_int_equal(second.code, 0);
        wait_closed(s);
        /* The last one: the connection goes as well. */
        one = begin(s, &first, "three", LONG);
        assert_true(loop_step(s->loop, usec_add(loop_now(s->loop), LONG), NULL) >= 0);
        bus_cancel(one);
        s->left--;
        while (s->fake.connections < 2)
                assert_int_equal(loop_step(s->loop, usec_add(loop_now(s->loop), LONG), NULL), 1);
        wait_closed(s);
        assert_int_equal(first.ended, 0);
}

static void test_not_sent(void **state)
{
        struct state *s = *state;
        struct call call = {0};

        (void)begin(s, &call, "unfilled", LONG);
        wait_all(s);
        assert_int_equal(call.code, EINVAL);
        assert_string_equal(s->heard, "");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {TEST(test_calls),         TEST(test_nobody_listens), TEST(test_no_answer),
                                           TEST(test_the_peer_goes), TEST(test_cancelled),      TEST(test_not_sent)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

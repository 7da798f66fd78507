/* SPDX-License-Identifier: Apache-2.0
 *
 * Last words from a Docker that fails, or cuts characters in two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/pod_store.h"

#include "../pod_of_text.h"

#define NOW USEC_PER_SEC

/* One fetch under way at most. */
struct fake {
        struct docker docker;
        struct docker_logs logs;
        void *userdata;
        unsigned asked;
        bool open;
};

struct node {
        struct agent agent;
        struct fake fake;
        struct pod_entry *entry;
};

static struct docker_call *op_logs(struct docker *d, const struct docker_logs *logs, void *userdata)
{
        struct fake *fake = (struct fake *)d;

        assert_false(fake->open);
        fake->logs = *logs;
        fake->userdata = userdata;
        fake->asked++;
        fake->open = true;
        return (struct docker_call *)fake;
}

static const struct docker_ops ops = {.logs = op_logs};

static void on_timer(void *userdata, usec_t now)
{
        (void)userdata;
        (void)now;
}

static void act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        (void)userdata;
        (void)entry;
        (void)action;
        (void)generation;
}

/* A pod of one container that ended with code 1. */
static int setup(void **state)
{
        struct node *node = xcalloc(1, sizeof(*node));
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        const struct pod_store_hooks hooks = {.act = act};
        struct pod *pod CLEANUP_POD = test_pod(
                "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: i}]}}",
                &source);
        struct agent *agent = &node->agent;

        node->fake.docker.ops = &ops;
        agent->docker = &node->fake.docker;
        agent->runtime_ready = true;
        assert_int_equal(loop_new(&agent->loop, NULL), 0);
        agent->publish = loop_timer_new(agent->loop, "publish", on_timer, agent);
        agent->store = pod_store_new(&hooks, 0);
        assert_int_equal(pod_store_claim(agent->store, 0, "web", pod, 1, NOW, NOW, NULL), 0);
        node->entry = pod_store_next(agent->store, NULL);
        struct pod_instance *ended = &node->entry->view->current->containers[0].now;
        ended->state = INSTANCE_EXITED;
        ended->exit_code = 1;
        (void)snprintf(ended->id, sizeof(ended->id), "abc");
        *state = node;
        return 0;
}

static int teardown(void **state)
{
        struct node *node = *state;

        agent_pod_free(&node->agent, node->entry);
        (void)pod_store_free(node->agent.store);
        (void)loop_source_free(node->agent.publish);
        (void)loop_free(node->agent.loop);
        free(node);
        return 0;
}

static const char *words(struct node *node)
{
        return agent_tail_find(agent_pod_of(node->entry), "c", "abc");
}

static void answer(struct node *node, const char *text, int status)
{
        struct err err = {.code = EIO, .status = status, .msg = "no"};

        assert_true(node->fake.open);
        node->fake.open = false;
        if (*text)
                node->fake.logs.data(node->fake.userdata, 1, text, strlen(text));
        node->fake.logs.done(node->fake.userdata, status < 0 ? NULL : &err);
}

/* Time passes for what waits to be asked again. */
static void later(struct node *node)
{
        struct agent_tail *tail = agent_pod_of(node->entry)->tails;

        assert_true(tail->again > loop_now(node->agent.loop));
        tail->again = 0;
        agent_tails_update(&node->agent, node->entry);
}

static void test_fails_once(void **state)
{
        struct node *node = *state;

        agent_tails_update(&node->agent, node->entry);
        assert_int_equal(node->fake.asked, 1);
        answer(node, "half", 0);
        assert_null(words(node));
        /* Looked at again for some other reason: not yet. But somebody comes back. */
        agent_pod_of(node->entry)->dirty = false;
        loop_timer_set(node->agent.publish, USEC_INFINITY);
        agent_tails_update(&node->agent, node->entry);
        assert_int_equal(node->fake.asked, 1);
        assert_true(agent_pod_of(node->entry)->dirty);
        assert_true(loop_timer_get(node->agent.publish) != USEC_INFINITY);
        node->agent.runtime_ready = false;
        later(node);
        assert_int_equal(node->fake.asked, 1);
        node->agent.runtime_ready = true;
        agent_tails_update(&node->agent, node->entry);
        assert_int_equal(node->fake.asked, 2);
        answer(node, "whole", -1);
        assert_string_equal(words(node), "whole");
        agent_tails_update(&node->agent, node->entry);
        assert_int_equal(node->fake.asked, 2);
}

static void test_fails_for_ever(void **state)
{
        struct node *node = *state;

        agent_tails_update(&node->agent, node->entry);
        for (int i = 0; i < 20 && !words(node); i++) {
                answer(node, "", 500);
                if (!words(node))
                        later(node);
        }
        assert_string_equal(words(node), "");
        assert_in_range(node->fake.asked, 2, 10);
}

/* A log driver that cannot be read. */
static void test_has_none(void **state)
{
        struct node *node = *state;

        agent_tails_update(&node->agent, node->entry);
        answer(node, "", 501);
        assert_string_equal(words(node), "");
        agent_tails_update(&node->agent, node->entry);
        assert_int_equal(node->fake.asked, 1);
}

/* More than is kept, in one line of characters of two bytes: the cut leaves half of one. */
static void test_cut(void **state)
{
        struct node *node = *state;
        char text[2 * LIMIT_LOG_TAIL];

        for (size_t i = 0; i < sizeof(text) - 2; i += 2)
                memcpy(text + i, "\xc3\xa4", 2);
        memcpy(text + sizeof(text) - 2, "\xff", 2);
        agent_tails_update(&node->agent, node->entry);
        answer(node, text, -1);
        assert_int_equal(strlen(words(node)), LIMIT_LOG_TAIL - 1);
        assert_memory_equal(words(node), "\xc3\xa4", 2);
        assert_string_equal(words(node) + LIMIT_LOG_TAIL - 4, "\xc3\xa4?");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_fails_once, setup, teardown),
                cmocka_unit_test_setup_teardown(test_fails_for_ever, setup, teardown),
                cmocka_unit_test_setup_teardown(test_has_none, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

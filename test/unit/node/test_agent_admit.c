/* SPDX-License-Identifier: Apache-2.0
 *
 * Pods that want the same place, in a store with the hold of the agent. Nothing answers what the store asks for.
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
#include "kube/pod.h"
#include "node/agent_private.h"
#include "node/order_hold.h"
#include "node/pod_store.h"

#include "../pod_of_text.h"

#define NOW USEC_PER_SEC
#define GIB ((int64_t)1 << 30)

struct node {
        struct agent_config config;
        struct agent agent;
        unsigned asked, started;
};

static void hold(void *userdata, const struct pod_entry *entry, char *text, size_t size)
{
        struct node *node = userdata;
        char *circle CLEANUP_FREE = NULL;

        node->asked++;
        agent_admit(&node->agent, entry, text, size);
        if (!*text)
                order_hold(node->agent.store, entry, "n1", text, size, &circle);
}

static void act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        struct node *node = userdata;

        (void)entry;
        (void)generation;
        node->started += action->kind == POD_ACTION_ACTIVATE;
}

static int setup(void **state)
{
        struct node *node = xcalloc(1, sizeof(*node));
        const struct pod_store_hooks hooks = {.act = act, .hold = hold, .userdata = node};

        node->config = (struct agent_config){.max_pods = 10, .node_name = "n1"};
        node->agent.config = &node->config;
        for (enum pod_resource i = 0; i < POD_RESOURCE_MAX; i++)
                node->agent.host.allocatable[i] = 2 * GIB;
        node->agent.store = pod_store_new(&hooks, 0);
        pod_store_sources_ready(node->agent.store);
        pod_store_runtime(node->agent.store, NULL, true, NOW);
        *state = node;
        return 0;
}

static int teardown(void **state)
{
        struct node *node = *state;

        node->agent.store = pod_store_free(node->agent.store);
        free(node);
        return 0;
}

/* metadata and spec: more members of each, flow YAML without the braces. */
static void want(struct node *node, const char *name, const char *metadata, const char *spec, const char *container)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: %s%s}, spec: {%scontainers: "
                                            "[{name: c, image: i, %s}]}}",
                                            name, metadata, spec, container);
        struct pod *pod CLEANUP_POD = test_pod(text, &source);

        assert_int_equal(pod_store_claim(node->agent.store, 0, name, pod, 1, NOW, NOW, NULL), 0);
}

/* Why the pod is held, as text begins; "" for not at all. */
static void is_held(struct node *node, const char *key, const char *why)
{
        const struct pod_entry *entry = pod_store_find(node->agent.store, key);

        if (!entry)
                fail_msg("there is no pod %s", key);
        else if (*why ? strncmp(entry->view->hold, why, strlen(why)) != 0 : entry->view->hold[0] != '\0')
                fail_msg("%s is held for \"%s\", expected \"%s\"", key, entry->view->hold, why);
}

/* Steps; after that nothing may be left to do, and nobody was asked again and again. */
static void step(struct node *node)
{
        node->asked = 0;
        pod_store_step(node->agent.store, NOW);
        assert_true(pod_store_deadline(node->agent.store) > NOW);
        assert_in_range(node->asked, 0, 20);
}

static const char port[] = "ports: [{containerPort: 80, hostPort: 80}]";
static const char sysctl[] = "securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}, ";
static const char memory[] =
        "ports: [{containerPort: 80, hostPort: 80}], resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}";

static void test_first_by_name(void **state)
{
        struct node *node = *state;

        want(node, "a", "", "", port);
        want(node, "b", "", "", port);
        step(node);
        is_held(node, "default/a-n1", "");
        is_held(node, "default/b-n1", "HostPortConflict");
        assert_int_equal(node->started, 1);
}

/* One that this node never takes has no port and no room. */
static void test_never_starts(void **state)
{
        struct node *node = *state;

        want(node, "a", "", sysctl, port);
        want(node, "b", "", "", port);
        step(node);
        is_held(node, "default/a-n1", "SysctlForbidden");
        is_held(node, "default/b-n1", "");
}

/* Whether the first may start is asked after the second was held for it. */
static void test_first_is_held_later(void **state)
{
        struct node *node = *state;

        want(node, "a", "", sysctl, port);
        want(node, "b", "", "", port);
        pod_store_runtime(node->agent.store, pod_store_find(node->agent.store, "default/a-n1"), false, NOW);
        step(node);
        is_held(node, "default/b-n1", "HostPortConflict");
        pod_store_runtime(node->agent.store, pod_store_find(node->agent.store, "default/a-n1"), true, NOW);
        step(node);
        is_held(node, "default/a-n1", "SysctlForbidden");
        is_held(node, "default/b-n1", "");
}

/* The second has started meanwhile and keeps its place when the first may start. */
static void test_first_may_start_later(void **state)
{
        struct node *node = *state;

        node->agent.host.allocatable[POD_RESOURCE_MEMORY] = GIB / 2;
        want(node, "a", "", "", memory);
        want(node, "b", "", "", port);
        step(node);
        is_held(node, "default/b-n1", "");
        node->agent.host.allocatable[POD_RESOURCE_MEMORY] = 2 * GIB;
        pod_store_mark(node->agent.store, NULL);
        step(node);
        is_held(node, "default/a-n1", "HostPortConflict");
        is_held(node, "default/b-n1", "");
        assert_int_equal(node->started, 1);
}

/* The first waits for the second by its start order: it may not keep the port from it meanwhile. */
static void test_order_against_name(void **state)
{
        struct node *node = *state;

        want(node, "a", ", annotations: {podwatch.io/after: b}", "", port);
        want(node, "b", "", "", port);
        step(node);
        is_held(node, "default/a-n1", "HostPortConflict");
        is_held(node, "default/b-n1", "");
        pod_store_mark(node->agent.store, NULL);
        step(node);
        is_held(node, "default/a-n1", "HostPortConflict");
        is_held(node, "default/b-n1", "");
        assert_int_equal(node->started, 1);
}

/* The first waits for another pod, which starts soon: it keeps the port from who comes behind it by name. */
static void test_order_keeps_the_place(void **state)
{
        struct node *node = *state;

        want(node, "a", ", annotations: {podwatch.io/after: z}", "", port);
        want(node, "b", "", "", port);
        want(node, "z", "", "", "ports: [{containerPort: 1, hostPort: 1}]");
        step(node);
        is_held(node, "default/a-n1", "starts after pod default/z");
        is_held(node, "default/b-n1", "HostPortConflict: port 80/TCP of the node is in use by pod default/a-n1");
        is_held(node, "default/z-n1", "");
}

/* What it waits for is held for good, or by nobody described: then it keeps nothing. */
static void test_order_that_is_never_met(void **state)
{
        struct node *node = *state;

        want(node, "a", ", annotations: {podwatch.io/after: z}", "", port);
        want(node, "b", "", "", port);
        step(node);
        is_held(node, "default/a-n1", "HostPortConflict");
        is_held(node, "default/b-n1", "");
        want(node, "c", ", annotations: {podwatch.io/after: x}", "", "ports: [{containerPort: 81, hostPort: 81}]");
        want(node, "d", "", "", "ports: [{containerPort: 81, hostPort: 81}]");
        want(node, "x", "", sysctl, "ports: [{containerPort: 2, hostPort: 2}]");
        step(node);
        is_held(node, "default/x-n1", "SysctlForbidden");
        is_held(node, "default/c-n1", "HostPortConflict");
        is_held(node, "default/d-n1", "");
}

/* Three of which the first cannot start: the second has the port, the third waits. */
static void test_three(void **state)
{
        struct node *node = *state;

        want(node, "a", "", sysctl, port);
        want(node, "b", "", "", port);
        want(node, "c", "", "", port);
        step(node);
        is_held(node, "default/b-n1", "");
        is_held(node, "default/c-n1", "HostPortConflict: port 80/TCP of the node is in use by pod default/b-n1");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_first_by_name, setup, teardown),
                cmocka_unit_test_setup_teardown(test_never_starts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_first_is_held_later, setup, teardown),
                cmocka_unit_test_setup_teardown(test_first_may_start_later, setup, teardown),
                cmocka_unit_test_setup_teardown(test_order_against_name, setup, teardown),
                cmocka_unit_test_setup_teardown(test_order_keeps_the_place, setup, teardown),
                cmocka_unit_test_setup_teardown(test_order_that_is_never_met, setup, teardown),
                cmocka_unit_test_setup_teardown(test_three, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Clashes of host ports, and the digest that says whether a step changed anything to show.
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
#include "node/host_ports.h"
#include "node/pod_step.h"
#include "node/view_digest.h"

#include "../pod_of_text.h"

static struct pod *pod_of(const char *name, const char *rest)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n%s", name, rest);

        return test_pod(text, &source);
}

static void assert_clash(const char *a, const char *b, const char *expected)
{
        struct pod *one CLEANUP_POD = pod_of("one", a);
        struct pod *two CLEANUP_POD = pod_of("two", b);
        char text[256] = "";

        assert_int_equal(host_ports_clash(one, two, text, sizeof(text)), expected != NULL);
        if (expected)
                assert_string_equal(text, expected);
}

#define PORTS(ports) "  containers: [{name: c, image: i, ports: [" ports "]}]\n"

static void test_clashes(void **state)
{
        (void)state;
        assert_clash(PORTS("{containerPort: 80, hostPort: 8080}"), PORTS("{containerPort: 90, hostPort: 8080}"),
                     "port 8080/TCP of the node is in use by pod default/two-n1");
        assert_clash(PORTS("{containerPort: 80, hostPort: 8080}"), PORTS("{containerPort: 80, hostPort: 8081}"), NULL);
        assert_clash(PORTS("{containerPort: 80}"), PORTS("{containerPort: 80}"), NULL);
        assert_clash(PORTS("{containerPort: 53, hostPort: 53, protocol: UDP}"),
                     PORTS("{containerPort: 53, hostPort: 53, protocol: TCP}"), NULL);
        assert_clash(PORTS("{containerPort: 80, hostPort: 80, hostIP: 10.0.0.1}"),
                     PORTS("{containerPort: 80, hostPort: 80, hostIP: 10.0.0.2}"), NULL);
        assert_clash(PORTS("{containerPort: 80, hostPort: 80, hostIP: 10.0.0.1}"),
                     PORTS("{containerPort: 80, hostPort: 80, hostIP: 0.0.0.0}"),
                     "port 80/TCP of the node is in use by pod default/two-n1");
        /* On the host's network every port is one of the host. */
        assert_clash("  hostNetwork: true\n" PORTS("{containerPort: 80}"), PORTS("{containerPort: 1, hostPort: 80}"),
                     "port 80/TCP of the node is in use by pod default/two-n1");
}

static void test_digest(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("one", PORTS(""));
        struct pod_view *view = pod_view_new("default/one-n1");
        struct pod_plan plan = {0};
        uint64_t before;

        view->current = pod_incarnation_new(pod, 1, 5, 5);
        before = view_digest(view, &plan);
        assert_true(before == view_digest(view, &plan));
        /* When a probe ran and what it said is not shown; what came of it is. */
        view->current->containers[0].probes[POD_PROBE_READINESS].last = 77;
        view->current->containers[0].probes[POD_PROBE_READINESS].due = 78;
        assert_true(before == view_digest(view, &plan));
        view->current->containers[0].probes[POD_PROBE_READINESS].success = true;
        assert_true(before != view_digest(view, &plan));
        before = view_digest(view, &plan);
        view->current->containers[0].ready = true;
        assert_true(before != view_digest(view, &plan));
        before = view_digest(view, &plan);
        (void)snprintf(view->hold, sizeof(view->hold), "x");
        assert_true(before != view_digest(view, &plan));
        view = pod_view_free(view);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clashes),
                cmocka_unit_test(test_digest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

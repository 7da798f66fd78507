/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts of probes over edits of a pod.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "kube/pod.h"
#include "node/agent_private.h"
#include "node/pod_exec.h"
#include "node/pod_store.h"

#include "../pod_of_text.h"

#define NOW USEC_PER_SEC

static void act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        (void)userdata;
        (void)entry;
        (void)action;
        (void)generation;
}

static struct pod *pod_of(const char *containers)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf(
                "{apiVersion: v1, kind: Pod, metadata: {name: web, uid: fixed}, spec: {containers: [%s]}}", containers);

        return test_pod(text, &source);
}

static void show(struct agent *agent, struct pod *pod)
{
        assert_int_equal(pod_store_claim(agent->store, 0, "web", pod, 1, NOW, NOW, NULL), 0);
}

/* Three containers of which the last was probed; the version after it has two, and the UID that the manifest gives. */
static void test_fewer_containers(void **state)
{
        (void)state;
        const struct pod_store_hooks hooks = {.act = act};
        struct agent agent = {.store = pod_store_new(&hooks, 0)};
        struct pod *three CLEANUP_POD = pod_of("{name: a, image: i}, {name: b, image: i}, {name: c, image: i}");
        struct pod *two CLEANUP_POD = pod_of("{name: x, image: i}, {name: b, image: i}");
        struct pod_exec_job job = {.pod = three, .container = 2, .probe = POD_PROBE_LIVENESS};

        assert_string_equal(three->uid, two->uid);
        pod_store_sources_ready(agent.store);
        pod_store_runtime(agent.store, NULL, true, NOW);
        show(&agent, three);
        struct pod_entry *entry = pod_store_next(agent.store, NULL);
        struct agent_pod *pod = agent_pod_of(entry);
        agent_metrics_probe(pod, &job, true, false);
        job.container = 0;
        agent_metrics_probe(pod, &job, true, false);
        char *before CLEANUP_FREE = agent_show_probe_metrics(&agent);
        assert_non_null(strstr(before, "container=\"c\""));
        assert_non_null(strstr(before, "container=\"a\""));
        show(&agent, two);
        pod_store_step(agent.store, NOW);
        assert_int_equal(agent_shown(entry)->pod->container_count, 2);
        char *after CLEANUP_FREE = agent_show_probe_metrics(&agent);
        assert_null(strstr(after, "container="));
        /* What is left of the version before begins its counts anew, and is not shown as this one's. */
        agent_metrics_probe(pod, &job, false, false);
        char *late CLEANUP_FREE = agent_show_probe_metrics(&agent);
        assert_null(strstr(late, "container="));
        job.pod = two;
        agent_metrics_probe(pod, &job, false, false);
        char *own CLEANUP_FREE = agent_show_probe_metrics(&agent);
        assert_non_null(strstr(own, "container=\"x\""));
        agent_pod_free(&agent, entry);
        (void)pod_store_free(agent.store);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_fewer_containers)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

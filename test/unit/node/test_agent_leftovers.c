/* SPDX-License-Identifier: Apache-2.0
 *
 * Directories of versions that were edited in quick succession. Nothing answers what the store asks for, so none of
 * them is cleaned up after itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "node/agent_private.h"
#include "node/pod_store.h"
#include "node/volume.h"

#include "../pod_of_text.h"

#define NOW USEC_PER_SEC
#define EDITS 5

static char root[] = "/tmp/test-leftovers-XXXXXX";

struct node {
        struct agent agent;
        char *root_dir, *log_dir, *links_dir, *cgroups;
        struct pod *pods[EDITS];
};

static void act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        (void)userdata;
        (void)entry;
        (void)action;
        (void)generation;
}

static void stepped(void *userdata, struct pod_entry *entry)
{
        struct node *node = userdata;

        agent_leftovers_stepped(&node->agent, entry);
}

static void gone(void *userdata, struct pod_entry *entry)
{
        struct node *node = userdata;

        agent_pod_free(&node->agent, entry);
}

static int setup(void **state)
{
        struct node *node = xcalloc(1, sizeof(*node));
        const struct pod_store_hooks hooks = {.act = act, .stepped = stepped, .gone = gone, .userdata = node};

        if (!mkdtemp(root))
                return -1;
        node->root_dir = xasprintf("%s/kubelet", root);
        node->log_dir = xasprintf("%s/pods", root);
        node->links_dir = xasprintf("%s/containers", root);
        node->cgroups = xasprintf("%s/cgroup", root);
        node->agent.host = (struct host){.node_name = "n1",
                                         .root_dir = node->root_dir,
                                         .log_dir = node->log_dir,
                                         .links_dir = node->links_dir,
                                         .cgroup_mount = node->cgroups,
                                         .cgroup_root = "/",
                                         .cgroup_version = 2};
        node->agent.store = pod_store_new(&hooks, 0);
        pod_store_sources_ready(node->agent.store);
        pod_store_runtime(node->agent.store, NULL, true, NOW);
        *state = node;
        return 0;
}

static int teardown(void **state)
{
        struct node *node = *state;
        struct pod_entry *e = pod_store_next(node->agent.store, NULL);

        if (e)
                agent_pod_free(&node->agent, e);
        node->agent.store = pod_store_free(node->agent.store);
        for (size_t i = 0; i < EDITS; i++)
                pod_unref(node->pods[i]);
        free(node->root_dir);
        free(node->log_dir);
        free(node->links_dir);
        free(node->cgroups);
        free(node);
        return file_remove_tree(root, NULL);
}

/* Another version, with the directories that it would have by now. */
static void edit(struct node *node, unsigned n)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: "
                                            "[{name: c, image: 'i:%u'}]}}",
                                            n);
        char *directory CLEANUP_FREE = NULL;

        node->pods[n] = test_pod(text, &source);
        directory = volume_pod_directory(&node->agent.host, node->pods[n]->uid);
        assert_true(file_mkdir_p(directory, 0750, NULL) >= 0);
        assert_int_equal(pod_store_claim(node->agent.store, 0, "web", node->pods[n], n + 1, NOW, NOW, NULL), 0);
        pod_store_step(node->agent.store, NOW);
}

static bool has_directory(struct node *node, size_t n)
{
        char *directory CLEANUP_FREE = volume_pod_directory(&node->agent.host, node->pods[n]->uid);

        return file_exists(directory);
}

static void test_edits(void **state)
{
        struct node *node = *state;
        const struct docker_containers none = {0};

        for (unsigned i = 0; i < 2; i++)
                edit(node, i);
        assert_false(node->agent.leftovers_due);
        for (unsigned i = 2; i < EDITS; i++)
                edit(node, i);
        assert_true(node->agent.leftovers_due);
        node->agent.leftovers_due = agent_leftovers(&node->agent, &none);
        assert_false(node->agent.leftovers_due);
        /* What the view has keeps its directories: what runs, what is wanted, the last that was put aside. */
        assert_true(has_directory(node, 0));
        assert_true(has_directory(node, EDITS - 2));
        assert_true(has_directory(node, EDITS - 1));
        for (size_t i = 1; i < EDITS - 2; i++)
                assert_false(has_directory(node, i));
        pod_store_mark(node->agent.store, NULL);
        pod_store_step(node->agent.store, NOW);
        assert_false(node->agent.leftovers_due);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_edits, setup, teardown)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

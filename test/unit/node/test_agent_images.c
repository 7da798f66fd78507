/* SPDX-License-Identifier: Apache-2.0
 *
 * Which images of pods are no garbage: those of what runs, of what is wanted, and of what a trial goes back to.
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
#include "base/strv.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "node/agent_private.h"
#include "node/pod_gate.h"
#include "node/pod_store.h"

#include "../loop_wait.h"
#include "../pod_of_text.h"

#define NOW USEC_PER_SEC

struct fake {
        struct docker docker;
        docker_images_fn listed;
        void *userdata;
        struct strv removed;
};

static struct docker_call *op_image_list(struct docker *d, docker_images_fn done, void *userdata)
{
        struct fake *fake = (struct fake *)d;

        fake->listed = done;
        fake->userdata = userdata;
        return (struct docker_call *)fake;
}

static struct docker_call *op_image_remove(struct docker *d, const char *ref, docker_done_fn done, void *userdata)
{
        struct fake *fake = (struct fake *)d;

        (void)done;
        (void)userdata;
        strv_add(&fake->removed, ref);
        return (struct docker_call *)fake;
}

static const struct docker_ops ops = {.image_list = op_image_list, .image_remove = op_image_remove};

static void act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        (void)userdata;
        (void)entry;
        (void)action;
        (void)generation;
}

static struct pod *pod_of(const char *image)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: "
                                            "[{name: c, image: '%s'}]}}",
                                            image);

        return test_pod(text, &source);
}

static void add_image(struct docker_image *image, const char *name)
{
        image->id = xasprintf("sha256:%s", name);
        strv_add(&image->repo_tags, name);
        strv_addf(&image->repo_digests, "%s@sha256:1", name);
}

static void test_fallback(void **state)
{
        (void)state;
        const struct agent_config config = {.image_gc = {.high_percent = 100, .low_percent = 100, .max_age = 1},
                                            .pause_image = ""};
        const struct pod_store_hooks hooks = {.act = act};
        struct fake fake = {.docker.ops = &ops};
        struct agent agent = {.config = &config, .docker = &fake.docker, .runtime_ready = true};
        struct pod *wanted CLEANUP_POD = pod_of("new:1"), *before CLEANUP_POD = pod_of("before:1");
        struct docker_image items[3] = {0};
        const struct docker_images images = {.items = items, .count = 3};

        assert_int_equal(loop_new(&agent.loop, NULL), 0);
        agent.docker_root = xstrdup("/");
        agent.store = pod_store_new(&hooks, 0);
        assert_int_equal(pod_store_claim(agent.store, 0, "web", wanted, 2, NOW, NOW, NULL), 0);
        gate_set_fallback(pod_store_next(agent.store, NULL)->view, before, 1);
        add_image(&items[0], "new:1");
        add_image(&items[1], "before:1");
        add_image(&items[2], "other:1");
        agent_images_init(&agent);
        /* Twice: what is seen for the first time is not old. */
        for (int i = 0; i < 2; i++) {
                fake.listed = NULL;
                agent_image_used(&agent, "sha256:none", true);
                LOOP_WAIT(agent.loop, fake.listed);
                fake.listed(fake.userdata, &images, NULL);
        }
        assert_int_equal(fake.removed.len, 2);
        assert_string_equal(fake.removed.items[0], "other:1");
        assert_string_equal(fake.removed.items[1], "other:1@sha256:1");
        for (size_t i = 0; i < 3; i++) {
                free(items[i].id);
                strv_release(&items[i].repo_tags);
                strv_release(&items[i].repo_digests);
        }
        strv_release(&fake.removed);
        agent_images_free(&agent);
        (void)pod_store_free(agent.store);
        (void)loop_free(agent.loop);
        free(agent.docker_root);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_fallback)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Start order in a store: pod "web" starts after pod "base" is started.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "kube/pod_own.h"
#include "node/container_name.h"
#include "node/order_hold.h"
#include "node/pod_store.h"
#include "rig.h"

static void act(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation)
{
        (void)userdata;
        (void)entry;
        (void)action;
        (void)generation;
}

static struct pod *named(const char *name, const char *uid, const char *hash, size_t containers, const char *after)
{
        struct pod *pod = rig_pod(uid, hash, 0, containers);

        free(pod->name);
        pod->name = xstrdup(name);
        if (after) {
                pod->annotations.items = xcalloc(1, sizeof(*pod->annotations.items));
                pod->annotations.items[0] = (struct pod_key_value){xstrdup(POD_OWN_AFTER), xstrdup(after)};
                pod->annotations.count = 1;
        }
        return pod;
}

static void want(struct pod_store *store, struct pod *pod)
{
        assert_int_equal(pod_store_claim(store, 0, pod->name, pod, 1, SEC, SEC, NULL), 0);
        pod_unref(pod);
}

/* A container of base, or "" its sandbox, runs. */
static void show(struct pod_store *store, const char *id, const char *container)
{
        struct rig rig = {.wall = SEC};
        struct docker_container seen;

        rig_show(&rig, &seen, id, "u1", "h1", container, 0, "sandbox", true);
        docker_labels_add(&seen.labels, LABEL_POD_NAMESPACE, "default");
        docker_labels_add(&seen.labels, LABEL_POD_NAME, "base");
        (void)pod_store_observe(store, &seen, SEC, SEC);
        docker_container_release(&seen);
}

static bool web_waits(struct pod_store *store)
{
        char text[POD_VIEW_TEXT_MAX] = "", *circle CLEANUP_FREE = NULL;

        order_hold(store, pod_store_find(store, "default/web"), "node", text, sizeof(text), &circle);
        assert_null(circle);
        return text[0] != '\0';
}

/* Another version of base is wanted, and of the one that runs with a single container only its manifest, where it is
 * still there, tells that this is all of it. */
static bool waits_for_what_runs(unsigned revision)
{
        const struct pod_store_hooks hooks = {.act = act};
        struct pod_store *store = pod_store_new(&hooks, 0);
        struct pod *runs = named("base", "u1", "h1", 1, NULL);

        want(store, named("base", "u2", "h2", 2, NULL));
        want(store, named("web", "u3", "h3", 1, "base:started"));
        pod_store_sources_ready(store);
        assert_true(web_waits(store));
        assert_true(pod_store_insert_orphan(store, runs, revision, SEC, SEC));
        pod_unref(runs);
        show(store, "sandbox", "");
        show(store, "app", "app0");
        pod_store_runtime(store, NULL, true, SEC);
        bool waits = web_waits(store);
        (void)pod_store_free(store);
        return waits;
}

static void a_version_that_is_known_counts(void **state)
{
        (void)state;
        assert_false(waits_for_what_runs(1));
}

static void an_orphan_does_not_tell_what_it_lacks(void **state)
{
        (void)state;
        assert_true(waits_for_what_runs(0));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_version_that_is_known_counts),
                cmocka_unit_test(an_orphan_does_not_tell_what_it_lacks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/container_name.h"
#include "node/observer.h"
#include "node/pod_store.h"
#include "node/seen.h"

/* Whether its pod was taken in. */
static bool take_orphan(const struct seen_by *by, const struct docker_containers *list,
                        const struct docker_container *c)
{
        usec_t now = loop_now(by->loop), wall = loop_now_realtime(by->loop);
        unsigned revision = 0;
        struct pod *pod CLEANUP_POD = by->pod_of(by->userdata, list, c, &revision);
        char *key CLEANUP_FREE = NULL;
        struct pod_entry *entry;

        if (!pod)
                return false;
        if (pod_store_insert_orphan(by->store, pod, revision, now, wall)) {
                (void)pod_store_observe(by->store, c, now, wall);
                return true;
        }
        key = xasprintf("%s/%s", pod->namespace, pod->name);
        entry = pod_store_find(by->store, key);
        if (entry)
                pod_store_garbage(by->store, entry, c->id, now);
        return false;
}

static enum pod_observed observe(const struct seen_by *by, const struct docker_container *c)
{
        return pod_store_observe(by->store, c, loop_now(by->loop), loop_now_realtime(by->loop));
}

static bool show_listed(const struct seen_by *by, const struct docker_containers *list,
                        const struct docker_container *c)
{
        enum pod_observed observed = observe(by, c);
        bool taken = observed == POD_OBSERVED_ORPHAN && take_orphan(by, list, c);

        if (observed != POD_OBSERVED)
                observer_inspect(by->observer, c->id);
        return taken;
}

static bool in_list(const struct docker_containers *list, const char *id)
{
        for (size_t i = 0; i < list->count; i++)
                if (str_eq(list->items[i].id, id))
                        return true;
        return false;
}

/* Absence in a list is only a hint: it may be older than the container. */
static void inspect_absent(const struct seen_by *by, const struct docker_containers *list,
                           const struct pod_instance *instance)
{
        if (instance->state != INSTANCE_ABSENT && instance->id[0] && !in_list(list, instance->id))
                observer_inspect(by->observer, instance->id);
}

static void look_for_absent(const struct seen_by *by, const struct docker_containers *list,
                            const struct pod_incarnation *inc)
{
        inspect_absent(by, list, &inc->sandbox);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                inspect_absent(by, list, &inc->containers[i].now);
                inspect_absent(by, list, &inc->containers[i].last);
        }
}

static bool is_sandbox(const struct docker_container *c)
{
        return str_eq(docker_label(&c->labels, LABEL_TYPE), LABEL_TYPE_SANDBOX);
}

unsigned seen_list(const struct seen_by *by, const struct docker_containers *list)
{
        unsigned orphans = 0;

        for (int sandboxes = 1; sandboxes >= 0; sandboxes--)
                for (size_t i = 0; i < list->count; i++)
                        if (is_sandbox(&list->items[i]) == (sandboxes == 1))
                                orphans += show_listed(by, list, &list->items[i]);
        for (struct pod_entry *e = pod_store_next(by->store, NULL); e; e = pod_store_next(by->store, e)) {
                const struct pod_incarnation *all[] = {e->view->current, e->view->next, e->view->old};

                for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                        if (all[i])
                                look_for_absent(by, list, all[i]);
        }
        return orphans;
}

void seen_one(const struct seen_by *by, const struct docker_container *container)
{
        enum pod_observed observed = observe(by, container);

        /* What it is of takes all of its pod's containers to tell. */
        if (observed == POD_OBSERVED_ORPHAN)
                observer_list(by->observer);
        else if (observed == POD_OBSERVED_INSPECT)
                observer_inspect(by->observer, container->id);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"
#include "node/container_name.h"
#include "node/pod_store_private.h"

enum pod_observed pod_store_observe(struct pod_store *store, const struct docker_container *d, usec_t now,
                                    usec_t now_wall)
{
        const char *name = docker_label(&d->labels, LABEL_POD_NAME);
        const char *namespace = docker_label(&d->labels, LABEL_POD_NAMESPACE);
        char *key CLEANUP_FREE = xasprintf("%s/%s", namespace ? namespace : "", name ? name : "");
        struct pod_entry_private *p = pod_store_lookup(store, key);
        bool runs = d->state == DOCKER_STATE_RUNNING || d->state == DOCKER_STATE_PAUSED ||
                    d->state == DOCKER_STATE_RESTARTING;

        if (!p && runs)
                return POD_OBSERVED_ORPHAN;
        p = p ? p : pod_store_obtain(store, key, now, now_wall);
        if (!pod_observe_is_news(p->entry.view, d))
                return POD_OBSERVED;
        return (enum pod_observed)pod_store_change(
                store, p,
                &(struct pod_change){.kind = POD_CHANGE_OBSERVE,
                                     .now = now,
                                     .now_wall = now_wall,
                                     .docker = (struct docker_container *)(uintptr_t)d},
                NULL);
}

static bool knows(const struct pod_view *view, const char *docker_id)
{
        struct pod_incarnation *inc;
        int container;

        if (pod_view_find_id(view, docker_id, &inc, &container))
                return true;
        for (size_t i = 0; i < view->garbage_count; i++)
                if (str_eq(view->garbage[i].id, docker_id))
                        return true;
        return false;
}

void pod_store_gone(struct pod_store *store, const char *docker_id, usec_t now)
{
        struct pod_entry_private *p, *next;

        HASH_ITER (hh, store->entries, p, next)
                if (knows(p->entry.view, docker_id))
                        (void)pod_store_change(store, p,
                                               &(struct pod_change){.kind = POD_CHANGE_GONE,
                                                                    .now = now,
                                                                    .id = (char *)(uintptr_t)docker_id},
                                               NULL);
}

struct pod_entry *pod_store_find_id(const struct pod_store *store, const char *docker_id)
{
        struct pod_entry_private *p, *next;

        HASH_ITER (hh, store->entries, p, next)
                if (knows(p->entry.view, docker_id))
                        return &p->entry;
        return NULL;
}

bool pod_store_insert_orphan(struct pod_store *store, struct pod *pod, unsigned revision, usec_t now, usec_t now_wall)
{
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        struct pod_entry_private *p = pod_store_obtain(store, key, now, now_wall);

        return pod_store_change(
                store, p,
                &(struct pod_change){
                        .kind = POD_CHANGE_ORPHAN, .now = now, .now_wall = now_wall, .pod = pod, .revision = revision},
                NULL);
}

void pod_store_runtime(struct pod_store *store, struct pod_entry *entry, bool ready, usec_t now)
{
        struct pod_entry_private *p, *next;

        if (!entry)
                store->runtime_ready = ready;
        HASH_ITER (hh, store->entries, p, next)
                if ((!entry || entry == &p->entry) && p->entry.view->runtime_ready != ready)
                        (void)pod_store_change(
                                store, p, &(struct pod_change){.kind = POD_CHANGE_RUNTIME, .now = now, .flag = ready},
                                NULL);
}

int pod_store_outcome(struct pod_store *store, struct pod_entry *entry, const struct pod_outcome *o, usec_t now)
{
        return pod_store_change(store, entry->p,
                                &(struct pod_change){.kind = POD_CHANGE_OUTCOME,
                                                     .now = now,
                                                     .op = o->op,
                                                     .generation = o->generation,
                                                     .flag = o->success,
                                                     .id = (char *)(uintptr_t)o->id,
                                                     .sandbox = (char *)(uintptr_t)o->sandbox,
                                                     .reason = (char *)(uintptr_t)o->reason,
                                                     .text = (char *)(uintptr_t)o->message},
                                NULL);
}

int pod_store_probe(struct pod_store *store, struct pod_entry *entry, uint32_t generation, bool success, bool error,
                    const char *output, usec_t now)
{
        return pod_store_change(store, entry->p,
                                &(struct pod_change){.kind = POD_CHANGE_PROBE,
                                                     .now = now,
                                                     .generation = generation,
                                                     .flag = success,
                                                     .error = error,
                                                     .text = (char *)(uintptr_t)output},
                                NULL);
}

int pod_store_garbage_outcome(struct pod_store *store, struct pod_entry *entry, const char *docker_id,
                              uint32_t generation, bool success, const char *message, usec_t now)
{
        return pod_store_change(store, entry->p,
                                &(struct pod_change){.kind = POD_CHANGE_GARBAGE_OUTCOME,
                                                     .now = now,
                                                     .id = (char *)(uintptr_t)docker_id,
                                                     .generation = generation,
                                                     .flag = success,
                                                     .text = (char *)(uintptr_t)message},
                                NULL);
}

void pod_store_garbage(struct pod_store *store, struct pod_entry *entry, const char *docker_id, usec_t now)
{
        (void)pod_store_change(
                store, entry->p,
                &(struct pod_change){.kind = POD_CHANGE_GARBAGE, .now = now, .id = (char *)(uintptr_t)docker_id}, NULL);
}

void pod_store_restart(struct pod_store *store, struct pod_entry *entry, int container, const char *reason, usec_t now)
{
        (void)pod_store_change(store, entry->p,
                               &(struct pod_change){.kind = POD_CHANGE_RESTART,
                                                    .now = now,
                                                    .container = container,
                                                    .text = (char *)(uintptr_t)reason},
                               NULL);
}

void pod_store_retry(struct pod_store *store, struct pod_entry *entry, int container, usec_t now)
{
        (void)pod_store_change(store, entry->p,
                               &(struct pod_change){.kind = POD_CHANGE_RETRY, .now = now, .container = container},
                               NULL);
}

void pod_store_fallback(struct pod_store *store, struct pod_entry *entry, struct pod *pod, unsigned revision,
                        usec_t now)
{
        (void)pod_store_change(
                store, entry->p,
                &(struct pod_change){.kind = POD_CHANGE_FALLBACK, .now = now, .pod = pod, .revision = revision}, NULL);
}

int pod_store_restore(struct pod_store *store, struct pod_entry *entry, const char *data, size_t len,
                      const char *boot_id, bool observed, usec_t now, usec_t now_wall, struct err *err)
{
        char *text CLEANUP_FREE = xstrndup(data, len);

        return pod_store_change(store, entry->p,
                                &(struct pod_change){.kind = POD_CHANGE_RESTORE,
                                                     .now = now,
                                                     .now_wall = now_wall,
                                                     .flag = observed,
                                                     .id = (char *)(uintptr_t)boot_id,
                                                     .text = text},
                                err);
}

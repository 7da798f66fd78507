/* SPDX-License-Identifier: Apache-2.0
 *
 * Garbage collection of images: the disk is looked at each five minutes and after each pull, which is what fills it;
 * Docker is asked for its images when there is something to gain.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/image_ref.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/image_gc.h"
#include "node/machine.h"
#include "node/pod_store.h"

#define PERIOD_USEC (300 * USEC_PER_SEC)
#define AFTER_PULL_USEC (1 * USEC_PER_SEC)

/* As Docker's list has it: docker.io and its library are left out, and a digest stands without the tag. */
static void add_reference(struct strv *in_use, const char *image)
{
        struct image_ref ref = {0};

        if (image_ref_parse(image, &ref, NULL) < 0)
                return;
        bool hub = str_eq(ref.domain, "docker.io");
        const char *path = hub && str_starts(ref.path, "library/") ? str_after(ref.path, "library/") : ref.path;
        char *name CLEANUP_FREE = hub ? xstrdup(path) : xasprintf("%s/%s", ref.domain, path);

        if (*ref.digest)
                strv_addf(in_use, "%s@%s", name, ref.digest);
        else
                strv_addf(in_use, "%s:%s", name, ref.tag);
}

static void add_pods(const struct agent *agent, struct strv *in_use)
{
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *all[] = {e->view->current, e->view->next};
                const struct pod *fallback = e->view->fallback;

                /* What a trial goes back to must be there when the registry is not. */
                for (size_t i = 0; fallback && i < fallback->container_count; i++)
                        add_reference(in_use, fallback->containers[i].image);
                for (size_t k = 0; k < ARRAY_SIZE(all); k++)
                        for (size_t i = 0; all[k] && i < all[k]->pod->container_count; i++) {
                                add_reference(in_use, all[k]->pod->containers[i].image);
                                if (all[k]->containers[i].image_id[0])
                                        strv_add(in_use, all[k]->containers[i].image_id);
                        }
        }
        if (!str_empty(agent->config->pause_image))
                add_reference(in_use, agent->config->pause_image);
}

static void look_again(struct agent *agent, usec_t at)
{
        if (at < loop_timer_get(agent->image_timer))
                loop_timer_set(agent->image_timer, at);
}

static void on_removed(void *userdata, const struct err *err)
{
        struct agent *agent = userdata;

        (void)agent;
        /* A container uses it after all, or another name keeps it: Docker knows better. */
        if (err && err->status != 409)
                log_warning("an image cannot be removed: %s", err->msg);
}

static void on_images(void *userdata, const struct docker_images *images, const struct err *err)
{
        struct agent *agent = userdata;
        struct strv in_use CLEANUP_STRV = STRV_INIT, remove CLEANUP_STRV = STRV_INIT;
        usec_t now = loop_now(agent->loop);
        const char *ref;

        if (err)
                return;
        add_pods(agent, &in_use);
        usec_t again = image_gc_plan(agent->image_gc, &agent->config->image_gc, images, &in_use, agent->image_excess,
                                     now, &remove);
        if (remove.len > 0)
                log_info("the disk is full beyond its threshold or images are too old: removing %zu names of images",
                         remove.len);
        STRV_FOREACH (ref, &remove) {
                log_info("removing the image %s", ref);
                (void)agent->docker->ops->image_remove(agent->docker, ref, on_removed, agent);
        }
        if (again != USEC_INFINITY)
                look_again(agent, again);
}

static void on_timer(void *userdata, usec_t now)
{
        struct agent *agent = userdata;
        struct machine_load load = {0};

        loop_timer_set(agent->image_timer, usec_add(now, PERIOD_USEC));
        if (!agent->runtime_ready || str_empty(agent->docker_root))
                return;
        machine_load_read(agent->docker_root, &load);
        agent->image_excess = image_gc_excess(&agent->config->image_gc, load.disk_bytes, load.disk_available_bytes);
        if (agent->image_excess > 0 || agent->config->image_gc.max_age)
                (void)agent->docker->ops->image_list(agent->docker, on_images, agent);
}

void agent_images_init(struct agent *agent)
{
        agent->image_gc = image_gc_new();
        agent->image_timer = loop_timer_new(agent->loop, "image garbage", on_timer, agent);
        loop_timer_set(agent->image_timer, usec_add(loop_now(agent->loop), PERIOD_USEC));
}

void agent_images_free(struct agent *agent)
{
        agent->image_timer = loop_source_free(agent->image_timer);
        agent->image_gc = image_gc_free(agent->image_gc);
}

void agent_image_used(struct agent *agent, const char *id, bool pulled)
{
        usec_t now = loop_now(agent->loop);

        image_gc_used(agent->image_gc, id, now);
        if (pulled)
                look_again(agent, usec_add(now, AFTER_PULL_USEC));
}

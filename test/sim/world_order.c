/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits for another pod by its start order, and when that may end.
 */
#include "base/str.h"
#include "docker/docker.h"
#include "node/pod_store.h"
#include "sim_loop.h"
#include "world_private.h"

/* A container of this version ran a moment ago, and was Ready where that is asked for. */
static bool ran(struct world *w, const struct version *v, const struct pod_container *spec, bool ready)
{
        const struct model_container *c;
        bool probed = spec->probes[POD_PROBE_READINESS].handler.type != POD_HANDLER_NONE;

        for (c = model_containers(w->model); c; c = c->next)
                if (str_eq(c->uid, v->pod->uid) && str_eq(c->hash, v->pod->spec_hash) &&
                    str_eq(c->container, spec->name) && (!ready || !probed || c->was_ready) &&
                    (c->state == DOCKER_STATE_RUNNING || (c->ended && c->ended + UNSEEN >= sim_loop_elapsed(w->loop))))
                        return true;
        return false;
}

static bool came_up(struct world *w, const struct version *v, bool ready)
{
        for (size_t i = v->pod->init_count; i < v->pod->container_count; i++)
                if (!ran(w, v, &v->pod->containers[i], ready))
                        return false;
        return true;
}

/* Its way leads back to it, by what the files say. */
static bool in_circle(const struct world *w, const struct version *v)
{
        const struct version *at = v;

        for (unsigned i = 0; at && at->after >= 0 && i < WORLD_PODS_MAX; i++) {
                if (at->after == (int)v->index)
                        return true;
                at = w->pods[at->after].wanted;
        }
        return false;
}

void check_activated(struct world *w, const struct pod *pod)
{
        const struct version *v = world_version_find(w, pod->uid, pod->spec_hash);
        usec_t now = sim_loop_elapsed(w->loop);
        bool satisfied = false;

        if (!v || v->after < 0 || in_circle(w, v) || (w->removed && w->removed + UNSEEN >= now))
                return;
        for (size_t i = 0; i < w->version_count && !satisfied; i++)
                satisfied = w->versions[i]->index == (unsigned)v->after &&
                            (came_up(w, w->versions[i], v->after_ready) || world_may_end(w->versions[i]));
        /* A file that was just written may have been in a circle. */
        for (unsigned i = 0; i < w->pod_count && !satisfied; i++)
                satisfied = w->pods[i].changed + SLACK >= now;
        if (!satisfied)
                world_problem(w, "%s starts though pod%d is not %s", pod->name, v->after,
                              v->after_ready ? "Ready" : "started");
}

/* It runs, or has ended for good. */
bool world_is_up(const struct version *v, size_t i, const struct pod_container_view *c)
{
        return c->now.state == INSTANCE_RUNNING || (!v->pod->containers[i].sidecar && c->now.state == INSTANCE_EXITED &&
                                                    !world_runs_again(v, i, c->now.exit_code));
}

/* The version that the pod wants is its current one, and nothing of it is still to be made: what may lack now is
 * needed by nothing. */
bool world_is_made(const struct world *w, const struct world_pod *p)
{
        const struct pod_entry *entry = pod_store_find(sim_node_store(w->node), p->key);
        const struct pod_incarnation *inc = entry ? entry->view->current : NULL;

        if (!inc || !pod_incarnation_same_version(inc, p->wanted->pod))
                return false;
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if ((!inc->pod->containers[i].init || inc->pod->containers[i].sidecar) &&
                    !world_is_up(p->wanted, i, &inc->containers[i]))
                        return false;
        return true;
}

/* It waits for a pod that is not there, or that waits itself, or has failed. */
static bool is_blocked(const struct world *w, const struct version *v)
{
        const struct world_pod *p = v->after >= 0 ? &w->pods[v->after] : NULL;
        const struct version *on = p ? p->wanted : NULL;

        if (v->after < 0 || in_circle(w, v))
                return false;
        return !on || is_blocked(w, on) || world_may_end(on) || on->never_ready ||
               (docs_lack(w, on) && !world_is_made(w, p));
}

bool world_waits(struct world *w, const struct world_pod *p)
{
        const struct pod_entry *entry = p->wanted ? pod_store_find(sim_node_store(w->node), p->key) : NULL;

        return entry && ((entry->view->hold[0] && is_blocked(w, p->wanted)) || docs_lack(w, p->wanted));
}

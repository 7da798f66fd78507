/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold once it is calm: everything that is wanted runs, nothing else does, nothing is pending.
 */
#include "base/str.h"
#include "docker/docker.h"
#include "model_files.h"
#include "net/loop.h"
#include "node/pod_store.h"
#include "world_private.h"

/* The instance of the view that is this container; NULL: it is garbage, or not known. */
static const struct pod_instance *instance_of(const struct pod_view *view, const struct model_container *c)
{
        struct pod_incarnation *inc;
        int i;

        return view ? pod_view_find_id(view, c->id, &inc, &i) : NULL;
}

static void check_there(struct world *w, const struct world_pod *p, const struct pod_instance *instance)
{
        const struct model_container *c = model_find(w->model, instance->id);

        if (instance->state == INSTANCE_RUNNING && (!c || c->state != DOCKER_STATE_RUNNING))
                world_problem(w, "%.12s of %s is taken for running", instance->id, p->key);
}

/* What podwatch takes for running does run, also of a version before that goes on while another may not start yet: an
 * event that was lost is still to come, and stops the rest of it. */
static void check_not_missed(struct world *w, const struct world_pod *p, const struct pod_incarnation *inc)
{
        check_there(w, p, &inc->sandbox);
        for (size_t i = 0; i < inc->pod->container_count; i++)
                check_there(w, p, &inc->containers[i].now);
}

/* Nothing is left over, and what podwatch knows of what is there is true: an event that was lost is still to come. */
static void check_containers(struct world *w, const struct world_pod *p, const struct pod_view *view)
{
        const struct model_container *c;

        for (c = model_containers(w->model); c; c = c->next) {
                const struct pod_instance *instance = str_eq(c->key, p->key) ? instance_of(view, c) : NULL;

                if (!str_eq(c->key, p->key))
                        continue;
                if (!instance)
                        world_problem(w, "%s is left over", c->name);
                else if ((instance->state == INSTANCE_RUNNING) != (c->state == DOCKER_STATE_RUNNING))
                        world_problem(w, "%s is taken for %s", c->name, instance_state_name(instance->state));
                else if (view->current->terminal && c->state == DOCKER_STATE_RUNNING)
                        world_problem(w, "%s runs in a completed pod", c->name);
        }
        if (view && view->current)
                check_not_missed(w, p, view->current);
}

static void check_running(struct world *w, const struct world_pod *p, const struct version *v,
                          const struct pod_incarnation *inc)
{
        const struct model_container *sandbox = model_find(w->model, inc->sandbox.id);

        docs_check_shown(w, v, world_directories(w, v->pod->uid)->shown);
        /* Its end may still be to be seen. */
        if (!sandbox || sandbox->state != DOCKER_STATE_RUNNING)
                world_problem(w, "the sandbox of %s does not run", p->key);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                const struct pod_container *spec = &inc->pod->containers[i];
                const struct pod_container_view *cv = &inc->containers[i];
                const struct model_container *c = model_find(w->model, cv->now.id);

                if ((spec->init && !spec->sidecar) || (cv->now.state == INSTANCE_EXITED && world_is_up(v, i, cv)))
                        continue;
                if (cv->now.state != INSTANCE_RUNNING || !c || c->state != DOCKER_STATE_RUNNING)
                        world_problem(w, "%s %s does not run: %s", p->key, spec->name,
                                      instance_state_name(cv->now.state));
                else if (!cv->started || (!cv->ready && !v->never_ready))
                        world_problem(w, "%s %s is not ready", p->key, spec->name);
        }
}

/* What has been made runs on, also where the rest waits for a document. */
static void check_no_backoff(struct world *w, const struct world_pod *p, const struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (inc->containers[i].backoff.until > loop_now(w->loop))
                        world_problem(w, "%s %s waits for its time", p->key, inc->pod->containers[i].name);
}

/* A version is at rest: it runs, has run for good, or has not begun where it may not. */
static void check_rest(struct world *w, const struct world_pod *p, const struct version *v,
                       const struct pod_incarnation *inc, bool may_wait)
{
        if (may_wait && docs_lack(w, v)) { /* it may run or not */
                check_no_backoff(w, p, inc);
                return;
        }
        if (inc->phase == POD_ACTIVE && inc->revision)
                check_running(w, p, v, inc);
        else if (inc->phase == POD_ENDED && inc->terminal && world_may_complete(v))
                return;
        else if (!may_wait || inc->phase == POD_STOPPING || inc->phase == POD_ENDED)
                world_problem(w, "%s is %s", p->key, pod_incarnation_phase_name(inc->phase));
}

/* It runs, or its version of before does until it may start, or nothing of it. */
static void check_waiting(struct world *w, const struct world_pod *p, const struct pod_view *view,
                          const struct pod_plan *plan)
{
        const struct pod *pod = view->current ? view->current->pod : NULL;
        const struct version *v = pod ? world_version_find(w, pod->uid, pod->spec_hash) : NULL;

        if (!v || view->old || view->garbage_count) {
                world_problem(w, "%s waits and is not settled: current %d, old %d, garbage %zu", p->key,
                              view->current != NULL, view->old != NULL, view->garbage_count);
                return;
        }
        check_rest(w, p, v, view->current, true);
        check_containers(w, p, view);
        /* What has begun has its end, also where it waits; unless an edit is what counts. */
        if (view->current->gated && view->current->gate_until && !view->next)
                world_problem(w, "%s waits and is still on trial", p->key);
        if (view->current->terminal && v == p->wanted && world_may_complete(v))
                return; /* it waits for nothing any more */
        if (docs_lack(w, p->wanted) && !view->hold[0] && !world_is_made(w, p) && !docs_said(plan, p->wanted))
                world_problem(w, "%s waits for its document and does not say so", p->key);
}

static void check_pod(struct world *w, const struct world_pod *p)
{
        const struct pod_entry *entry = pod_store_find(sim_node_store(w->node), p->key);
        const struct pod_view *view = entry ? entry->view : NULL;

        if (!p->wanted) {
                if (view)
                        world_problem(w, "%s is not wanted and still known", p->key);
                check_containers(w, p, NULL);
                return;
        }
        if (world_waits(w, p)) {
                check_waiting(w, p, view, &entry->plan);
                return;
        }
        trial_check_over(w, p, view);
        if (!view || !view->current || view->next || view->old || view->garbage_count) {
                world_problem(w, "%s is not settled: current %d, next %d, old %d, garbage %zu", p->key,
                              view && view->current, view && view->next, view && view->old,
                              view ? view->garbage_count : 0);
                return;
        }
        if (!pod_incarnation_same_version(view->current, p->wanted->pod))
                world_problem(w, "%s runs %s instead of %s", p->key, view->current->pod->spec_hash,
                              p->wanted->pod->spec_hash);
        else
                check_rest(w, p, p->wanted, view->current, false);
        /* However often the disk has refused it; but what a trial went back to, nobody has the bytes of any more. */
        if (!p->rejected && !model_files_number(w->files, p->wanted->pod))
                world_problem(w, "%s is in force and not stored", p->key);
        check_containers(w, p, view);
}

void check_converged(struct world *w)
{
        world_files_check(w);
        for (unsigned i = 0; i < w->pod_count; i++)
                check_pod(w, &w->pods[i]);
        if (sim_node_pending(w->node) > 4 * WORLD_PODS_MAX)
                world_problem(w, "%zu requests under way though all is settled", sim_node_pending(w->node));
}

void check_nothing_pending(struct world *w)
{
        const struct pod_entry *e;
        const struct model_container *c;

        for (c = model_containers(w->model); c; c = c->next)
                if (c->state == DOCKER_STATE_RUNNING && c->end)
                        world_problem(w, "%s is going to end", c->name);
        for (e = pod_store_next(sim_node_store(w->node), NULL); e; e = pod_store_next(sim_node_store(w->node), e))
                for (size_t i = 0; e->view->current && i < e->view->current->pod->container_count; i++)
                        if (e->view->current->containers[i].restart_wanted)
                                world_problem(w, "%s is being restarted", e->view->key);
}

void check_bounds(struct world *w)
{
        const struct pod_entry *e;

        if (!w->node)
                return;
        for (e = pod_store_next(sim_node_store(w->node), NULL); e; e = pod_store_next(sim_node_store(w->node), e))
                if (e->view->garbage_count > 60)
                        world_problem(w, "%zu to be removed of %s", e->view->garbage_count, e->view->key);
        if (sim_node_pending(w->node) > 200)
                world_problem(w, "%zu requests under way", sim_node_pending(w->node));
}

void check_free(struct world *w)
{
        struct run_track *t, *next;
        struct directories *d, *next_d;

        for (t = w->tracks; t; t = next) {
                next = t->next;
                free(t->name);
                free(t);
        }
        for (d = w->directories; d; d = next_d) {
                next_d = d->next;
                free(d->uid);
                free(d);
        }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What sources and users want, written into the view.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "node/backoff.h"
#include "node/pod_apply.h"
#include "node/pod_edge.h"
#include "node/pod_gate.h"

/* Attempts go on where another incarnation has the same UID: they are part of names. */
struct pod_incarnation *edge_make(struct pod_view *view, struct pod *pod, unsigned revision, usec_t now,
                                  usec_t now_wall)
{
        const struct pod_incarnation *const all[] = {view->current, view->next, view->old};
        struct pod_incarnation *inc = pod_incarnation_new(pod, revision, now, now_wall);

        for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
                if (!all[k] || !str_eq(all[k]->pod->uid, pod->uid))
                        continue;
                if (inc->sandbox_next_attempt < all[k]->sandbox_next_attempt)
                        inc->sandbox_next_attempt = all[k]->sandbox_next_attempt;
                for (size_t i = 0; i < pod->container_count; i++)
                        for (size_t j = 0; j < all[k]->pod->container_count; j++)
                                if (str_eq(pod->containers[i].name, all[k]->pod->containers[j].name) &&
                                    inc->containers[i].next_attempt < all[k]->containers[j].next_attempt)
                                        inc->containers[i].next_attempt = all[k]->containers[j].next_attempt;
        }
        return inc;
}

void edge_retire_next(struct pod_view *view)
{
        if (view->next)
                edge_retire(view, TAKE_PTR(view->next));
}

/* Labels do not tell init containers from others: what such a one did by its end is known only now. */
static void know_steps(struct pod_incarnation *inc)
{
        bool past = fact_init_position(inc) == inc->pod->container_count; /* an app container has run */

        for (size_t i = 0; i < inc->pod->init_count; i++) {
                struct pod_container_view *c = &inc->containers[i];
                bool well = c->now.state == INSTANCE_EXITED && c->now.exit_code == 0 && fact_in_sandbox(inc, &c->now);

                c->init_done |= container_is_step(&inc->pod->containers[i]) && (past || well);
        }
}

/* An incarnation made of labels gets the pod itself: the order of its containers may be another. */
static struct pod_incarnation *with_pod(struct pod_view *view, struct pod_incarnation *inc, struct pod *pod)
{
        struct pod_incarnation *to = pod_incarnation_new(pod, inc->revision, 0, 0);
        struct pod_container_view *containers = to->containers;

        for (size_t i = 0; i < inc->pod->container_count; i++) {
                bool found = false;

                for (size_t j = 0; j < pod->container_count && !found; j++) {
                        found = str_eq(pod->containers[j].name, inc->pod->containers[i].name);
                        if (found)
                                containers[j] = inc->containers[i];
                }
                if (found)
                        continue;
                edge_discard(view, &inc->containers[i].now);
                edge_discard(view, &inc->containers[i].last);
        }
        pod_unref(to->pod);
        *to = *inc;
        to->pod = pod_ref(pod);
        to->containers = containers; /* the old ones go with inc */
        know_steps(to);
        return to;
}

/* The running version is wanted (again): what was to replace it is not. */
static void want_current(struct pod_view *view, struct pod *pod, unsigned revision, bool came_back, usec_t now,
                         usec_t now_wall)
{
        struct pod_incarnation *inc = view->current;
        bool orphan = !inc->revision;

        edge_retire_next(view);
        if (orphan) {
                view->current = with_pod(view, inc, pod);
                pod_incarnation_free(inc);
                inc = view->current;
        }
        inc->revision = revision;
        /* Labels tell no probes. */
        for (size_t i = 0; orphan && i < pod->container_count; i++)
                edge_readiness(inc, i, now);
        if (!came_back)
                return;
        /* Whatever it stops for is the end of its life before: it is to run again. */
        if (inc->phase == POD_STOPPING)
                inc->stop_reason = POD_STOP_REMOVED;
        inc->terminal = inc->terminal_failed = false;
        inc->first_seen = now;
        inc->first_seen_wall = now_wall;
}

bool pod_want(struct pod_view *view, struct pod *pod, unsigned revision, usec_t now, usec_t now_wall)
{
        const struct pod_incarnation *wanted = view->next ? view->next : view->current;
        bool came_back = !view->wanted;

        if (view->wanted && wanted && pod_incarnation_same_version(wanted, pod))
                return false;
        view->wanted = true;
        if (view->current && pod_incarnation_same_version(view->current, pod)) {
                want_current(view, pod, revision, came_back, now, now_wall);
                return true;
        }
        edge_retire_next(view);
        view->next = edge_make(view, pod, revision, now, now_wall);
        /* Nothing of it ever ran: the new version takes its place at once. */
        if (!view->current || view->current->phase == POD_PREPARING) {
                gate_promote(view, view->current, view->next);
                if (view->current)
                        edge_retire(view, view->current);
                view->current = TAKE_PTR(view->next);
        }
        return true;
}

bool pod_unwant(struct pod_view *view, usec_t now)
{
        (void)now;
        if (!view->wanted)
                return false;
        view->wanted = false;
        view->hold[0] = '\0';
        gate_abandon(view);
        edge_retire_next(view);
        /* Kept for status until now. */
        if (view->current && view->current->phase == POD_ENDED)
                edge_discard_all(view, view->current);
        return true;
}

bool pod_insert_orphan(struct pod_view *view, struct pod *pod, unsigned revision, usec_t now, usec_t now_wall)
{
        struct pod_incarnation *current = view->current;

        if (current && (current->phase != POD_PREPARING || fact_runs(current) || fact_unsettled(current) || view->next))
                return false;
        view->next = current;
        view->current = NULL;
        view->current = edge_make(view, pod, revision, now, now_wall);
        view->current->phase = POD_ACTIVE;
        return true;
}

bool pod_hold(struct pod_view *view, const char *reason)
{
        char text[POD_VIEW_TEXT_MAX];

        pod_view_text(text, sizeof(text), reason);
        if (str_eq(text, view->hold))
                return false;
        pod_view_text(view->hold, sizeof(view->hold), text);
        return true;
}

bool pod_drain(struct pod_view *view, bool drain)
{
        bool changed = view->drain != drain;

        view->drain = drain;
        return changed;
}

void pod_fallback(struct pod_view *view, struct pod *pod, unsigned revision)
{
        if (view->current && view->current->gated && str_eq(view->fallback_hash, pod->spec_hash) &&
            !pod_incarnation_same_version(view->current, pod))
                gate_set_fallback(view, pod, revision);
}

static void retry_at_once(struct pod_retry *r)
{
        r->at = 0;
}

/* Everything that waits for time alone goes on at once; counts are kept. */
static void incarnation_retry(struct pod_incarnation *inc, int container, bool backoffs)
{
        if (container < 0) {
                retry_at_once(&inc->retry);
                if (backoffs)
                        backoff_clear(&inc->sandbox_backoff);
        }
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct pod_container_view *c = &inc->containers[i];

                if (container >= 0 && (size_t)container != i)
                        continue;
                retry_at_once(&c->retry);
                retry_at_once(&c->image_retry);
                if (backoffs)
                        backoff_clear(&c->backoff);
        }
}

void pod_request_restart(struct pod_view *view, int container, const char *reason, usec_t now)
{
        struct pod_incarnation *inc = view->current;

        if (!inc || inc->phase != POD_ACTIVE)
                return;
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (container < 0 || (size_t)container == i)
                        edge_restart(inc, i, reason, -1, true, now);
        incarnation_retry(inc, container, true);
}

void pod_request_retry(struct pod_view *view, int container, usec_t now)
{
        (void)now;
        if (view->current)
                incarnation_retry(view->current, container, true);
        if (view->next)
                incarnation_retry(view->next, container, true);
}

void pod_observe_runtime(struct pod_view *view, bool ready, usec_t now)
{
        struct pod_incarnation *const all[] = {view->current, view->next, view->old};

        (void)now;
        if (view->runtime_ready == ready)
                return;
        view->runtime_ready = ready;
        for (size_t k = 0; ready && k < ARRAY_SIZE(all); k++)
                if (all[k])
                        incarnation_retry(all[k], -1, false);
        for (size_t i = 0; ready && i < view->garbage_count; i++)
                retry_at_once(&view->garbage[i].retry);
}

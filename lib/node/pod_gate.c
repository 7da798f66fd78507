/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "node/pod_edge.h"
#include "node/pod_gate.h"

usec_t gate_period(const struct pod_view *view, const struct pod *pod)
{
        if (pod->revert_seconds < 0)
                return 0;
        return pod->revert_seconds > 0 ? (usec_t)pod->revert_seconds * USEC_PER_SEC : view->revert_default;
}

usec_t gate_steady(const struct pod_view *view, const struct pod *pod)
{
        usec_t half = gate_period(view, pod) / 2;

        return half < GATE_STEADY ? half : GATE_STEADY;
}

static void gate_forget(struct pod_view *view)
{
        view->fallback = pod_unref(view->fallback);
        view->fallback_revision = 0;
        view->fallback_hash[0] = '\0';
}

void gate_set_fallback(struct pod_view *view, struct pod *pod, unsigned revision)
{
        (void)pod_ref(pod);
        pod_unref(view->fallback);
        view->fallback = pod;
        view->fallback_revision = revision;
        pod_view_text(view->fallback_hash, sizeof(view->fallback_hash), pod->spec_hash);
}

void gate_promote(struct pod_view *view, const struct pod_incarnation *from, struct pod_incarnation *to)
{
        /* One that was on trial itself is no place to go back to; what it could go back to still is. */
        if (from && from->revision > 0 && from->proven && !from->gated)
                gate_set_fallback(view, from->pod, from->revision);
        if (!view->fallback || pod_incarnation_same_version(to, view->fallback) || gate_period(view, to->pod) == 0) {
                gate_forget(view);
                return;
        }
        to->gated = true;
        to->gate_until = 0;
}

void gate_activate(struct pod_view *view, struct pod_incarnation *inc, usec_t now)
{
        if (inc->gated && !inc->gate_until)
                inc->gate_until = usec_add(now, gate_period(view, inc->pod));
}

void gate_accept(struct pod_view *view, struct pod_incarnation *inc)
{
        inc->gated = false;
        inc->gate_until = 0;
        gate_forget(view);
}

void gate_abandon(struct pod_view *view)
{
        if (view->current)
                gate_accept(view, view->current);
        else
                gate_forget(view);
}

void gate_revert(struct pod_view *view, struct pod_incarnation *inc, usec_t now)
{
        /* The wall clock is that of the incarnation: an action has only the other one. */
        usec_t wall = usec_add(inc->first_seen_wall, usec_sub(now, inc->first_seen));

        edge_retire_next(view);
        view->next = edge_make(view, view->fallback, view->fallback_revision, now, wall);
        inc->gated = false;
        inc->proven = false;
        inc->gate_until = 0;
        gate_forget(view);
}

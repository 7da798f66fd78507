/* SPDX-License-Identifier: Apache-2.0
 *
 * The edges of an incarnation, by its phase. One at a time; the caller takes it up and steps again.
 */
#include "base/str.h"
#include "node/step.h"

static bool deadline_passed(struct step *s)
{
        const struct pod *pod = s->inc->pod;

        return pod->active_deadline_seconds > 0 &&
               step_due(s, usec_add(s->inc->first_seen, (usec_t)pod->active_deadline_seconds * USEC_PER_SEC));
}

static bool stop(struct step *s, enum pod_stop_reason reason)
{
        step_edge(s, POD_ACTION_STOP, reason);
        if (reason == POD_STOP_SANDBOX)
                step_event(s, -1, false, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
        else if (reason == POD_STOP_DEADLINE)
                step_event(s, -1, false, "DeadlineExceeded",
                           "Pod was active on the node longer than the specified deadline");
        return true;
}

/* Why an incarnation that is coming up or runs must stop, in order of weight. */
static bool edge_of_running(struct step *s)
{
        const struct pod_view *view = s->view;
        bool failed;

        if (!view->wanted)
                return stop(s, s->inc->revision ? POD_STOP_REMOVED : POD_STOP_ORPHAN);
        if (view->drain && s->inc->phase == POD_ACTIVE)
                return stop(s, POD_STOP_DRAINED);
        /* A replacement that is ready to start; one that cannot be prepared, or may not start yet, changes nothing. */
        if (fact_prepared(view) && str_empty(view->hold) && !view->drain)
                return stop(s, POD_STOP_REPLACED);
        if (step_gate(s))
                return true;
        /* It has failed its trial before it was up again: it need not come up to be replaced. */
        if (s->inc->phase == POD_PREPARING && view->next && !fact_runs(s->inc)) {
                step_edge(s, POD_ACTION_PROMOTE, POD_STOP_NONE);
                return true;
        }
        if (deadline_passed(s))
                return stop(s, POD_STOP_DEADLINE);
        if (fact_completed(s->inc, &failed))
                return stop(s, POD_STOP_COMPLETED);
        if (s->inc->sandbox.state == INSTANCE_EXITED)
                return stop(s, POD_STOP_SANDBOX);
        if (s->inc->phase == POD_PREPARING && str_empty(view->hold) && !view->drain) {
                step_edge(s, POD_ACTION_ACTIVATE, POD_STOP_NONE);
                return true;
        }
        return false;
}

static bool edge_of_ended(struct step *s)
{
        const struct pod_view *view = s->view;

        if (view->next) {
                step_edge(s, POD_ACTION_PROMOTE, POD_STOP_NONE);
                return true;
        }
        if (view->wanted && step_gate(s))
                return true;
        if (view->wanted) {
                if (view->drain || s->inc->terminal || !slot_free(&s->inc->slot))
                        return false;
                step_edge(s, POD_ACTION_REVIVE, POD_STOP_NONE);
                return true;
        }
        if (!s->inc->cleaned || fact_unsettled(s->inc))
                return false;
        step_edge(s, POD_ACTION_DROP, POD_STOP_NONE);
        return true;
}

static bool edge_of_current(struct step *s)
{
        switch (s->inc->phase) {
        case POD_PREPARING:
        case POD_ACTIVE:
                return edge_of_running(s);
        case POD_STOPPING:
                if (fact_runs(s->inc) || fact_unsettled(s->inc))
                        return false;
                step_edge(s, POD_ACTION_END, POD_STOP_NONE);
                return true;
        case POD_ENDED:
                return edge_of_ended(s);
        case POD_PHASE_MAX:
                break;
        }
        return false;
}

/* Its directories are gone, or are those of an incarnation that has the same UID. */
static bool old_is_done(const struct pod_view *view)
{
        const struct pod_incarnation *old = view->old;

        if (!old || fact_unsettled(old) || old->slot.op == POD_OP_CLEANUP)
                return false;
        return old->cleaned || (view->current && str_eq(view->current->pod->uid, old->pod->uid)) ||
               (view->next && str_eq(view->next->pod->uid, old->pod->uid));
}

bool step_edit(struct step *s)
{
        if (s->inc && edge_of_current(s))
                return true;
        if (!s->inc && s->view->next) {
                step_edge(s, POD_ACTION_PROMOTE, POD_STOP_NONE);
                return true;
        }
        if (old_is_done(s->view)) {
                s->which = POD_OLD;
                step_edge(s, POD_ACTION_DROP, POD_STOP_NONE);
                return true;
        }
        return false;
}

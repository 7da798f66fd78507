/* SPDX-License-Identifier: Apache-2.0
 *
 * The trial of a new version (podwatch.io/revert-after, revertAfter): it stays once it has been Ready for a while, and
 * goes back to the version before it when its time is over and it is not Ready. Ready for a moment is not enough: what
 * has no readiness probe is Ready as soon as it runs, also where it crashes a second later.
 */
#include "base/str.h"
#include "node/pod_gate.h"
#include "node/step.h"

static bool accept(struct step *s)
{
        step_edge(s, POD_ACTION_ACCEPT, POD_STOP_NONE);
        step_event(s, -1, false, "RevisionAccepted", "Version %u is Ready and stays", s->inc->revision);
        return true;
}

static bool revert(struct step *s)
{
        usec_t period = gate_period(s->view, s->inc->pod);

        step_edge(s, POD_ACTION_REVERT, POD_STOP_NONE);
        step_event(s, -1, true, "RevisionReverted",
                   "Version %u was not Ready within %llu s; going back to version %u until the manifest changes",
                   s->inc->revision, (unsigned long long)(period / USEC_PER_SEC), s->view->fallback_revision);
        return true;
}

bool step_gate(struct step *s)
{
        const struct pod_incarnation *inc = s->inc;

        /* An edit that came meanwhile is what counts. */
        if (!inc->gated || s->view->next)
                return false;
        if (!s->view->fallback) { /* it could not be read after a restart of podwatch: no trial any more */
                step_edge(s, POD_ACTION_ACCEPT, POD_STOP_NONE);
                return true;
        }
        if (!inc->gate_until) {
                if (inc->phase != POD_ACTIVE)
                        return false;
                /* Found running: who started it could not write that the trial had begun. */
                step_edge(s, POD_ACTION_ACTIVATE, POD_STOP_NONE);
                return true;
        }
        if (inc->terminal && !inc->terminal_failed)
                return accept(s);
        if (inc->ready_since)
                return step_due(s, usec_add(inc->ready_since, gate_steady(s->view, inc->pod))) && accept(s);
        return step_due(s, inc->gate_until) && revert(s);
}

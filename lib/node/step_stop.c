/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing down (pkg/kubelet/kuberuntime killContainersWithSyncResult): all pre-stop hooks at once, then the signal to
 * app and init containers side by side, then to the sidecars one by one from the last, each after what started behind
 * it has ended, then the sandbox at once: pause has nothing to save. The grace is the pod's for all of that together;
 * each container gets STOP_GRACE_MIN after its signal at least.
 */
#include "base/str.h"
#include "node/step.h"

/* The stop of a hook or its signal may take over what can last. */
static bool slot_yields(const struct pod_slot *slot)
{
        return slot->op == POD_OP_NONE || slot->op == POD_OP_IMAGE || slot->op == POD_OP_POST_START ||
               slot->op == POD_OP_PRE_STOP;
}

/* The hook goes before the signal: true while it is to be waited for. */
static bool stop_by_hook(struct step *s, size_t index, usec_t deadline)
{
        const struct pod_container_view *c = &s->inc->containers[index];

        if (s->inc->pod->containers[index].pre_stop.type == POD_HANDLER_NONE || c->pre_stop_done || deadline <= s->now)
                return false;
        if (slot_yields(&c->slot) && c->slot.op != POD_OP_PRE_STOP)
                step_op(s, (int)index, POD_OP_PRE_STOP, "stop");
        return true;
}

/* As the kubelet says it: what made it necessary and what follows, where the pod goes on; else that it stops. */
static void killing_event(struct step *s, size_t index)
{
        const struct pod_container_view *c = &s->inc->containers[index];
        const char *name = s->inc->pod->containers[index].name;

        if (s->inc->phase >= POD_STOPPING || !c->restart_wanted)
                step_event(s, (int)index, false, "Killing", "Stopping container %s", name);
        else if (str_eq(c->retry.reason, REASON_POST_START))
                step_event(s, (int)index, false, "Killing", "FailedPostStartHook");
        else
                step_event(s, (int)index, false, "Killing", "%s", c->restart_reason);
}

/* The signal was tried, Docker has not taken it, and the time that it would have had is over. (A hook that failed after
 * the start of the container leaves its failure there too.) */
static bool overdue(const struct step *s, const struct pod_container_view *c)
{
        return c->retry.failures > 0 && !str_eq(c->retry.reason, REASON_POST_START) && c->kill_at &&
               c->kill_at <= s->now;
}

static void stop_by_signal(struct step *s, size_t index, usec_t deadline, bool may_signal, const char *cause)
{
        const struct pod_container_view *c = &s->inc->containers[index];

        if (stop_by_hook(s, index, deadline)) {
                if (may_signal && slot_yields(&c->slot))
                        (void)step_due(s, deadline);
                return;
        }
        if (!may_signal || !slot_yields(&c->slot) || !step_due(s, c->retry.at))
                return;
        if (overdue(s, c)) {
                step_op(s, (int)index, POD_OP_KILL, cause);
                return;
        }
        step_op(s, (int)index, POD_OP_SIGNAL, cause);
        killing_event(s, index);
}

void step_stop_container(struct step *s, size_t index, usec_t deadline, bool may_signal, const char *cause)
{
        const struct pod_container_view *c = &s->inc->containers[index];

        if (c->now.state != INSTANCE_RUNNING)
                return;
        if (!c->signalled) {
                stop_by_signal(s, index, deadline, may_signal, cause);
                return;
        }
        /* A signal that is still on its way does not hold up the kill. */
        if ((!slot_yields(&c->slot) && c->slot.op != POD_OP_SIGNAL) || !step_due(s, c->kill_at))
                return;
        /* Killed and still there: its end was not seen, or it hangs in the kernel. Or Docker refuses to kill it. */
        if (step_due(s, c->retry.at))
                step_op(s, (int)index, POD_OP_KILL, cause);
}

static bool alive(const struct pod_container_view *c)
{
        return c->now.state == INSTANCE_RUNNING || c->slot.op == POD_OP_START;
}

/* Index of the last sidecar that lives, -1 without. */
static int last_sidecar(const struct pod_incarnation *inc)
{
        for (size_t i = inc->pod->init_count; i > 0; i--)
                if (inc->pod->containers[i - 1].sidecar && alive(&inc->containers[i - 1]))
                        return (int)i - 1;
        return -1;
}

void step_stop(struct step *s)
{
        const struct pod_incarnation *inc = s->inc;
        const char *cause = pod_stop_reason_name(inc->stop_reason);
        bool others = false;
        int last = last_sidecar(inc);

        for (size_t i = 0; i < inc->pod->container_count; i++)
                others |= !inc->pod->containers[i].sidecar && alive(&inc->containers[i]);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                bool turn = !inc->pod->containers[i].sidecar || (!others && (int)i == last);

                step_stop_container(s, i, inc->stop_deadline, turn, cause);
                step_probes(s, i, true);
        }
        if (!others && last < 0 && inc->sandbox.state == INSTANCE_RUNNING && slot_free(&inc->slot) &&
            step_due(s, inc->retry.at))
                step_op(s, -1, POD_OP_SANDBOX_STOP, cause);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Actions taken up and their outcomes. What Docker shows is in pod_observe.c, what sources and users want in
 * pod_want.c.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/backoff.h"
#include "node/pod_apply.h"
#include "node/pod_edge.h"
#include "node/pod_gate.h"
#include "node/probe_state.h"

/* --- actions -------------------------------------------------------------------------------------------------- */

static void take_stop_op(struct pod_incarnation *inc, struct pod_container_view *c, enum pod_op op, usec_t now)
{
        usec_t deadline = inc->phase == POD_STOPPING ? inc->stop_deadline : c->kill_at;

        if (op == POD_OP_PRE_STOP || op == POD_OP_SIGNAL)
                c->kill_at = c->kill_at && c->kill_at < deadline ? c->kill_at : deadline;
        if (op != POD_OP_SIGNAL)
                return;
        c->signalled = now;
        c->pre_stop_done = true; /* where it was cut */
        if (c->kill_at < usec_add(now, STOP_GRACE_MIN))
                c->kill_at = usec_add(now, STOP_GRACE_MIN);
}

static uint32_t take_op(struct pod_view *view, const struct pod_action *a, usec_t now)
{
        struct pod_incarnation *inc = pod_view_incarnation(view, a->which);
        struct pod_container_view *c;

        if (!inc)
                return 0;
        if (a->container < 0)
                return edge_take(view, &inc->slot, a->op, now);
        c = &inc->containers[a->container];
        take_stop_op(inc, c, a->op, now);
        return edge_take(view, &c->slot, a->op, now);
}

static void apply_stop(struct pod_incarnation *inc, enum pod_stop_reason reason, usec_t now)
{
        inc->phase = POD_STOPPING;
        inc->stop_reason = reason;
        inc->stop_since = now;
        inc->stop_deadline = usec_add(now, fact_grace(inc->pod));
        /* What is being restarted may have a longer grace than the pod's; the shorter one counts now, but for the least
         * time that a signal is given. */
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct pod_container_view *c = &inc->containers[i];
                usec_t least = usec_add(c->signalled, STOP_GRACE_MIN);
                usec_t end = least > inc->stop_deadline ? least : inc->stop_deadline;

                if (c->signalled && c->kill_at > end)
                        c->kill_at = end;
        }
}

/* Nothing of it runs again, by restartPolicy or by its deadline (pkg/kubelet/kubelet_pods.go getPhase). */
static void apply_terminal(struct pod_incarnation *inc)
{
        bool failed = true;

        if (!inc->revision)
                return; /* the policy of an orphan is a guess, and its manifest may come back */
        switch (inc->stop_reason) {
        case POD_STOP_COMPLETED:
                inc->terminal = true;
                (void)fact_completed(inc, &failed);
                break;
        case POD_STOP_DEADLINE:
                inc->terminal = true;
                break;
        case POD_STOP_DRAINED: /* as when the node goes down */
        case POD_STOP_SANDBOX: /* computePodActions: no new sandbox for a pod that runs once and has begun */
                inc->terminal = !fact_may_restart(inc->pod) && fact_ever_started(inc);
                (void)fact_completed(inc, &failed);
                break;
        case POD_STOP_NONE:
        case POD_STOP_REMOVED:
        case POD_STOP_REPLACED:
        case POD_STOP_ORPHAN:
        case POD_STOP_MAX:
                break;
        }
        inc->terminal_failed = inc->terminal && failed;
}

static void apply_end(struct pod_view *view, struct pod_incarnation *inc)
{
        inc->phase = POD_ENDED;
        inc->stop_deadline = 0;
        apply_terminal(inc);
        retry_clear(&inc->retry);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct pod_container_view *c = &inc->containers[i];

                /* Pulls and the like go on for nobody. */
                c->slot.op = POD_OP_NONE;
                retry_clear(&c->retry);
        }
        if (!view->wanted)
                edge_discard_all(view, inc);
}

static void apply_promote(struct pod_view *view)
{
        struct pod_incarnation *next = view->next;

        /* Of directories that were the other's until now it was only checked that they can be made over. */
        if (view->current && str_eq(view->current->pod->uid, next->pod->uid)) {
                next->volumes_ready = false;
                if (next->slot.op == POD_OP_VOLUMES)
                        next->slot.op = POD_OP_NONE;
        }
        gate_promote(view, view->current, view->next);
        if (view->current)
                edge_retire(view, view->current);
        view->current = TAKE_PTR(view->next);
}

static void apply_revive(struct pod_view *view, struct pod_incarnation *inc)
{
        bool drained = inc->stop_reason == POD_STOP_DRAINED;
        bool fresh = inc->stop_reason != POD_STOP_SANDBOX && !drained;

        edge_sandbox_away(view, inc);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct pod_container_view *c = &inc->containers[i];

                if (drained)
                        backoff_clear(&c->backoff);
                if (!fresh)
                        continue;
                /* Put back by a person: nothing is held against it, and what had ended well runs once more. */
                backoff_clear(&c->backoff);
                retry_clear(&c->image_retry);
                c->restart_by_user = c->now.state == INSTANCE_EXITED;
        }
        edge_settle(view, inc);
        if (fresh || drained)
                backoff_clear(&inc->sandbox_backoff);
        inc->phase = POD_PREPARING;
        inc->stop_reason = POD_STOP_NONE;
        inc->stop_since = inc->stop_deadline = 0;
        inc->volumes_ready = inc->terminal = inc->terminal_failed = inc->cleaned = false;
}

static void apply_drop(struct pod_view *view, enum pod_which which)
{
        struct pod_incarnation **place = which == POD_OLD ? &view->old : &view->current;

        if (*place)
                edge_discard_all(view, *place);
        *place = pod_incarnation_free(*place);
}

uint32_t pod_apply_action(struct pod_view *view, const struct pod_action *a, usec_t now)
{
        struct pod_incarnation *inc = pod_view_incarnation(view, a->which);

        switch (a->kind) {
        case POD_ACTION_OP:
                return take_op(view, a, now);
        case POD_ACTION_PROBE:
                return inc ? edge_take(view, &inc->containers[a->container].probes[a->probe].slot, POD_OP_PROBE, now)
                           : 0;
        case POD_ACTION_GARBAGE:
                return a->garbage < view->garbage_count
                               ? edge_take(view, &view->garbage[a->garbage].slot, POD_OP_REMOVE, now)
                               : 0;
        case POD_ACTION_STOP:
                apply_stop(inc, a->stop_reason, now);
                break;
        case POD_ACTION_ACTIVATE:
                inc->phase = POD_ACTIVE;
                gate_activate(view, inc, now);
                break;
        case POD_ACTION_ACCEPT:
                gate_accept(view, inc);
                break;
        case POD_ACTION_REVERT:
                gate_revert(view, inc, now);
                break;
        case POD_ACTION_END:
                apply_end(view, inc);
                if (inc->terminal) /* it has run, whoever started it */
                        gate_activate(view, inc, now);
                break;
        case POD_ACTION_PROMOTE:
                apply_promote(view);
                break;
        case POD_ACTION_REVIVE:
                apply_revive(view, inc);
                break;
        case POD_ACTION_DROP:
                apply_drop(view, a->which);
                break;
        case POD_ACTION_EVENT:
        case POD_ACTION_MAX:
                break;
        }
        return 0;
}

/* --- outcomes ------------------------------------------------------------------------------------------------- */

/* The slot with this generation; *ret_container -1 for the pod's. Probes are not looked at. */
static struct pod_slot *find_slot(const struct pod_view *view, enum pod_op op, uint32_t generation,
                                  struct pod_incarnation **ret_inc, int *ret_container)
{
        struct pod_incarnation *const all[] = {view->current, view->next, view->old};

        for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
                struct pod_incarnation *inc = all[k];

                if (!inc)
                        continue;
                *ret_inc = inc;
                for (int i = -1; i < (int)inc->pod->container_count; i++) {
                        struct pod_slot *slot = i < 0 ? &inc->slot : &inc->containers[i].slot;

                        *ret_container = i;
                        if (slot->op == op && op != POD_OP_NONE && slot->generation == generation)
                                return slot;
                }
        }
        return NULL;
}

bool pod_awaits(const struct pod_view *view, enum pod_op op, uint32_t generation)
{
        struct pod_incarnation *inc;
        int i;

        return find_slot(view, op, generation, &inc, &i) && inc->phase != POD_ENDED;
}

/* Away with it, unless a version that was put back has found it by its name meanwhile. */
static void unmake(struct pod_view *view, const char *id)
{
        struct pod_incarnation *inc;
        int i;

        if (!pod_view_find_id(view, id, &inc, &i))
                pod_apply_garbage(view, id, INSTANCE_CREATED);
}

/* A sandbox or container was made for what is not wanted any more. */
static bool made_in_vain(struct pod_view *view, const struct pod_incarnation *inc, const char *id)
{
        if (inc->phase != POD_ENDED)
                return false;
        unmake(view, id);
        return true;
}

/* The create found by its name what is left of an earlier time and being removed: the next one has another name.
 * container NULL: the sandbox. */
static bool is_being_removed(struct pod_view *view, const struct pod_incarnation *inc, const char *container,
                             unsigned attempt, const char *id)
{
        for (size_t i = 0; i < view->garbage_count; i++) {
                if (view->garbage[i].slot.op != POD_OP_REMOVE || !str_eq(view->garbage[i].id, id))
                        continue;
                edge_share_attempt(view, inc->pod->uid, container, attempt);
                return true;
        }
        return false;
}

static void pod_op_done(struct pod_view *view, struct pod_incarnation *inc, const struct pod_outcome *o, usec_t now)
{
        if (o->op == POD_OP_VOLUMES)
                inc->volumes_ready = true;
        else if (o->op == POD_OP_CLEANUP)
                inc->cleaned = true;
        else if (o->op == POD_OP_SANDBOX_CREATE) {
                if (!made_in_vain(view, inc, o->id) && !str_eq(inc->sandbox.id, o->id) &&
                    !is_being_removed(view, inc, NULL, inc->sandbox_next_attempt, o->id))
                        edge_sandbox_created(view, inc, o->id, inc->sandbox_next_attempt);
        } else if (o->op == POD_OP_SANDBOX_START && inc->sandbox.state == INSTANCE_CREATED) {
                inc->sandbox.state = INSTANCE_RUNNING;
                inc->sandbox.started = now;
        }
        inc->sandbox_ready |= o->op == POD_OP_SANDBOX_START && inc->sandbox.state == INSTANCE_RUNNING;
        retry_clear(&inc->retry);
        /* Stopped, it says; the end itself is seen or else asked for again. */
        if (o->op == POD_OP_SANDBOX_STOP && inc->sandbox.state == INSTANCE_RUNNING)
                retry_failed(&inc->retry, RETRY_INITIAL, now, "Terminating", "the sandbox was killed");
}

/* The sandbox that it joined was removed meanwhile: it could never start. */
static bool joins_another(struct pod_view *view, const struct pod_incarnation *inc, int i, const struct pod_outcome *o)
{
        if (!o->sandbox || str_eq(o->sandbox, inc->sandbox.id))
                return false;
        edge_share_attempt(view, inc->pod->uid, inc->pod->containers[i].name, inc->containers[i].next_attempt);
        unmake(view, o->id);
        return true;
}

static void container_op_done(struct pod_view *view, struct pod_incarnation *inc, int i, const struct pod_outcome *o,
                              usec_t now)
{
        struct pod_container_view *c = &inc->containers[i];

        if (o->op != POD_OP_IMAGE) /* looked up again because a create has failed: that one's wait goes on */
                retry_clear(&c->retry);
        switch (o->op) {
        case POD_OP_IMAGE:
                c->image_ready = true;
                pod_view_text(c->image_id, sizeof(c->image_id), o->id);
                retry_clear(&c->image_retry);
                break;
        case POD_OP_CREATE:
                if (joins_another(view, inc, i, o))
                        break;
                if (!made_in_vain(view, inc, o->id) && !str_eq(c->now.id, o->id) &&
                    !is_being_removed(view, inc, inc->pod->containers[i].name, c->next_attempt, o->id))
                        edge_created(view, inc, (size_t)i, o->id, inc->sandbox.id, c->next_attempt);
                break;
        case POD_OP_START: /* it may have been seen to run, or to have ended, before */
                if (c->now.state == INSTANCE_CREATED)
                        edge_running(inc, (size_t)i, now, 0, false, now);
                break;
        case POD_OP_POST_START:
                c->post_start_done = true;
                edge_readiness(inc, (size_t)i, now);
                break;
        case POD_OP_PRE_STOP:
                c->pre_stop_done = true;
                break;
        case POD_OP_SIGNAL: /* the grace is the container's, not that of a daemon that was slow to send it */
                c->kill_at = usec_add(c->kill_at, usec_sub(now, c->signalled));
                break;
        case POD_OP_KILL:
                c->killed = true;
                if (c->now.state == INSTANCE_RUNNING)
                        retry_failed(&c->retry, RETRY_INITIAL, now, "Terminating", "the container was killed");
                break;
        case POD_OP_NONE:
        case POD_OP_VOLUMES:
        case POD_OP_SANDBOX_CREATE:
        case POD_OP_SANDBOX_START:
        case POD_OP_SANDBOX_STOP:
        case POD_OP_CLEANUP:
        case POD_OP_REMOVE:
        case POD_OP_PROBE:
        case POD_OP_MAX:
                break;
        }
}

static void container_op_failed(struct pod_incarnation *inc, int i, const struct pod_outcome *o, usec_t now)
{
        struct pod_container_view *c = &inc->containers[i];

        if (o->op == POD_OP_IMAGE) {
                retry_failed(&c->image_retry, RETRY_IMAGE_INITIAL, now, o->reason, o->message);
                return;
        }
        if (o->op == POD_OP_PRE_STOP) { /* the stop goes on */
                c->pre_stop_done = true;
                return;
        }
        if (o->op == POD_OP_POST_START) { /* the container is killed, the restart rule follows */
                c->post_start_done = true;
                retry_failed(&c->retry, RETRY_INITIAL, now, o->reason, o->message);
                c->retry.at = 0; /* to be seen, not to be waited for */
                edge_restart(inc, (size_t)i, o->message, -1, false, now);
                return;
        }
        /* It runs, or has run, all the same. */
        if (o->op == POD_OP_START && c->now.state != INSTANCE_CREATED)
                return;
        /* The image may have gone away: it is looked up before the next try. */
        if (o->op == POD_OP_CREATE)
                c->image_ready = false;
        if (o->op == POD_OP_KILL) /* each second, as one that shows no effect */
                retry_clear(&c->retry);
        retry_failed(&c->retry, RETRY_INITIAL, now, o->reason, o->message);
        if (o->op != POD_OP_SIGNAL)
                return;
        c->signalled = 0;
        if (c->retry.at > c->kill_at) /* then it is killed */
                c->retry.at = c->kill_at;
}

int pod_apply_outcome(struct pod_view *view, const struct pod_outcome *o, usec_t now)
{
        struct pod_incarnation *inc;
        int i;
        struct pod_slot *slot = find_slot(view, o->op, o->generation, &inc, &i);

        if (!slot)
                return 1;
        slot->op = POD_OP_NONE;
        if (!o->success && !view->runtime_ready) {
                /* Docker went away: that is nobody's failure, and everything is tried again when it is back. */
                if (o->op == POD_OP_SIGNAL)
                        inc->containers[i].signalled = 0;
                return 0;
        }
        if (o->success && i < 0)
                pod_op_done(view, inc, o, now);
        else if (o->success)
                container_op_done(view, inc, i, o, now);
        else if (i < 0)
                retry_failed(&inc->retry, RETRY_INITIAL, now, o->reason, o->message);
        else
                container_op_failed(inc, i, o, now);
        return 0;
}

/* --- probes --------------------------------------------------------------------------------------------------- */

static void probe_decided(struct pod_incarnation *inc, size_t i, enum pod_probe_kind kind, enum probe_verdict verdict,
                          usec_t now)
{
        static const char *const words[POD_PROBE_KIND_MAX] = {"startup", "liveness", "readiness"};
        const struct pod_container *spec = &inc->pod->containers[i];
        char reason[128];

        if (verdict == PROBE_FAILED && kind != POD_PROBE_READINESS) {
                /* The kubelet's words; it says nothing of what follows for an init container. */
                bool restarts = !spec->init && pod_container_restarts(inc->pod, spec, -1);

                (void)snprintf(reason, sizeof(reason), "%s %.63s failed %s probe%s",
                               spec->init ? "Init container" : "Container", spec->name, words[kind],
                               restarts ? ", will be restarted" : "");
                edge_restart(inc, i, reason, spec->probes[kind].termination_grace_seconds, false, now);
        }
        edge_readiness(inc, i, now);
}

int pod_apply_probe(struct pod_view *view, uint32_t generation, bool success, bool error, const char *output,
                    usec_t now)
{
        struct pod_incarnation *const all[] = {view->current, view->next, view->old};

        for (size_t n = 0; n < ARRAY_SIZE(all) * POD_PROBE_KIND_MAX; n++) {
                struct pod_incarnation *inc = all[n / POD_PROBE_KIND_MAX];
                enum pod_probe_kind kind = (enum pod_probe_kind)(n % POD_PROBE_KIND_MAX);

                for (size_t i = 0; inc && i < inc->pod->container_count; i++) {
                        const struct pod_probe *probe = &inc->pod->containers[i].probes[kind];
                        struct pod_probe_state *state = &inc->containers[i].probes[kind];

                        if (state->slot.op != POD_OP_PROBE || state->slot.generation != generation)
                                continue;
                        if (error)
                                probe_error(state, probe, output, now);
                        else
                                probe_decided(inc, i, kind, probe_outcome(state, probe, success, output, now), now);
                        return 0;
                }
        }
        return 1;
}

/* --- garbage -------------------------------------------------------------------------------------------------- */

void pod_apply_garbage(struct pod_view *view, const char *id, enum instance_state state)
{
        for (size_t i = 0; i < view->garbage_count; i++) {
                if (!str_eq(view->garbage[i].id, id))
                        continue;
                view->garbage[i].state = state;
                return;
        }
        if (str_empty(id) || view->garbage_count == POD_VIEW_GARBAGE_MAX)
                return;
        view->garbage = xrealloc(view->garbage, view->garbage_count + 1, sizeof(*view->garbage));
        memset(&view->garbage[view->garbage_count], 0, sizeof(*view->garbage));
        pod_view_text(view->garbage[view->garbage_count].id, sizeof(view->garbage->id), id);
        view->garbage[view->garbage_count++].state = state;
}

int pod_apply_garbage_outcome(struct pod_view *view, const char *id, uint32_t generation, bool success,
                              const char *message, usec_t now)
{
        for (size_t i = 0; i < view->garbage_count; i++) {
                struct pod_garbage *g = &view->garbage[i];

                if (!str_eq(g->id, id) || g->slot.op != POD_OP_REMOVE || g->slot.generation != generation)
                        continue;
                g->slot.op = POD_OP_NONE;
                if (!success) {
                        retry_failed(&g->retry, RETRY_INITIAL, now, "FailedRemove", message);
                        return 0;
                }
                view->garbage_count--;
                memmove(g, g + 1, (view->garbage_count - i) * sizeof(*g));
                return 0;
        }
        return 1;
}

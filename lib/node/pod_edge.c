/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/backoff.h"
#include "node/pod_apply.h"
#include "node/pod_edge.h"
#include "node/probe_state.h"

uint32_t edge_take(struct pod_view *view, struct pod_slot *slot, enum pod_op op, usec_t now)
{
        /* 0 is no generation, so that a zeroed slot has none. */
        if (++view->generation == 0)
                view->generation = 1;
        *slot = (struct pod_slot){.op = op, .generation = view->generation, .since = now};
        return slot->generation;
}

void edge_not_garbage(struct pod_view *view, const char *id)
{
        for (size_t i = 0; i < view->garbage_count; i++) {
                if (!str_eq(view->garbage[i].id, id))
                        continue;
                view->garbage_count--;
                memmove(&view->garbage[i], &view->garbage[i + 1], (view->garbage_count - i) * sizeof(*view->garbage));
                return;
        }
}

void edge_discard(struct pod_view *view, struct pod_instance *instance)
{
        if (instance->id[0])
                pod_apply_garbage(view, instance->id, instance->state);
        memset(instance, 0, sizeof(*instance));
}

void edge_discard_all(struct pod_view *view, struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                edge_discard(view, &inc->containers[i].now);
                edge_discard(view, &inc->containers[i].last);
        }
        edge_discard(view, &inc->sandbox);
}

void edge_retire(struct pod_view *view, struct pod_incarnation *inc)
{
        edge_discard_all(view, inc);
        inc->phase = POD_ENDED;
        /* One place: of what is in it only directories and cgroups are left, which agent_leftovers.c finds. */
        if (view->old && !view->old->cleaned)
                view->leftovers++;
        pod_incarnation_free(view->old);
        view->old = inc;
}

/* Everything that belongs to one instance, not to the container. */
static void container_reset(struct pod_container_view *c)
{
        for (enum pod_probe_kind kind = 0; kind < POD_PROBE_KIND_MAX; kind++)
                probe_reset(&c->probes[kind], kind);
        c->started = c->ready = c->post_start_done = c->pre_stop_done = false;
        c->restart_wanted = c->killed = false;
        c->signalled = c->kill_at = 0;
        c->restart_grace_usec = -1;
}

/* Moves `now` to `last` where it has run, else away. */
static void container_age(struct pod_view *view, struct pod_container_view *c)
{
        if (c->now.state == INSTANCE_EXITED) {
                edge_discard(view, &c->last);
                c->last = c->now;
                memset(&c->now, 0, sizeof(c->now));
        } else {
                edge_discard(view, &c->now);
        }
}

void edge_share_attempt(struct pod_view *view, const char *uid, const char *container, unsigned attempt)
{
        struct pod_incarnation *const all[] = {view->current, view->next, view->old};

        for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
                if (!all[k] || !str_eq(all[k]->pod->uid, uid))
                        continue;
                if (!container && all[k]->sandbox_next_attempt <= attempt)
                        all[k]->sandbox_next_attempt = attempt + 1;
                for (size_t i = 0; container && i < all[k]->pod->container_count; i++)
                        if (str_eq(all[k]->pod->containers[i].name, container) &&
                            all[k]->containers[i].next_attempt <= attempt)
                                all[k]->containers[i].next_attempt = attempt + 1;
        }
}

void edge_created(struct pod_view *view, struct pod_incarnation *inc, size_t index, const char *id, const char *sandbox,
                  unsigned attempt)
{
        struct pod_container_view *c = &inc->containers[index];

        edge_not_garbage(view, id);
        container_age(view, c);
        container_reset(c);
        c->restart_by_user = false;
        c->restart_reason[0] = '\0';
        /* Also where it was found rather than made by us: it is what follows the run before it. */
        backoff_restarted(&c->backoff);
        c->now.state = INSTANCE_CREATED;
        pod_view_text(c->now.id, sizeof(c->now.id), id);
        pod_view_text(c->now.sandbox, sizeof(c->now.sandbox), sandbox);
        c->now.attempt = attempt;
        edge_share_attempt(view, inc->pod->uid, inc->pod->containers[index].name, attempt);
}

void edge_sandbox_created(struct pod_view *view, struct pod_incarnation *inc, const char *id, unsigned attempt)
{
        edge_not_garbage(view, id);
        /* What was done in the one before counts for nothing in this one. */
        for (size_t i = 0; inc->sandbox.state != INSTANCE_ABSENT && i < inc->pod->init_count; i++)
                inc->containers[i].init_done = false;
        edge_discard(view, &inc->sandbox);
        inc->sandbox.state = INSTANCE_CREATED;
        pod_view_text(inc->sandbox.id, sizeof(inc->sandbox.id), id);
        inc->sandbox.attempt = attempt;
        inc->ip[0] = '\0';
        inc->sandbox_ready = false;
        backoff_restarted(&inc->sandbox_backoff);
        edge_share_attempt(view, inc->pod->uid, NULL, attempt);
        edge_settle(view, inc);
}

static void plan_probes(struct pod_incarnation *inc, size_t index, usec_t now)
{
        const struct pod_container *spec = &inc->pod->containers[index];
        struct pod_container_view *c = &inc->containers[index];

        for (enum pod_probe_kind kind = 0; kind < POD_PROBE_KIND_MAX; kind++) {
                const struct pod_probe *probe = &spec->probes[kind];
                usec_t offset = 0;

                if ((kind == POD_PROBE_STARTUP) == c->started)
                        continue;
                if (kind == POD_PROBE_LIVENESS)
                        offset = probe_offset(inc->pod->uid, spec->name, kind, probe_period(probe));
                probe_plan(&c->probes[kind], probe, c->now.started, now, offset);
        }
}

/* Of the pod as a whole, after any change of one of its containers. */
static void ready_settle(struct pod_incarnation *inc, usec_t now)
{
        if (!fact_ready(inc)) {
                inc->ready_since = 0;
                return;
        }
        if (!inc->ready_since)
                inc->ready_since = now;
        inc->proven |= inc->revision > 0; /* the labels of an orphan tell no probes */
}

void edge_readiness(struct pod_incarnation *inc, size_t index, usec_t now)
{
        const struct pod_container *spec = &inc->pod->containers[index];
        struct pod_container_view *c = &inc->containers[index];
        bool runs = c->now.state == INSTANCE_RUNNING && c->post_start_done;

        c->started = runs && (!container_has_probe(spec, POD_PROBE_STARTUP) || c->probes[POD_PROBE_STARTUP].success);
        c->ready = c->started &&
                   (!container_has_probe(spec, POD_PROBE_READINESS) || c->probes[POD_PROBE_READINESS].success);
        if (runs)
                plan_probes(inc, index, now);
        ready_settle(inc, now);
}

void edge_running(struct pod_incarnation *inc, size_t index, usec_t started, usec_t started_wall, bool adopted,
                  usec_t now)
{
        const struct pod_container *spec = &inc->pod->containers[index];
        struct pod_container_view *c = &inc->containers[index];

        c->now.state = INSTANCE_RUNNING;
        c->now.started = started;
        c->now.started_wall = started_wall;
        c->now.finished = c->now.finished_wall = 0;
        retry_clear(&c->retry);
        c->image_ready = true;
        /* Whether the hook of a container that was found running has been run cannot be known; it is not run again. */
        c->post_start_done = adopted || spec->post_start.type == POD_HANDLER_NONE;
        if (container_is_app(spec))
                for (size_t i = 0; i < inc->pod->init_count; i++)
                        inc->containers[i].init_done |= container_is_step(&inc->pod->containers[i]);
        edge_readiness(inc, index, now);
}

void edge_step_done(struct pod_incarnation *inc, size_t index)
{
        struct pod_container_view *c = &inc->containers[index];

        c->init_done |= container_is_step(&inc->pod->containers[index]) && c->now.state == INSTANCE_EXITED &&
                        c->now.exit_code == 0 && fact_in_sandbox(inc, &c->now);
}

void edge_exited(struct pod_view *view, struct pod_incarnation *inc, size_t index, usec_t now)
{
        const struct pod_container *spec = &inc->pod->containers[index];
        struct pod_container_view *c = &inc->containers[index];

        c->now.state = INSTANCE_EXITED;
        if (!c->now.finished)
                c->now.finished = now;
        if (c->restart_by_user)
                backoff_clear(&c->backoff);
        else
                backoff_ended(&c->backoff, c->now.started, c->now.finished, view->backoff_max);
        edge_step_done(inc, index);
        container_reset(c);
        /* Each start asks the registry. Its image goes by the reference again. */
        if (spec->pull_policy == POD_PULL_ALWAYS)
                c->image_ready = false;
        if (!str_eq(c->retry.reason, REASON_POST_START)) /* stays until the next instance is made */
                retry_clear(&c->retry);
        /* Hooks and signals of what has ended: their outcome is of no use any more. */
        if (c->slot.op == POD_OP_POST_START || c->slot.op == POD_OP_PRE_STOP || c->slot.op == POD_OP_SIGNAL ||
            c->slot.op == POD_OP_KILL)
                c->slot.op = POD_OP_NONE;
        ready_settle(inc, now);
}

void edge_restart(struct pod_incarnation *inc, size_t index, const char *reason, int64_t grace_seconds, bool by_user,
                  usec_t now)
{
        struct pod_container_view *c = &inc->containers[index];

        /* Where the whole pod stops, its grace counts: a probe that fails meanwhile, or a user, cuts nothing short. */
        if (c->now.state != INSTANCE_RUNNING || c->restart_wanted || inc->phase >= POD_STOPPING)
                return;
        c->restart_wanted = true;
        c->restart_by_user = by_user;
        c->restart_grace_usec = grace_seconds < 0 ? -1 : grace_seconds * (int64_t)USEC_PER_SEC;
        c->kill_at = usec_add(now, grace_seconds < 0 ? fact_grace(inc->pod) : (usec_t)c->restart_grace_usec);
        pod_view_text(c->restart_reason, sizeof(c->restart_reason), reason);
}

void edge_sandbox_exited(struct pod_view *view, struct pod_incarnation *inc)
{
        inc->sandbox.state = INSTANCE_EXITED;
        backoff_ended(&inc->sandbox_backoff, inc->sandbox.started, inc->sandbox.finished, view->backoff_max);
        retry_clear(&inc->retry);
        if (inc->slot.op == POD_OP_SANDBOX_STOP)
                inc->slot.op = POD_OP_NONE;
}

/* What has ended for good stays known across sandboxes: it is not run again. */
static bool result_stays(const struct pod_incarnation *inc, size_t index)
{
        return container_is_app(&inc->pod->containers[index]) && inc->containers[index].now.state == INSTANCE_EXITED &&
               fact_done(inc, index);
}

void edge_settle(struct pod_view *view, struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct pod_container_view *c = &inc->containers[i];

                if (c->now.state == INSTANCE_ABSENT || !c->now.sandbox[0] || fact_in_sandbox(inc, &c->now) ||
                    result_stays(inc, i))
                        continue;
                container_age(view, c);
                container_reset(c);
        }
}

void edge_disown(struct pod_view *view, struct pod_incarnation *inc, size_t index, usec_t now)
{
        edge_discard(view, &inc->containers[index].now);
        container_reset(&inc->containers[index]);
        inc->containers[index].init_done = false;
        ready_settle(inc, now);
}

void edge_sandbox_away(struct pod_view *view, struct pod_incarnation *inc)
{
        edge_discard(view, &inc->sandbox);
        inc->ip[0] = '\0';
        inc->sandbox_ready = false;
        for (size_t i = 0; i < inc->pod->container_count; i++)
                inc->containers[i].init_done = false;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing up: volumes, images, sandbox, containers. Everything that does not wait for something else goes side by
 * side: images are looked up while volumes are made, containers are created while the sandbox starts. The same code
 * prepares a replacement, which stops short of the first start; of one with the UID of what runs only images are got,
 * and what else can be told beforehand is checked (fact_next_shares).
 */
#include "base/alloc.h"
#include "base/str.h"
#include "node/step.h"

/* Directories go by UID: those of a predecessor with the same UID are not made while they are being removed. */
static bool directories_busy(const struct step *s)
{
        const struct pod_incarnation *old = s->view->old;

        return old && old->slot.op == POD_OP_CLEANUP && str_eq(old->pod->uid, s->inc->pod->uid);
}

static void start_volumes(struct step *s)
{
        if (!s->inc->volumes_ready && slot_free(&s->inc->slot) && !directories_busy(s) && step_due(s, s->inc->retry.at))
                step_op(s, -1, POD_OP_VOLUMES, "start");
}

static usec_t later(usec_t a, usec_t b)
{
        return a > b ? a : b;
}

static void start_sandbox(struct step *s, bool may_start)
{
        const struct pod_incarnation *inc = s->inc;
        bool ready = inc->volumes_ready && slot_free(&inc->slot);

        enum instance_state state = inc->sandbox.state;

        /* A version that was put back finds the sandbox that it had before: in a replacement that is no reason to stop,
         * since nothing of it runs. */
        if (s->which == POD_NEXT && state == INSTANCE_EXITED && !fact_runs(inc))
                state = INSTANCE_ABSENT;
        switch (state) {
        case INSTANCE_ABSENT:
                if (ready && step_due(s, later(inc->sandbox_backoff.until, inc->retry.at)))
                        step_op(s, -1, POD_OP_SANDBOX_CREATE, "start");
                break;
        case INSTANCE_CREATED:
        case INSTANCE_RUNNING:
                if (ready && may_start && !inc->sandbox_ready && step_due(s, inc->retry.at))
                        step_op(s, -1, POD_OP_SANDBOX_START, "start");
                break;
        case INSTANCE_EXITED: /* an edge, see step_edit.c */
        case INSTANCE_MAX:
                break;
        }
}

/* A look at its image takes its slot now, and what follows is decided when that has ended. */
static bool image_due(const struct step *s, const struct pod_container_view *c)
{
        return !c->image_ready && later(c->image_retry.at, c->backoff.until) <= s->now;
}

/* Images of all containers that may still have to be created, whosever turn it is. */
static void start_images(struct step *s)
{
        for (size_t i = 0; i < s->inc->pod->container_count; i++) {
                const struct pod_container_view *c = &s->inc->containers[i];

                if (c->image_ready || c->now.state == INSTANCE_RUNNING || !slot_free(&c->slot) || fact_done(s->inc, i))
                        continue;
                /* After a run it is asked for when it is needed, not when that ended. */
                if (step_due(s, later(c->image_retry.at, c->backoff.until)))
                        step_op(s, (int)i, POD_OP_IMAGE, "start");
        }
}

/* A container is then on its way to have run its postStart hook, with no failure in the way. */
static bool hook_pending(const struct step *s, size_t index, usec_t then)
{
        const struct pod_container_view *c = &s->inc->containers[index];

        switch (c->now.state) {
        case INSTANCE_ABSENT:
        case INSTANCE_EXITED:
                return !fact_done(s->inc, index) && c->backoff.until <= then && c->retry.at <= then &&
                       (c->image_ready || c->image_retry.at <= then);
        case INSTANCE_CREATED:
                return c->slot.op == POD_OP_START || c->retry.at <= then;
        case INSTANCE_RUNNING:
                return !c->post_start_done && !c->restart_wanted;
        case INSTANCE_MAX:
                break;
        }
        return false;
}

/* Another incarnation with the same UID is creating a container of this name: both would take the same attempt. */
static bool attempt_contested(const struct step *s, size_t index)
{
        const struct pod_incarnation *const all[] = {s->view->current, s->view->next, s->view->old};

        for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
                if (!all[k] || all[k] == s->inc || !str_eq(all[k]->pod->uid, s->inc->pod->uid))
                        continue;
                for (size_t i = 0; i < all[k]->pod->container_count; i++)
                        if (all[k]->containers[i].slot.op == POD_OP_CREATE &&
                            str_eq(all[k]->pod->containers[i].name, s->inc->pod->containers[index].name))
                                return true;
        }
        return false;
}

/* A start returns after the postStart hook, and starts are made in the order of the pod
 * (pkg/kubelet/kuberuntime SyncPod): people order containers by it. One that has failed holds nobody up.
 * Asked for the time of the start: one that is tried again before it would make that wake-up one for nothing. */
static bool start_held_by_hook(const struct step *s, size_t index)
{
        const struct pod *pod = s->inc->pod;
        usec_t then = later(s->now, s->inc->containers[index].retry.at);

        for (size_t i = pod->init_count; i < index; i++)
                if (pod->containers[i].post_start.type != POD_HANDLER_NONE && hook_pending(s, i, then))
                        return true;
        return false;
}

static void create_container(struct step *s, size_t index)
{
        const struct pod_incarnation *inc = s->inc;
        const struct pod_container_view *c = &inc->containers[index];

        if (!inc->volumes_ready || !c->image_ready || !slot_free(&c->slot))
                return;
        if (inc->sandbox.state != INSTANCE_CREATED && inc->sandbox.state != INSTANCE_RUNNING)
                return;
        if ((fact_needs_pod_ip(inc->pod, &inc->pod->containers[index]) && !inc->ip[0]) || attempt_contested(s, index))
                return;
        /* Only now that nothing else is in the way: a deadline that leads to nothing is a wake-up for nothing. What
         * ended before its record was lost or moved on still counts. */
        if (step_due(s, later(c->backoff.until, c->retry.at)))
                step_op(s, (int)index, POD_OP_CREATE, c->backoff.ended ? "restart" : "start");
}

void step_start_container(struct step *s, size_t index, bool may_start)
{
        const struct pod_container_view *c = &s->inc->containers[index];

        switch (c->now.state) {
        case INSTANCE_ABSENT:
        case INSTANCE_EXITED:
                create_container(s, index);
                break;
        case INSTANCE_CREATED:
                if (may_start && s->inc->sandbox.state == INSTANCE_RUNNING && s->inc->sandbox_ready &&
                    slot_free(&c->slot) && !image_due(s, c) && !start_held_by_hook(s, index) &&
                    step_due(s, c->retry.at))
                        step_op(s, (int)index, POD_OP_START, "start");
                break;
        case INSTANCE_RUNNING:
        case INSTANCE_MAX:
                break;
        }
}

void step_start(struct step *s, bool may_start)
{
        bool shares = s->which == POD_NEXT && fact_next_shares(s->view);

        start_volumes(s);
        if (!shares)
                start_sandbox(s, may_start);
        start_images(s);
        for (size_t i = 0; !shares && i < s->inc->pod->container_count; i++)
                if (fact_turn(s->inc, i) && !fact_done(s->inc, i))
                        step_start_container(s, i, may_start);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Why things are not further along, as data: the kubelet's waiting reasons (pkg/kubelet/kuberuntime, images) and, for
 * what the kubelet has no word for, words of our own (Held, Terminating, WaitingForSandbox).
 */
#include <inttypes.h>

#include "base/str.h"
#include "node/admission.h"
#include "node/step.h"

static usec_t if_ahead(const struct step *s, usec_t at)
{
        return at > s->now ? at : USEC_INFINITY;
}

static void wait_of_image(struct step *s, size_t i, const struct pod_container_view *c)
{
        const char *image = s->inc->pod->containers[i].image;

        if (c->image_retry.failures && c->image_retry.at > s->now && str_eq(c->image_retry.reason, "ErrImagePull"))
                step_wait(s, (int)i, c->image_retry.at, "ImagePullBackOff", "Back-off pulling image \"%s\": %s: %s",
                          image, c->image_retry.reason, c->image_retry.message);
        else if (c->image_retry.failures)
                step_wait(s, (int)i, if_ahead(s, c->image_retry.at), c->image_retry.reason, "%s",
                          c->image_retry.message);
        else
                step_wait(s, (int)i, USEC_INFINITY, "ContainerCreating", "getting image \"%s\"", image);
}

static void wait_of_backoff(struct step *s, size_t i, const struct pod_container_view *c)
{
        const struct pod *pod = s->inc->pod;

        step_wait(s, (int)i, c->backoff.until, "CrashLoopBackOff",
                  "back-off %" PRIu64 "s restarting failed container=%s pod=%s_%s(%s)",
                  c->backoff.period / USEC_PER_SEC, pod->containers[i].name, pod->name, pod->namespace, pod->uid);
}

static void wait_of_start(struct step *s, size_t i)
{
        const struct pod_incarnation *inc = s->inc;
        const struct pod_container_view *c = &inc->containers[i];
        size_t position = fact_init_position(inc);
        const char *reason =
                inc->pod->init_count > 0 && !inc->pod->containers[i].init ? "PodInitializing" : "ContainerCreating";

        if (c->backoff.until > s->now)
                wait_of_backoff(s, i, c);
        else if (!c->image_ready)
                wait_of_image(s, i, c);
        else if (c->retry.failures)
                step_wait(s, (int)i, if_ahead(s, c->retry.at), c->retry.reason, "%s", c->retry.message);
        else if (s->which == POD_NEXT)
                step_wait(s, (int)i, USEC_INFINITY, reason, "%s", c->now.state == INSTANCE_CREATED ? "created" : "");
        else if (position < inc->pod->container_count && position != i)
                step_wait(s, (int)i, USEC_INFINITY, "PodInitializing", "waiting for %s",
                          inc->pod->containers[position].name);
        else
                step_wait(s, (int)i, USEC_INFINITY, reason, "%s", "");
}

static void wait_of_container(struct step *s, size_t i)
{
        const struct pod_container_view *c = &s->inc->containers[i];

        if (fact_done(s->inc, i))
                return;
        if (c->now.state != INSTANCE_RUNNING)
                wait_of_start(s, i);
        else if (!c->post_start_done)
                step_wait(s, (int)i, USEC_INFINITY, "ContainerCreating", "running the postStart hook");
        else if (c->restart_wanted && str_eq(c->retry.reason, REASON_POST_START))
                step_wait(s, (int)i, c->signalled ? if_ahead(s, c->kill_at) : USEC_INFINITY, c->retry.reason, "%s",
                          c->retry.message);
        else if (c->restart_wanted)
                step_wait(s, (int)i, c->signalled ? if_ahead(s, c->kill_at) : USEC_INFINITY, "Restarting", "%s",
                          c->restart_reason);
}

static void wait_of_pod(struct step *s)
{
        const struct pod_incarnation *inc = s->inc;

        if (inc->phase == POD_PREPARING && s->view->hold[0]) {
                char reason[ADMISSION_REASON_MAX];
                const char *message = admission_reason(s->view->hold, reason);

                step_wait(s, -1, USEC_INFINITY, reason, "%s", message);
        }
        if (inc->phase == POD_PREPARING && s->view->drain)
                step_wait(s, -1, USEC_INFINITY, "Drained", "the node is emptied until `podwatch resume`");
        if (inc->gated && inc->gate_until && s->view->fallback && !s->view->next)
                step_wait(s, -1, inc->ready_since ? USEC_INFINITY : inc->gate_until, "OnTrial",
                          "version %u goes back to version %u unless it becomes Ready in time", inc->revision,
                          s->view->fallback_revision);
        if (fact_stray_lives(s->view))
                step_wait(s, -1, USEC_INFINITY, "Replacing", "another container of this pod is being removed");
        if (inc->retry.failures)
                step_wait(s, -1, if_ahead(s, inc->retry.at), inc->retry.reason, "%s", inc->retry.message);
        else if (inc->sandbox.state == INSTANCE_ABSENT && inc->sandbox_backoff.until > s->now)
                step_wait(s, -1, inc->sandbox_backoff.until, "SandboxBackOff", "the sandbox ended %u times",
                          inc->sandbox_backoff.count + 1);
}

static void wait_of_stop(struct step *s)
{
        const struct pod_incarnation *inc = s->inc;

        for (size_t i = 0; i < inc->pod->container_count; i++) {
                const struct pod_container_view *c = &inc->containers[i];

                if (c->now.state != INSTANCE_RUNNING)
                        continue;
                step_wait(s, (int)i, if_ahead(s, c->signalled ? c->kill_at : inc->stop_deadline), "Terminating",
                          "%s (%s)",
                          c->killed                       ? "killed"
                          : c->signalled                  ? "signalled"
                          : c->slot.op == POD_OP_PRE_STOP ? "running the preStop hook"
                                                          : "waiting for what started after it",
                          pod_stop_reason_name(inc->stop_reason));
        }
}

void step_waits(struct step *s)
{
        switch (s->inc->phase) {
        case POD_PREPARING:
        case POD_ACTIVE:
                wait_of_pod(s);
                for (size_t i = 0; i < s->inc->pod->container_count; i++)
                        wait_of_container(s, i);
                break;
        case POD_STOPPING:
                wait_of_stop(s);
                break;
        case POD_ENDED:
                if (s->view->drain && s->view->wanted && !s->inc->terminal)
                        step_wait(s, -1, USEC_INFINITY, "Drained", "the node is emptied until `podwatch resume`");
                break;
        case POD_PHASE_MAX:
                break;
        }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs: postStart hooks, probes, and the stop of a container that is to be run again. (What has run is started
 * again by step_start.c, by the rule of fact_restarts and after its backoff.)
 */
#include "base/str.h"
#include "node/step.h"

/* A probe that needs the pod's address waits until it is known. */
static bool address_known(const struct pod_incarnation *inc, const struct pod_probe *probe)
{
        return inc->pod->host_network || inc->ip[0] || probe->handler.type == POD_HANDLER_EXEC ||
               !str_empty(probe->handler.host);
}

void step_probes(struct step *s, size_t index, bool readiness_only)
{
        const struct pod_container *spec = &s->inc->pod->containers[index];
        const struct pod_container_view *c = &s->inc->containers[index];

        if (c->now.state != INSTANCE_RUNNING || !c->post_start_done)
                return;
        for (enum pod_probe_kind kind = 0; kind < POD_PROBE_KIND_MAX; kind++) {
                const struct pod_probe_state *state = &c->probes[kind];

                /* Startup until it has passed, the others after it has. */
                if (!container_has_probe(spec, kind) || (kind == POD_PROBE_STARTUP) == c->started)
                        continue;
                if (kind != POD_PROBE_READINESS && (readiness_only || c->restart_wanted))
                        continue;
                if (!state->due || !slot_free(&state->slot) || !address_known(s->inc, &spec->probes[kind]))
                        continue;
                if (step_due(s, state->due))
                        step_add(s, POD_ACTION_PROBE, (int)index)->probe = kind;
        }
}

static void run_container(struct step *s, size_t index)
{
        const struct pod_container_view *c = &s->inc->containers[index];

        if (c->restart_wanted) {
                /* The grace began when the restart was asked for; see pod_apply. */
                step_stop_container(s, index, c->kill_at, true, c->restart_reason);
        } else if (!c->post_start_done && slot_free(&c->slot)) {
                step_op(s, (int)index, POD_OP_POST_START, "start");
        }
        step_probes(s, index, false);
}

void step_run(struct step *s)
{
        for (size_t i = 0; i < s->inc->pod->container_count; i++)
                if (s->inc->containers[i].now.state == INSTANCE_RUNNING)
                        run_container(s, i);
}

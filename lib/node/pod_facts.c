/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "node/pod_facts.h"

struct pod_runs fact_container_runs(const struct pod_container_view *c)
{
        const struct pod_instance *last = instance_ran(&c->last) ? &c->last : NULL;

        return instance_ran(&c->now) ? (struct pod_runs){&c->now, last} : (struct pod_runs){last, NULL};
}

bool fact_in_sandbox(const struct pod_incarnation *inc, const struct pod_instance *instance)
{
        return inc->sandbox.state != INSTANCE_ABSENT && str_eq(inc->sandbox.id, instance->sandbox);
}

bool fact_runs(const struct pod_incarnation *inc)
{
        return inc->sandbox.state == INSTANCE_RUNNING || fact_contains_running(inc);
}

bool fact_contains_running(const struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (inc->containers[i].now.state == INSTANCE_RUNNING)
                        return true;
        return false;
}

static bool op_unsettled(enum pod_op op)
{
        return op == POD_OP_CREATE || op == POD_OP_START || op == POD_OP_SANDBOX_CREATE || op == POD_OP_SANDBOX_START;
}

bool fact_unsettled(const struct pod_incarnation *inc)
{
        if (op_unsettled(inc->slot.op))
                return true;
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (op_unsettled(inc->containers[i].slot.op))
                        return true;
        return false;
}

bool fact_restarts(const struct pod *pod, const struct pod_container *spec, const struct pod_container_view *c)
{
        if (c->restart_by_user || spec->sidecar)
                return true;
        if (spec->init && c->now.exit_code == 0)
                return false;
        return pod_container_restarts(pod, spec, c->now.exit_code);
}

bool fact_done(const struct pod_incarnation *inc, size_t index)
{
        const struct pod_container_view *c = &inc->containers[index];

        if (c->init_done)
                return true;
        return c->now.state == INSTANCE_EXITED && !fact_restarts(inc->pod, &inc->pod->containers[index], c);
}

/* An app container that was started in this sandbox shows that all before it went well, whatever is left of it. */
static bool app_seen(const struct pod_incarnation *inc)
{
        for (size_t i = inc->pod->init_count; i < inc->pod->container_count; i++) {
                const struct pod_container_view *c = &inc->containers[i];

                if (c->now.state != INSTANCE_ABSENT && c->now.started && fact_in_sandbox(inc, &c->now))
                        return true;
                if (c->last.state != INSTANCE_ABSENT && c->last.started && fact_in_sandbox(inc, &c->last))
                        return true;
        }
        return false;
}

size_t fact_init_position(const struct pod_incarnation *inc)
{
        if (app_seen(inc))
                return inc->pod->container_count;
        for (size_t i = 0; i < inc->pod->init_count; i++) {
                const struct pod_container_view *c = &inc->containers[i];
                bool passed =
                        inc->pod->containers[i].sidecar ? c->now.state == INSTANCE_RUNNING && c->started : c->init_done;

                if (!passed)
                        return i;
        }
        return inc->pod->container_count;
}

bool fact_turn(const struct pod_incarnation *inc, size_t index)
{
        size_t position = fact_init_position(inc);

        if (position == inc->pod->container_count)
                return !container_is_step(&inc->pod->containers[index]);
        return index == position;
}

bool fact_needs_pod_ip(const struct pod *pod, const struct pod_container *spec)
{
        if (pod->host_network)
                return false;
        for (size_t i = 0; i < spec->env_count; i++)
                if (str_eq(spec->env[i].field_path, "status.podIP") || str_eq(spec->env[i].field_path, "status.podIPs"))
                        return true;
        return false;
}

bool fact_completed(const struct pod_incarnation *inc, bool *ret_failed)
{
        const struct pod *pod = inc->pod;
        bool failed = false;

        if (inc->revision == 0)
                return false;
        for (size_t i = 0; i < pod->init_count; i++) {
                if (!container_is_step(&pod->containers[i]) || inc->containers[i].init_done || !fact_done(inc, i))
                        continue;
                *ret_failed = true;
                return true;
        }
        for (size_t i = pod->init_count; i < pod->container_count; i++) {
                if (!fact_done(inc, i))
                        return false;
                failed |= inc->containers[i].now.exit_code != 0;
        }
        *ret_failed = failed;
        return pod->container_count > pod->init_count;
}

bool fact_next_shares(const struct pod_view *view)
{
        return view->next && view->current && view->current->phase != POD_ENDED &&
               str_eq(view->next->pod->uid, view->current->pod->uid);
}

bool fact_prepared(const struct pod_view *view)
{
        const struct pod_incarnation *inc = view->next;
        bool shares = fact_next_shares(view);

        if (!inc || !inc->volumes_ready)
                return false;
        if (!shares && inc->sandbox.state != INSTANCE_CREATED && inc->sandbox.state != INSTANCE_RUNNING)
                return false;
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                const struct pod_container_view *c = &inc->containers[i];

                if (fact_done(inc, i))
                        continue; /* nothing more is made of it, and its image is not asked for */
                if (!c->image_ready)
                        return false;
                if (!shares && fact_turn(inc, i) && c->now.state == INSTANCE_ABSENT &&
                    !fact_needs_pod_ip(inc->pod, &inc->pod->containers[i]))
                        return false;
        }
        return true;
}

bool fact_stray_lives(const struct pod_view *view)
{
        for (size_t i = 0; i < view->garbage_count; i++)
                if (view->garbage[i].state != INSTANCE_EXITED)
                        return true;
        return false;
}

bool fact_may_restart(const struct pod *pod)
{
        for (size_t i = 0; i < pod->container_count; i++)
                if (!pod->containers[i].sidecar && pod_container_may_restart(pod, &pod->containers[i]))
                        return true;
        return false;
}

bool fact_ever_started(const struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (inc->containers[i].now.started || inc->containers[i].last.started)
                        return true;
        return false;
}

usec_t fact_grace(const struct pod *pod)
{
        return pod->termination_grace_seconds > 0 ? (usec_t)pod->termination_grace_seconds * USEC_PER_SEC : 0;
}

static bool ended_well(const struct pod_incarnation *inc, size_t index)
{
        const struct pod_container_view *c = &inc->containers[index];

        return c->init_done || (c->now.state == INSTANCE_EXITED && c->now.exit_code == 0 && fact_done(inc, index));
}

bool fact_ready(const struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (!inc->containers[i].ready && !ended_well(inc, i))
                        return false;
        return true;
}

bool fact_started(const struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (!inc->containers[i].started && !ended_well(inc, i))
                        return false;
        return true;
}

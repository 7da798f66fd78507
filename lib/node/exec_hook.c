/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes and lifecycle hooks: both are handlers that probe.c carries out; a sleep hook is a timer.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/exec_job.h"
#include "node/probe.h"

/* A hook has no timeout of its own: pod_step ends it when the grace is over. A postStart hook that hangs holds its
 * container up, as with the kubelet, which waits for ever; one day is this side's idea of that. */
#define HOOK_TIMEOUT_USEC ((usec_t)24 * 3600 * USEC_PER_SEC)

static const struct pod_handler *hook_of(const struct job *job)
{
        const struct pod_container *c = job_container(job);

        return job->op == POD_OP_POST_START ? &c->post_start : &c->pre_stop;
}

static struct probe *run_handler(struct job *job, const struct pod_handler *handler, usec_t timeout, probe_done_fn done)
{
        const struct probe_request request = {
                .handler = handler,
                .container = job_container(job),
                .container_id = job->id,
                .address = job->ip,
                .timeout = timeout,
                .any_status = job->op != POD_OP_PROBE,
        };

        return probe_start(job->exec->probes, &request, done, job);
}

static void on_hook(void *userdata, const struct probe_result *result)
{
        struct job *job = userdata;
        bool post_start = job->op == POD_OP_POST_START;

        job->probe = NULL;
        if (result->success)
                job_done(job, NULL);
        else
                job_failed(job, post_start ? REASON_POST_START : "PreStopHookError", "%s hook failed: %s",
                           post_start ? "PostStart" : "PreStop", result->output);
}

static void on_slept(void *userdata, usec_t now)
{
        (void)now;
        job_done(userdata, NULL);
}

void hook_begin(struct job *job)
{
        const struct pod_handler *handler = hook_of(job);

        if (handler->type == POD_HANDLER_SLEEP) {
                job->timer = loop_timer_new(job->exec->loop, "sleep hook", on_slept, job);
                loop_timer_set(job->timer,
                               usec_add(loop_now(job->exec->loop), (usec_t)handler->sleep_seconds * USEC_PER_SEC));
                return;
        }
        job->probe = run_handler(job, handler, HOOK_TIMEOUT_USEC, on_hook);
}

static void on_probe(void *userdata, const struct probe_result *result)
{
        struct job *job = userdata;
        const struct pod_exec *exec = job->exec;
        struct pod_exec_job about = job_about(job);

        job->probe = NULL;
        about.took = usec_sub(loop_now(exec->loop), job->probe_started);
        about.warning = result->warning;
        exec->handlers.probed(exec->userdata, &about, job->generation, result->success, result->error, result->output);
        job_free(job);
}

void probe_begin(struct job *job)
{
        const struct pod_probe *probe = &job_container(job)->probes[job->probe_kind];

        job->probe_started = loop_now(job->exec->loop);
        job->probe = run_handler(job, &probe->handler, (usec_t)probe->timeout_seconds * USEC_PER_SEC, on_probe);
}

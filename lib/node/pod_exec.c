/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/exec_job.h"
#include "node/host.h"
#include "node/pod_facts.h"
#include "node/probe.h"

const struct pod_container *job_container(const struct job *job)
{
        return job->container < 0 ? NULL : &job->pod->containers[job->container];
}

struct pod_exec_job job_about(const struct job *job)
{
        return (struct pod_exec_job){
                .key = job->key,
                .pod = job->pod,
                .container = job->container,
                .probe = job->probe_kind,
                .pulled = job->pull_started > 0,
                .image_size = job->image_size,
                .lasted = usec_sub(loop_now(job->exec->loop), job->pull_started ? job->pull_started : job->begun),
                .took = job->pull_started ? usec_sub(loop_now(job->exec->loop), job->pull_started) : 0,
        };
}

/* --- turns ------------------------------------------------------------------------------------------------------ */

void job_wait(struct job *job, struct job **list)
{
        job->waits_in = list;
        DL_APPEND2(*list, job, wait_prev, wait_next);
}

void job_wait_over(struct job *job)
{
        if (job->waits_in)
                DL_DELETE2(*job->waits_in, job, wait_prev, wait_next);
        job->waits_in = NULL;
}

static void pump(struct pod_exec *exec)
{
        while (exec->queue && exec->turns < POD_EXEC_PARALLEL) {
                struct job *job = exec->queue;

                job_wait_over(job);
                job->has_turn = true;
                job->begun = loop_now(exec->loop);
                exec->turns++;
                job->run(job);
        }
}

void job_take_turn(struct job *job, void (*run)(struct job *job))
{
        struct pod_exec *exec = job->exec;

        job->run = run;
        if (job->has_turn) {
                run(job);
                return;
        }
        job_wait(job, &exec->queue);
        pump(exec);
}

void job_end_turn(struct job *job)
{
        if (!job->has_turn)
                return;
        job->has_turn = false;
        job->exec->turns--;
        pump(job->exec);
}

/* --- ends ------------------------------------------------------------------------------------------------------- */

void job_free(struct job *job)
{
        struct pod_exec *exec = job->exec;
        bool had_turn = job->has_turn;

        job_wait_over(job);
        DL_DELETE(exec->jobs, job);
        image_pull_over(job);
        job->pod = pod_unref(job->pod);
        (void)loop_source_free(job->timer);
        free(job->key);
        free(job->name);
        free(job->body);
        free(job);
        if (had_turn) {
                exec->turns--;
                pump(exec);
        }
}

bool job_over(struct job *job)
{
        job->call = NULL;
        if (!job->cancelled)
                return false;
        job_free(job);
        return true;
}

/* What a create made that nobody waits for any more. A lost removal shows in the next list. It is not killed: where it
 * runs, a later create has found it by its name, and it is in use. */
static void on_stale_removed(void *userdata, const struct err *err)
{
        (void)userdata;
        (void)err;
}

static void tell(struct job *job, const struct pod_outcome *outcome)
{
        struct pod_exec *exec = job->exec;
        bool creates = job->op == POD_OP_CREATE || job->op == POD_OP_SANDBOX_CREATE;
        const struct pod_exec_job about = job_about(job);
        int r = exec->handlers.outcome(exec->userdata, &about, outcome);

        if (r == 1 && creates && outcome->success)
                (void)exec->docker->ops->remove(exec->docker, outcome->id, false, on_stale_removed, NULL);
        job_free(job);
}

void job_done(struct job *job, const char *id)
{
        const struct pod_outcome outcome = {
                .op = job->op,
                .generation = job->generation,
                .success = true,
                .id = id,
                .sandbox = job->op == POD_OP_CREATE ? job->sandbox_id : NULL,
        };

        tell(job, &outcome);
}

void job_failed(struct job *job, const char *reason, const char *fmt, ...)
{
        char message[POD_VIEW_TEXT_MAX];
        struct pod_outcome outcome = {
                .op = job->op,
                .generation = job->generation,
                .reason = reason,
                .message = message,
        };
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);
        tell(job, &outcome);
}

bool job_is_loss(const struct err *err)
{
        return err->status == 0 && (err->code == ECONNREFUSED || err->code == ECONNRESET || err->code == ENOENT ||
                                    err->code == EPIPE || err->code == EACCES);
}

void job_failed_err(struct job *job, const char *reason, const struct err *err)
{
        if (job_is_loss(err))
                job->exec->handlers.lost(job->exec->userdata, err->msg);
        job_failed(job, reason, "%s", err->msg);
}

static void on_inspected(void *userdata, const struct docker_container *container, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        if (!err)
                job->exec->handlers.inspected(job->exec->userdata, container);
        else if (err->status == 404)
                job->exec->handlers.gone(job->exec->userdata, job->id);
        /* Not seen now: the event or the next list shows it. */
        job_done(job, NULL);
}

void job_inspect_and_done(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job_end_turn(job);
        job->call = docker->ops->inspect(docker, job->id, on_inspected, job);
}

/* --- beginnings --------------------------------------------------------------------------------------------------- */

static void begin(struct job *job)
{
        switch (job->op) {
        case POD_OP_NONE:
                garbage_begin(job);
                return;
        case POD_OP_VOLUMES:
        case POD_OP_CLEANUP:
                local_begin(job);
                return;
        case POD_OP_SANDBOX_CREATE:
                create_sandbox_begin(job);
                return;
        case POD_OP_SANDBOX_START:
        case POD_OP_START:
                start_begin(job);
                return;
        case POD_OP_SANDBOX_STOP:
        case POD_OP_SIGNAL:
        case POD_OP_KILL:
                stop_begin(job);
                return;
        case POD_OP_IMAGE:
                image_begin(job);
                return;
        case POD_OP_CREATE:
                create_container_begin(job);
                return;
        case POD_OP_POST_START:
        case POD_OP_PRE_STOP:
                hook_begin(job);
                return;
        case POD_OP_REMOVE:
                remove_begin(job);
                return;
        case POD_OP_PROBE:
                probe_begin(job);
                return;
        case POD_OP_MAX:
                break;
        }
        abort();
}

static void begin_fresh(void *userdata)
{
        struct pod_exec *exec = userdata;

        while (exec->fresh) {
                struct job *job = exec->fresh;

                job_wait_over(job);
                begin(job);
        }
}

/* A stop takes over the slot of what can last: that job ends, and says nothing any more. */
static void cancel_slot(struct pod_exec *exec, const struct job *by)
{
        struct job *job, *next;

        DL_FOREACH_SAFE (exec->jobs, job, next) {
                if (job == by || job->pod != by->pod || job->container != by->container || job->cancelled)
                        continue;
                if (job->op != POD_OP_IMAGE && job->op != POD_OP_POST_START && job->op != POD_OP_PRE_STOP)
                        continue;
                job->cancelled = true;
                if (job->call) {
                        exec->docker->ops->cancel(exec->docker, job->call);
                        continue;
                }
                if (job->probe)
                        probe_cancel(job->probe);
                job_free(job);
        }
}

static void fill_from_view(struct job *job, const struct pod_view *view, const struct pod_action *action)
{
        const struct pod_incarnation *inc = pod_view_incarnation(view, action->which);
        const struct pod_incarnation *all[] = {view->current, view->next, view->old};
        const struct pod_container_view *c = action->container < 0 ? NULL : &inc->containers[action->container];

        job->pod = pod_ref(inc->pod);
        job->container = action->container;
        job->attempt = c ? c->next_attempt : inc->sandbox_next_attempt;
        if (job->op != POD_OP_CREATE && job->op != POD_OP_SANDBOX_CREATE)
                job->attempt = c ? c->now.attempt : inc->sandbox.attempt;
        memcpy(job->id, c ? c->now.id : inc->sandbox.id, sizeof(job->id));
        memcpy(job->sandbox_id, inc->sandbox.id, sizeof(job->sandbox_id));
        (void)snprintf(job->ip, sizeof(job->ip), "%s", inc->pod->host_network ? job->exec->host->node_ip : inc->ip);
        if (c)
                memcpy(job->image_id, c->image_id, sizeof(job->image_id));
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                if (all[i] && all[i] != inc && str_eq(all[i]->pod->uid, inc->pod->uid))
                        job->shares_uid = true;
        job->checks = action->which == POD_NEXT && fact_next_shares(view);
}

void pod_exec_start(struct pod_exec *exec, const struct pod_view *view, const struct pod_action *action,
                    uint32_t generation)
{
        struct job *job = xcalloc(1, sizeof(*job));

        job->exec = exec;
        job->begun = loop_now(exec->loop);
        job->key = xstrdup(view->key);
        job->generation = generation;
        job->container = -1;
        if (action->kind == POD_ACTION_GARBAGE) {
                const struct pod_garbage *garbage = &view->garbage[action->garbage];

                memcpy(job->id, garbage->id, sizeof(job->id));
                job->running = garbage->state == INSTANCE_RUNNING;
                if (view->current)
                        job->pod = pod_ref(view->current->pod);
        } else {
                job->op = action->kind == POD_ACTION_PROBE ? POD_OP_PROBE : action->op;
                job->probe_kind = action->probe;
                fill_from_view(job, view, action);
        }
        DL_APPEND(exec->jobs, job);
        if (job->op == POD_OP_PRE_STOP || job->op == POD_OP_SIGNAL || job->op == POD_OP_KILL)
                cancel_slot(exec, job);
        job_wait(job, &exec->fresh);
        loop_defer_schedule(exec->begin_fresh);
}

bool pod_exec_busy(const struct pod_exec *exec, const char *id)
{
        const struct job *job;

        DL_FOREACH (exec->jobs, job) {
                if ((job->op == POD_OP_START || job->op == POD_OP_SANDBOX_START) && str_eq(job->id, id))
                        return true;
        }
        return false;
}

void pod_exec_forget(struct pod_exec *exec)
{
        pause_forget(exec);
}

size_t pod_exec_pending(const struct pod_exec *exec)
{
        const struct job *job;
        size_t count = 0;

        DL_COUNT(exec->jobs, job, count);
        return count;
}

struct pod_exec *pod_exec_new(struct loop *loop, struct docker *docker, struct probes *probes, struct slices *slices,
                              const struct host *host, const struct pod_exec_handlers *handlers, void *userdata)
{
        struct pod_exec *exec = xcalloc(1, sizeof(*exec));

        exec->loop = loop;
        exec->pause_fd = -1;
        exec->docker = docker;
        exec->probes = probes;
        exec->slices = slices;
        exec->host = host;
        exec->handlers = *handlers;
        exec->userdata = userdata;
        exec->begin_fresh = loop_defer_new(loop, "pod actions", begin_fresh, exec);
        return exec;
}

struct pod_exec *pod_exec_free(struct pod_exec *exec)
{
        struct job *job, *next;

        if (!exec)
                return NULL;
        DL_FOREACH_SAFE (exec->jobs, job, next) {
                job->has_turn = job->pulling = false; /* nothing begins any more */
                job_free(job);
        }
        image_facts_free(exec);
        (void)loop_source_free(exec->begin_fresh);
        (void)fd_close(exec->pause_fd);
        free(exec->pause_ref);
        free(exec);
        return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals and removal. What does not run or is gone already is as good as done; it is inspected then, since the view
 * still shows it. The deadline between signal and kill is pod_step's, not Docker's.
 */
#include "base/err.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "node/exec_job.h"
#include "node/host.h"
#include "node/log_links.h"

#define DEFAULT_SIGNAL "SIGTERM"
#define KILL_SIGNAL "SIGKILL"

static void send_signal(struct job *job);

static void on_signalled(void *userdata, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        /* The image names a signal that Docker does not know: its own stop takes the default then. */
        if (err && err->status == 400 && job->op == POD_OP_SIGNAL && !str_eq(job->signal, DEFAULT_SIGNAL)) {
                (void)snprintf(job->signal, sizeof(job->signal), "%s", DEFAULT_SIGNAL);
                send_signal(job);
                return;
        }
        if (err && err->status != 409 && err->status != 404) {
                job_failed_err(job, "FailedKillPod", err);
                return;
        }
        /* A signal sent is only sent; the end is seen by its event. A kill, and what did not run, is over now. */
        if (!err && job->op == POD_OP_SIGNAL)
                job_done(job, NULL);
        else
                job_inspect_and_done(job);
}

static void send_signal(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job->call = docker->ops->kill(docker, job->id, job->op == POD_OP_SIGNAL ? job->signal : KILL_SIGNAL,
                                      on_signalled, job);
}

static void with_stop_signal(struct job *job, const struct image_fact *fact, const struct err *err)
{
        (void)err; /* a stop does not wait for it */
        (void)snprintf(job->signal, sizeof(job->signal), "%s",
                       fact && !str_empty(fact->stop_signal) ? fact->stop_signal : DEFAULT_SIGNAL);
        job_take_turn(job, send_signal);
}

void stop_begin(struct job *job)
{
        if (job->op == POD_OP_SIGNAL)
                image_with_fact(job, with_stop_signal);
        else
                job_take_turn(job, send_signal);
}

/* --- removal ---------------------------------------------------------------------------------------------------- */

static void on_removed(void *userdata, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        if (err) {
                job_failed_err(job, "FailedKillPod", err);
                return;
        }
        log_links_remove(job->exec->host, job->pod, job->id);
        job->exec->handlers.gone(job->exec->userdata, job->id);
        job_done(job, NULL);
}

static void remove_now(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job->call = docker->ops->remove(docker, job->id, true, on_removed, job);
}

void remove_begin(struct job *job)
{
        job_take_turn(job, remove_now);
}

static void on_garbage_removed(void *userdata, const struct err *err)
{
        struct job *job = userdata;
        const struct pod_exec *exec = job->exec;

        if (job_over(job))
                return;
        if (!err)
                log_links_remove(exec->host, job->pod, job->id);
        exec->handlers.removed(exec->userdata, job->key, job->id, job->generation, !err, err ? err->msg : "");
        job_free(job);
}

static void remove_garbage(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job->call = docker->ops->remove(docker, job->id, job->running, on_garbage_removed, job);
}

void garbage_begin(struct job *job)
{
        job_take_turn(job, remove_garbage);
}

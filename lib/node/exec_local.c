/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "node/cgroup.h"
#include "node/container_env.h"
#include "node/exec_job.h"
#include "node/host.h"
#include "node/log_links.h"
#include "node/slices.h"
#include "node/volume.h"

/* A pod whose slice has not what it asks for runs all the same. */
static void on_slice(void *userdata, bool success)
{
        (void)success;
        job_done(userdata, NULL);
}

static void setup(struct job *job)
{
        const struct host *host = job->exec->host;
        struct err err = ERR_INIT;

        if (volume_setup(host, job->pod, &err) < 0) {
                job_failed(job, "FailedMount", "%s", err.msg);
                return;
        }
        if (cgroup_setup(host, job->pod, &err) < 0) {
                job_failed(job, "FailedCreatePodContainer", "%s", err.msg);
                return;
        }
        slices_pod(job->exec->slices, host, job->pod, on_slice, job);
}

/* What would keep it from being made must show before what runs is stopped for it. */
static void check(struct job *job)
{
        const struct host *host = job->exec->host;
        struct err err = ERR_INIT;

        if (volume_check(host, job->pod, &err) < 0) {
                job_failed(job, "FailedMount", "%s", err.msg);
                return;
        }
        for (size_t i = 0; i < job->pod->container_count; i++) {
                struct strv env CLEANUP_STRV = STRV_INIT;

                if (container_env(host, job->pod, &job->pod->containers[i], job->ip, &env, &err) < 0) {
                        job_failed(job, "CreateContainerConfigError", "%s", err.msg);
                        return;
                }
        }
        job_done(job, NULL);
}

/* Directories and cgroup go by UID: another incarnation with this one, or another pod, goes on using them. */
static int cleanup_of_uid(struct job *job, struct err *err)
{
        const struct pod_exec *exec = job->exec;
        int r;

        if (exec->handlers.uses_uid(exec->userdata, job->key, job->pod->uid))
                return 0;
        r = volume_cleanup(exec->host, job->pod->uid, err);
        if (r < 0)
                return r;
        slices_stop(exec->slices, exec->host, job->pod->uid);
        return cgroup_remove(exec->host, job->pod->uid, err);
}

static void cleanup(struct job *job)
{
        struct err err = ERR_INIT;
        int r = 0;

        /* The logs of one name and UID are those of the other incarnation too. */
        if (!job->shares_uid) {
                r = cleanup_of_uid(job, &err);
                if (r >= 0)
                        r = log_links_cleanup(job->exec->host, job->pod, &err);
        }
        if (r < 0)
                job_failed(job, "FailedCleanup", "%s", err.msg);
        else
                job_done(job, NULL);
}

void local_begin(struct job *job)
{
        if (job->op == POD_OP_CLEANUP)
                cleanup(job);
        else if (job->checks)
                check(job);
        else
                setup(job);
}

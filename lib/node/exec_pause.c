/* SPDX-License-Identifier: Apache-2.0
 *
 * What sandboxes are made of: the configured pause image where the node has it, else the one that podwatch carries, so
 * that a node with no registry still starts pods. Looked up once, and again when Docker says that it is gone.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "docker/docker.h"
#include "docker/pause_image.h"
#include "node/exec_job.h"
#include "node/host.h"

/* The name of our own in Docker; another version of this project has another. */
#define OWN_PAUSE "podwatch/pause:" GENPHASE_PROJECT_VERSION

enum pause_state { PAUSE_UNKNOWN, PAUSE_LOOKING, PAUSE_READY };

static void found(struct pod_exec *exec, const char *ref)
{
        exec->pause_state = PAUSE_READY;
        exec->pause_fd = fd_close(exec->pause_fd);
        free(exec->pause_ref);
        exec->pause_ref = xstrdup(ref);
        while (exec->pause_waiters && exec->pause_state == PAUSE_READY) {
                struct job *job = exec->pause_waiters;

                job_wait_over(job);
                job->run(job);
        }
}

static void failed(struct pod_exec *exec, const struct err *err)
{
        exec->pause_state = PAUSE_UNKNOWN;
        exec->pause_fd = fd_close(exec->pause_fd);
        while (exec->pause_waiters) {
                struct job *job = exec->pause_waiters;

                job_wait_over(job);
                job_failed_err(job, "FailedCreatePodSandBox", err);
        }
}

static void on_loaded(void *userdata, const struct err *err)
{
        struct pod_exec *exec = userdata;

        if (err)
                failed(exec, err);
        else
                found(exec, OWN_PAUSE);
}

static void load_own(struct pod_exec *exec)
{
        struct err err = ERR_INIT;
        int fd CLEANUP_FD = -1;
        uint64_t size;

        if (pause_image_make(OWN_PAUSE, &fd, &size, &err) < 0) {
                failed(exec, &err);
                return;
        }
        exec->pause_fd = TAKE_FD(fd);
        (void)exec->docker->ops->image_load(exec->docker, exec->pause_fd, NULL, (size_t)size, on_loaded, exec);
}

static void on_own(void *userdata, const struct docker_image *image, const struct err *err)
{
        struct pod_exec *exec = userdata;

        (void)image;
        if (!err)
                found(exec, OWN_PAUSE);
        else if (err->status == 404)
                load_own(exec);
        else
                failed(exec, err);
}

static void look_for_own(struct pod_exec *exec)
{
        (void)exec->docker->ops->image_inspect(exec->docker, OWN_PAUSE, on_own, exec);
}

static void on_configured(void *userdata, const struct docker_image *image, const struct err *err)
{
        struct pod_exec *exec = userdata;

        (void)image;
        if (!err)
                found(exec, exec->host->pause_image);
        else if (err->status == 404)
                look_for_own(exec);
        else
                failed(exec, err);
}

void pause_with(struct job *job, void (*run)(struct job *job))
{
        struct pod_exec *exec = job->exec;

        if (exec->pause_state == PAUSE_READY) {
                run(job);
                return;
        }
        job->run = run;
        job_wait(job, &exec->pause_waiters);
        if (exec->pause_state == PAUSE_LOOKING)
                return;
        exec->pause_state = PAUSE_LOOKING;
        if (str_empty(exec->host->pause_image))
                look_for_own(exec);
        else
                (void)exec->docker->ops->image_inspect(exec->docker, exec->host->pause_image, on_configured, exec);
}

void pause_forget(struct pod_exec *exec)
{
        if (exec->pause_state == PAUSE_READY)
                exec->pause_state = PAUSE_UNKNOWN;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Making containers. The name is the idempotency key: when it is taken, what has it is looked at, and taken over,
 * replaced, or named in the error.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "node/container_name.h"
#include "node/container_spec.h"
#include "node/exec_job.h"
#include "node/host.h"
#include "node/sandbox_spec.h"
#include "node/volume.h"

/* A leftover is removed and the create tried again; a name that is taken after that is somebody at work. */
#define TRIES_MAX 3

static void create_now(struct job *job);

static const char *failure_reason(const struct job *job)
{
        return job->op == POD_OP_SANDBOX_CREATE ? "FailedCreatePodSandBox" : "CreateContainerError";
}

static void on_leftover_removed(void *userdata, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        if (err)
                job_failed_err(job, failure_reason(job), err);
        else
                create_now(job);
}

static bool label_is(const struct docker_container *c, const char *label, const char *value)
{
        return str_eq(docker_label(&c->labels, label), value);
}

/* Made by an earlier try of this very create, whose answer was lost. */
static bool is_this(const struct job *job, const struct docker_container *c)
{
        bool sandbox = job->op == POD_OP_SANDBOX_CREATE;

        return label_is(c, LABEL_POD_UID, job->pod->uid) && label_is(c, POD_LABEL_SPEC_HASH, job->pod->spec_hash) &&
               (sandbox || label_is(c, LABEL_SANDBOX_ID, job->sandbox_id)) &&
               (c->state == DOCKER_STATE_CREATED || c->state == DOCKER_STATE_RUNNING);
}

/* A Docker that is slow may answer when another create of this name was asked for and its container runs. */
static bool is_awaited(const struct job *job)
{
        return job->exec->handlers.awaited(job->exec->userdata, job->key, job->op, job->generation);
}

static void on_owner(void *userdata, const struct docker_container *c, const struct err *err)
{
        struct job *job = userdata;
        struct docker *docker = job->exec->docker;

        if (job_over(job))
                return;
        if (!is_awaited(job)) {
                job_failed(job, failure_reason(job), "the name %s is taken, and nobody waits for this any more",
                           job->name);
        } else if (err && err->status == 404) {
                create_now(job);
        } else if (err) {
                job_failed_err(job, failure_reason(job), err);
        } else if (is_this(job, c)) {
                char *id CLEANUP_FREE = xstrdup(c->id);
                job_done(job, id);
        } else if (label_is(c, LABEL_POD_NAME, job->pod->name) &&
                   label_is(c, LABEL_POD_NAMESPACE, job->pod->namespace)) {
                job->call = docker->ops->remove(docker, c->id, true, on_leftover_removed, job);
        } else {
                job_failed(job, failure_reason(job),
                           "the name %s belongs to container %.12s (image %s), which is not of this pod: remove or "
                           "rename it",
                           job->name, c->id, c->image);
        }
}

static void on_created(void *userdata, const char *id, const struct err *err)
{
        struct job *job = userdata;
        struct docker *docker = job->exec->docker;

        if (job_over(job))
                return;
        if (!err) {
                job_done(job, id);
                return;
        }
        if (err->status == 409 && ++job->tries < TRIES_MAX) {
                job->call = docker->ops->inspect(docker, job->name, on_owner, job);
                return;
        }
        if (err->status == 404 && job->op == POD_OP_SANDBOX_CREATE)
                pause_forget(job->exec); /* its image went away */
        job_failed_err(job, failure_reason(job), err);
}

static void create_now(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job->call = docker->ops->create(docker, job->name, job->body, on_created, job);
}

/* --- sandbox ---------------------------------------------------------------------------------------------------- */

static void create_sandbox(struct job *job)
{
        struct host host = *job->exec->host;
        struct err err = ERR_INIT;

        host.pause_image = job->exec->pause_ref;
        job->name = container_name(job->pod, SANDBOX_CONTAINER_NAME, job->attempt);
        if (sandbox_spec(&host, job->pod, job->attempt, &job->body, &err) < 0) {
                job_failed(job, failure_reason(job), "%s", err.msg);
                return;
        }
        job_take_turn(job, create_now);
}

void create_sandbox_begin(struct job *job)
{
        pause_with(job, create_sandbox);
}

/* --- container -------------------------------------------------------------------------------------------------- */

/* A Localhost profile: JSON of a file below the kubelet's directory for them. Free it. */
static int read_seccomp(const struct host *host, const struct pod_security *security, char **ret, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_SECCOMP_PROFILE);
        char *directory CLEANUP_FREE = NULL;
        char *path CLEANUP_FREE = NULL;
        int r;

        if (security->seccomp != POD_SECCOMP_LOCALHOST)
                return 0;
        directory = file_join(host->root_dir, "seccomp");
        path = file_join(directory, security->seccomp_localhost);
        r = file_read(path, &text, err);
        if (r < 0)
                return err_wrap(err, "seccomp profile");
        *ret = buf_steal(&text, NULL);
        return 0;
}

static int make_body(struct job *job, const struct image_fact *fact, struct err *err)
{
        const struct host *host = job->exec->host;
        const struct pod_container *container = job_container(job);
        struct volume_mounts mounts CLEANUP_VOLUME_MOUNTS = {0};
        struct pod_security security = pod_container_security(job->pod, container);
        char *seccomp CLEANUP_FREE = NULL;
        int r;

        r = read_seccomp(host, &security, &seccomp, err);
        if (r < 0)
                return r;
        r = volume_mounts(host, job->pod, container, job->attempt, job->ip, &mounts, err);
        if (r < 0)
                return r;
        const struct container_spec_input in = {
                .host = host,
                .pod = job->pod,
                .container = container,
                .attempt = job->attempt,
                .sandbox_id = job->sandbox_id,
                .pod_ip = job->ip,
                .image_id = job->image_id,
                .image_user = fact ? fact->user : "",
                .seccomp_profile = seccomp,
                .mounts = mounts.items,
                .mount_count = mounts.count,
        };
        return container_spec(&in, &job->body, err);
}

static void create_container(struct job *job, const struct image_fact *fact, const struct err *unknown)
{
        struct err err = ERR_INIT;

        /* Whom it runs as may be the image's to say: not known is not root. */
        if (unknown) {
                job_failed_err(job, "ImageInspectError", unknown);
                return;
        }
        job->name = container_name(job->pod, job_container(job)->name, job->attempt);
        if (make_body(job, fact, &err) < 0) {
                job_failed(job, "CreateContainerConfigError", "%s", err.msg);
                return;
        }
        job_take_turn(job, create_now);
}

void create_container_begin(struct job *job)
{
        image_with_fact(job, create_container);
}

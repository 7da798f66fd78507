/* SPDX-License-Identifier: Apache-2.0
 *
 * Images: there already, or pulled where the policy of the container says so; and what Docker knows of them (user, stop
 * signal), kept for a while.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "docker/docker.h"
#include "docker/docker_auth.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/exec_job.h"
#include "node/host.h"

/* Images of which facts are kept; a node has some tens. The oldest goes. */
#define FACTS_MAX 256

/* --- facts -------------------------------------------------------------------------------------------------------- */

static void fact_free(struct image_fact *fact)
{
        free(fact->id);
        free(fact->user);
        free(fact->stop_signal);
        free(fact);
}

void image_facts_free(struct pod_exec *exec)
{
        struct image_fact *fact, *next;

        DL_FOREACH_SAFE (exec->images, fact, next) {
                DL_DELETE(exec->images, fact);
                fact_free(fact);
        }
}

static struct image_fact *fact_find(struct pod_exec *exec, const char *id)
{
        struct image_fact *fact;

        DL_FOREACH (exec->images, fact) {
                if (str_eq(fact->id, id))
                        return fact;
        }
        return NULL;
}

static const struct image_fact *fact_add(struct pod_exec *exec, const struct docker_image *image)
{
        struct image_fact *fact = fact_find(exec, image->id);
        size_t count = 0;

        if (fact)
                return fact;
        fact = xcalloc(1, sizeof(*fact));
        fact->id = xstrdup(image->id);
        fact->user = xstrdup(image->user ? image->user : "");
        fact->stop_signal = xstrdup(image->stop_signal ? image->stop_signal : "");
        DL_APPEND(exec->images, fact);
        struct image_fact *each;
        DL_COUNT(exec->images, each, count);
        if (count > FACTS_MAX) {
                struct image_fact *oldest = exec->images;

                DL_DELETE(exec->images, oldest);
                fact_free(oldest);
        }
        return fact;
}

static void on_fact(void *userdata, const struct docker_image *image, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        job->with_fact(job, err ? NULL : fact_add(job->exec, image), err);
}

void image_with_fact(struct job *job,
                     void (*then)(struct job *job, const struct image_fact *fact, const struct err *err))
{
        struct docker *docker = job->exec->docker;
        const struct image_fact *fact = fact_find(job->exec, job->image_id);

        if (fact || !job->image_id[0]) {
                then(job, fact, NULL);
                return;
        }
        job->with_fact = then;
        job->call = docker->ops->image_inspect(docker, job->image_id, on_fact, job);
}

/* --- the IMAGE op ----------------------------------------------------------------------------------------------- */

static void look_up(struct job *job);

static bool is_wanted(const struct job *job)
{
        const struct pod_exec_job about = job_about(job);

        return job->exec->handlers.wanted(job->exec->userdata, &about);
}

static void on_progress(void *userdata, const char *line)
{
        struct job *job = userdata;
        const struct pod_exec_job about = job_about(job);

        if (job->cancelled)
                return;
        job->exec->handlers.progress(job->exec->userdata, &about, line);
        /* From here on Docker ends it when nobody listens. */
        if (!is_wanted(job)) {
                job->cancelled = true;
                job->exec->docker->ops->cancel(job->exec->docker, job->call);
        }
}

static void on_pulled(void *userdata, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        image_pull_over(job);
        if (err) {
                job_failed_err(job, err->status == 400 ? "InvalidImageName" : "ErrImagePull", err);
                return;
        }
        job->tries++;
        look_up(job);
}

/* Where the kubelet looks first, then Docker's own place. */
static char *find_auth(const struct job *job)
{
        const char *image = job_container(job)->image, *home = getenv("HOME");
        char *own CLEANUP_FREE = file_join(job->exec->host->root_dir, "config.json");
        char *user CLEANUP_FREE = xasprintf("%s/.docker/config.json", home ? home : "/root");
        const char *const paths[] = {own, user};
        struct err err = ERR_INIT;
        char *auth = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(paths) && !auth; i++) {
                if (docker_auth_lookup_file(paths[i], image, &auth, &err) < 0)
                        job->exec->handlers.notice(job->exec->userdata, job->key, err.msg);
        }
        return auth;
}

static void pull(struct job *job)
{
        struct docker *docker = job->exec->docker;
        char *auth CLEANUP_FREE = find_auth(job);
        const struct pod_exec_job about = job_about(job);

        job->pulling = true;
        job->exec->pulls++;
        job->pull_started = loop_now(job->exec->loop);
        job->exec->handlers.progress(job->exec->userdata, &about, NULL);
        job->call = docker->ops->image_pull(docker, job_container(job)->image, auth, on_progress, on_pulled, job);
}

static void pull_in_turn(struct job *job)
{
        struct pod_exec *exec = job->exec;
        const struct pod_exec_job about = job_about(job);

        if (exec->pulls < POD_EXEC_PULLS) {
                pull(job);
                return;
        }
        exec->handlers.progress(exec->userdata, &about, "waits for the pulls of other images to end");
        job_wait(job, &exec->pull_queue);
}

void image_pull_over(struct job *job)
{
        struct pod_exec *exec = job->exec;

        if (!job->pulling)
                return;
        job->pulling = false;
        exec->pulls--;
        while (exec->pull_queue && exec->pulls < POD_EXEC_PULLS) {
                struct job *next = exec->pull_queue;

                job_wait_over(next);
                if (is_wanted(next))
                        pull(next);
                else
                        job_failed(next, "ErrImagePull", "this version of the pod is not wanted any more");
        }
}

static void on_image(void *userdata, const struct docker_image *image, const struct err *err)
{
        struct job *job = userdata;
        const struct pod_container *container = job_container(job);

        if (job_over(job))
                return;
        if (!err) {
                job->image_size = image->size_bytes;
                job_done(job, fact_add(job->exec, image)->id);
        } else if (err->status == 400) {
                job_failed(job, "InvalidImageName", "%s", err->msg);
        } else if (err->status != 404) {
                job_failed_err(job, "ImageInspectError", err);
        } else if (container->pull_policy == POD_PULL_NEVER) {
                job_failed(job, "ErrImageNeverPull", "Container image \"%s\" is not present with pull policy of Never",
                           container->image);
        } else if (job->tries > 0) {
                job_failed(job, "ErrImagePull", "image %s was pulled and is not there", container->image);
        } else {
                pull_in_turn(job);
        }
}

static void look_up(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job->call = docker->ops->image_inspect(docker, job_container(job)->image, on_image, job);
}

void image_begin(struct job *job)
{
        if (job_container(job)->pull_policy == POD_PULL_ALWAYS)
                pull_in_turn(job);
        else
                look_up(job);
}

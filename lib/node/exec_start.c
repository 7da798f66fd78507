/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting containers, and what follows a start: the sandbox's address into the pod's hosts file and resolv.conf, the
 * links to a container's log. A start that fails is looked at as well: the container may have run and ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/exec_job.h"
#include "node/host.h"
#include "node/log_links.h"
#include "node/pod_net.h"
#include "node/volume.h"

/* A container that cannot be looked at after its start: this many tries, each later by this much. */
#define LOOKS_MAX 12
#define LOOK_DELAY_USEC (200 * USEC_PER_MSEC)

static const char *failure_reason(const struct job *job)
{
        return job->op == POD_OP_SANDBOX_START ? "FailedCreatePodSandBox" : "RunContainerError";
}

/* Docker copies the node's resolv.conf, changed to its taste, and gives the file's path: what the pod's dnsPolicy says
 * is written there, as dockershim does; all containers of the pod see this file. */
static int write_resolv_conf(struct job *job, const struct docker_container *c, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_RESOLV_CONF);
        struct pod_dns dns;
        int fd CLEANUP_FD = -1;
        int r;

        if (str_empty(c->resolv_conf))
                return 0;
        pod_net_dns(job->exec->host, job->pod, &dns);
        pod_net_resolv_conf(&dns, &text);
        pod_dns_release(&dns);
        r = buf_check(&text, "resolv.conf", err);
        if (r < 0)
                return r;
        fd = open(c->resolv_conf, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return err_set_errno(err, errno, "writing %s", c->resolv_conf);
        r = fd_write_all(fd, buf_str(&text), text.len);
        return r < 0 ? err_set_errno(err, -r, "writing %s", c->resolv_conf) : 0;
}

/* What is shown of it goes before the end of the job, also where the files fail: it runs. pod_step asks for the start
 * again then, which makes the files only. */
static void sandbox_started(struct job *job, const struct docker_container *c)
{
        const struct pod_exec *exec = job->exec;
        const char *ip = job->pod->host_network ? exec->host->node_ip : c->ip;
        struct err err = ERR_INIT;
        int r = volume_write_hosts(exec->host, job->pod, ip, &err);

        if (r >= 0)
                r = write_resolv_conf(job, c, &err);
        exec->handlers.inspected(exec->userdata, c);
        if (r < 0)
                job_failed(job, failure_reason(job), "%s", err.msg);
        else
                job_done(job, NULL);
}

static void make_log_links(struct job *job, const struct docker_container *c)
{
        const struct pod_exec *exec = job->exec;
        struct err err = ERR_INIT;

        if (log_links_make(exec->host, job->pod, job_container(job)->name, job->attempt, c->id, c->log_path, &err) < 0)
                exec->handlers.notice(exec->userdata, job->key, err.msg);
}

static void look(struct job *job);

static void on_look_again(void *userdata, usec_t now)
{
        struct job *job = userdata;

        (void)now;
        job->timer = loop_source_free(job->timer);
        look(job);
}

/* Whether it runs decides what may be done next, so this is not given up lightly. */
static bool look_later(struct job *job)
{
        if (++job->tries >= LOOKS_MAX)
                return false;
        job->timer = loop_timer_new(job->exec->loop, "look at a start", on_look_again, job);
        loop_timer_set(job->timer, usec_add(loop_now(job->exec->loop), LOOK_DELAY_USEC * (usec_t)job->tries));
        return true;
}

static void on_looked_at(void *userdata, const struct docker_container *c, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        if (err && err->status == 404)
                job->exec->handlers.gone(job->exec->userdata, job->id);
        else if (err && !job_is_loss(err) && look_later(job))
                return;
        if (err) {
                job_failed_err(job, failure_reason(job), err);
                return;
        }
        if (job->op == POD_OP_SANDBOX_START && !job->body) {
                sandbox_started(job, c);
                return;
        }
        if (job->op == POD_OP_START)
                make_log_links(job, c);
        job->exec->handlers.inspected(job->exec->userdata, c);
        if (job->body)
                job_failed(job, failure_reason(job), "%s", job->body);
        else
                job_done(job, NULL);
}

static void look(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job->call = docker->ops->inspect(docker, job->id, on_looked_at, job);
}

/* The words of runc where it may not lower a score: the second by versions up to 1.1, which die over it without a
 * reason, as over much else. */
static bool names_oom_score(const char *message)
{
        return strstr(message, "oom_score_adj") != NULL;
}

static bool is_oom_refusal(const char *message)
{
        return names_oom_score(message) || strstr(message, "can't get final child's PID from pipe");
}

static void on_refused_removed(void *userdata, const struct err *err)
{
        struct job *job = userdata;

        if (job_over(job))
                return;
        if (!err)
                job->exec->handlers.gone(job->exec->userdata, job->id);
        job_failed(job, failure_reason(job), "%s", job->body);
}

static void on_started(void *userdata, const struct err *err)
{
        struct job *job = userdata;
        struct docker *docker = job->exec->docker;

        if (job_over(job))
                return;
        job_end_turn(job);
        job->tries = 0;
        if (!err) {
                look(job);
                return;
        }
        job->body = xstrdup(err->msg);
        if (err->status > 0 && is_oom_refusal(err->msg) &&
            job->exec->handlers.oom_refused(job->exec->userdata, job->op == POD_OP_SANDBOX_START,
                                            names_oom_score(err->msg), err->msg)) {
                /* This container keeps its score for ever: it is made anew without. */
                job->call = docker->ops->remove(docker, job->id, true, on_refused_removed, job);
        } else if (job_is_loss(err)) {
                job_failed_err(job, failure_reason(job), err);
        } else {
                look(job); /* it may run all the same */
        }
}

static void start(struct job *job)
{
        struct docker *docker = job->exec->docker;

        job->call = docker->ops->start(docker, job->id, on_started, job);
}

void start_begin(struct job *job)
{
        job_take_turn(job, start);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * One Docker operation after another, as the arguments say, against DOCKER_HOST: what test_docker_ops.py drives.
 * Operations are separated by "--". Results are lines on stdout; a failed operation is a line "error CODE STATUS TEXT"
 * and makes the exit code 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "docker/docker.h"
#include "docker/docker_auth.h"
#include "docker/docker_http.h"
#include "docker/pause_image.h"
#include "net/loop.h"

#define PARALLEL 50

struct ops {
        struct loop *loop;
        struct docker *docker;
        struct docker_call *call;
        int pending; /* operations whose done is awaited */
        bool failed;
        int events_left;
        usec_t cancel_after;
};

static void finish(struct ops *ops, const struct err *err)
{
        ops->pending--;
        if (!err)
                return;
        ops->failed = true;
        printf("error %d %d %s\n", err->code, err->status, err->msg);
}

static void on_done(void *userdata, const struct err *err)
{
        finish(userdata, err);
        if (!err)
                printf("done\n");
}

static void on_version(void *userdata, const struct docker_version *v, const struct err *err)
{
        if (v)
                printf("version %s api %s used %s os %s arch %s\n", v->version, v->api_version, v->api_used, v->os,
                       v->arch);
        finish(userdata, err);
}

static void on_info(void *userdata, const struct docker_info *i, const struct err *err)
{
        if (i)
                printf("info name=%s cgroup=%s/%d root=%s log=%s live_restore=%d cpus=%d\n", i->name, i->cgroup_driver,
                       i->cgroup_version, i->root_dir, i->logging_driver, i->live_restore, i->cpus);
        finish(userdata, err);
}

static void on_list(void *userdata, const struct docker_containers *list, const struct err *err)
{
        for (size_t i = 0; list && i < list->count; i++)
                printf("container %s %s %s\n", list->items[i].name, docker_state_name(list->items[i].state),
                       list->items[i].id);
        finish(userdata, err);
}

static void on_inspect(void *userdata, const struct docker_container *c, const struct err *err)
{
        if (c)
                printf("inspect name=%s state=%s pid=%d exit=%d oom=%d started=%" PRIu64 " finished=%" PRIu64
                       " ip=%s network=%s log=%s error=%s\n",
                       c->name, docker_state_name(c->state), c->pid, c->exit_code, c->oom_killed, c->started,
                       c->finished, c->ip, c->network_mode, c->log_path, c->error);
        finish(userdata, err);
}

static void on_create(void *userdata, const char *id, const struct err *err)
{
        if (id)
                printf("created %s\n", id);
        finish(userdata, err);
}

static void on_exec(void *userdata, const struct docker_exec_result *r, const struct err *err)
{
        if (r)
                printf("exec exit=%d timed_out=%d len=%zu output=%s\n", r->exit_code, r->timed_out, r->output_len,
                       r->output);
        finish(userdata, err);
}

static void on_image(void *userdata, const struct docker_image *image, const struct err *err)
{
        if (image) {
                char *tags CLEANUP_FREE = strv_join(&image->repo_tags, ","),
                           *entrypoint CLEANUP_FREE = strv_join(&image->entrypoint, " "),
                           *env CLEANUP_FREE = strv_join(&image->env, ",");
                printf("image %s tags=%s user=%s entrypoint=%s env=%s size=%" PRId64 "\n", image->id, tags, image->user,
                       entrypoint, env, image->size_bytes);
        }
        finish(userdata, err);
}

static void on_images(void *userdata, const struct docker_images *images, const struct err *err)
{
        for (size_t i = 0; images && i < images->count; i++) {
                char *tags CLEANUP_FREE = strv_join(&images->items[i].repo_tags, ",");
                printf("image %s %s\n", tags, images->items[i].id);
        }
        finish(userdata, err);
}

static void on_progress(void *userdata, const char *line)
{
        (void)userdata;
        printf("progress %s\n", line);
}

static void on_output(void *userdata, int stream, const char *data, size_t len)
{
        (void)userdata;
        printf("output %d %zu ", stream, len);
        fwrite(data, 1, len, stdout);
        if (len == 0 || data[len - 1] != '\n')
                printf("\n");
        fflush(stdout);
}

static void on_connected(void *userdata, const struct err *err)
{
        (void)userdata;
        printf("connected %d\n", err ? err->code : 0);
        fflush(stdout);
}

static void on_event(void *userdata, const struct docker_event *e)
{
        struct ops *ops = userdata;
        const char *exit_code = docker_label(e->attributes, "exitCode");
        printf("event %s %s %s %s\n", e->type, e->action, e->name, exit_code ? exit_code : "-");
        fflush(stdout);
        if (--ops->events_left == 0)
                ops->docker->ops->cancel(ops->docker, ops->call);
}

static const char *arg(const struct strv *args, size_t i, const char *fallback)
{
        return i < args->len ? args->items[i] : fallback;
}

static int64_t number(const struct strv *args, size_t i, int64_t fallback)
{
        int64_t n;
        return i < args->len && str_to_i64(args->items[i], &n) == 0 ? n : fallback;
}

static struct docker_call *start_exec(struct ops *ops, const struct strv *args)
{
        struct strv argv CLEANUP_STRV = STRV_INIT;
        for (size_t i = 4; i < args->len; i++)
                strv_add(&argv, args->items[i]);
        return ops->docker->ops->exec(ops->docker, arg(args, 1, ""), &argv,
                                      (usec_t)number(args, 2, 1000) * USEC_PER_MSEC, (size_t)number(args, 3, 1000),
                                      on_exec, ops);
}

static struct docker_call *start_load(struct ops *ops, const struct strv *args, int *ret_fd)
{
        struct stat st;
        *ret_fd = open(arg(args, 1, ""), O_RDONLY | O_CLOEXEC);
        if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0) {
                perror(arg(args, 1, ""));
                exit(2);
        }
        return ops->docker->ops->image_load(ops->docker, *ret_fd, NULL, (size_t)st.st_size, on_done, ops);
}

static struct docker_call *start_pause(struct ops *ops, const struct strv *args, int *ret_fd)
{
        struct err err = ERR_INIT;
        uint64_t size;
        if (pause_image_make(arg(args, 1, ""), ret_fd, &size, &err) < 0) {
                fprintf(stderr, "%s\n", err.msg);
                exit(2);
        }
        return ops->docker->ops->image_load(ops->docker, *ret_fd, NULL, (size_t)size, on_done, ops);
}

static struct docker_call *start_pull(struct ops *ops, const struct strv *args)
{
        char *auth CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;
        const char *config = arg(args, 2, NULL);
        if (config && docker_auth_lookup_file(config, arg(args, 1, ""), &auth, &err) < 0) {
                printf("auth %d %s\n", err.code, err.msg);
                exit(2);
        }
        return ops->docker->ops->image_pull(ops->docker, arg(args, 1, ""), auth, on_progress, on_done, ops);
}

static struct docker_call *start(struct ops *ops, const struct strv *args, int *ret_fd)
{
        struct docker *d = ops->docker;
        const char *op = arg(args, 0, "");
        if (str_eq(op, "version"))
                return d->ops->version(d, on_version, ops);
        if (str_eq(op, "info"))
                return d->ops->info(d, on_info, ops);
        if (str_eq(op, "list"))
                return d->ops->list(d, arg(args, 1, NULL), on_list, ops);
        if (str_eq(op, "inspect"))
                return d->ops->inspect(d, arg(args, 1, ""), on_inspect, ops);
        if (str_eq(op, "create"))
                return d->ops->create(d, arg(args, 1, ""), arg(args, 2, ""), on_create, ops);
        if (str_eq(op, "start"))
                return d->ops->start(d, arg(args, 1, ""), on_done, ops);
        if (str_eq(op, "kill"))
                return d->ops->kill(d, arg(args, 1, ""), arg(args, 2, "SIGKILL"), on_done, ops);
        if (str_eq(op, "remove"))
                return d->ops->remove(d, arg(args, 1, ""), str_eq(arg(args, 2, ""), "force"), on_done, ops);
        if (str_eq(op, "exec"))
                return start_exec(ops, args);
        if (str_eq(op, "logs"))
                return d->ops->logs(d,
                                    &(struct docker_logs){.id = arg(args, 1, ""),
                                                          .tail = number(args, 2, -1),
                                                          .since = (usec_t)number(args, 3, 0),
                                                          .timestamps = number(args, 4, 0) != 0,
                                                          .follow = number(args, 5, 0) != 0,
                                                          .data = on_output,
                                                          .done = on_done},
                                    ops);
        if (str_eq(op, "image"))
                return d->ops->image_inspect(d, arg(args, 1, ""), on_image, ops);
        if (str_eq(op, "images"))
                return d->ops->image_list(d, on_images, ops);
        if (str_eq(op, "pull"))
                return start_pull(ops, args);
        if (str_eq(op, "load"))
                return start_load(ops, args, ret_fd);
        if (str_eq(op, "pause"))
                return start_pause(ops, args, ret_fd);
        if (str_eq(op, "tag"))
                return d->ops->image_tag(d, arg(args, 1, ""), arg(args, 2, ""), on_done, ops);
        if (str_eq(op, "rmi"))
                return d->ops->image_remove(d, arg(args, 1, ""), on_done, ops);
        if (str_eq(op, "events")) {
                ops->events_left = (int)number(args, 1, 0);
                return d->ops->events(d, (usec_t)number(args, 2, 0), on_connected, on_event, on_done, ops);
        }
        fprintf(stderr, "unknown operation '%s'\n", op);
        exit(2);
}

static void on_cancel_timer(void *userdata, usec_t now)
{
        struct ops *ops = userdata;
        (void)now;
        ops->docker->ops->cancel(ops->docker, ops->call);
}

/* "cancel MS OP ..." cancels it after so long; "parallel OP ..." has it run PARALLEL times at once. */
static void run(struct ops *ops, struct strv *args)
{
        struct loop_source *timer CLEANUP_LOOP_SOURCE = NULL;
        struct err err = ERR_INIT;
        int fd CLEANUP_FD = -1, count = 1;
        usec_t begin = clock_boottime();

        if (str_eq(arg(args, 0, ""), "cancel")) {
                timer = loop_timer_new(ops->loop, "cancel", on_cancel_timer, ops);
                loop_timer_set(timer, begin + (usec_t)number(args, 1, 0) * USEC_PER_MSEC);
                strv_remove(args, 0);
                strv_remove(args, 0);
        } else if (str_eq(arg(args, 0, ""), "parallel")) {
                count = PARALLEL;
                strv_remove(args, 0);
        }
        for (int i = 0; i < count; i++) {
                ops->pending++;
                ops->call = start(ops, args, &fd);
        }
        while (ops->pending > 0) {
                if (loop_step(ops->loop, USEC_INFINITY, &err) < 0) {
                        fprintf(stderr, "%s\n", err.msg);
                        exit(2);
                }
        }
        printf("took %" PRIu64 " us\n", clock_boottime() - begin);
        fflush(stdout);
}

int main(int argc, char **argv)
{
        struct ops ops = {0};
        struct err err = ERR_INIT;
        struct strv args CLEANUP_STRV = STRV_INIT;

        if (loop_new(&ops.loop, &err) < 0 || docker_http_new(ops.loop, NULL, &ops.docker, &err) < 0) {
                fprintf(stderr, "%s\n", err.msg);
                (void)loop_free(ops.loop);
                return 2;
        }
        for (int i = 1; i <= argc; i++) {
                if (i < argc && !str_eq(argv[i], "--")) {
                        strv_add(&args, argv[i]);
                        continue;
                }
                run(&ops, &args);
                strv_release(&args);
        }
        ops.docker = ops.docker->ops->free(ops.docker);
        ops.loop = loop_free(ops.loop);
        return ops.failed ? 1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "docker/docker_wait.h"

#include "base/alloc.h"
#include "base/err.h"
#include "docker/docker_http.h"
#include "net/loop.h"

#define STATUS_NOT_FOUND 404

struct docker_wait {
        struct loop *loop;
        struct docker *docker;
        bool done;
        struct err err; /* of the operation that ended */
        char *id;
        struct strv ids; /* of a list */
        docker_progress_fn progress;
        void *userdata;
};

int docker_wait_new(const char *host, struct docker_wait **ret, struct err *err)
{
        struct docker_wait *wait = xcalloc(1, sizeof(*wait));
        int r = loop_new(&wait->loop, err);
        if (r == 0)
                r = docker_http_new(wait->loop, host, &wait->docker, err);
        if (r < 0) {
                (void)docker_wait_free(wait);
                return r;
        }
        *ret = wait;
        return 0;
}

struct docker_wait *docker_wait_free(struct docker_wait *wait)
{
        if (!wait)
                return NULL;
        if (wait->docker)
                (void)wait->docker->ops->free(wait->docker);
        (void)loop_free(wait->loop);
        free(wait->id);
        strv_release(&wait->ids);
        free(wait);
        return NULL;
}

static void on_done(void *userdata, const struct err *err)
{
        struct docker_wait *wait = userdata;
        wait->done = true;
        wait->err = err ? *err : ERR_INIT;
}

static void on_image(void *userdata, const struct docker_image *image, const struct err *err)
{
        struct docker_wait *wait = userdata;
        wait->id = image ? xstrdup(image->id) : NULL;
        on_done(userdata, err);
}

static void on_list(void *userdata, const struct docker_containers *list, const struct err *err)
{
        struct docker_wait *wait = userdata;

        strv_release(&wait->ids);
        for (size_t i = 0; list && i < list->count; i++)
                strv_add(&wait->ids, list->items[i].id);
        on_done(userdata, err);
}

static void on_version(void *userdata, const struct docker_version *version, const struct err *err)
{
        struct docker_wait *wait = userdata;

        wait->id = version ? xstrdup(version->version) : NULL;
        on_done(userdata, err);
}

static void on_progress(void *userdata, const char *line)
{
        struct docker_wait *wait = userdata;
        if (wait->progress)
                wait->progress(wait->userdata, line);
}

static int wait_done(struct docker_wait *wait, struct err *err)
{
        int r = loop_wait(wait->loop, &wait->done, USEC_INFINITY, err);

        if (r < 0)
                return r;
        wait->done = false;
        if (!wait->err.code)
                return 0;
        if (err)
                *err = wait->err;
        return -wait->err.code;
}

int docker_wait_image_id(struct docker_wait *wait, const char *ref, char **ret_id, struct err *err)
{
        (void)wait->docker->ops->image_inspect(wait->docker, ref, on_image, wait);
        int r = wait_done(wait, err);
        if (r < 0)
                return wait->err.status == STATUS_NOT_FOUND ? 1 : r;
        *ret_id = TAKE_PTR(wait->id);
        return 0;
}

int docker_wait_pull(struct docker_wait *wait, const char *ref, const char *auth, docker_progress_fn progress,
                     void *userdata, struct err *err)
{
        wait->progress = progress;
        wait->userdata = userdata;
        (void)wait->docker->ops->image_pull(wait->docker, ref, auth, on_progress, on_done, wait);
        return wait_done(wait, err);
}

int docker_wait_load(struct docker_wait *wait, int fd, struct err *err)
{
        (void)wait->docker->ops->image_load(wait->docker, fd, NULL, 0, on_done, wait);
        return wait_done(wait, err);
}

int docker_wait_list(struct docker_wait *wait, const char *label, struct strv *ret_ids, struct err *err)
{
        (void)wait->docker->ops->list(wait->docker, label, on_list, wait);
        int r = wait_done(wait, err);
        if (r < 0)
                return r;
        strv_copy(ret_ids, &wait->ids);
        return 0;
}

int docker_wait_remove(struct docker_wait *wait, const char *id, struct err *err)
{
        (void)wait->docker->ops->remove(wait->docker, id, true, on_done, wait);
        return wait_done(wait, err);
}

int docker_wait_version(struct docker_wait *wait, char **ret_version, struct err *err)
{
        (void)wait->docker->ops->version(wait->docker, on_version, wait);
        int r = wait_done(wait, err);
        if (r < 0)
                return r;
        *ret_version = TAKE_PTR(wait->id);
        return 0;
}

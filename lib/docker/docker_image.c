/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on images.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "docker/docker_call.h"
#include "docker/docker_decode.h"
#include "docker/docker_image_ref.h"
#include "docker/docker_split.h"

/* ---- inspect, list, tag ---- */

static void on_inspect(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_image image = {0};
        struct err err = ERR_INIT;
        int r = from ? 0 : docker_decode_image(response->body, response->body_len, &image, &err);

        docker_call_end(call);
        if (from || r < 0)
                call->done.image(call->userdata, NULL, from ? from : &err);
        else
                call->done.image(call->userdata, &image, NULL);
        docker_image_release(&image);
        docker_call_free(call);
}

struct docker_call *docker_op_image_inspect(struct docker *d, const char *ref, docker_image_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.image = done}, userdata);
        docker_call_send(call, "GET", docker_target_image(ref, "/json"), DOCKER_TIMEOUT_ACT, on_inspect);
        return call;
}

static void on_list(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_images images = {0};
        struct err err = ERR_INIT;
        int r = from ? 0 : docker_decode_images(response->body, response->body_len, &images, &err);

        docker_call_end(call);
        if (from || r < 0)
                call->done.images(call->userdata, NULL, from ? from : &err);
        else
                call->done.images(call->userdata, &images, NULL);
        docker_images_release(&images);
        docker_call_free(call);
}

struct docker_call *docker_op_image_list(struct docker *d, docker_images_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.images = done}, userdata);
        docker_call_send(call, "GET", xstrdup("/images/json"), DOCKER_TIMEOUT_ACT, on_list);
        return call;
}

static void on_tagged(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        (void)response;
        docker_call_finish(call, from);
}

struct docker_call *docker_op_image_tag(struct docker *d, const char *id, const char *ref, docker_done_fn done,
                                        void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.done = done}, userdata);
        struct docker_image_ref parts = docker_image_ref_split(ref);
        struct buf rest CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY);

        buf_addstr(&rest, "/tag?repo=");
        buf_add_escaped(&rest, parts.repository, "");
        buf_addstr(&rest, "&tag=");
        buf_add_escaped(&rest, parts.tag, "");
        docker_image_ref_release(&parts);
        docker_call_send(call, "POST", docker_target_image(id, buf_str(&rest)), DOCKER_TIMEOUT_ACT, on_tagged);
        return call;
}

static void on_removed(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        (void)response;
        docker_call_finish(call, from && from->status == 404 ? NULL : from);
}

struct docker_call *docker_op_image_remove(struct docker *d, const char *ref, docker_done_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.done = done}, userdata);

        docker_call_send(call, "DELETE", docker_target_image(ref, ""), DOCKER_TIMEOUT_ACT, on_removed);
        return call;
}

/* ---- pull, load: progress by the line ---- */

struct progress_call {
        struct docker_call call;
        struct docker_lines lines;
        docker_progress_fn progress; /* may be NULL */
        char *what;                  /* "pull of registry.k8s.io/pause:3.10.1" */
        struct err failed;
};

static void progress_release(struct docker_call *call)
{
        struct progress_call *progress = (struct progress_call *)call;
        docker_lines_release(&progress->lines);
        free(progress->what);
}

static bool on_progress_line(void *userdata, const char *line, size_t len)
{
        struct progress_call *progress = userdata;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_EVENT);
        if (docker_call_muted(&progress->call))
                return false;
        /* The first failure is told at the end; what follows is of no interest. */
        if (progress->failed.code || docker_decode_progress(line, len, &text, &progress->failed) < 0)
                return true;
        if (text.len && progress->progress)
                progress->progress(progress->call.userdata, buf_str(&text));
        return true;
}

static bool on_progress_data(struct docker_call *call, const char *data, size_t len)
{
        struct progress_call *progress = (struct progress_call *)call;
        if (progress->failed.code)
                return true;
        return docker_lines_feed(&progress->lines, data, len, &progress->failed) >= 0 && !docker_call_muted(call);
}

static void on_progress_end(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct progress_call *progress = (struct progress_call *)call;
        struct err err = ERR_INIT;
        (void)response;
        if (!from && !progress->failed.code)
                (void)docker_lines_end(&progress->lines, &progress->failed);
        if (progress->failed.code && !call->cancelled) {
                err = progress->failed;
                (void)err_wrap(&err, "Docker: %s", progress->what);
        } else if (from) {
                err = *from;
                (void)err_wrap(&err, "%s", progress->what);
        }
        docker_call_finish(call, err.code ? &err : NULL);
}

static struct progress_call *progress_new(struct docker *d, char *what, docker_progress_fn fn, docker_done_fn done,
                                          void *userdata)
{
        struct progress_call *progress =
                docker_call_new(d, sizeof(*progress), (union docker_done){.done = done}, userdata);
        progress->progress = fn;
        progress->what = what;
        docker_lines_init(&progress->lines, LIMIT_DOCKER_EVENT, on_progress_line, progress);
        progress->call.release = progress_release;
        progress->call.data = on_progress_data;
        return progress;
}

struct docker_call *docker_op_image_pull(struct docker *d, const char *ref, const char *auth,
                                         docker_progress_fn progress, docker_done_fn done, void *userdata)
{
        struct progress_call *pull = progress_new(d, xasprintf("pull of %s", ref), progress, done, userdata);
        struct docker_image_ref parts = docker_image_ref_split(ref);
        struct buf target = BUF_INIT(LIMIT_DOCKER_BODY);

        buf_addstr(&target, "/images/create?fromImage=");
        buf_add_escaped(&target, parts.repository, "");
        /* Without a tag Docker would pull all that there are; a digest goes in the same place. */
        buf_addstr(&target, "&tag=");
        buf_add_escaped(&target, *parts.digest ? parts.digest : parts.tag, "");
        docker_image_ref_release(&parts);
        pull->call.auth = auth ? xstrdup(auth) : NULL;
        docker_call_send(&pull->call, "POST", buf_steal(&target, &(size_t){0}), USEC_INFINITY, on_progress_end);
        return &pull->call;
}

/* A descriptor that has no size sends nothing, and Docker says what it misses. */
static size_t file_size(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
}

struct docker_call *docker_op_image_load(struct docker *d, int fd, const void *data, size_t len, docker_done_fn done,
                                         void *userdata)
{
        struct progress_call *load = progress_new(d, xstrdup("load of an image"), NULL, done, userdata);
        load->call.body_fd = fd;
        load->call.borrowed = fd >= 0 ? NULL : data;
        load->call.body_len = fd >= 0 ? file_size(fd) : len;
        docker_call_send(&load->call, "POST", xstrdup("/images/load?quiet=1"), DOCKER_TIMEOUT_LOAD, on_progress_end);
        return &load->call;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on the daemon and on containers.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker_call.h"
#include "docker/docker_decode.h"

#define STATUS_NOT_FOUND 404

/* ---- version, info ---- */

static void on_version(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_version version = {0};
        struct err err = ERR_INIT;
        char *api CLEANUP_FREE = NULL;
        int r = 0;

        if (!from)
                r = docker_negotiate(response->body, response->body_len, &api, &err);
        if (!from && r == 0)
                r = docker_decode_version(response->body, response->body_len, &version, &err);
        if (!from && r == 0) {
                docker_http_set_api(call->http, api);
                free(version.api_used);
                version.api_used = TAKE_PTR(api);
        }
        if (r < 0)
                (void)err_wrap(&err, "Docker");
        docker_call_end(call);
        if (from || r < 0)
                call->done.version(call->userdata, NULL, from ? from : &err);
        else
                call->done.version(call->userdata, &version, NULL);
        docker_version_release(&version);
        docker_call_free(call);
}

struct docker_call *docker_op_version(struct docker *d, docker_version_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.version = done}, userdata);
        call->unversioned = true;
        docker_call_send(call, "GET", xstrdup("/version"), DOCKER_TIMEOUT_ASK, on_version);
        return call;
}

static void on_info(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_info info = {0};
        struct err err = ERR_INIT;
        int r = from ? 0 : docker_decode_info(response->body, response->body_len, &info, &err);

        docker_call_end(call);
        if (from || r < 0)
                call->done.info(call->userdata, NULL, from ? from : &err);
        else
                call->done.info(call->userdata, &info, NULL);
        docker_info_release(&info);
        docker_call_free(call);
}

struct docker_call *docker_op_info(struct docker *d, docker_info_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.info = done}, userdata);
        docker_call_send(call, "GET", xstrdup("/info"), DOCKER_TIMEOUT_ASK, on_info);
        return call;
}

/* ---- list, inspect ---- */

static void on_list(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_containers list = {0};
        struct err err = ERR_INIT;
        int r = from ? 0 : docker_decode_containers(response->body, response->body_len, &list, &err);

        docker_call_end(call);
        if (from || r < 0)
                call->done.list(call->userdata, NULL, from ? from : &err);
        else
                call->done.list(call->userdata, &list, NULL);
        docker_containers_release(&list);
        docker_call_free(call);
}

struct docker_call *docker_op_list(struct docker *d, const char *label, docker_list_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.list = done}, userdata);
        struct buf target = BUF_INIT(LIMIT_DOCKER_BODY), filters CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY);

        buf_addstr(&target, "/containers/json?all=1");
        if (label) {
                buf_addstr(&filters, "{\"label\":[");
                buf_add_json_string(&filters, label, strlen(label));
                buf_addstr(&filters, "]}");
                buf_addstr(&target, "&filters=");
                buf_add_escaped(&target, buf_str(&filters), "");
        }
        docker_call_send(call, "GET", buf_steal(&target, &(size_t){0}), DOCKER_TIMEOUT_ACT, on_list);
        return call;
}

static void on_inspect(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_container container = {0};
        struct err err = ERR_INIT;
        int r = from ? 0 : docker_decode_container(response->body, response->body_len, &container, &err);

        docker_call_end(call);
        if (from || r < 0)
                call->done.inspect(call->userdata, NULL, from ? from : &err);
        else
                call->done.inspect(call->userdata, &container, NULL);
        docker_container_release(&container);
        docker_call_free(call);
}

struct docker_call *docker_op_inspect(struct docker *d, const char *id, docker_inspect_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.inspect = done}, userdata);
        docker_call_send(call, "GET", docker_target_container(id, "/json"), DOCKER_TIMEOUT_ACT, on_inspect);
        return call;
}

/* ---- create, start, kill, remove ---- */

static void on_create(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        char *id CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;
        int r = from ? 0 : docker_decode_id(response->body, response->body_len, &id, &err);

        docker_call_end(call);
        if (from || r < 0)
                call->done.create(call->userdata, NULL, from ? from : &err);
        else
                call->done.create(call->userdata, id, NULL);
        docker_call_free(call);
}

struct docker_call *docker_op_create(struct docker *d, const char *name, const char *body, docker_create_fn done,
                                     void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.create = done}, userdata);
        struct buf target = BUF_INIT(LIMIT_DOCKER_BODY);
        buf_addstr(&target, "/containers/create?name=");
        buf_add_escaped(&target, name, "");
        call->body = xstrdup(body);
        docker_call_send(call, "POST", buf_steal(&target, &(size_t){0}), DOCKER_TIMEOUT_ACT, on_create);
        return call;
}

static void on_plain(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        (void)response; /* 304 of a start: runs already */
        docker_call_finish(call, from);
}

struct docker_call *docker_op_start(struct docker *d, const char *id, docker_done_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.done = done}, userdata);
        docker_call_send(call, "POST", docker_target_container(id, "/start"), DOCKER_TIMEOUT_ACT, on_plain);
        return call;
}

struct docker_call *docker_op_kill(struct docker *d, const char *id, const char *signal, docker_done_fn done,
                                   void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.done = done}, userdata);
        struct buf rest CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY);
        buf_addstr(&rest, "/kill?signal=");
        buf_add_escaped(&rest, signal, "");
        docker_call_send(call, "POST", docker_target_container(id, buf_str(&rest)), DOCKER_TIMEOUT_ACT, on_plain);
        return call;
}

static void on_remove(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        (void)response;
        docker_call_finish(call, from && from->status == STATUS_NOT_FOUND ? NULL : from);
}

struct docker_call *docker_op_remove(struct docker *d, const char *id, bool force, docker_done_fn done, void *userdata)
{
        struct docker_call *call = docker_call_new(d, sizeof(*call), (union docker_done){.done = done}, userdata);
        docker_call_send(call, "DELETE", docker_target_container(id, force ? "?v=1&force=1" : "?v=1"),
                         DOCKER_TIMEOUT_ACT, on_remove);
        return call;
}

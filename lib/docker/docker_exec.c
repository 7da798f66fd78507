/* SPDX-License-Identifier: Apache-2.0
 *
 * A command in a container: create it, start it and read its output to the end, ask for its exit code.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "docker/docker_call.h"
#include "docker/docker_decode.h"
#include "docker/docker_split.h"
#include "net/loop.h"

/* The output has ended, the process not yet been reaped: asked again after this. */
#define ASK_AGAIN (10 * USEC_PER_MSEC)

struct exec_call {
        struct docker_call call;
        usec_t deadline;
        struct buf output;
        struct docker_output split;
        char *id;
        struct loop_source *again;
        struct err broken; /* what was wrong with the output stream */
};

static void exec_release(struct docker_call *call)
{
        struct exec_call *exec = (struct exec_call *)call;
        (void)loop_source_free(exec->again);
        buf_release(&exec->output);
        free(exec->id);
}

static void exec_end(struct exec_call *exec, int exit_code, const struct err *err)
{
        const struct docker_exec_result result = {
                .exit_code = exit_code,
                .timed_out = err && err->code == ETIMEDOUT && exec->id,
                .output = buf_str(&exec->output),
                .output_len = exec->output.len,
        };
        struct docker_call *call = &exec->call;
        bool ok = !err || result.timed_out;
        docker_call_end(call);
        call->done.exec(call->userdata, ok ? &result : NULL, ok ? NULL : err);
        docker_call_free(call);
}

static usec_t exec_left(const struct exec_call *exec)
{
        return exec->deadline == USEC_INFINITY ? USEC_INFINITY : usec_sub(exec->deadline, clock_boottime());
}

static char *exec_target(const struct exec_call *exec, const char *rest)
{
        struct buf b = BUF_INIT(LIMIT_DOCKER_BODY);
        buf_addstr(&b, "/exec/");
        buf_add_escaped(&b, exec->id, "");
        buf_addstr(&b, rest);
        return buf_steal(&b, &(size_t){0});
}

static void on_inspected(struct docker_call *call, const struct curl_glue_response *response, const struct err *from);

static void ask(struct exec_call *exec)
{
        exec->call.data = NULL;
        free(exec->call.body);
        exec->call.body = NULL;
        docker_call_send(&exec->call, "GET", exec_target(exec, "/json"), exec_left(exec), on_inspected);
}

static void on_again(void *userdata, usec_t now)
{
        (void)now;
        ask(userdata);
}

static void on_inspected(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct exec_call *exec = (struct exec_call *)call;
        struct err err = ERR_INIT;
        int exit_code = 0;
        int r = from ? 0 : docker_decode_exec(response->body, response->body_len, &exit_code, &err);

        if (r == -EAGAIN) {
                call->answer = on_inspected; /* for a cancel meanwhile */
                loop_timer_set(exec->again, clock_boottime() + ASK_AGAIN);
                return;
        }
        exec_end(exec, exit_code, from ? from : r < 0 ? &err : NULL);
}

static bool on_output(void *userdata, int stream, const char *data, size_t len)
{
        struct exec_call *exec = userdata;
        size_t room = exec->output.max - exec->output.len;
        (void)stream;
        buf_add(&exec->output, data, len < room ? len : room); /* the rest is read and dropped */
        return true;
}

static bool on_data(struct docker_call *call, const char *data, size_t len)
{
        struct exec_call *exec = (struct exec_call *)call;
        return docker_output_feed(&exec->split, data, len, &exec->broken) == 0 && !docker_call_muted(call);
}

static void on_started(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct exec_call *exec = (struct exec_call *)call;
        (void)response;
        if (exec->broken.code)
                from = &exec->broken;
        if (from) {
                exec_end(exec, 0, from);
                return;
        }
        (void)docker_output_end(&exec->split, NULL); /* a cut last frame is still output */
        ask(exec);
}

static void on_created(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct exec_call *exec = (struct exec_call *)call;
        struct err err = ERR_INIT;
        int r = from ? 0 : docker_decode_id(response->body, response->body_len, &exec->id, &err);

        if (from || r < 0) {
                exec_end(exec, 0, from ? from : &err);
                return;
        }
        free(call->body);
        call->body = xstrdup("{\"Detach\":false,\"Tty\":false}");
        call->data = on_data;
        docker_call_send(call, "POST", exec_target(exec, "/start"), exec_left(exec), on_started);
}

struct docker_call *docker_op_exec(struct docker *d, const char *id, const struct strv *argv, usec_t timeout,
                                   size_t max_output, docker_exec_fn done, void *userdata)
{
        struct exec_call *exec = docker_call_new(d, sizeof(*exec), (union docker_done){.exec = done}, userdata);
        struct docker_call *call = &exec->call;
        struct buf body = BUF_INIT(LIMIT_DOCKER_BODY);
        const char *arg;

        call->release = exec_release;
        exec->deadline = timeout == USEC_INFINITY ? USEC_INFINITY : usec_add(clock_boottime(), timeout);
        exec->output = BUF_INIT(max_output);
        exec->again = loop_timer_new(docker_call_loop(call), "Docker exec", on_again, exec);
        docker_output_init(&exec->split, on_output, exec);
        buf_addstr(&body, "{\"AttachStdout\":true,\"AttachStderr\":true,\"Cmd\":[");
        STRV_FOREACH (arg, argv) {
                if (body.data[body.len - 1] != '[')
                        buf_addch(&body, ',');
                buf_add_json_string(&body, arg, strlen(arg));
        }
        buf_addstr(&body, "]}");
        call->body = buf_steal(&body, &(size_t){0});
        docker_call_send(call, "POST", docker_target_container(id, "/exec"), exec_left(exec), on_created);
        return call;
}

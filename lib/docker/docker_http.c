/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker_call.h"
#include "docker/docker_decode.h"
#include "docker/docker_http.h"
#include "net/curl_glue.h"
#include "net/loop.h"

#define DEFAULT_HOST "unix:///var/run/docker.sock"
#define KEPT_CONNECTIONS 16

struct docker_http {
        struct docker docker;
        struct loop *loop;
        struct curl_glue *glue;
        struct curl_glue_identity *identity;
        unsigned flags;  /* of each transfer */
        char *url;       /* "http://docker" or "https://HOST:PORT" */
        char *unix_path; /* NULL for TCP */
        char *api;       /* the version in use; NULL: to be negotiated */
        struct docker_call *calls;
        struct loop_source *run; /* ends calls that were cancelled while nothing was sent */
        unsigned negotiation;    /* number of the one under way, 0 none */
        unsigned negotiations;   /* how many there were */
        unsigned busy;           /* depth of callbacks that use this afterwards */
        bool dead;               /* freed from inside one */
};

static void http_destroy(struct docker_http *http);

static void http_enter(struct docker_http *http)
{
        http->busy++;
}

static void http_leave(struct docker_http *http)
{
        if (--http->busy == 0 && http->dead)
                http_destroy(http);
}

/* ---- targets ---- */

static char *target(const char *kind, const char *name, const char *keep, const char *rest)
{
        struct buf b = BUF_INIT(LIMIT_DOCKER_BODY);
        buf_addstr(&b, kind);
        buf_add_escaped(&b, name, keep);
        buf_addstr(&b, rest);
        return buf_steal(&b, &(size_t){0});
}

char *docker_target_container(const char *id, const char *rest)
{
        return target("/containers/", id, "", rest);
}

char *docker_target_image(const char *ref, const char *rest)
{
        return target("/images/", ref, "/:@", rest);
}

/* ---- calls ---- */

void *docker_call_new(struct docker *d, size_t size, union docker_done done, void *userdata)
{
        struct docker_http *http = (struct docker_http *)d;
        struct docker_call *call = xcalloc(1, size);
        call->http = http;
        call->done = done;
        call->userdata = userdata;
        call->body_fd = -1;
        DL_APPEND(http->calls, call);
        return call;
}

void docker_call_end(struct docker_call *call)
{
        call->ended = true;
        DL_DELETE(call->http->calls, call);
}

void docker_call_free(struct docker_call *call)
{
        if (call->release)
                call->release(call);
        free(call->target);
        free(call->body);
        free(call->auth);
        free(call);
}

void docker_call_finish(struct docker_call *call, const struct err *err)
{
        docker_call_end(call);
        call->done.done(call->userdata, err);
        docker_call_free(call);
}

bool docker_call_muted(const struct docker_call *call)
{
        return call->cancelled || call->http->dead;
}

struct loop *docker_call_loop(const struct docker_call *call)
{
        return call->http->loop;
}

/* Leaves the query out: filters make it long. */
static void request_error(const struct docker_call *call, const char *message, struct err *err)
{
        (void)err_set(err, err->code ? err->code : ERR_REMOTE, "Docker: %s %.*s: %s", call->method,
                      (int)strcspn(call->target, "?"), call->target, message);
}

/* The daemon went away or was another one: the next one may speak another version. */
static void forget_api(struct docker_http *http)
{
        free(http->api);
        http->api = NULL;
}

/* What a transfer came to, as this layer's errors. */
static int transfer_error(struct docker_call *call, const struct curl_glue_response *response, const struct err *from,
                          struct err *err)
{
        if (from) {
                *err = *from;
                /* A socket that is not there is a daemon that is not there. */
                if (call->http->unix_path && from->code == ENOENT)
                        err->code = ECONNREFUSED;
                if (err->code == ECONNREFUSED || err->code == ECONNRESET)
                        forget_api(call->http);
                return err_wrap(err, "Docker");
        }
        if (response->status < 300 || response->status == 304) /* 304: it is so already */
                return 0;
        struct buf message CLEANUP_BUF = BUF_INIT(sizeof(err->msg));
        docker_decode_message(response->body, response->body_len, &message);
        *err = (struct err){.code = ERR_REMOTE, .status = response->status};
        if (message.len == 0)
                buf_addf(&message, "HTTP status %d", response->status);
        request_error(call, buf_str(&message), err);
        err->status = response->status;
        if (response->status == 400 && strstr(buf_str(&message), "client version"))
                forget_api(call->http);
        return -err->code;
}

static void call_answer(struct docker_call *call, const struct curl_glue_response *response, const struct err *err)
{
        static const struct curl_glue_response nothing = {.body = ""};
        docker_answer_fn answer = call->answer;
        call->answer = NULL;
        call->transfer = NULL;
        call->waits_for = 0;
        answer(call, response ? response : &nothing, err);
}

static void on_done(void *userdata, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_call *call = userdata;
        struct docker_http *http = call->http;
        struct err err = ERR_INIT;
        http_enter(http);
        int r = transfer_error(call, response, from, &err);
        call_answer(call, response, r < 0 ? &err : NULL);
        http_leave(http);
}

static void on_head(void *userdata, const struct curl_glue_response *response)
{
        struct docker_call *call = userdata;
        struct docker_http *http = call->http;
        if (response->status >= 300 || !call->head)
                return;
        http_enter(http);
        call->head(call);
        http_leave(http);
}

static bool on_data(void *userdata, const char *data, size_t len)
{
        struct docker_call *call = userdata;
        struct docker_http *http = call->http;
        http_enter(http);
        bool more = call->data(call, data, len);
        http_leave(http);
        return more;
}

static void call_transfer(struct docker_call *call)
{
        struct docker_http *http = call->http;
        const char *headers[4];
        size_t count = 0;
        bool has_body = call->body || call->borrowed || call->body_fd >= 0;
        char *auth CLEANUP_FREE = call->auth ? xasprintf("X-Registry-Auth: %s", call->auth) : NULL;
        char *url CLEANUP_FREE = call->unversioned ? xasprintf("%s%s", http->url, call->target)
                                                   : xasprintf("%s/v%s%s", http->url, http->api, call->target);

        if (has_body)
                headers[count++] = call->body ? "Content-Type: application/json" : "Content-Type: application/x-tar";
        if (auth)
                headers[count++] = auth;
        headers[count] = NULL;
        struct curl_glue_request request = {
                .method = call->method,
                .url = url,
                .unix_socket = http->unix_path,
                .headers = headers,
                .body = call->body ? call->body : call->borrowed,
                .body_len = call->body ? strlen(call->body) : call->body_len,
                .body_fd = call->body_fd,
                .max_body = call->data ? 0 : LIMIT_DOCKER_BODY,
                .deadline = call->deadline,
                .flags = http->flags | (call->borrowed ? CURL_GLUE_BORROW_BODY : 0U) |
                         (call->data ? CURL_GLUE_STREAM : 0U),
                .identity = http->identity,
                .head = on_head,
                .data = call->data ? on_data : NULL,
                .done = on_done,
                .userdata = call,
        };
        call->waits_for = 0;
        call->transfer = curl_glue_start(http->glue, &request);
}

/* ---- negotiation ---- */

void docker_http_set_api(struct docker_http *http, const char *api_used)
{
        if (str_eq(http->api, api_used))
                return;
        free(http->api);
        http->api = xstrdup(api_used);
}

/* Sends what waited for this negotiation, or fails it. Calls made meanwhile wait for the next one. */
static void release_waiting(struct docker_http *http, unsigned number, const struct err *err)
{
        struct docker_call *call, *found;
        do {
                found = NULL;
                DL_FOREACH (http->calls, call) {
                        if (call->waits_for == number && !call->cancelled) {
                                found = call;
                                break;
                        }
                }
                if (found && err)
                        call_answer(found, NULL, err);
                else if (found)
                        call_transfer(found);
        } while (found && !http->dead);
}

static void on_negotiated(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct docker_http *http = call->http;
        struct err err = ERR_INIT;
        char *api CLEANUP_FREE = NULL;
        unsigned number = http->negotiation;
        int r = 0;

        if (!from)
                r = docker_negotiate(response->body, response->body_len, &api, &err);
        if (r < 0)
                (void)err_wrap(&err, "Docker");
        if (api)
                docker_http_set_api(http, api);
        http->negotiation = 0;
        docker_call_end(call);
        docker_call_free(call);
        release_waiting(http, number, from ? from : r < 0 ? &err : NULL);
}

static void negotiate(struct docker_http *http)
{
        http->negotiation = ++http->negotiations;
        struct docker_call *call = docker_call_new(&http->docker, sizeof(*call), (union docker_done){0}, NULL);
        call->unversioned = true;
        docker_call_send(call, "GET", xstrdup("/version"), DOCKER_TIMEOUT_ASK, on_negotiated);
}

void docker_call_send(struct docker_call *call, const char *method, char *path, usec_t timeout, docker_answer_fn answer)
{
        struct docker_http *http = call->http;
        call->method = method;
        free(call->target);
        call->target = path;
        call->deadline = timeout == USEC_INFINITY ? USEC_INFINITY : usec_add(clock_boottime(), timeout);
        call->answer = answer;
        if (call->unversioned || http->api) {
                call_transfer(call);
                return;
        }
        if (!http->negotiation)
                negotiate(http);
        call->waits_for = http->negotiation;
}

/* ---- the rest of the table ---- */

static void on_run(void *userdata)
{
        struct docker_http *http = userdata;
        struct docker_call *call, *found;
        http_enter(http);
        do {
                found = NULL;
                DL_FOREACH (http->calls, call) {
                        if (call->cancelled && call->answer && !call->transfer) {
                                found = call;
                                break;
                        }
                }
                if (found) {
                        struct err err = {.code = ECANCELED};
                        request_error(found, "cancelled", &err);
                        call_answer(found, NULL, &err);
                }
        } while (found && !http->dead);
        http_leave(http);
}

static void docker_http_pause(struct docker *d, struct docker_call *call, bool pause)
{
        (void)d;
        if (!call->transfer || call->ended)
                return;
        if (pause)
                curl_glue_pause(call->transfer);
        else
                curl_glue_resume(call->transfer);
}

static void docker_http_cancel(struct docker *d, struct docker_call *call)
{
        struct docker_http *http = (struct docker_http *)d;
        if (call->ended)
                return; /* its done runs: nothing is left to cancel */
        call->cancelled = true;
        if (call->transfer)
                curl_glue_cancel(call->transfer);
        else
                loop_defer_schedule(http->run);
}

static void http_destroy(struct docker_http *http)
{
        http->glue = curl_glue_free(http->glue);
        while (http->calls) {
                struct docker_call *call = http->calls;
                docker_call_end(call);
                docker_call_free(call);
        }
        (void)loop_source_free(http->run);
        (void)curl_glue_identity_unref(http->identity);
        free(http->url);
        free(http->unix_path);
        free(http->api);
        free(http);
}

static struct docker *docker_http_free(struct docker *d)
{
        struct docker_http *http = (struct docker_http *)d;
        if (!http)
                return NULL;
        http->dead = true;
        if (http->busy == 0)
                http_destroy(http);
        return NULL;
}

static const struct docker_ops http_ops = {
        .version = docker_op_version,
        .info = docker_op_info,
        .list = docker_op_list,
        .inspect = docker_op_inspect,
        .create = docker_op_create,
        .start = docker_op_start,
        .kill = docker_op_kill,
        .remove = docker_op_remove,
        .exec = docker_op_exec,
        .logs = docker_op_logs,
        .image_inspect = docker_op_image_inspect,
        .image_list = docker_op_image_list,
        .image_pull = docker_op_image_pull,
        .image_load = docker_op_image_load,
        .image_tag = docker_op_image_tag,
        .image_remove = docker_op_image_remove,
        .events = docker_op_events,
        .pause = docker_http_pause,
        .cancel = docker_http_cancel,
        .free = docker_http_free,
};

/* ---- where the daemon is ---- */

static int read_pem(const char *dir, const char *name, char **ret, struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *path CLEANUP_FREE = file_join(dir, name);
        int r = file_read(path, &b, err);
        if (r < 0)
                return err_wrap(err, "DOCKER_CERT_PATH");
        *ret = buf_steal(&b, &(size_t){0});
        return 0;
}

/* As Docker's own client: DOCKER_CERT_PATH turns TLS on, DOCKER_TLS_VERIFY makes it check the daemon's certificate. */
static int set_tls(struct docker_http *http, const char *address, struct err *err)
{
        const char *dir = getenv("DOCKER_CERT_PATH");
        char *ca CLEANUP_FREE = NULL, *cert CLEANUP_FREE = NULL, *key CLEANUP_FREE = NULL;

        http->url = xasprintf("%s://%s", str_empty(dir) ? "http" : "https", address);
        if (str_empty(dir))
                return 0;
        if (str_empty(getenv("DOCKER_TLS_VERIFY")))
                http->flags |= CURL_GLUE_INSECURE;
        int r = read_pem(dir, "ca.pem", &ca, err);
        if (r == 0)
                r = read_pem(dir, "cert.pem", &cert, err);
        if (r == 0)
                r = read_pem(dir, "key.pem", &key, err);
        return r < 0 ? r : curl_glue_identity_new(cert, key, ca, &http->identity, err);
}

static int set_host(struct docker_http *http, const char *host, struct err *err)
{
        const char *path = str_after(host, "unix://"), *address = str_after(host, "tcp://");

        if (path && path[0] == '/') {
                http->unix_path = xstrdup(path);
                http->url = xstrdup("http://docker");
                return 0;
        }
        if (address && *address && !strpbrk(address, "/?#@ "))
                return set_tls(http, address, err);
        return err_set(err, ERR_INVALID, "Docker host '%s': expected unix:///PATH or tcp://HOST:PORT", host);
}

int docker_http_new(struct loop *loop, const char *host, struct docker **ret, struct err *err)
{
        struct docker_http *http = xcalloc(1, sizeof(*http));
        const struct curl_glue_options options = {
                .name = "Docker",
                .max_kept_connections = KEPT_CONNECTIONS,
                .user_agent = "podwatch/" GENPHASE_PROJECT_VERSION,
        };

        if (!host)
                host = getenv("DOCKER_HOST");
        http->docker.ops = &http_ops;
        http->loop = loop;
        http->run = loop_defer_new(loop, "Docker cancelled", on_run, http);
        int r = set_host(http, str_empty(host) ? DEFAULT_HOST : host, err);
        if (r == 0)
                r = curl_glue_new(loop, &options, &http->glue, err);
        if (r < 0) {
                http_destroy(http);
                return r;
        }
        *ret = &http->docker;
        return 0;
}

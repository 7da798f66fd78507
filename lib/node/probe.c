/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "docker/docker.h"
#include "net/curl_glue.h"
#include "net/go_error.h"
#include "net/loop.h"
#include "node/probe.h"
#include "node/probe_grpc.h"

/* net/http's own limit, which the kubelet has too. */
#define REDIRECTS_MAX 10
/* What the kubelet calls itself (pkg/probe/http/request.go); some servers tell probes by it. */
#define USER_AGENT "kube-probe/1.36"

struct probes {
        struct loop *loop;
        struct curl_glue *glue;
        struct docker *docker;
        struct probe *list;
};

struct probe {
        struct probes *probes;
        const struct pod_handler *handler;
        probe_done_fn done; /* NULL once cancelled */
        void *userdata;
        usec_t deadline;
        struct buf output;
        /* one of these is under way */
        struct curl_glue_call *http;
        struct docker_call *exec;
        int fd;
        struct loop_source *io, *timer, *defer;
        /* http */
        char *host, *path, *url; /* url: of the request under way */
        int port;
        bool https, any_status;
        int redirects;
        struct probe_result result; /* what the defer reports */
        struct probe *prev, *next;
};

static void probe_drop(struct probe *probe)
{
        DL_DELETE(probe->probes->list, probe);
        loop_source_free(probe->io);
        loop_source_free(probe->timer);
        loop_source_free(probe->defer);
        (void)fd_close(probe->fd);
        buf_release(&probe->output);
        free(probe->host);
        free(probe->path);
        free(probe->url);
        free(probe);
}

static void finish(struct probe *probe, struct probe_result result)
{
        result.output = buf_str(&probe->output);
        if (probe->done)
                probe->done(probe->userdata, &result);
        probe_drop(probe);
}

static void report(void *userdata)
{
        struct probe *probe = userdata;

        finish(probe, probe->result);
}

/* Reports from the loop, since nothing may be called back before probe_start has returned. */
static void finish_later(struct probe *probe, struct probe_result result)
{
        probe->result = result;
        probe->defer = loop_defer_new(probe->probes->loop, "probe", report, probe);
        loop_defer_schedule(probe->defer);
}

static void start_http(struct probe *probe);

/* RFC 3986 5.2.4; path begins with a slash. Free it. */
static char *without_dots(const char *path)
{
        char *out = xcalloc(strlen(path) + 2, 1);
        size_t n = 0;

        while (*path) {
                const char *segment = path + 1;
                size_t len = strcspn(segment, "/");
                bool up = len == 2 && strncmp(segment, "..", 2) == 0, here = len == 1 && segment[0] == '.';

                while (up && n > 0 && out[--n] != '/')
                        ;
                if (!up && !here) {
                        memcpy(out + n, path, len + 1);
                        n += len + 1;
                } else if (segment[len] == '\0') {
                        out[n++] = '/';
                }
                path = segment + len;
        }
        if (n == 0)
                out[n++] = '/';
        out[n] = '\0';
        return out;
}

/* Path and query of a reference without scheme and host, as seen from base (RFC 3986 5.2.2). Free it. */
static char *resolve_path(const char *base, const char *reference)
{
        size_t all = strcspn(reference, "#"), path = strcspn(reference, "?#"), base_path = strcspn(base, "?#");
        char *merged CLEANUP_FREE = NULL, *clean CLEANUP_FREE = NULL;

        if (all == 0) /* this very place */
                return xstrndup(base, strcspn(base, "#"));
        if (path == 0)
                return xasprintf("%.*s%.*s", (int)base_path, base, (int)all, reference);
        while (base_path > 0 && base[base_path - 1] != '/')
                base_path--;
        merged = reference[0] == '/'
                         ? xstrndup(reference, path)
                         : xasprintf("%s%.*s%.*s", base_path ? "" : "/", (int)base_path, base, (int)path, reference);
        clean = without_dots(merged);
        return xasprintf("%s%.*s", clean, (int)(all - path), reference + path);
}

/* True for the probe's own host, whose port is told. */
static bool is_own_host(const struct probe *probe, const char *authority, size_t len, bool https, int *ret_port)
{
        const char *colon = memchr(authority, ':', len);
        size_t name_len = len;

        *ret_port = https ? 443 : 80;
        if (authority[0] != '[' && colon) {
                char *text CLEANUP_FREE = xstrndup(colon + 1, len - (size_t)(colon - authority) - 1);
                name_len = (size_t)(colon - authority);
                if (str_to_int(text, 1, 65535, ret_port) < 0)
                        return false;
        }
        return strlen(probe->host) == name_len && strncmp(authority, probe->host, name_len) == 0;
}

/* Where a redirect leads: true for another place on the same host, which replaces path, port and scheme. */
static bool follow(struct probe *probe, const char *location)
{
        const char *base = str_empty(probe->path) ? "/" : probe->path, *rest = NULL;
        bool https = probe->https;
        int port = probe->port;
        char *path = NULL;

        if (strncasecmp(location, "https://", 8) == 0) {
                rest = location + 8;
                https = true;
        } else if (strncasecmp(location, "http://", 7) == 0) {
                rest = location + 7;
                https = false;
        } else {
                rest = str_after(location, "//");
        }
        if (rest) {
                size_t len = strcspn(rest, "/?#");

                if (!is_own_host(probe, rest, len, https, &port))
                        return false;
                path = resolve_path("/", rest[len] && rest[len] != '#' ? rest + len : "/");
        } else if (location[strcspn(location, ":/?#")] == ':') {
                return false; /* another scheme */
        } else {
                path = resolve_path(base, location);
        }
        free(probe->path);
        probe->path = path;
        probe->https = https;
        probe->port = port;
        return true;
}

static bool is_redirect(int status)
{
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void http_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct probe *probe = userdata;

        probe->http = NULL;
        if (!probe->done) {
                probe_drop(probe);
                return;
        }
        if (err) {
                go_error_request(&probe->output, "GET", probe->url, GO_ERROR_CLIENT_TIMEOUT, err);
                finish(probe, (struct probe_result){.success = false});
                return;
        }
        const char *location = is_redirect(response->status) ? curl_glue_header(response, "Location") : NULL;
        if (str_empty(location)) /* there need not be one: the status counts then */
                location = NULL;
        if (location && probe->redirects++ >= REDIRECTS_MAX) {
                buf_addf(&probe->output, "stopped after %d redirects", REDIRECTS_MAX);
                finish(probe, (struct probe_result){.success = false});
        } else if (location && follow(probe, location)) {
                start_http(probe);
        } else if (location) {
                buf_addf(&probe->output, "Probe terminated redirects, Response body: %.*s",
                         (int)(response->body_len > 1024 ? 1024 : response->body_len), response->body);
                finish(probe, (struct probe_result){.success = true, .warning = true});
        } else if (probe->any_status || (response->status >= 200 && response->status < 400)) {
                buf_add(&probe->output, response->body, response->body_len);
                finish(probe, (struct probe_result){.success = true});
        } else {
                buf_addf(&probe->output, "HTTP probe failed with statuscode: %d", response->status);
                finish(probe, (struct probe_result){.success = false});
        }
}

static void probe_headers(const struct pod_handler *handler, struct strv *headers)
{
        bool accept = false, agent = false;

        for (size_t i = 0; i < handler->headers.count; i++) {
                const struct pod_key_value *header = &handler->headers.items[i];
                accept |= strcasecmp(header->key, "Accept") == 0;
                agent |= strcasecmp(header->key, "User-Agent") == 0;
                strv_addf(headers, "%s: %s", header->key, header->value);
        }
        if (!accept)
                strv_add(headers, "Accept: */*");
        if (!agent)
                strv_add(headers, "User-Agent: " USER_AGENT);
}

static void start_http(struct probe *probe)
{
        struct strv headers CLEANUP_STRV = STRV_INIT;
        bool v6 = strchr(probe->host, ':') && probe->host[0] != '[';

        free(probe->url);
        probe->url = xasprintf("%s://%s%s%s:%d%s%s", probe->https ? "https" : "http", v6 ? "[" : "", probe->host,
                               v6 ? "]" : "", probe->port, probe->path[0] == '/' ? "" : "/", probe->path);
        probe_headers(probe->handler, &headers);
        struct curl_glue_request request = {
                .url = probe->url,
                .headers = (const char *const *)headers.items,
                .max_body = LIMIT_PROBE_OUTPUT,
                .deadline = probe->deadline,
                .flags = CURL_GLUE_INSECURE | CURL_GLUE_NO_REUSE | CURL_GLUE_HTTP1 | CURL_GLUE_TRUNCATE,
                .done = http_done,
                .userdata = probe,
        };
        probe->http = curl_glue_start(probe->probes->glue, &request);
}

static void grpc_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct probe *probe = userdata;
        bool healthy = false;

        probe->http = NULL;
        if (!probe->done) {
                probe_drop(probe);
                return;
        }
        if (err && err->code == ETIMEDOUT)
                buf_addstr(&probe->output, "timeout: health rpc did not complete in time");
        else if (err)
                buf_addf(&probe->output, "error: health rpc probe failed: %s", err->msg);
        else
                healthy = probe_grpc_answer(response->status, curl_glue_header(response, "grpc-status"),
                                            curl_glue_header(response, "grpc-message"), response->body,
                                            response->body_len, &probe->output);
        finish(probe, (struct probe_result){.success = healthy});
}

static void start_grpc(struct probe *probe)
{
        static const char *const headers[] = {"Content-Type: application/grpc", "TE: trailers",
                                              "User-Agent: " USER_AGENT, NULL};
        struct buf body CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_OUTPUT);
        bool v6 = strchr(probe->host, ':') && probe->host[0] != '[';
        char *url CLEANUP_FREE =
                xasprintf("http://%s%s%s:%d" PROBE_GRPC_PATH, v6 ? "[" : "", probe->host, v6 ? "]" : "", probe->port);

        probe_grpc_request(probe->handler->service, &body);
        struct curl_glue_request request = {
                .method = "POST",
                .url = url,
                .headers = headers,
                .body = buf_str(&body),
                .body_len = body.len,
                .max_body = LIMIT_PROBE_OUTPUT,
                .deadline = probe->deadline,
                .flags = CURL_GLUE_INSECURE | CURL_GLUE_NO_REUSE | CURL_GLUE_H2C,
                .done = grpc_done,
                .userdata = probe,
        };
        probe->http = curl_glue_start(probe->probes->glue, &request);
}

static void tcp_ready(void *userdata, uint32_t events)
{
        struct probe *probe = userdata;
        int error = 0;
        socklen_t len = sizeof(error);

        (void)events;
        if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
                error = errno;
        if (error)
                go_error_dial(&probe->output, probe->host, probe->port, error);
        finish(probe, (struct probe_result){.success = error == 0});
}

static void tcp_timeout(void *userdata, usec_t now)
{
        struct probe *probe = userdata;

        (void)now;
        buf_addf(&probe->output, "dial tcp %s:%d: i/o timeout", probe->host, probe->port);
        finish(probe, (struct probe_result){.success = false});
}

/* Length of the address, 0 where the host is no numeric address: names would block the loop. */
static socklen_t socket_address(const char *host, int port, struct sockaddr_storage *ret)
{
        struct sockaddr_in *in = (struct sockaddr_in *)ret;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

        memset(ret, 0, sizeof(*ret));
        if (str_eq(host, "localhost"))
                host = "127.0.0.1";
        if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons((uint16_t)port);
                return sizeof(*in);
        }
        if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
                in6->sin6_family = AF_INET6;
                in6->sin6_port = htons((uint16_t)port);
                return sizeof(*in6);
        }
        return 0;
}

static void start_tcp(struct probe *probe)
{
        struct sockaddr_storage address;
        socklen_t len = socket_address(probe->host, probe->port, &address);
        struct err err = ERR_INIT;

        if (len == 0) {
                buf_addf(&probe->output, "dial tcp %s:%d: the host must be an IP address", probe->host, probe->port);
                finish_later(probe, (struct probe_result){.success = false});
                return;
        }
        probe->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r = probe->fd < 0 ? -errno : connect(probe->fd, (const struct sockaddr *)&address, len) < 0 ? -errno : 0;
        if (r == 0 || r == -EINPROGRESS) {
                r = loop_io_new(probe->probes->loop, "probe", probe->fd, EPOLLOUT, tcp_ready, probe, &probe->io, &err);
                if (r == 0) {
                        probe->timer = loop_timer_new(probe->probes->loop, "probe timeout", tcp_timeout, probe);
                        loop_timer_set(probe->timer, probe->deadline);
                        return;
                }
        }
        go_error_dial(&probe->output, probe->host, probe->port, -r);
        finish_later(probe, (struct probe_result){.success = false});
}

static void exec_done(void *userdata, const struct docker_exec_result *result, const struct err *err)
{
        struct probe *probe = userdata;

        probe->exec = NULL;
        if (!probe->done) {
                probe_drop(probe);
                return;
        }
        if (err && err->code != ETIMEDOUT) {
                /* Docker away, or the container gone meanwhile: nothing is known of what was asked. */
                buf_addf(&probe->output, "%s", err->msg);
                finish(probe, (struct probe_result){.error = true});
                return;
        }
        if (err || result->timed_out) {
                buf_addf(&probe->output, "command timed out");
                finish(probe, (struct probe_result){.success = false});
                return;
        }
        buf_add(&probe->output, result->output, result->output_len);
        finish(probe, (struct probe_result){.success = result->exit_code == 0});
}

static void start_exec(struct probe *probe, const struct probe_request *request)
{
        struct docker *docker = probe->probes->docker;

        if (!docker) {
                buf_addstr(&probe->output, "no container runtime");
                finish_later(probe, (struct probe_result){.error = true});
                return;
        }
        probe->exec = docker->ops->exec(docker, request->container_id, &request->handler->command, request->timeout,
                                        LIMIT_PROBE_OUTPUT, exec_done, probe);
}

struct probe *probe_start(struct probes *probes, const struct probe_request *request, probe_done_fn done,
                          void *userdata)
{
        const struct pod_handler *handler = request->handler;
        struct probe *probe = xcalloc(1, sizeof(*probe));

        probe->probes = probes;
        probe->handler = handler;
        probe->done = done;
        probe->userdata = userdata;
        probe->deadline = usec_add(loop_now(probes->loop), request->timeout);
        probe->output = BUF_INIT(LIMIT_PROBE_OUTPUT + 256);
        probe->fd = -1;
        probe->host = xstrdup(str_empty(handler->host) ? request->address : handler->host);
        probe->path = xstrdup(handler->path ? handler->path : "/");
        probe->https = handler->https;
        probe->any_status = request->any_status;
        probe->port = pod_handler_port(request->container, handler);
        DL_APPEND(probes->list, probe);
        if (handler->type == POD_HANDLER_EXEC) {
                start_exec(probe, request);
        } else if (probe->port == 0 || !*probe->host) {
                buf_addf(&probe->output, "%s", *probe->host ? "no such port" : "the pod has no address yet");
                finish_later(probe, (struct probe_result){.error = true});
        } else if (handler->type == POD_HANDLER_HTTP_GET) {
                start_http(probe);
        } else if (handler->type == POD_HANDLER_GRPC) {
                start_grpc(probe);
        } else {
                start_tcp(probe);
        }
        return probe;
}

void probe_cancel(struct probe *probe)
{
        probe->done = NULL;
        if (probe->http)
                curl_glue_cancel(probe->http);
        else if (probe->exec)
                probe->probes->docker->ops->cancel(probe->probes->docker, probe->exec);
        else
                probe_drop(probe);
}

struct probes *probes_new(struct loop *loop, struct curl_glue *glue, struct docker *docker)
{
        struct probes *probes = xcalloc(1, sizeof(*probes));

        probes->loop = loop;
        probes->glue = glue;
        probes->docker = docker;
        return probes;
}

struct probes *probes_free(struct probes *probes)
{
        struct probe *probe, *next;

        if (!probes)
                return NULL;
        DL_FOREACH_SAFE (probes->list, probe, next) {
                probe_drop(probe);
        }
        free(probes);
        return NULL;
}

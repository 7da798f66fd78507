/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/local_api.h"
#include "node/metrics_text.h"

#define SOCKET_MODE 0600
#define SOCKET_GROUP_MODE 0660
#define JSON "application/json"
/* For a whole request to a TCP port, whose connections any program may hold open, and while more are there than may. */
#define REQUEST_TIMEOUT (15 * USEC_PER_SEC)
#define REQUEST_GRACE (1 * USEC_PER_SEC)

enum { SERVER_SOCKET, SERVER_HEALTHZ, SERVER_READ_ONLY, SERVER_MAX };

struct local_api;

struct local_server {
        struct local_api *api;
        struct http_server *server;
        unsigned routes; /* bits of the table below */
};

struct local_api {
        struct local_api_options options;
        struct local_server servers[SERVER_MAX];
};

enum {
        ROUTE_HEALTHZ = 1 << 0,
        ROUTE_PODS = 1 << 1,
        ROUTE_STATUS = 1 << 2,
        ROUTE_EVENTS = 1 << 3,
        ROUTE_ACT = 1 << 4,
        ROUTE_LOGS = 1 << 5,
        ROUTE_CONFIGZ = 1 << 6,
        ROUTE_RUNNING = 1 << 7,
        ROUTE_METRICS = 1 << 8,
};
#define ROUTES_SOCKET                                                                                        \
        (ROUTE_HEALTHZ | ROUTE_PODS | ROUTE_STATUS | ROUTE_EVENTS | ROUTE_ACT | ROUTE_LOGS | ROUTE_METRICS | \
         ROUTE_CONFIGZ | ROUTE_RUNNING)
#define ROUTES_READ_ONLY (ROUTE_HEALTHZ | ROUTE_PODS | ROUTE_METRICS)
/* What the kubelet serves under enableDebuggingHandlers, and what it serves always. */
#define ROUTES_DEBUGGING ROUTE_RUNNING
#define ROUTES_PORT (ROUTE_HEALTHZ | ROUTE_PODS | ROUTE_CONFIGZ | ROUTE_METRICS)

static void reply_text(struct http_server_request *request, local_api_text_fn text, void *userdata)
{
        char *body = text(userdata);

        http_server_reply_take(request, 200, JSON, body, strlen(body));
}

/* That it is answered at all says that the loop turns, and there is no other part of the kubelet's to look at. */
static void handle_healthz(struct local_api *api, struct http_server_request *request)
{
        static const char verbose[] = "[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n";

        (void)api;
        if (str_eq(http_server_path(request), "/healthz") && http_server_query(request, "verbose"))
                http_server_reply(request, 200, NULL, verbose, sizeof(verbose) - 1);
        else
                http_server_reply(request, 200, NULL, "ok", 2);
}

static void handle_running(struct local_api *api, struct http_server_request *request)
{
        reply_text(request, api->options.running_pods, api->options.userdata);
}

static void reply_metrics(struct http_server_request *request, local_api_text_fn text, void *userdata)
{
        char *body = text(userdata);

        http_server_reply_take(request, 200, METRICS_CONTENT_TYPE, body, strlen(body));
}

static void handle_metrics(struct local_api *api, struct http_server_request *request)
{
        reply_metrics(request, api->options.metrics, api->options.userdata);
}

static void handle_probe_metrics(struct local_api *api, struct http_server_request *request)
{
        reply_metrics(request, api->options.probe_metrics, api->options.userdata);
}

static void handle_resource_metrics(struct local_api *api, struct http_server_request *request)
{
        reply_metrics(request, api->options.resource_metrics, api->options.userdata);
}

static void handle_stats(struct local_api *api, struct http_server_request *request)
{
        reply_text(request, api->options.stats, api->options.userdata);
}

static void handle_configz(struct local_api *api, struct http_server_request *request)
{
        reply_text(request, api->options.configz, api->options.userdata);
}

static void handle_pods(struct local_api *api, struct http_server_request *request)
{
        reply_text(request, api->options.pods, api->options.userdata);
}

static void handle_status(struct local_api *api, struct http_server_request *request)
{
        api->options.status(api->options.userdata, request);
}

static void handle_events(struct local_api *api, struct http_server_request *request)
{
        api->options.events(api->options.userdata, request);
}

static void handle_logs(struct local_api *api, struct http_server_request *request)
{
        api->options.logs(api->options.userdata, request);
}

static void handle_describe(struct local_api *api, struct http_server_request *request)
{
        api->options.describe(api->options.userdata, request);
}

static const struct route {
        const char *path;
        unsigned bit;
        void (*handle)(struct local_api *api, struct http_server_request *request);
} routes[] = {
        {"/healthz", ROUTE_HEALTHZ, handle_healthz},
        {"/healthz/ping", ROUTE_HEALTHZ, handle_healthz},
        {"/healthz/log", ROUTE_HEALTHZ, handle_healthz},
        {"/healthz/syncloop", ROUTE_HEALTHZ, handle_healthz},
        {"/metrics", ROUTE_METRICS, handle_metrics},
        {"/metrics/probes", ROUTE_METRICS, handle_probe_metrics},
        {"/metrics/resource", ROUTE_METRICS, handle_resource_metrics},
        {"/stats/summary", ROUTE_METRICS, handle_stats},
        {"/configz", ROUTE_CONFIGZ, handle_configz},
        {"/runningpods", ROUTE_RUNNING, handle_running},
        {"/runningpods/", ROUTE_RUNNING, handle_running},
        {"/pods", ROUTE_PODS, handle_pods},
        {"/pods/", ROUTE_PODS, handle_pods},
        {"/status", ROUTE_STATUS, handle_status},
        {"/events", ROUTE_EVENTS, handle_events},
        {"/describe", ROUTE_STATUS, handle_describe},
        {"/logs", ROUTE_LOGS, handle_logs},
};

/* The kubelet's paths that enableDebuggingHandlers switches. */
static bool answers_debugging(const char *path)
{
        static const char *const roots[] = {"/run/",           "/exec/",        "/attach/",      "/portForward/",
                                            "/containerLogs/", "/runningpods/", "/debug/pprof/", "/logs/"};

        for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
                if (str_starts(path, roots[i]))
                        return true;
        return false;
}

/* What the kubelet answers and podwatch does not: that is no mistake of who asks. */
static bool refuses(const char *path, struct http_server_request *request)
{
        static const struct {
                const char *root, *instead;
        } rows[] = {
                {"/exec/", "use docker exec on the node"},
                {"/attach/", "use docker attach on the node"},
                {"/run/", "use docker exec on the node"},
                {"/portForward/", "reach the pod's address from the node"},
                {"/checkpoint/", "Docker's checkpoints are experimental"},
                {"/debug/", "podwatch is no Go program; podwatch status tells what it does"},
                {"/logs/", "/containerLogs has those of containers"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (!str_starts(path, rows[i].root))
                        continue;
                http_server_replyf(request, 501, "podwatch does not serve %s: %s", rows[i].root, rows[i].instead);
                return true;
        }
        return false;
}

/* False: there is no such path. */
static bool answer(struct local_api *api, unsigned bits, struct http_server_request *request)
{
        const char *method = http_server_method(request), *path = http_server_path(request);

        for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
                if (!str_eq(path, routes[i].path) || !(bits & routes[i].bit))
                        continue;
                if (!str_eq(method, "GET") && !str_eq(method, "HEAD")) {
                        http_server_add_header(request, "Allow", "GET, HEAD");
                        http_server_replyf(request, 405, "%s takes GET", path);
                        return true;
                }
                routes[i].handle(api, request);
                return true;
        }
        return false;
}

static void on_request(void *userdata, struct http_server_request *request)
{
        struct local_server *server = userdata;
        struct local_api *api = server->api;

        if (answer(api, server->routes, request))
                return;
        if ((server->routes & ROUTE_ACT) && local_act(request, api->options.act, api->options.userdata))
                return;
        http_server_replyf(request, 404, "404 page not found");
}

void local_api_answer_port(struct local_api *api, struct http_server_request *request)
{
        const struct local_api_options *o = &api->options;
        const char *method = http_server_method(request), *path = http_server_path(request);
        const char *logs = str_after(path, "/containerLogs/");

        if (answer(api, ROUTES_PORT | (o->debugging_handlers ? ROUTES_DEBUGGING : 0), request))
                return;
        if (!o->debugging_handlers && answers_debugging(path))
                http_server_replyf(request, 405, "Debug endpoints are disabled.");
        else if (logs && str_eq(method, "GET"))
                o->port_logs(o->userdata, request, logs);
        else if (logs)
                http_server_replyf(request, 405, "405: Method Not Allowed");
        else if (!refuses(path, request))
                http_server_replyf(request, 404, "404 page not found");
}

static int serve(struct local_api *api, struct loop *loop, int which, unsigned bits,
                 const struct http_server_options *base, struct err *err)
{
        struct http_server_options options = *base;
        struct local_server *server = &api->servers[which];

        server->api = api;
        server->routes = bits;
        options.handler = on_request;
        options.userdata = server;
        return http_server_new(loop, &options, &server->server, err);
}

static int find_group(const char *name, gid_t *ret, struct err *err)
{
        const struct group *group;

        errno = 0;
        group = getgrnam(name);
        if (!group)
                return err_set(err, errno ? errno : ENOENT, "socketGroup: there is no group %s", name);
        *ret = group->gr_gid;
        return 0;
}

static int serve_all(struct local_api *api, struct loop *loop, struct err *err)
{
        const struct local_api_options *o = &api->options;
        struct http_server_options socket = {
                .name = "local API socket",
                .unix_path = o->socket_path,
                .unix_mode = o->socket_group ? SOCKET_GROUP_MODE : SOCKET_MODE,
                .unix_gid = (gid_t)-1,
        };
        const struct http_server_options healthz = {
                .name = "healthz port",
                .address = o->healthz_address,
                .port = (uint16_t)o->healthz_port,
                .request_timeout = REQUEST_TIMEOUT,
                .request_grace = REQUEST_GRACE,
        };
        const struct http_server_options read_only = {
                .name = "read-only port",
                .address = o->read_only_address,
                .port = (uint16_t)o->read_only_port,
                .request_timeout = REQUEST_TIMEOUT,
                .request_grace = REQUEST_GRACE,
        };
        int r;

        if (o->socket_group) {
                r = find_group(o->socket_group, &socket.unix_gid, err);
                if (r < 0)
                        return r;
        }
        r = serve(api, loop, SERVER_SOCKET, ROUTES_SOCKET, &socket, err);
        if (r < 0)
                return r;
        if (o->healthz_port > 0) {
                r = serve(api, loop, SERVER_HEALTHZ, ROUTE_HEALTHZ, &healthz, err);
                if (r == -EADDRINUSE)
                        return err_wrap(err, "healthz port (does a kubelet run on this node?)");
                if (r < 0)
                        return err_wrap(err, "healthz port");
        }
        if (o->read_only_port > 0) {
                r = serve(api, loop, SERVER_READ_ONLY, ROUTES_READ_ONLY, &read_only, err);
                if (r < 0)
                        return err_wrap(err, "readOnlyPort");
        }
        return 0;
}

int local_api_new(struct loop *loop, const struct local_api_options *options, struct local_api **ret, struct err *err)
{
        struct local_api *api = xcalloc(1, sizeof(*api));
        int r;

        api->options = *options;
        r = serve_all(api, loop, err);
        if (r < 0) {
                (void)local_api_free(api);
                return r;
        }
        *ret = api;
        return 0;
}

struct local_api *local_api_free(struct local_api *api)
{
        if (!api)
                return NULL;
        for (size_t i = 0; i < SERVER_MAX; i++)
                (void)http_server_free(api->servers[i].server);
        free(api);
        return NULL;
}

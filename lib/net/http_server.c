/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/str.h"
#include "net/http_room.h"
#include "net/http_server_private.h"
#include "net/http_tls_private.h"
#include "net/loop.h"

#define IDLE_TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
/* Connections beyond the seats of a room: those that were shown out and are not closed yet. */
#define ROOM_TO_LEAVE 32
#define TEXT_PLAIN "text/plain; charset=utf-8"

/* ---- suspended connections ---- */

void http_request_resume(struct http_server_request *request)
{
        if (!request->suspended)
                return;
        request->suspended = false;
        request->hangup = loop_source_free(request->hangup);
        MHD_resume_connection(request->connection);
        loop_defer_schedule(request->server->run);
}

static void on_hangup(void *userdata, uint32_t events)
{
        struct http_server_request *request = userdata;
        (void)events;
        request->gone = true;
        http_request_resume(request);
}

static int request_fd(const struct http_server_request *request)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        return info ? info->connect_fd : -1;
}

void http_request_suspend(struct http_server_request *request)
{
        struct http_server *server = request->server;
        struct err err;
        MHD_suspend_connection(request->connection);
        request->suspended = true;
        if (loop_io_new(server->loop, server->hangup_name, request_fd(request), EPOLLRDHUP, on_hangup, request,
                        &request->hangup, &err) < 0) {
                request->gone = true; /* descriptors are out: this client is let go */
                http_request_resume(request);
        }
}

/* ---- requests ---- */

static struct http_server_request *request_new(struct http_server *server, struct MHD_Connection *connection,
                                               const char *method, const char *path)
{
        struct http_server_request *request = xcalloc(1, sizeof(*request));
        request->server = server;
        request->connection = connection;
        request->method = xstrdup(method);
        request->path = xstrdup(path);
        request->body = BUF_INIT(LIMIT_LOCAL_REQUEST);
        DL_APPEND(server->requests, request);
        return request;
}

static void request_free(struct http_server_request *request)
{
        DL_DELETE(request->server->requests, request);
        (void)loop_source_free(request->hangup);
        if (request->response)
                MHD_destroy_response(request->response);
        for (size_t i = 0; i < request->header_count; i++) {
                free(request->headers[i].name);
                free(request->headers[i].value);
        }
        free(request->method);
        free(request->path);
        buf_release(&request->body);
        buf_release(&request->out);
        free(request);
}

static enum MHD_Result request_queue(struct http_server_request *request)
{
        for (size_t i = 0; i < request->header_count; i++)
                (void)MHD_add_response_header(request->response, request->headers[i].name, request->headers[i].value);
        request->queued = true;
        return MHD_queue_response(request->connection, (unsigned)request->status, request->response);
}

static bool body_too_large(const struct http_server_request *request)
{
        const char *text = http_server_request_header(request, "Content-Length");
        uint64_t length;
        return text && (str_to_u64(text, &length) < 0 || length > LIMIT_LOCAL_REQUEST);
}

/* ---- connections ---- */

/* What on_connection made; NULL where the server has no room. */
static struct http_seat *connection_seat(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void on_connection(void *userdata, struct MHD_Connection *connection, void **socket_userdata,
                          enum MHD_ConnectionNotificationCode code)
{
        struct http_server *server = userdata;

        if (server->connecting && code == MHD_CONNECTION_NOTIFY_STARTED && !server->dead)
                server->connecting(server->userdata);
        if (!server->room)
                return;
        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                const union MHD_ConnectionInfo *info =
                        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

                *socket_userdata = http_room_enter(server->room, info->connect_fd);
        } else if (*socket_userdata) {
                http_room_leave(*socket_userdata);
                *socket_userdata = NULL;
        }
}

/* libmicrohttpd calls this when the headers are there, for each piece of the body, at its end, and again whenever a
 * suspended connection was resumed before its answer was queued. */
static enum MHD_Result on_access(void *userdata, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *upload, size_t *upload_len,
                                 void **connection_userdata)
{
        struct http_server *server = userdata;
        struct http_server_request *request = *connection_userdata;
        (void)version;

        /* Freed by the handler of another request in the same round: `userdata` is not ours any more. */
        if (server->dead)
                return MHD_NO;
        if (!request) {
                *connection_userdata = request = request_new(server, connection, method, path);
                if (!body_too_large(request))
                        return MHD_YES;
                request->handled = request->held = true;
                http_server_replyf(request, 413, "a request body has at most %d bytes", LIMIT_LOCAL_REQUEST);
                return request_queue(request);
        }
        if (*upload_len > 0) {
                buf_add(&request->body, upload, *upload_len);
                *upload_len = 0;
                return request->body.failed ? MHD_NO : MHD_YES;
        }
        if (!request->handled) {
                struct http_seat *seat = connection_seat(connection);

                request->handled = request->held = true;
                if (seat)
                        http_room_served(seat);
                server->handler(server->userdata, request);
        }
        if (request->gone || server->dead)
                return MHD_NO;
        if (request->response)
                return request->queued ? MHD_YES : request_queue(request);
        http_request_suspend(request);
        return MHD_YES;
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **connection_userdata,
                         enum MHD_RequestTerminationCode code)
{
        struct http_server_request *request = *connection_userdata;
        (void)userdata;
        (void)code;
        if (!request)
                return;
        struct http_seat *seat = connection_seat(connection);
        if (seat && request->handled)
                http_room_answered(seat);
        *connection_userdata = NULL;
        if (request->held && request->closed)
                request->closed(request->closed_userdata);
        request_free(request);
}

const char *http_server_method(const struct http_server_request *request)
{
        return request->method;
}

const char *http_server_path(const struct http_server_request *request)
{
        return request->path;
}

const char *http_server_query(const struct http_server_request *request, const char *name)
{
        const char *value = NULL;
        size_t len = 0;
        if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value,
                                          &len) != MHD_YES)
                return NULL;
        return value ? value : "";
}

bool http_server_query_flag(const struct http_server_request *request, const char *name)
{
        const char *value = http_server_query(request, name);
        return value && (!*value || strcasecmp(value, "true") == 0 || str_eq(value, "1"));
}

const char *http_server_request_header(const struct http_server_request *request, const char *name)
{
        return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_server_body(const struct http_server_request *request, size_t *ret_len)
{
        *ret_len = request->body.len;
        return buf_str(&request->body);
}

int http_server_peer(const struct http_server_request *request, struct http_server_peer *ret_peer)
{
        struct ucred cred;
        socklen_t len = sizeof(cred);
        int fd = request_fd(request);
        if (!request->server->path.path || fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
                return -ENOTSUP;
        *ret_peer = (struct http_server_peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
        return 0;
}

size_t http_server_client_certificates(const struct http_server_request *request, struct http_server_certificate *ret,
                                       size_t max)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        unsigned count = 0;
        const gnutls_datum_t *certs =
                request->server->tls && info ? gnutls_certificate_get_peers(info->tls_session, &count) : NULL;

        for (unsigned i = 0; certs && i < count && i < max; i++)
                ret[i] = (struct http_server_certificate){certs[i].data, certs[i].size};
        return certs ? count : 0;
}

/* ---- answers ---- */

void http_server_add_header(struct http_server_request *request, const char *name, const char *value)
{
        assert(request->header_count < MAX_EXTRA_HEADERS);
        request->headers[request->header_count++] =
                (struct extra_header){.name = xstrdup(name), .value = xstrdup(value)};
}

void http_server_on_closed(struct http_server_request *request, http_server_closed_fn closed, void *userdata)
{
        request->closed = closed;
        request->closed_userdata = userdata;
}

void http_request_answer(struct http_server_request *request, int status, const char *content_type,
                         struct MHD_Response *response)
{
        assert(request->held && !request->response);
        if (!response)
                abort(); /* out of memory */
        request->response = response;
        request->status = status;
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type ? content_type : TEXT_PLAIN);
}

void http_server_reply_take(struct http_server_request *request, int status, const char *content_type, char *data,
                            size_t len)
{
        http_request_answer(request, status, content_type,
                            MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE));
        request->held = false;
        http_request_resume(request);
}

void http_server_reply(struct http_server_request *request, int status, const char *content_type, const void *data,
                       size_t len)
{
        char *copy = xmalloc(len);
        if (len)
                memcpy(copy, data, len);
        http_server_reply_take(request, status, content_type, copy, len);
}

void http_server_replyf(struct http_server_request *request, int status, const char *fmt, ...)
{
        struct buf text = BUF_INIT(LIMIT_LOCAL_REQUEST);
        va_list ap;
        va_start(ap, fmt);
        buf_addfv(&text, fmt, ap);
        va_end(ap);
        buf_addch(&text, '\n');
        size_t len;
        char *data = buf_steal(&text, &len);
        http_server_reply_take(request, status, NULL, data, len);
}

/* ---- libmicrohttpd on the loop ---- */

static void server_destroy(struct http_server *server);

/* Tells streams whose buffer has emptied. The callback may end any request, so the search begins again after each. */
static void tell_drained(struct http_server *server)
{
        struct http_server_request *request;
again:
        if (server->dead)
                return;
        DL_FOREACH (server->requests, request) {
                if (!request->refused || http_stream_pending(request) > 0 || !request->held || request->gone)
                        continue;
                request->refused = false;
                if (request->drained)
                        request->drained(request->drained_userdata);
                goto again;
        }
}

static void server_run(struct http_server *server)
{
        MHD_UNSIGNED_LONG_LONG timeout_msec;

        server->busy++;
        bool was_full = http_server_connections(server) >= server->mhd_limit;
        http_tls_enter(server->tls);
        (void)MHD_run(server->daemon);
        tell_drained(server);
        if (--server->busy > 0)
                return;
        if (server->dead) {
                server_destroy(server);
                return;
        }
        /* libmicrohttpd listens again in the run after the one that made room, and asks for none. */
        if (was_full && http_server_connections(server) < server->mhd_limit)
                loop_defer_schedule(server->run);
        usec_t deadline = USEC_INFINITY;
        if (MHD_get_timeout(server->daemon, &timeout_msec) == MHD_YES) {
                if (timeout_msec == 0)
                        loop_defer_schedule(server->run);
                else
                        deadline = clock_boottime() + timeout_msec * USEC_PER_MSEC;
        }
        loop_timer_set(server->timer, deadline);
}

static void on_io(void *userdata, uint32_t events)
{
        (void)events;
        server_run(userdata);
}

static void on_timer(void *userdata, usec_t now)
{
        (void)now;
        server_run(userdata);
}

static void on_run(void *userdata)
{
        server_run(userdata);
}

/* ---- the server ---- */

static int server_listen(struct http_server *server, const struct http_server_options *options, int *ret_fd,
                         struct err *err)
{
        if (options->unix_path)
                return http_listen_unix(options->unix_path, options->unix_mode, options->unix_gid, &server->path,
                                        ret_fd, err);
        return http_listen_tcp(options->address, options->port, &server->port, ret_fd, err);
}

static int server_start(struct http_server *server, const struct http_server_options *options, struct err *err)
{
        usec_t idle = options->idle_timeout ? options->idle_timeout : IDLE_TIMEOUT_DEFAULT;
        unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, limit = server->max_connections;
        struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
        int fd CLEANUP_FD = -1;
        int r = server_listen(server, options, &fd, err);
        if (r < 0)
                return r;
        if (server->tls) {
                flags |= MHD_USE_TLS;
                tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)http_tls_retrieve};
                tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                                                 (void *)(uintptr_t)http_tls_priorities(server->tls)};
        }
        if (options->request_timeout) {
                server->room = http_room_new(server->loop, server->room_name, limit, options->request_timeout, idle,
                                             options->request_grace);
                limit += ROOM_TO_LEAVE;
        }
        server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_access, server, MHD_OPTION_LISTEN_SOCKET, fd,
                                          MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_TIMEOUT,
                                          (unsigned)(idle / USEC_PER_SEC), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                          (size_t)LIMIT_LOCAL_REQUEST, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                                          server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_ARRAY,
                                          tls, MHD_OPTION_END);
        if (!server->daemon)
                return err_set(err, ENOMEM, "%s: cannot start the HTTP server", options->name);
        fd = -1; /* the daemon's now */
        server->mhd_limit = limit;
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        r = loop_io_new(server->loop, server->io_name, info->epoll_fd, EPOLLIN, on_io, server, &server->io, err);
        return r < 0 ? err_wrap(err, "%s", options->name) : 0;
}

int http_server_new(struct loop *loop, const struct http_server_options *options, struct http_server **ret,
                    struct err *err)
{
        struct http_server *server = xcalloc(1, sizeof(*server));
        server->loop = loop;
        server->connecting = options->connecting;
        server->handler = options->handler;
        server->max_connections = options->max_connections ? options->max_connections : LIMIT_LOCAL_CONNECTIONS;
        server->userdata = options->userdata;
        server->tls = options->tls;
        server->io_name = xasprintf("%s socket", options->name);
        server->timer_name = xasprintf("%s timeout", options->name);
        server->run_name = xasprintf("%s answers", options->name);
        server->hangup_name = xasprintf("%s client gone", options->name);
        server->room_name = xasprintf("%s patience", options->name);
        server->timer = loop_timer_new(loop, server->timer_name, on_timer, server);
        server->run = loop_defer_new(loop, server->run_name, on_run, server);
        int r = server_start(server, options, err);
        if (r < 0) {
                server_destroy(server);
                return r;
        }
        *ret = server;
        return 0;
}

static void server_destroy(struct http_server *server)
{
        struct http_server_request *request;

        /* It must not be stopped while connections are suspended. */
        DL_FOREACH (server->requests, request) {
                request->gone = true;
                http_request_resume(request);
        }
        server->io = loop_source_free(server->io);
        if (server->daemon)
                MHD_stop_daemon(server->daemon);
        assert(!server->requests);
        (void)http_room_free(server->room);
        (void)loop_source_free(server->timer);
        (void)loop_source_free(server->run);
        http_listen_path_release(&server->path);
        free(server->io_name);
        free(server->timer_name);
        free(server->run_name);
        free(server->hangup_name);
        free(server->room_name);
        free(server);
}

struct http_server *http_server_free(struct http_server *server)
{
        if (!server)
                return NULL;
        server->dead = true;
        if (server->busy == 0)
                server_destroy(server);
        return NULL;
}

uint16_t http_server_port(const struct http_server *server)
{
        return server->port;
}

unsigned http_server_connections(const struct http_server *server)
{
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        return info ? info->num_connections : 0;
}

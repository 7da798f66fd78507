/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "net/http_server.h"
#include "net/http_tls.h"
#include "net/loop.h"
#include "node/node_port.h"

/* A file that the configuration names may come later. */
#define RETRY (10 * USEC_PER_SEC)
/* Between two looks at the certificate; longer than a handshake may take (http_tls_replace). */
#define LOOK_AGAIN (60 * USEC_PER_SEC)
#define FIRST_REQUEST_TIMEOUT (15 * USEC_PER_SEC)
/* As Go's servers keep a connection between requests. */
#define IDLE_TIMEOUT (90 * USEC_PER_SEC)

struct node_port {
        struct loop *loop;
        struct node_port_options options;
        struct port_access *access;
        struct http_tls *tls;
        struct http_server *server;
        struct loop_source *retry; /* while it is not open */
        usec_t looked;             /* at the certificate, last */
        char *cert, *key;          /* that are shown */
        char *why;                 /* it is not open, or does not show the certificate that it should; NULL without */
};

/* Tells what is wrong once. */
static void set_why(struct node_port *port, const char *why)
{
        if (why && !str_eq(port->why, why))
                log_warning("port %u: %s", port->options.port, why);
        free(port->why);
        port->why = why ? xstrdup(why) : NULL;
}

static void on_request(void *userdata, struct http_server_request *request)
{
        struct node_port *port = userdata;

        port_access_check(port->access, request, port->options.answer, port->options.userdata);
}

/* Reads the certificate and shows it from now on. 1: it is the one that is shown. */
static int load(struct node_port *port, struct err *err)
{
        char *cert CLEANUP_FREE = NULL, *key CLEANUP_FREE = NULL;
        int64_t now = (int64_t)(loop_now_realtime(port->loop) / USEC_PER_SEC);
        port->looked = loop_now(port->loop);
        int r = serving_cert_load(&port->options.serving, now, &cert, &key, err);

        if (r < 0)
                return r;
        if (str_eq(cert, port->cert) && str_eq(key, port->key))
                return 1;
        r = port->tls ? http_tls_replace(port->tls, cert, key, err)
                      : http_tls_new(cert, key, port->options.only_tls_1_3, &port->tls, err);
        if (r < 0)
                return r;
        free(port->cert);
        free(port->key);
        port->cert = TAKE_PTR(cert);
        port->key = TAKE_PTR(key);
        return 0;
}

/* A connection comes: was the certificate renewed? Without connections nobody looks. */
static void on_connecting(void *userdata)
{
        struct node_port *port = userdata;
        struct err err = ERR_INIT;

        if (loop_now(port->loop) < usec_add(port->looked, LOOK_AGAIN))
                return;
        set_why(port, load(port, &err) < 0 ? err.msg : NULL);
}

static int port_listen(struct node_port *port, struct err *err)
{
        const struct http_server_options options = {
                .name = "HTTPS port",
                .address = port->options.address,
                .port = port->options.port,
                .max_connections = LIMIT_PORT_CONNECTIONS,
                .idle_timeout = IDLE_TIMEOUT,
                .request_timeout = FIRST_REQUEST_TIMEOUT,
                .tls = port->tls,
                .connecting = on_connecting,
                .handler = on_request,
                .userdata = port,
        };
        int r = http_server_new(port->loop, &options, &port->server, err);

        if (r == 0) {
                log_info("listens on %s port %u", port->options.address, http_server_port(port->server));
                port->options.opened(port->options.userdata, http_server_port(port->server));
        }
        return r;
}

static void on_retry(void *userdata, usec_t now)
{
        struct node_port *port = userdata;
        struct err err = ERR_INIT;
        int r = load(port, &err);

        if (r >= 0)
                r = port_listen(port, &err);
        set_why(port, r < 0 ? err.msg : NULL);
        if (r < 0)
                loop_timer_set(port->retry, usec_add(now, RETRY));
}

int node_port_new(struct loop *loop, const struct node_port_options *options, struct node_port **ret, struct err *err)
{
        struct node_port *port = xcalloc(1, sizeof(*port));
        const char *missing = port_access_missing(&options->access);
        int r = 0;

        port->loop = loop;
        port->options = *options;
        port->retry = loop_timer_new(loop, "serving certificate retry", on_retry, port);
        *ret = port;
        if (missing) {
                log_info("port %u is not opened: %s", options->port, missing);
                port->why = xstrdup(missing);
                return 0;
        }
        port->access = port_access_new(loop, &options->access);
        r = load(port, err);
        if (r < 0) {
                set_why(port, err->msg);
                loop_timer_set(port->retry, usec_add(loop_now(loop), RETRY));
                return 0;
        }
        r = port_listen(port, err);
        if (r < 0) {
                *ret = node_port_free(port);
                return r == -EADDRINUSE ? err_wrap(err, "port (does a kubelet run on this node?)")
                                        : err_wrap(err, "port");
        }
        return 0;
}

struct node_port *node_port_free(struct node_port *port)
{
        if (!port)
                return NULL;
        (void)http_server_free(port->server);
        (void)http_tls_free(port->tls);
        (void)port_access_free(port->access);
        (void)loop_source_free(port->retry);
        free(port->cert);
        free(port->key);
        free(port->why);
        free(port);
        return NULL;
}

struct cJSON *node_port_status(const struct node_port *port)
{
        struct cJSON *object = cJSON_CreateObject();

        cJSON_AddStringToObject(object, "address", port->options.address);
        cJSON_AddNumberToObject(object, "port", port->server ? http_server_port(port->server) : port->options.port);
        cJSON_AddBoolToObject(object, "open", port->server != NULL);
        if (port->why)
                cJSON_AddStringToObject(object, "why", port->why);
        return object;
}

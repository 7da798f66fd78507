/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/health.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cjson/cJSON.h>

#include "api/go_client.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "codec/cjson_get.h"
#include "kube/kubeconfig.h"
#include "net/curl_glue.h"
#include "net/go_error.h"
#include "net/loop.h"
#include "phase/address.h"

#define REQUEST_TIMEOUT (10 * USEC_PER_SEC)
#define ERROR_MAX 4096
#define STATUS_SUCCESS_LAST 206 /* for client-go */

struct watch {
        struct wait *wait;
        struct health_check *check;
        struct curl_glue_identity *identity;
        struct loop_source *timer;
        char *asked, *told; /* the URL, and as failures show it */
        char *dialled;      /* of localhost the address that Go connects to first; NULL: as in told */
        int port;           /* with dialled */
        struct err bad;     /* why no request can be made of it */
        usec_t started, end;
};

struct wait {
        struct loop *loop;
        struct curl_glue *glue;
        struct watch *watches;
        size_t count, open; /* open: that are waited for */
        bool given_up;      /* one with a pace of its own has failed */
        health_fn fn;
        void *userdata;
};

static void finish(struct watch *watch, bool healthy)
{
        struct wait *wait = watch->wait;

        watch->check->healthy = healthy;
        watch->check->took = usec_sub(loop_now(wait->loop), watch->started);
        if (!watch->check->pace)
                wait->open--;
        else if (!healthy)
                wait->given_up = true;
        if (wait->fn)
                wait->fn(wait->userdata, watch->check);
}

/* The first address by RFC 6724, by which Go tries and tells them. For localhost alone, which needs no name server. */
static char *first_address(const char *host)
{
        struct addrinfo *found;
        char text[NI_MAXHOST];

        if (getaddrinfo(host, NULL, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found) != 0)
                return NULL;
        int r = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
        freeaddrinfo(found);
        return r == 0 ? xstrdup(text) : NULL;
}

/* What Go's HTTP client makes of a URL: a port that is not there goes with its colon, a host that is not there is this
 * machine, and IPv6 needs no brackets. Negative: no request can be made of it, whenever it is tried. */
static int read_url(struct watch *watch, const char *text, struct err *err)
{
        struct url url CLEANUP_URL = {0};
        int number, r = url_parse(text, &url, err);

        if (r < 0)
                return r;
        const char *authority = text + strlen(url.scheme) + strlen("://"), *port = url.port;
        size_t len = strcspn(authority, "/");
        int named = (int)(len > 0 && authority[len - 1] == ':' ? len - 1 : len);

        watch->told = xasprintf("%s://%.*s%s", url.scheme, named, authority, authority + len);
        if (named == 0)
                return err_set(err, ERR_INVALID, "Get \"%s\": http: no Host in request URL", watch->told);
        if (*port && !str_eq(port, "0") && port_parse(port, &number) < 0)
                return err_set(err, ERR_INVALID, "Get \"%s\": dial tcp: address %s: invalid port", watch->told, port);
        if (!*port)
                port = str_eq(url.scheme, "https") ? "443" : "80";
        char *asked CLEANUP_FREE = hostport_join(*url.host ? url.host : "127.0.0.1", port);
        watch->asked = xasprintf("%s://%s%s", url.scheme, asked, authority + len);
        if (str_eq(url.host, "localhost") && port_parse(port, &watch->port) == 0)
                watch->dialled = first_address(url.host);
        return 0;
}

/* The failure as Go's HTTP client tells it. */
static void explain(struct watch *watch, const struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(ERROR_MAX);

        if (err->code == ECONNREFUSED && watch->dialled) {
                buf_addf(&text, "Get \"%s\": ", watch->told);
                go_error_dial(&text, watch->dialled, watch->port, err->code);
        } else {
                go_error_request(&text, "GET", watch->told, GO_ERROR_CONTEXT, err);
        }
        (void)err_set(&watch->check->why, err->code, "%s", buf_str(&text));
}

/* A status that is no success, as client-go tells it: a Status speaks for itself. */
static void refused(struct health_check *check, const struct curl_glue_response *response)
{
        struct cJSON *status CLEANUP_CJSON = cJSON_ParseWithLength(response->body, response->body_len);
        const char *message = cjson_text(status, "message", NULL);
        const char *type = curl_glue_header(response, "Content-Type");
        char *text CLEANUP_FREE =
                go_client_status_text(response->status, str_starts(type ?: "", "text/") ? response->body : NULL);

        (void)err_set(&check->why, ERR_REMOTE, "%s", message ? message : text);
}

/* USEC_INFINITY: never again. */
static usec_t next_request(const struct watch *watch, usec_t now)
{
        const struct health_pace *pace = watch->check->pace;
        usec_t next = usec_add(now, CLUSTER_RETRY_INTERVAL);

        if (pace)
                return watch->check->tried < pace->count ? usec_add(now, pace->pauses[watch->check->tried])
                                                         : USEC_INFINITY;
        if (now >= watch->end)
                return USEC_INFINITY;
        return next < watch->end ? next : watch->end;
}

static void again_or_finish(struct watch *watch)
{
        usec_t next = next_request(watch, loop_now(watch->wait->loop));
        const struct health_pace *pace = watch->check->pace;

        if (pace)
                pace->failed(pace->userdata, watch->check);
        if (next == USEC_INFINITY)
                finish(watch, false);
        else
                loop_timer_set(watch->timer, next);
}

static void on_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct watch *watch = userdata;
        struct health_check *check = watch->check;

        check->tried++;
        check->status = err ? 0 : response->status;
        if (!err && response->status == 200) {
                finish(watch, true);
                return;
        }
        if (err) {
                explain(watch, err);
        } else if (check->config && (response->status < 200 || response->status > STATUS_SUCCESS_LAST)) {
                check->status = 0;
                refused(check, response);
        } else {
                (void)err_set(&check->why, ERR_REMOTE, "status code: %d", response->status);
        }
        again_or_finish(watch);
}

static void ask(void *userdata, usec_t now)
{
        struct watch *watch = userdata;
        const struct health_pace *pace = watch->check->pace;
        usec_t deadline = pace ? USEC_INFINITY : usec_add(now, REQUEST_TIMEOUT);
        struct curl_glue_request request = {
                .url = watch->asked,
                .max_body = LIMIT_PROBE_OUTPUT,
                /* The last one gets a moment, so that it can tell why. */
                .deadline = deadline,
                .flags = CURL_GLUE_TRUNCATE | CURL_GLUE_HTTP1 | CURL_GLUE_NO_REUSE |
                         (watch->check->config ? 0u : CURL_GLUE_INSECURE),
                .identity = watch->identity,
                .done = on_done,
                .userdata = watch,
        };

        if (pace)
                pace->asking(pace->userdata, watch->check);
        if (watch->bad.code) {
                watch->check->tried++;
                watch->check->why = watch->bad;
                again_or_finish(watch);
        } else {
                (void)curl_glue_start(watch->wait->glue, &request);
        }
}

/* client-go, which asks with credentials, tells the server of its timeout. */
static void set_url(struct watch *watch)
{
        const struct health_check *check = watch->check;

        if (check->config) {
                watch->asked = xstrdup(check->ask ? check->ask : check->url);
                watch->told = xasprintf("%s?timeout=10s", watch->asked);
        } else {
                (void)read_url(watch, check->url, &watch->bad);
        }
}

static int prepare(struct wait *wait, struct health_check *checks, usec_t timeout, struct err *err)
{
        usec_t now = loop_now(wait->loop);

        for (size_t i = 0; i < wait->count; i++) {
                struct watch *watch = &wait->watches[i];
                const struct kubeconfig *config = checks[i].config;
                const struct health_pace *pace = checks[i].pace;

                *watch = (struct watch){
                        .wait = wait, .check = &checks[i], .started = now, .end = usec_add(now, timeout)};
                set_url(watch);
                int r = config ? curl_glue_identity_new(config->cert_pem, config->key_pem, config->ca_pem,
                                                        &watch->identity, err)
                               : 0;
                if (r < 0)
                        return r;
                watch->timer = loop_timer_new(wait->loop, "health check", ask, watch);
                loop_timer_set(watch->timer, pace ? usec_add(now, pace->pauses[0]) : now);
                wait->open += !pace;
        }
        return 0;
}

int health_wait(struct loop *loop, struct health_check *checks, size_t count, usec_t timeout, health_fn fn,
                void *userdata, struct err *err)
{
        struct curl_glue_options options = {.name = "health check"};
        struct wait wait = {.loop = loop, .count = count, .fn = fn, .userdata = userdata};
        int r = curl_glue_new(loop, &options, &wait.glue, err);

        if (r < 0)
                return r;
        wait.watches = xcalloc(count, sizeof(*wait.watches));
        r = prepare(&wait, checks, timeout, err);
        while (r >= 0 && wait.open > 0 && !wait.given_up)
                r = loop_step(loop, USEC_INFINITY, err);
        (void)curl_glue_free(wait.glue);
        for (size_t i = 0; i < count; i++) {
                (void)loop_source_free(wait.watches[i].timer);
                (void)curl_glue_identity_unref(wait.watches[i].identity);
                free(wait.watches[i].asked);
                free(wait.watches[i].told);
                free(wait.watches[i].dialled);
        }
        free(wait.watches);
        return r < 0 ? r : 0;
}

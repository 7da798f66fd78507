/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/client.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/auth_cache.h"
#include "node/port_access.h"
#include "node/port_user.h"
#include "pki/trust.h"

/* Certificates of a client's chain that are looked at. */
#define CHAIN_MAX 16
#define ALLOWED "allowed"

struct port_access {
        struct loop *loop;
        struct port_access_options options;
        struct pki_trust *trust; /* of client_ca_file as it was at `seen` */
        struct stat seen;
        struct auth_cache *tokens; /* user as JSON, "" for nobody */
        struct auth_cache *reviews;
};

/* One request on its way. */
struct check {
        struct port_access *access;
        struct http_server_request *request;
        port_granted_fn granted;
        void *userdata;
        struct cJSON *user;
        char *token;  /* that is being asked about */
        char *review; /* the same */
        struct port_attributes attributes;
        size_t at; /* of its subresources */
        struct api_call *call;
};

struct port_access *port_access_new(struct loop *loop, const struct port_access_options *options)
{
        struct port_access *access = xcalloc(1, sizeof(*access));

        access->loop = loop;
        access->options = *options;
        access->tokens = auth_cache_new(LIMIT_AUTH_ANSWERS);
        access->reviews = auth_cache_new(LIMIT_AUTH_ANSWERS);
        return access;
}

struct port_access *port_access_free(struct port_access *access)
{
        if (!access)
                return NULL;
        (void)pki_trust_free(access->trust);
        (void)auth_cache_free(access->tokens);
        (void)auth_cache_free(access->reviews);
        free(access);
        return NULL;
}

const char *port_access_missing(const struct port_access_options *options)
{
        if (!options->client_ca_file && !options->tokens)
                return "there is nothing to know callers by: neither authentication.x509.clientCAFile nor "
                       "authentication.webhook.enabled is set";
        if (!options->client_ca_file && !options->api)
                return "there is nothing to know callers by: authentication.x509.clientCAFile is not set, and without "
                       "a kubeconfig no API server can be asked";
        if (!options->always_allow && !options->api)
                return "without a kubeconfig no API server can be asked what callers may do (authorization.mode "
                       "Webhook)";
        return NULL;
}

/* --- the end of a check ------------------------------------------------------------------------------------------- */

static void check_free(struct check *check)
{
        cJSON_Delete(check->user);
        free(check->token);
        free(check->review);
        free(check);
}

static void on_closed(void *userdata)
{
        struct check *check = userdata;

        if (check->call)
                api_call_cancel(check->call);
        check_free(check);
}

static struct http_server_request *check_end(struct check *check)
{
        struct http_server_request *request = check->request;

        http_server_on_closed(request, NULL, NULL);
        check_free(check);
        return request;
}

static void unauthorized(struct check *check, const char *why)
{
        if (why)
                log_debug("%s: not authenticated: %s", http_server_path(check->request), why);
        http_server_reply(check_end(check), 401, NULL, "Unauthorized", strlen("Unauthorized"));
}

static void grant(struct check *check)
{
        port_granted_fn granted = check->granted;
        void *userdata = check->userdata;

        granted(userdata, check_end(check));
}

/* Go prints a list as [a b]. */
static void forbid(struct check *check)
{
        const struct port_attributes *a = &check->attributes;
        char *user CLEANUP_FREE = xstrdup(port_user_name(check->user));
        const char *verb = a->verb, *first = a->subresources[0], *second = a->count > 1 ? a->subresources[1] : NULL;

        http_server_replyf(check_end(check), 403,
                           "Forbidden (user=%s, verb=%s, resource=nodes, subresource(s)=[%s%s%s])", user, verb, first,
                           second ? " " : "", second ? second : "");
}

static void fail(struct check *check, const char *why)
{
        char *text CLEANUP_FREE = xasprintf("Authorization error (user=%s, verb=%s, resource=nodes, subresource=%s)",
                                            port_user_name(check->user), check->attributes.verb,
                                            check->attributes.subresources[check->at]);

        log_debug("%s: %s", text, why);
        http_server_reply(check_end(check), 500, NULL, text, strlen(text));
}

/* --- authorization ------------------------------------------------------------------------------------------------ */

static void authorize(struct check *check);

static void decided(struct check *check, bool allowed)
{
        if (allowed) {
                grant(check);
                return;
        }
        check->at++;
        authorize(check);
}

static void review_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct check *check = userdata;
        struct port_access *access = check->access;
        const struct cJSON *answer = cjson_get(body, "status", NULL);
        bool allowed = cjson_bool(answer, "allowed") && !cjson_bool(answer, "denied");

        (void)status;
        check->call = NULL;
        if (err || !answer) {
                fail(check, err ? err->msg : "the API server's answer holds no status");
                return;
        }
        auth_cache_put(access->reviews, check->review, allowed ? ALLOWED : "",
                       usec_add(loop_now(access->loop),
                                allowed ? access->options.authorized_ttl : access->options.unauthorized_ttl));
        decided(check, allowed);
}

static void authorize(struct check *check)
{
        struct port_access *access = check->access;
        const struct port_access_options *o = &access->options;
        const struct port_attributes *a = &check->attributes;
        const char *known;

        if (o->always_allow) {
                grant(check);
                return;
        }
        if (check->at == a->count) {
                forbid(check);
                return;
        }
        free(check->review);
        check->review = port_access_review(check->user, o->node_name, a->verb, a->subresources[check->at]);
        known = auth_cache_get(access->reviews, check->review, loop_now(access->loop));
        if (known)
                decided(check, str_eq(known, ALLOWED));
        else if (!o->api || !api_client_up(o->api))
                fail(check, o->api ? api_client_reason(o->api) : "no kubeconfig");
        else
                check->call = api_client_review(o->api, PORT_ACCESS_REVIEW_PATH, check->review, review_done, check);
}

static void authenticated(struct check *check, struct cJSON *user)
{
        check->user = user;
        port_attributes(http_server_method(check->request), http_server_path(check->request), &check->attributes);
        authorize(check);
}

/* --- authentication ----------------------------------------------------------------------------------------------- */

/* The CAs as the file has them now; NULL with the reason in err. */
static const struct pki_trust *load_trust(struct port_access *access, struct err *err)
{
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        const char *file = access->options.client_ca_file;
        struct pki_trust *trust;
        struct stat st;

        if (stat(file, &st) < 0) {
                (void)err_set_errno(err, errno, "%s", file);
                return NULL;
        }
        if (access->trust && st.st_ino == access->seen.st_ino && st.st_dev == access->seen.st_dev &&
            st.st_size == access->seen.st_size && st.st_mtim.tv_sec == access->seen.st_mtim.tv_sec &&
            st.st_mtim.tv_nsec == access->seen.st_mtim.tv_nsec)
                return access->trust;
        if (file_read(file, &pem, err) < 0)
                return NULL;
        if (pki_trust_load(buf_str(&pem), pem.len, &trust, err) < 0) {
                (void)err_wrap(err, "%s", file);
                return NULL;
        }
        (void)pki_trust_free(access->trust);
        access->trust = trust;
        access->seen = st;
        return trust;
}

/* 1: *ret_user is who the certificate names; 0: there is none, or it names nobody; negative: it is not good. */
static int by_certificate(struct check *check, struct cJSON **ret_user, struct err *err)
{
        struct http_server_certificate certificates[CHAIN_MAX];
        struct pki_client client CLEANUP_PKI_CLIENT = {0};
        struct pki_der chain[CHAIN_MAX];
        const struct pki_trust *trust;
        size_t count = http_server_client_certificates(check->request, certificates, CHAIN_MAX);

        if (count == 0 || !check->access->options.client_ca_file)
                return 0;
        if (count > CHAIN_MAX)
                return err_set(err, ERR_LIMIT, "a chain of %zu certificates", count);
        for (size_t i = 0; i < count; i++)
                chain[i] = (struct pki_der){certificates[i].data, certificates[i].len};
        trust = load_trust(check->access, err);
        if (!trust)
                return -ERR_INVALID;
        int r = pki_trust_client(trust, chain, count, &client, err);
        if (r < 0)
                return r;
        *ret_user = port_user_of_certificate(&client);
        return *ret_user ? 1 : 0;
}

static void token_done(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct check *check = userdata;
        struct port_access *access = check->access;
        struct cJSON *user = err ? NULL : port_user_of_review(body);
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        (void)status;
        check->call = NULL;
        if (err) {
                unauthorized(check, err->msg);
                return;
        }
        if (user)
                cjson_write(user, &text);
        auth_cache_put(access->tokens, check->token, buf_str(&text),
                       usec_add(loop_now(access->loop), access->options.token_ttl));
        if (user)
                authenticated(check, user);
        else
                unauthorized(check, cjson_text(cjson_get(body, "status", NULL), "error", "invalid bearer token"));
}

static void by_token(struct check *check)
{
        struct port_access *access = check->access;
        struct api_client *api = access->options.api;
        const char *known = auth_cache_get(access->tokens, check->token, loop_now(access->loop));

        if (known && *known) {
                authenticated(check, cJSON_Parse(known));
        } else if (known) {
                unauthorized(check, "invalid bearer token");
        } else if (!api || !api_client_up(api)) {
                unauthorized(check, api ? api_client_reason(api) : "no kubeconfig");
        } else {
                char *review CLEANUP_FREE = port_token_review(check->token);
                check->call = api_client_review(api, PORT_TOKEN_REVIEW_PATH, review, token_done, check);
        }
}

void port_access_check(struct port_access *access, struct http_server_request *request, port_granted_fn granted,
                       void *userdata)
{
        struct check *check = xcalloc(1, sizeof(*check));
        struct err err = ERR_INIT;
        struct cJSON *user = NULL;

        check->access = access;
        check->request = request;
        check->granted = granted;
        check->userdata = userdata;
        http_server_on_closed(request, on_closed, check);
        int r = by_certificate(check, &user, &err);
        if (r > 0) {
                authenticated(check, user);
                return;
        }
        if (access->options.tokens && access->options.api)
                check->token = port_bearer_token(http_server_request_header(request, "Authorization"));
        if (check->token)
                by_token(check);
        else if (r < 0)
                unauthorized(check, err.msg);
        else if (access->options.anonymous)
                authenticated(check, port_user_anonymous());
        else
                unauthorized(check, NULL);
}

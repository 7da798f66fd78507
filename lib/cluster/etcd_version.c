/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/etcd_version.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "kube/version.h"
#include "net/curl_glue.h"
#include "net/go_error.h"
#include "net/loop.h"
#include "phase/phase.h"
#include "phase/preflight_report.h"

#define CHECK "ExternalEtcdVersion"
#define REQUEST_TIMEOUT (10 * USEC_PER_SEC)
#define PAUSE (5 * USEC_PER_SEC)
#define TRIES 4
#define ANSWER_MAX 4096
#define ERROR_MAX 4096

struct asking {
        struct loop *loop;
        struct curl_glue *glue;
        struct curl_glue_identity *identity; /* NULL: neither CA nor certificate is given */
        bool has_ca;
        usec_t pause;
        /* of the request under way */
        bool done;
        int status; /* 0: no answer, err is why */
        struct buf body;
        struct err err;
};

static void asking_release(struct asking *asking)
{
        (void)curl_glue_identity_unref(asking->identity);
        (void)curl_glue_free(asking->glue);
        (void)loop_free(asking->loop);
        buf_release(&asking->body);
}

static void on_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct asking *asking = userdata;

        asking->done = true;
        asking->status = err ? 0 : response->status;
        if (err) {
                asking->err = *err;
                return;
        }
        buf_add(&asking->body, response->body, response->body_len);
}

static int ask_once(struct asking *asking, const char *url, struct err *err)
{
        struct curl_glue_request request = {
                .url = url,
                .max_body = ANSWER_MAX,
                .deadline = usec_add(clock_boottime(), REQUEST_TIMEOUT),
                .flags = CURL_GLUE_HTTP1 | CURL_GLUE_NO_REUSE | (asking->has_ca ? 0u : CURL_GLUE_SYSTEM_CA),
                .identity = asking->identity,
                .done = on_done,
                .userdata = asking,
        };

        buf_clear(&asking->body);
        asking->status = 0;
        asking->done = false;
        (void)curl_glue_start(asking->glue, &request);
        return loop_wait(asking->loop, &asking->done, USEC_INFINITY, err);
}

/* Until there is an answer below 500, or the tries are used up. */
static int ask(struct asking *asking, const char *url, struct err *err)
{
        int r = ask_once(asking, url, err);

        for (int tries = 1; r == 0 && tries < TRIES && (asking->status == 0 || asking->status >= 500); tries++) {
                r = loop_wait(asking->loop, NULL, usec_add(clock_boottime(), asking->pause), err);
                if (r == 0)
                        r = ask_once(asking, url, err);
        }
        return r;
}

static void judge(struct preflight_report *report, const char *text)
{
        const char *least = era_text(report->phase->era, "preflight", "leastExternalEtcd", "");
        struct kube_version have, need;
        struct err err = ERR_INIT;

        if (kube_version_parse(text, false, &have, &err) < 0)
                preflight_error(report, CHECK, "couldn't parse external etcd version \"%s\": %s", text, err.msg);
        else if (kube_version_parse(least, false, &need, NULL) == 0 && kube_version_compare(&have, &need) < 0)
                preflight_error(
                        report, CHECK,
                        "this version of kubeadm only supports external etcd version >= %s. Current version: %s", least,
                        text);
}

static void judge_answer(const struct asking *asking, struct preflight_report *report, const char *url)
{
        struct value *answer CLEANUP_VALUE = NULL;
        struct err err = ERR_INIT;

        if (asking->status == 0) {
                struct buf why CLEANUP_BUF = BUF_INIT(ERROR_MAX);
                go_error_request(&why, "GET", url, GO_ERROR_CLIENT_TIMEOUT, &asking->err);
                preflight_error(report, CHECK, "%s", buf_str(&why));
                return;
        }
        if (asking->status >= 500)
                preflight_error(report, CHECK, "%s: server responded with non-successful status: %d", url,
                                asking->status);
        else if (json_load(url, buf_str(&asking->body), asking->body.len, &answer, &err) < 0)
                preflight_error(report, CHECK, "%s", err.msg);
        else if (!value_is(answer, VALUE_MAP))
                preflight_error(report, CHECK, "%s: the answer is no object", url);
        else
                judge(report, value_string(value_map_get(answer, "etcdserver"), ""));
}

/* "https://host:2379//" to "https://host:2379/version": doubled slashes of the path become one. */
static char *version_url(const char *endpoint)
{
        const char *scheme_end = strstr(endpoint, "://");
        size_t start = scheme_end ? (size_t)(scheme_end - endpoint) + 3 : 0, len = start;
        char *url = xasprintf("%s/version", endpoint);

        for (size_t i = start; url[i]; i++)
                if (url[i] != '/' || len == start || url[len - 1] != '/')
                        url[len++] = url[i];
        url[len] = '\0';
        return url;
}

/* 0, or 1 where it cannot be read, which is told. */
static int read_pem(struct preflight_report *report, const struct config_text *path, const char *what, char **ret)
{
        struct err err = ERR_INIT;
        size_t len;

        if (str_empty(path->text) ||
            phase_require_file(report->phase, path->text, LIMIT_PKI_FILE, ret, &len, &err) == 0)
                return 0;
        preflight_error(report, CHECK, "couldn't load external etcd's %s: %s", what, err.msg);
        return 1;
}

/* 0; 1: what is given cannot be read, which is told; negative. */
static int read_identity(struct asking *asking, struct preflight_report *report, struct err *err)
{
        const struct config_etcd_external *external = &report->phase->config->cluster.etcd.external;
        bool pair = !str_empty(external->cert_file.text) && !str_empty(external->key_file.text);
        char *ca CLEANUP_FREE = NULL, *cert CLEANUP_FREE = NULL, *key CLEANUP_FREE = NULL;
        char *server CLEANUP_FREE = xasprintf("server certificate %s", external->ca_file.text ?: "");
        char *client CLEANUP_FREE = xasprintf("certificate and key pair %s, %s", external->cert_file.text ?: "",
                                              external->key_file.text ?: "");

        if (read_pem(report, &external->ca_file, server, &ca) > 0)
                return 1;
        if (pair && (read_pem(report, &external->cert_file, client, &cert) > 0 ||
                     read_pem(report, &external->key_file, client, &key) > 0))
                return 1;
        asking->has_ca = ca != NULL;
        int r = ca || cert ? curl_glue_identity_new(cert, key, ca, &asking->identity, err) : 0;
        if (key)
                explicit_bzero(key, strlen(key));
        return r;
}

int etcd_version_check(struct preflight_report *report, usec_t pause, struct err *err)
{
        const struct config_etcd_external *external = &report->phase->config->cluster.etcd.external;
        const struct config_texts *endpoints =
                external->http_endpoints.count > 0 ? &external->http_endpoints : &external->endpoints;
        struct curl_glue_options options = {.name = "etcd version"};
        struct asking asking CLEANUP(asking_release) = {.pause = pause ? pause : PAUSE, .body = BUF_INIT(ANSWER_MAX)};

        int r = read_identity(&asking, report, err);
        if (r != 0)
                return r < 0 ? r : 0;
        r = loop_new(&asking.loop, err);
        if (r == 0)
                r = curl_glue_new(asking.loop, &options, &asking.glue, err);
        for (size_t i = 0; r == 0 && i < endpoints->count; i++) {
                char *url CLEANUP_FREE = version_url(endpoints->items[i].text);
                r = ask(&asking, url, err);
                if (r == 0)
                        judge_answer(&asking, report, url);
        }
        return r;
}

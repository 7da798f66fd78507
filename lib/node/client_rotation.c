/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/client.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "net/loop.h"
#include "node/client_cert.h"
#include "node/client_rotation.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/key.h"

#define COLLECTION "/apis/certificates.k8s.io/v1/certificatesigningrequests"
#define SIGNER "kubernetes.io/kube-apiserver-client-kubelet"
/* In hundredths of its life. */
#define DUE_FROM 70
#define DUE_WITHIN 20
#define SIGNED_WITHIN (15 * 60 * USEC_PER_SEC)
#define PAUSE_FIRST (2 * USEC_PER_SEC)
#define PAUSE_MAX (15 * 60 * USEC_PER_SEC)
/* Not longer: the clock may be set. */
#define LOOK_AGAIN (24 * 3600 * USEC_PER_SEC)
#define NEVER INT64_MAX

struct client_rotation {
        struct loop *loop;
        struct api_client *client;
        char *cert_dir, *node_name;
        client_rotation_told_fn told;
        void *userdata;
        double share;
        struct loop_source *timer;
        int64_t due;        /* of the certificate in use, seconds since 1970 */
        int64_t issued_due; /* of the last one that was asked for; NEVER: none was */
        unsigned failures;  /* since the last one */
        usec_t not_before;  /* the pause after a failure */
        char *problem;      /* of the last try, "" without */
        /* Of the request under way. */
        struct pki_key *key;
        struct api_call *call;
        struct api_watch *watch;
        char *request; /* its name, NULL until it is made */
        bool seen;     /* in the list that is being read */
        usec_t give_up;
        struct loop_source *settled;
        enum csr_outcome outcome; /* with its text: what `settled` is to take up */
        char *text;
};

/* --- pure --------------------------------------------------------------------------------------------------------- */

int64_t client_rotation_due(int64_t not_before, int64_t not_after, double share)
{
        if (not_after <= not_before)
                return not_before;
        return not_before + (int64_t)((double)(not_after - not_before) * (DUE_FROM + DUE_WITHIN * share) / 100);
}

static enum csr_outcome refused(char *why, char **ret_text)
{
        *ret_text = why;
        return CSR_REFUSED;
}

enum csr_outcome client_rotation_outcome(const struct cJSON *request, char **ret_text)
{
        const char *certificate = cjson_text(cjson_get(request, "status", NULL), "certificate", "");
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct err err = ERR_INIT;
        const cJSON *condition;

        cJSON_ArrayForEach (condition, cjson_get(request, "status", "conditions", NULL)) {
                const char *type = cjson_text(condition, "type", ""), *message = cjson_text(condition, "message", "");

                if (str_eq(type, "Denied") || str_eq(type, "Failed"))
                        return refused(xasprintf("%s: %s%s%s", type, cjson_text(condition, "reason", ""),
                                                 *message ? ": " : "", message),
                                       ret_text);
        }
        if (!*certificate)
                return CSR_PENDING;
        if (base64_decode(certificate, strlen(certificate), &pem, &err) < 0 ||
            buf_check(&pem, "the certificate", &err) < 0)
                return refused(xasprintf("status.certificate: %s", err.msg), ret_text);
        *ret_text = buf_steal(&pem, NULL);
        return CSR_ISSUED;
}

static bool write_request(const struct client_rotation *rotation, const struct pki_key *key, struct buf *out,
                          struct err *err)
{
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct strv organizations CLEANUP_STRV = STRV_INIT;
        char *name CLEANUP_FREE = client_cert_name(rotation->node_name);
        const struct pki_cert_spec spec = {.common_name = name, .organizations = &organizations};
        /* No "key encipherment": that is for RSA keys. */
        static const char *const usages[] = {"digital signature", "client auth"};

        strv_add(&organizations, "system:nodes");
        if (pki_csr_write(&spec, key, &pem, err) < 0 || buf_check(&pem, "the request", err) < 0)
                return false;

        struct cJSON *body CLEANUP_CJSON = cJSON_CreateObject();
        char *request CLEANUP_FREE = base64_text(pem.data, pem.len);
        cJSON_AddStringToObject(body, "apiVersion", "certificates.k8s.io/v1");
        cJSON_AddStringToObject(body, "kind", "CertificateSigningRequest");
        cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "metadata"), "generateName", "csr-");
        struct cJSON *fields = cJSON_AddObjectToObject(body, "spec");
        cJSON_AddStringToObject(fields, "request", request);
        cJSON_AddStringToObject(fields, "signerName", SIGNER);
        cJSON_AddItemToObject(fields, "usages", cJSON_CreateStringArray(usages, ARRAY_SIZE(usages)));
        cjson_write(body, out);
        return buf_check(out, "the CertificateSigningRequest", err) == 0;
}

/* --- one request -------------------------------------------------------------------------------------------------- */

static void look(struct client_rotation *rotation);

static void drop_request(struct client_rotation *rotation)
{
        if (rotation->call)
                api_call_cancel(rotation->call);
        rotation->call = NULL;
        rotation->watch = api_watch_free(rotation->watch);
        rotation->key = pki_key_free(rotation->key);
        free(rotation->request);
        rotation->request = NULL;
        free(rotation->text);
        rotation->text = NULL;
        rotation->outcome = CSR_PENDING;
}

static void failed(struct client_rotation *rotation, const char *why)
{
        char *text CLEANUP_FREE = xasprintf("the client certificate is not renewed: %s", why);
        usec_t pause = PAUSE_FIRST;

        drop_request(rotation);
        for (unsigned i = 0; i < rotation->failures && pause < PAUSE_MAX; i++)
                pause *= 2;
        rotation->failures++;
        rotation->not_before = usec_add(loop_now(rotation->loop), pause < PAUSE_MAX ? pause : PAUSE_MAX);
        if (!str_eq(rotation->problem, text)) {
                free(rotation->problem);
                rotation->problem = TAKE_PTR(text);
                rotation->told(rotation->userdata, rotation->problem);
        }
        look(rotation);
}

static int64_t due_of(const struct client_rotation *rotation, const struct pki_cert *cert)
{
        const struct pki_cert_facts *facts = pki_cert_facts(cert);

        return client_rotation_due(facts->not_before, facts->not_after, rotation->share);
}

static int take(struct client_rotation *rotation, const char *pem, struct err *err)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        usec_t now = loop_now_realtime(rotation->loop);
        int r = pki_certs_load(pem, strlen(pem), &certs, err);

        if (r < 0)
                return r;
        r = client_cert_check(certs.items[0], rotation->key, rotation->node_name, (int64_t)(now / USEC_PER_SEC), err);
        if (r < 0)
                return err_wrap(err, "what was signed does not serve");
        r = client_cert_store(rotation->cert_dir, pem, rotation->key, now, err);
        if (r == 0)
                rotation->issued_due = due_of(rotation, certs.items[0]);
        return r;
}

/* The watch lives until its handlers have returned. */
static void settle(struct client_rotation *rotation, enum csr_outcome outcome, char *text)
{
        free(rotation->text);
        rotation->outcome = outcome;
        rotation->text = text;
        loop_defer_schedule(rotation->settled);
}

static void on_listing(void *userdata)
{
        struct client_rotation *rotation = userdata;

        rotation->seen = false;
}

static void on_object(void *userdata, const struct cJSON *object)
{
        struct client_rotation *rotation = userdata;
        char *text = NULL;
        enum csr_outcome outcome = client_rotation_outcome(object, &text);

        rotation->seen = true;
        if (outcome != CSR_PENDING)
                settle(rotation, outcome, text);
}

static void on_deleted(void *userdata, const struct cJSON *object)
{
        (void)object;
        settle(userdata, CSR_REFUSED, xstrdup("somebody has deleted the request"));
}

static void on_listed(void *userdata)
{
        struct client_rotation *rotation = userdata;

        if (!rotation->seen)
                on_deleted(rotation, NULL);
}

static void on_settled(void *userdata)
{
        struct client_rotation *rotation = userdata;
        enum csr_outcome outcome = rotation->outcome;
        char *text CLEANUP_FREE = TAKE_PTR(rotation->text);
        struct err err = ERR_INIT;

        rotation->outcome = CSR_PENDING;
        if (outcome == CSR_PENDING || !rotation->request)
                return;
        if (outcome == CSR_REFUSED) {
                failed(rotation, text);
                return;
        }
        if (take(rotation, text, &err) < 0) {
                failed(rotation, err.msg);
                return;
        }
        char *told CLEANUP_FREE = xasprintf("the client certificate is renewed by %s", rotation->request);
        drop_request(rotation);
        rotation->failures = 0;
        rotation->problem[0] = '\0';
        rotation->due = rotation->issued_due;
        rotation->told(rotation->userdata, told);
        look(rotation);
}

static void on_made(void *userdata, int status, const struct cJSON *body, const struct err *err)
{
        struct client_rotation *rotation = userdata;
        static const struct api_watch_handlers handlers = {
                .listing = on_listing, .object = on_object, .deleted = on_deleted, .listed = on_listed};
        const char *name = cjson_text(cjson_get(body, "metadata", NULL), "name", "");

        (void)status;
        rotation->call = NULL;
        if (err || !*name) {
                failed(rotation, err ? err->msg : "the API server gave the request no name");
                return;
        }
        char *path CLEANUP_FREE = xasprintf(COLLECTION "?fieldSelector=metadata.name%%3D%s", name);
        rotation->request = xstrdup(name);
        rotation->watch = api_watch_new(rotation->client, path, &handlers, rotation);
}

static void begin(struct client_rotation *rotation)
{
        struct buf body CLEANUP_BUF = BUF_INIT(LIMIT_LOCAL_REQUEST);
        struct err err = ERR_INIT;

        if (pki_key_generate(PKI_ALGORITHM_ECDSA_P256, &rotation->key, &err) < 0 ||
            !write_request(rotation, rotation->key, &body, &err)) {
                failed(rotation, err.msg);
                return;
        }
        rotation->give_up = usec_add(loop_now(rotation->loop), SIGNED_WITHIN);
        rotation->call = api_client_write(rotation->client, "POST", API_PATCH_MAX, COLLECTION, buf_str(&body), on_made,
                                          rotation);
        look(rotation);
}

/* --- when --------------------------------------------------------------------------------------------------------- */

/* Begins what is due, gives up what takes too long, and sets the timer to what comes next. */
static void look(struct client_rotation *rotation)
{
        int64_t left = rotation->due - (int64_t)(loop_now_realtime(rotation->loop) / USEC_PER_SEC);
        usec_t now = loop_now(rotation->loop), next = USEC_INFINITY;

        if (rotation->key) {
                if (rotation->give_up <= now) {
                        failed(rotation, "nobody has approved and signed the request in 15 minutes");
                        return;
                }
                next = rotation->give_up;
        } else if (rotation->due != NEVER && left > 0) {
                next = left < (int64_t)(LOOK_AGAIN / USEC_PER_SEC) ? usec_add(now, (usec_t)left * USEC_PER_SEC)
                                                                   : usec_add(now, LOOK_AGAIN);
        } else if (rotation->due != NEVER && rotation->not_before > now) {
                next = rotation->not_before;
        } else if (rotation->due != NEVER && api_client_up(rotation->client)) {
                begin(rotation);
                return;
        }
        loop_timer_set(rotation->timer, next);
}

static void on_timer(void *userdata, usec_t now)
{
        (void)now;
        look(userdata);
}

static void on_link(void *userdata, bool up)
{
        if (up)
                look(userdata);
}

static double random_share(void)
{
        uint32_t number;

        if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
                return 0;
        return (double)number / (double)UINT32_MAX;
}

struct client_rotation *client_rotation_new(struct loop *loop, struct api_client *client, const char *cert_dir,
                                            const char *node_name, client_rotation_told_fn told, void *userdata)
{
        struct client_rotation *rotation = xcalloc(1, sizeof(*rotation));

        rotation->loop = loop;
        rotation->client = client;
        rotation->cert_dir = xstrdup(cert_dir);
        rotation->node_name = xstrdup(node_name);
        rotation->told = told;
        rotation->userdata = userdata;
        rotation->share = random_share();
        rotation->problem = xstrdup("");
        rotation->due = rotation->issued_due = NEVER;
        rotation->timer = loop_timer_new(loop, "client certificate renewal", on_timer, rotation);
        rotation->settled = loop_defer_new(loop, "client certificate", on_settled, rotation);
        api_client_subscribe(client, on_link, rotation);
        return rotation;
}

struct client_rotation *client_rotation_free(struct client_rotation *rotation)
{
        if (!rotation)
                return NULL;
        api_client_unsubscribe(rotation->client, on_link, rotation);
        drop_request(rotation);
        loop_source_free(rotation->timer);
        loop_source_free(rotation->settled);
        free(rotation->problem);
        free(rotation->cert_dir);
        free(rotation->node_name);
        free(rotation);
        return NULL;
}

void client_rotation_use(struct client_rotation *rotation, const char *cert_pem, bool rotated)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        char *name CLEANUP_FREE = client_cert_name(rotation->node_name);

        rotation->due = NEVER;
        if (cert_pem && pki_certs_load(cert_pem, strlen(cert_pem), &certs, NULL) == 0 &&
            str_eq(pki_cert_facts(certs.items[0])->common_name, name)) {
                if (rotated)
                        rotation->due = due_of(rotation, certs.items[0]);
                else
                        /* Once for each process: what was issued may not be what is used. */
                        rotation->due = rotation->issued_due != NEVER ? rotation->issued_due : 0;
        }
        if (rotation->due == NEVER)
                drop_request(rotation);
        look(rotation);
}

void client_rotation_status(const struct client_rotation *rotation, struct cJSON *certificate)
{
        char when[TIMEFMT_MAX];

        if (rotation->due == NEVER)
                return;
        if (*rotation->problem)
                cJSON_AddStringToObject(certificate, "problem", rotation->problem);
        if (rotation->request) {
                char *text CLEANUP_FREE = xasprintf("%s waits to be approved and signed", rotation->request);

                cJSON_AddStringToObject(certificate, "renewal", text);
                return;
        }
        timefmt_seconds((usec_t)rotation->due * USEC_PER_SEC, when);
        char *text CLEANUP_FREE = xasprintf("due %s", rotation->due > 0 ? when : "now");
        cJSON_AddStringToObject(certificate, "renewal", text);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The renewal of the client certificate against an API server of the test's own, under virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <gnutls/x509.h>

#include "api/client.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/cjson_get.h"
#include "glue_rig.h"
#include "node/client_cert.h"
#include "node/client_rotation.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "sim_loop.h"

#define WALL 1795252466 /* 2026-11-21T09:14:26Z */
#define DAY ((int64_t)24 * 60 * 60)
#define MINUTE (60 * USEC_PER_SEC)
#define POST "POST https://api/apis/certificates.k8s.io/v1/certificatesigningrequests"
#define LIST \
        "GET https://api/apis/certificates.k8s.io/v1/certificatesigningrequests?fieldSelector=metadata.name%3Dcsr-x"
#define WATCH "watch=true"
#define MADE "{\"metadata\":{\"name\":\"csr-x\"}}"
#define LISTED(ITEMS) "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" ITEMS "]}"
#define PENDING "{\"metadata\":{\"name\":\"csr-x\",\"uid\":\"1\",\"resourceVersion\":\"6\"}}"

struct fixture {
        char dir[64];
        struct loop *loop;
        struct api_client *client;
        struct client_rotation *rotation;
        char *told; /* the last message, NULL without */
        unsigned tellings;
};

static void told(void *userdata, const char *message)
{
        struct fixture *f = userdata;

        free(f->told);
        f->told = xstrdup(message);
        f->tellings++;
}

static int begin(void **state)
{
        static const struct api_client_options options = {.user_agent = "test"};
        static const struct api_credentials credentials = {.server = "https://api"};
        struct fixture *f = xcalloc(1, sizeof(*f));
        struct err err = ERR_INIT;

        (void)snprintf(f->dir, sizeof(f->dir), "/tmp/test-rotation-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        f->loop = sim_loop_new(1000 * USEC_PER_SEC, (usec_t)WALL * USEC_PER_SEC);
        assert_int_equal(api_client_new(f->loop, &options, &f->client, &err), 0);
        f->rotation = client_rotation_new(f->loop, f->client, f->dir, "n1", told, f);
        assert_int_equal(api_client_set_credentials(f->client, &credentials, &err), 0);
        assert_int_equal(glue_rig_answer("/readyz", 200, "ok"), 1);
        *state = f;
        return 0;
}

static int end(void **state)
{
        struct fixture *f = *state;

        (void)client_rotation_free(f->rotation);
        (void)api_client_free(f->client);
        (void)loop_free(f->loop);
        assert_int_equal(file_remove_tree(f->dir, NULL), 0);
        free(f->told);
        free(f);
        return 0;
}

/* A certificate with that name, by itself. */
static char *certificate(const char *name, int64_t not_before, int64_t not_after)
{
        const struct pki_cert_spec spec = {
                .common_name = name, .usages = PKI_USAGE_CLIENT, .not_before = not_before, .not_after = not_after};
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct pki_cert *cert CLEANUP_PKI_CERT = NULL;

        assert_int_equal(pki_key_generate(PKI_ALGORITHM_ECDSA_P256, &key, NULL), 0);
        assert_int_equal(pki_cert_create(&spec, key, NULL, NULL, &cert, NULL), 0);
        assert_int_equal(pki_cert_write(cert, &pem, NULL), 0);
        return buf_steal(&pem, NULL);
}

static void use(struct fixture *f, const char *name, int64_t not_before, int64_t not_after, bool rotated)
{
        char *pem CLEANUP_FREE = certificate(name, not_before, not_after);

        client_rotation_use(f->rotation, pem, rotated);
}

/* What the API server has of the request when `pem` was signed for it. */
static char *signed_object(const char *pem)
{
        char *text CLEANUP_FREE = base64_text(pem, strlen(pem));

        return xasprintf("{\"metadata\":{\"name\":\"csr-x\",\"uid\":\"1\",\"resourceVersion\":\"8\"},\"status\":{"
                         "\"conditions\":[{\"type\":\"Approved\"}],\"certificate\":\"%s\"}}",
                         text);
}

/* Signs the request that has been posted, for a year. */
static char *sign(const char *posted)
{
        struct cJSON *body CLEANUP_CJSON = cJSON_Parse(posted);
        struct buf request CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        gnutls_datum_t data, pem;
        gnutls_x509_crq_t crq;
        gnutls_x509_crt_t crt;
        gnutls_x509_privkey_t key;
        const char *text = cjson_text(cjson_get(body, "spec", NULL), "request", "");

        assert_int_equal(base64_decode(text, strlen(text), &request, NULL), 0);
        data = (gnutls_datum_t){.data = (unsigned char *)request.data, .size = (unsigned)request.len};
        assert_int_equal(gnutls_x509_crq_init(&crq), 0);
        assert_int_equal(gnutls_x509_crt_init(&crt), 0);
        assert_int_equal(gnutls_x509_privkey_init(&key), 0);
        assert_int_equal(gnutls_x509_crq_import(crq, &data, GNUTLS_X509_FMT_PEM), 0);
        assert_int_equal(gnutls_x509_crq_verify(crq, 0), 0);
        assert_int_equal(
                gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                0);
        assert_int_equal(gnutls_x509_crt_set_crq(crt, crq), 0);
        assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
        assert_int_equal(gnutls_x509_crt_set_serial(crt, "\1", 1), 0);
        assert_int_equal(gnutls_x509_crt_set_activation_time(crt, WALL), 0);
        assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, WALL + 365 * DAY), 0);
        assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
        assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
        char *own CLEANUP_FREE = xstrndup((const char *)pem.data, pem.size);
        gnutls_free(pem.data);
        gnutls_x509_crq_deinit(crq);
        gnutls_x509_crt_deinit(crt);
        gnutls_x509_privkey_deinit(key);
        return signed_object(own);
}

static void assert_status(const struct fixture *f, const char *key, const char *expected)
{
        struct cJSON *status CLEANUP_CJSON = cJSON_CreateObject();

        client_rotation_status(f->rotation, status);
        const char *found = cjson_text(status, key, "");
        if (expected ? !strstr(found, expected) : *found != '\0')
                fail_msg("%s is '%s', not '%s'", key, found, expected ? expected : "");
}

/* --- the cases ---------------------------------------------------------------------------------------------------- */

static void it_is_due_between_70_and_90_per_cent(void **state)
{
        (void)state;
        assert_int_equal(client_rotation_due(1000, 2000, 0), 1700);
        assert_int_equal(client_rotation_due(1000, 2000, 0.5), 1800);
        assert_int_equal(client_rotation_due(1000, 2000, 1), 1900);
        assert_int_equal(client_rotation_due(2000, 1000, 1), 2000);
}

static void what_has_become_of_a_request(void **state)
{
        static const struct {
                const char *json, *text;
                enum csr_outcome outcome;
        } cases[] = {
                {"{}", NULL, CSR_PENDING},
                {"{\"status\":{\"conditions\":[{\"type\":\"Approved\"}]}}", NULL, CSR_PENDING},
                {"{\"status\":{\"conditions\":[{\"type\":\"Denied\",\"reason\":\"No\",\"message\":\"not you\"}]}}",
                 "Denied: No: not you", CSR_REFUSED},
                {"{\"status\":{\"conditions\":[{\"type\":\"Approved\"},{\"type\":\"Failed\",\"reason\":\"Signer\"}],"
                 "\"certificate\":\"Y2VydA==\"}}",
                 "Failed: Signer", CSR_REFUSED},
                {"{\"status\":{\"certificate\":\"Y2VydA==\"}}", "cert", CSR_ISSUED},
                {"{\"status\":{\"certificate\":\"!\"}}", "status.certificate: ", CSR_REFUSED},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct cJSON *request CLEANUP_CJSON = cJSON_Parse(cases[i].json);
                char *text CLEANUP_FREE = NULL;

                assert_int_equal(client_rotation_outcome(request, &text), cases[i].outcome);
                if (cases[i].text)
                        assert_true(str_starts(text, cases[i].text));
                else
                        assert_null(text);
        }
}

static void one_that_the_node_has_not_asked_for_is_replaced_at_once(void **state)
{
        struct fixture *f = *state;
        char *link CLEANUP_FREE = client_cert_path(f->dir);
        char target[128] = "";
        struct stat st;

        use(f, "system:node:n1", WALL - DAY, WALL + 364 * DAY, false);
        assert_int_equal(glue_rig_asked(POST), 1);
        assert_non_null(strstr(glue_rig_body(POST), "\"generateName\":\"csr-\""));
        assert_non_null(strstr(glue_rig_body(POST), "\"signerName\":\"kubernetes.io/kube-apiserver-client-kubelet\""));
        assert_non_null(strstr(glue_rig_body(POST), "\"usages\":[\"digital signature\",\"client auth\"]"));

        char *object CLEANUP_FREE = sign(glue_rig_body(POST));
        char *list CLEANUP_FREE = xasprintf(LISTED("%s"), object);
        assert_int_equal(glue_rig_answer(POST, 201, MADE), 1);
        assert_status(f, "renewal", "csr-x waits to be approved");
        assert_int_equal(glue_rig_answer(LIST, 200, list), 1);
        sim_loop_run(f->loop, 0);
        assert_string_equal(f->told, "the client certificate is renewed by csr-x");
        assert_int_equal(stat(link, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_true(readlink(link, target, sizeof(target) - 1) > 0);
        assert_true(str_starts(target, "kubelet-client-2026-11-2"));
        assert_status(f, "renewal", "due 2027-");
        assert_status(f, "problem", NULL);

        /* As long as that is not what is used, there is no other. */
        use(f, "system:node:n1", WALL - DAY, WALL + 364 * DAY, false);
        sim_loop_run(f->loop, 200 * 24 * 60 * MINUTE);
        assert_int_equal(glue_rig_asked(POST), 1);
}

static void one_of_its_own_is_replaced_when_it_is_due(void **state)
{
        struct fixture *f = *state;

        use(f, "system:node:n1", WALL, WALL + 100 * DAY, true);
        sim_loop_run(f->loop, (usec_t)69 * 24 * 60 * MINUTE);
        assert_int_equal(glue_rig_asked(POST), 0);
        sim_loop_run(f->loop, (usec_t)22 * 24 * 60 * MINUTE);
        assert_true(glue_rig_asked(POST) > 0);
}

static void that_of_somebody_else_is_left_alone(void **state)
{
        struct fixture *f = *state;

        use(f, "kubernetes-admin", WALL - 364 * DAY, WALL + DAY, false);
        sim_loop_run(f->loop, 60 * MINUTE);
        client_rotation_use(f->rotation, NULL, false);
        sim_loop_run(f->loop, 60 * MINUTE);
        assert_int_equal(glue_rig_asked(POST), 0);
        assert_status(f, "renewal", NULL);
}

static void a_refused_request_is_made_again_after_pauses_that_double(void **state)
{
        struct fixture *f = *state;
        usec_t pause = 2 * USEC_PER_SEC;

        use(f, "system:node:n1", WALL, WALL + DAY, false);
        for (unsigned i = 1; i <= 12; i++) {
                assert_int_equal(glue_rig_asked(POST), i);
                assert_int_equal(glue_rig_answer(POST, 403, "{\"message\":\"forbidden: no\"}"), 1);
                sim_loop_run(f->loop, pause - USEC_PER_SEC);
                assert_int_equal(glue_rig_asked(POST), i);
                sim_loop_run(f->loop, USEC_PER_SEC);
                pause = pause * 2 < 15 * MINUTE ? pause * 2 : 15 * MINUTE;
        }
        assert_int_equal(f->tellings, 1); /* the same trouble */
        assert_status(f, "problem", "the client certificate is not renewed: ");
        assert_status(f, "problem", "forbidden: no");
}

static void a_request_that_nobody_signs_is_given_up_after_15_minutes(void **state)
{
        struct fixture *f = *state;

        use(f, "system:node:n1", WALL, WALL + DAY, false);
        assert_int_equal(glue_rig_answer(POST, 201, MADE), 1);
        assert_int_equal(glue_rig_answer(LIST, 200, LISTED(PENDING)), 1);
        sim_loop_run(f->loop, 14 * MINUTE);
        assert_status(f, "renewal", "csr-x waits to be approved and signed");
        sim_loop_run(f->loop, 2 * MINUTE);
        assert_status(f, "problem", "nobody has approved and signed the request");
        assert_int_equal(glue_rig_asked(POST), 2);
}

static void a_request_that_is_gone_is_made_again(void **state)
{
        struct fixture *f = *state;

        use(f, "system:node:n1", WALL, WALL + DAY, false);
        assert_int_equal(glue_rig_answer(POST, 201, MADE), 1);
        assert_int_equal(glue_rig_answer(LIST, 200, LISTED("")), 1);
        sim_loop_run(f->loop, 3 * USEC_PER_SEC);
        assert_status(f, "problem", "somebody has deleted the request");
        assert_int_equal(glue_rig_asked(POST), 2);
        assert_int_equal(glue_rig_answer(POST, 201, MADE), 1);
        assert_int_equal(glue_rig_answer(LIST, 200, LISTED(PENDING)), 1);
        glue_rig_head(WATCH, 200);
        glue_rig_data(WATCH, "{\"type\":\"DELETED\",\"object\":" PENDING "}\n");
        sim_loop_run(f->loop, 5 * USEC_PER_SEC);
        assert_int_equal(glue_rig_asked(POST), 3);
}

static void what_is_signed_for_another_key_is_not_stored(void **state)
{
        struct fixture *f = *state;
        char *link CLEANUP_FREE = client_cert_path(f->dir);
        char *pem CLEANUP_FREE = certificate("system:node:n1", WALL, WALL + DAY);
        char *object CLEANUP_FREE = signed_object(pem), *event CLEANUP_FREE = NULL;

        use(f, "system:node:n1", WALL, WALL + DAY, false);
        assert_int_equal(glue_rig_answer(POST, 201, MADE), 1);
        assert_int_equal(glue_rig_answer(LIST, 200, LISTED(PENDING)), 1);
        event = xasprintf("{\"type\":\"MODIFIED\",\"object\":%s}\n", object);
        glue_rig_head(WATCH, 200);
        glue_rig_data(WATCH, event);
        sim_loop_run(f->loop, 0);
        assert_status(f, "problem", "the client certificate is not renewed: ");
        assert_false(file_exists(link));
}

static void nothing_is_asked_of_a_server_that_is_away(void **state)
{
        struct fixture *f = *state;

        use(f, "system:node:n1", WALL, WALL + DAY, false);
        assert_int_equal(glue_rig_answer(POST, 0, ""), 1);
        assert_false(api_client_up(f->client));
        sim_loop_run(f->loop, 10 * MINUTE);
        assert_int_equal(glue_rig_asked(POST), 1);
        assert_int_equal(glue_rig_answer("/readyz", 200, "ok"), 1);
        sim_loop_run(f->loop, 0);
        assert_int_equal(glue_rig_asked(POST), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_due_between_70_and_90_per_cent),
                cmocka_unit_test(what_has_become_of_a_request),
                cmocka_unit_test_setup_teardown(one_that_the_node_has_not_asked_for_is_replaced_at_once, begin, end),
                cmocka_unit_test_setup_teardown(one_of_its_own_is_replaced_when_it_is_due, begin, end),
                cmocka_unit_test_setup_teardown(that_of_somebody_else_is_left_alone, begin, end),
                cmocka_unit_test_setup_teardown(a_refused_request_is_made_again_after_pauses_that_double, begin, end),
                cmocka_unit_test_setup_teardown(a_request_that_nobody_signs_is_given_up_after_15_minutes, begin, end),
                cmocka_unit_test_setup_teardown(a_request_that_is_gone_is_made_again, begin, end),
                cmocka_unit_test_setup_teardown(what_is_signed_for_another_key_is_not_stored, begin, end),
                cmocka_unit_test_setup_teardown(nothing_is_asked_of_a_server_that_is_away, begin, end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

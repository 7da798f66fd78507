/* SPDX-License-Identifier: Apache-2.0
 *
 * The server behind TLS, and who gives way: clients are non-blocking GnuTLS sessions, or bare sockets, that take turns
 * with the loop.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "net/http_server.h"
#include "net/http_tls.h"
#include "net/loop.h"

#define SEATS 8
#define FIRST_TIMEOUT (700 * USEC_PER_MSEC)
#define PATIENCE (20 * USEC_PER_SEC)
#define GET "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

struct state {
        struct loop *loop;
        struct http_tls *tls;
        struct http_server *server;
        char *cert, *key;
        int calls, connecting;
        size_t shown; /* certificates of the last request */
};

static void handler(void *userdata, struct http_server_request *request)
{
        struct http_server_certificate certs[4];
        struct state *s = userdata;

        s->calls++;
        s->shown = http_server_client_certificates(request, certs, ARRAY_SIZE(certs));
        if (s->shown > 0)
                assert_true(certs[0].len > 0);
        http_server_replyf(request, 200, "hello");
}

static void connecting(void *userdata)
{
        struct state *s = userdata;

        s->connecting++;
}

/* A certificate that signs itself; PEM. */
static void make(char **ret_cert, char **ret_key, const char *name)
{
        gnutls_x509_privkey_t key;
        gnutls_x509_crt_t crt;
        gnutls_datum_t pem;

        assert_int_equal(gnutls_x509_privkey_init(&key), 0);
        assert_int_equal(
                gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                0);
        assert_int_equal(gnutls_x509_crt_init(&crt), 0);
        assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
        assert_int_equal(gnutls_x509_crt_set_serial(crt, "\1", 1), 0);
        assert_int_equal(gnutls_x509_crt_set_dn(crt, name, NULL), 0);
        assert_int_equal(gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600), 0);
        assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600), 0);
        assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
        assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
        assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
        *ret_cert = xstrndup((char *)pem.data, pem.size);
        gnutls_free(pem.data);
        assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
        *ret_key = xstrndup((char *)pem.data, pem.size);
        gnutls_free(pem.data);
        gnutls_x509_crt_deinit(crt);
        gnutls_x509_privkey_deinit(key);
}

static void start(struct state *s, bool only_1_3)
{
        struct err err = ERR_INIT;

        assert_int_equal(http_tls_new(s->cert, s->key, only_1_3, &s->tls, &err), 0);
        const struct http_server_options options = {.name = "test",
                                                    .address = "127.0.0.1",
                                                    .max_connections = SEATS,
                                                    .request_timeout = FIRST_TIMEOUT,
                                                    .tls = s->tls,
                                                    .connecting = connecting,
                                                    .handler = handler,
                                                    .userdata = s};
        assert_int_equal(http_server_new(s->loop, &options, &s->server, &err), 0);
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct err err = ERR_INIT;

        make(&s->cert, &s->key, "CN=server");
        assert_int_equal(loop_new(&s->loop, &err), 0);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        s->server = http_server_free(s->server);
        s->tls = http_tls_free(s->tls);
        s->loop = loop_free(s->loop);
        free(s->cert);
        free(s->key);
        free(s);
        return 0;
}

static void step(struct state *s)
{
        struct err err = ERR_INIT;

        assert_true(loop_step(s->loop, clock_boottime() + 2 * USEC_PER_MSEC, &err) >= 0);
}

static int connect_to(const struct state *s)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(http_server_port(s->server))};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

struct client {
        gnutls_certificate_credentials_t credentials;
        gnutls_session_t session;
        int fd;
};

static void client_release(struct client *c)
{
        gnutls_deinit(c->session);
        gnutls_certificate_free_credentials(c->credentials);
        (void)fd_close(c->fd);
}

static struct client client_new(const struct state *s, const char *priorities, const char *cert, const char *key)
{
        struct client c = {.fd = connect_to(s)};

        assert_int_equal(gnutls_certificate_allocate_credentials(&c.credentials), 0);
        if (cert) {
                gnutls_datum_t cert_pem = {(unsigned char *)(uintptr_t)cert, (unsigned)strlen(cert)};
                gnutls_datum_t key_pem = {(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};

                assert_int_equal(
                        gnutls_certificate_set_x509_key_mem(c.credentials, &cert_pem, &key_pem, GNUTLS_X509_FMT_PEM),
                        0);
        }
        assert_int_equal(gnutls_init(&c.session, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
        assert_int_equal(gnutls_priority_set_direct(c.session, priorities, NULL), 0);
        assert_int_equal(gnutls_credentials_set(c.session, GNUTLS_CRD_CERTIFICATE, c.credentials), 0);
        gnutls_transport_set_int(c.session, c.fd);
        return c;
}

static bool again(ssize_t r)
{
        return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
}

static int handshake(struct state *s, struct client *c)
{
        usec_t give_up = clock_boottime() + PATIENCE;
        int r;

        while (again(r = gnutls_handshake(c->session)) && clock_boottime() < give_up)
                step(s);
        return r;
}

/* The answer to GET, "" where there is none. */
static void ask(struct state *s, struct client *c, struct buf *answer)
{
        usec_t give_up = clock_boottime() + PATIENCE;
        char chunk[4096];
        ssize_t r;

        if (handshake(s, c) < 0)
                return;
        assert_int_equal(gnutls_record_send(c->session, GET, strlen(GET)), (ssize_t)strlen(GET));
        while ((r = gnutls_record_recv(c->session, chunk, sizeof(chunk))) != 0 && clock_boottime() < give_up) {
                if (r > 0)
                        buf_add(answer, chunk, (size_t)r);
                else if (!again(r))
                        return;
                step(s);
        }
}

#define BUF CLEANUP_BUF = BUF_INIT(1 << 20)
#define CLIENT(name, ...) struct client name CLEANUP(client_release) = client_new(__VA_ARGS__)

static void test_request(void **state)
{
        static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"};
        struct state *s = *state;
        char *cert CLEANUP_FREE = NULL, *key CLEANUP_FREE = NULL;

        make(&cert, &key, "CN=client");
        start(s, false);
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                struct buf plain BUF, with BUF;

                CLIENT(stranger, s, versions[i], NULL, NULL);
                ask(s, &stranger, &plain);
                assert_true(str_ends(buf_str(&plain), "\r\n\r\nhello\n"));
                assert_int_equal(s->shown, 0);
                CLIENT(known, s, versions[i], cert, key);
                ask(s, &known, &with);
                assert_true(str_ends(buf_str(&with), "\r\n\r\nhello\n"));
                assert_int_equal(s->shown, 1);
        }
        assert_int_equal(s->connecting, 4);
}

static void test_versions(void **state)
{
        struct state *s = *state;

        start(s, true);
        CLIENT(old, s, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL, NULL);
        assert_true(handshake(s, &old) < 0);
        CLIENT(new, s, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL, NULL);
        assert_int_equal(handshake(s, &new), 0);
        s->server = http_server_free(s->server);
        s->tls = http_tls_free(s->tls);
        start(s, false);
        CLIENT(oldest, s, "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", NULL, NULL);
        assert_true(handshake(s, &oldest) < 0);
}

static void expect_name(struct state *s, const char *name)
{
        gnutls_x509_crt_t crt;
        unsigned count = 0;
        char text[100] = "";
        size_t len = sizeof(text);

        CLIENT(c, s, "NORMAL", NULL, NULL);
        assert_int_equal(handshake(s, &c), 0);
        const gnutls_datum_t *peers = gnutls_certificate_get_peers(c.session, &count);
        assert_int_equal(gnutls_x509_crt_init(&crt), 0);
        assert_int_equal(gnutls_x509_crt_import(crt, &peers[0], GNUTLS_X509_FMT_DER), 0);
        assert_int_equal(gnutls_x509_crt_get_dn(crt, text, &len), 0);
        assert_string_equal(text, name);
        gnutls_x509_crt_deinit(crt);
}

static void test_replace(void **state)
{
        struct state *s = *state;
        char *cert CLEANUP_FREE = NULL, *key CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        make(&cert, &key, "CN=renewed");
        start(s, false);
        expect_name(s, "CN=server");
        assert_int_equal(http_tls_replace(s->tls, cert, s->key, &err), -ERR_INVALID); /* another's key */
        assert_int_equal(http_tls_replace(s->tls, "rubbish", key, &err), -ERR_INVALID);
        expect_name(s, "CN=server");
        assert_int_equal(http_tls_replace(s->tls, cert, key, &err), 0);
        expect_name(s, "CN=renewed");
}

static bool is_shut(int fd)
{
        char c;
        ssize_t n = recv(fd, &c, 1, MSG_PEEK);

        return n == 0 || (n < 0 && errno != EAGAIN);
}

/* Many who only hold connections open: one who asks is served, and the oldest of them have gone. */
static void test_crowd(void **state)
{
        struct state *s = *state;
        int crowd[10 * SEATS];
        struct buf answer BUF;
        int shut = 0;

        start(s, false);
        for (size_t i = 0; i < ARRAY_SIZE(crowd); i++) {
                crowd[i] = connect_to(s);
                step(s);
        }
        CLIENT(honest, s, "NORMAL", NULL, NULL);
        ask(s, &honest, &answer);
        assert_true(str_ends(buf_str(&answer), "\r\n\r\nhello\n"));
        for (int i = 0; i < 1000 && shut < (int)ARRAY_SIZE(crowd) - SEATS; i++) {
                shut = 0;
                step(s);
                for (size_t k = 0; k < ARRAY_SIZE(crowd); k++)
                        shut += is_shut(crowd[k]);
        }
        assert_true(shut >= (int)ARRAY_SIZE(crowd) - SEATS);
        for (size_t i = 0; i < ARRAY_SIZE(crowd); i++)
                (void)fd_close(crowd[i]);
}

/* One that drips is gone after its time, however busy it looks. */
static void test_drip(void **state)
{
        struct state *s = *state;
        usec_t begin = clock_boottime(), give_up = begin + PATIENCE;

        start(s, false);
        CLIENT(c, s, "NORMAL", NULL, NULL);
        assert_int_equal(handshake(s, &c), 0);
        while (!is_shut(c.fd) && clock_boottime() < give_up) {
                (void)gnutls_record_send(c.session, "G", 1);
                for (int i = 0; i < 10; i++)
                        step(s);
        }
        assert_true(is_shut(c.fd));
        assert_true(clock_boottime() >= begin + FIRST_TIMEOUT);
        for (int i = 0; i < 1000 && http_server_connections(s->server) > 0; i++)
                step(s);
        assert_int_equal(http_server_connections(s->server), 0);
        assert_int_equal(s->calls, 0);
}

static void test_bad_certificate(void **state)
{
        struct state *s = *state;
        struct http_tls *tls = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(http_tls_new("", s->key, false, &tls, &err), -ERR_INVALID);
        assert_int_equal(http_tls_new(s->cert, "", false, &tls, &err), -ERR_INVALID);
        assert_int_equal(http_tls_new(s->key, s->cert, false, &tls, &err), -ERR_INVALID);
        assert_null(tls);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_request), TEST(test_versions), TEST(test_replace),
                TEST(test_crowd),   TEST(test_drip),     TEST(test_bad_certificate),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

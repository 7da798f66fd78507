/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes against a real HTTP server and real sockets on loopback. Exec needs Docker: test/integration.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "net/curl_glue.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/probe.h"

struct rig {
        struct loop *loop;
        struct curl_glue *glue;
        struct http_server *server;
        struct probes *probes;
        int done;
        struct probe_result result;
        char output[512];
};

/* All of them lead to what fails, so that a probe that succeeds did not get there. */
static const struct {
        const char *name, *location;
} references[] = {
        {"relative", "fail"},          {"here", "./fail"},       {"up", "../fail"},         {"top", "../../../fail"},
        {"winding", "x/.././fail"},    {"absolute", "/to/fail"}, {"query", "/asked?a=b#c"}, {"own-query", "?a=b"},
        {"fragment", "/to/fail#part"}, {"same-scheme", NULL},    {"upper", NULL},
};

static void redirect(struct http_server_request *request, const char *name)
{
        const char *host = http_server_request_header(request, "Host"), *location = NULL;
        char whole[128];

        if (str_eq(name, "fail") || (str_eq(name, "own-query") && http_server_query(request, "a"))) {
                http_server_replyf(request, 500, "broken");
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(references); i++)
                if (str_eq(references[i].name, name))
                        location = references[i].location;
        (void)snprintf(whole, sizeof(whole), "%s//%s/fail", str_eq(name, "upper") ? "HTTP:" : "", host);
        http_server_add_header(request, "Location", location ? location : whole);
        http_server_replyf(request, 302, "go on");
}

static void serve(void *userdata, struct http_server_request *request)
{
        const char *path = http_server_path(request);
        struct rig *rig = userdata;

        if (str_eq(path, "/fail")) {
                http_server_replyf(request, 500, "broken");
        } else if (str_eq(path, "/here")) {
                http_server_add_header(request, "Location", "/ok");
                http_server_replyf(request, 302, "go on");
        } else if (str_after(path, "/to/")) {
                redirect(request, str_after(path, "/to/"));
        } else if (str_eq(path, "/asked")) {
                http_server_replyf(request, str_eq(http_server_query(request, "a"), "b") ? 500 : 200, "x");
        } else if (str_eq(path, "/round")) {
                http_server_add_header(request, "Location", "/round");
                http_server_replyf(request, 302, "go on");
        } else if (str_eq(path, "/away")) {
                http_server_add_header(request, "Location", "http://example.com/");
                http_server_replyf(request, 302, "go away");
        } else if (str_eq(path, "/silent")) {
                http_server_on_closed(request, NULL, rig);
        } else if (str_eq(path, "/agent")) {
                bool same = str_eq(http_server_request_header(request, "User-Agent"), "kube-probe/1.36") &&
                            str_eq(http_server_request_header(request, "X-Asked"), "yes");
                http_server_replyf(request, same ? 200 : 400, "x");
        } else {
                http_server_replyf(request, 200, "fine");
        }
}

static void finished(void *userdata, const struct probe_result *result)
{
        struct rig *rig = userdata;

        rig->done++;
        rig->result = *result;
        str_copy(rig->output, sizeof(rig->output), result->output);
}

static int setup(void **state)
{
        static struct rig rig;
        struct curl_glue_options glue = {.name = "probe"};
        struct http_server_options server = {
                .name = "server", .address = "127.0.0.1", .handler = serve, .userdata = &rig};
        struct err err = ERR_INIT;

        rig = (struct rig){0};
        if (loop_new(&rig.loop, &err) < 0 || curl_glue_new(rig.loop, &glue, &rig.glue, &err) < 0 ||
            http_server_new(rig.loop, &server, &rig.server, &err) < 0)
                return -1;
        rig.probes = probes_new(rig.loop, rig.glue, NULL);
        *state = &rig;
        return 0;
}

static int teardown(void **state)
{
        struct rig *rig = *state;

        probes_free(rig->probes);
        http_server_free(rig->server);
        curl_glue_free(rig->glue);
        loop_free(rig->loop);
        return 0;
}

static void run(struct rig *rig, const struct pod_handler *handler, usec_t timeout)
{
        struct pod_container container = {.name = (char *)"c"};
        struct probe_request request = {.handler = handler,
                                        .container = &container,
                                        .container_id = "none",
                                        .address = "127.0.0.1",
                                        .timeout = timeout};
        struct err err = ERR_INIT;
        usec_t deadline = clock_boottime() + 10 * USEC_PER_SEC;

        rig->done = 0;
        (void)probe_start(rig->probes, &request, finished, rig);
        assert_int_equal(rig->done, 0); /* never from within */
        while (rig->done == 0 && clock_boottime() < deadline)
                assert_true(loop_step(rig->loop, deadline, &err) >= 0);
        assert_int_equal(rig->done, 1);
}

static void get(struct rig *rig, const char *path, usec_t timeout)
{
        struct pod_handler handler = {
                .type = POD_HANDLER_HTTP_GET, .path = (char *)path, .port = http_server_port(rig->server)};
        struct pod_key_value header = {(char *)"X-Asked", (char *)"yes"};

        handler.headers = (struct pod_map){&header, 1};
        run(rig, &handler, timeout);
}

static void http_outcomes(void **state)
{
        struct rig *rig = *state;

        get(rig, "/ok", USEC_PER_SEC);
        assert_true(rig->result.success);
        get(rig, "/agent", USEC_PER_SEC);
        assert_true(rig->result.success);
        get(rig, "/fail", USEC_PER_SEC);
        assert_false(rig->result.success);
        assert_false(rig->result.error);
        assert_string_equal(rig->output, "HTTP probe failed with statuscode: 500");
}

static void http_redirects(void **state)
{
        struct rig *rig = *state;

        get(rig, "/here", USEC_PER_SEC);
        assert_true(rig->result.success);
        assert_false(rig->result.warning);
        get(rig, "/away", USEC_PER_SEC);
        assert_true(rig->result.success);
        assert_true(rig->result.warning);
        get(rig, "/round", USEC_PER_SEC);
        assert_false(rig->result.success);
        assert_string_equal(rig->output, "stopped after 10 redirects");
}

/* As Go's client takes Location, which the kubelet asks with. */
static void http_redirects_are_resolved(void **state)
{
        struct rig *rig = *state;

        for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
                char path[64];

                (void)snprintf(path, sizeof(path), "/to/%s?x=y", references[i].name);
                get(rig, path, USEC_PER_SEC);
                if (rig->result.success || !str_eq(rig->output, "HTTP probe failed with statuscode: 500"))
                        fail_msg("%s: %s", references[i].name, rig->output);
        }
}

static void http_deadline(void **state)
{
        struct rig *rig = *state;
        usec_t began = clock_boottime();

        get(rig, "/silent", 200 * USEC_PER_MSEC);
        assert_false(rig->result.success);
        assert_false(rig->result.error);
        assert_non_null(str_after(rig->output, "Get \"http://127.0.0.1:"));
        assert_non_null(strstr(
                rig->output, "/silent\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
        assert_in_range(clock_boottime() - began, 150 * USEC_PER_MSEC, 5 * USEC_PER_SEC);
}

/* A port that nothing listens on: bound, and given back. */
static int free_port(void)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(in);
        int fd CLEANUP_FD = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_return_code(bind(fd, (struct sockaddr *)&in, sizeof(in)), errno);
        assert_return_code(getsockname(fd, (struct sockaddr *)&in, &len), errno);
        return ntohs(in.sin_port);
}

static void http_refused(void **state)
{
        struct rig *rig = *state;
        struct pod_handler handler = {.type = POD_HANDLER_HTTP_GET, .path = (char *)"/", .port = free_port()};
        char expected[160];

        (void)snprintf(expected, sizeof(expected),
                       "Get \"http://127.0.0.1:%d/\": dial tcp 127.0.0.1:%d: connect: connection refused", handler.port,
                       handler.port);
        run(rig, &handler, USEC_PER_SEC);
        assert_false(rig->result.success);
        assert_string_equal(rig->output, expected);
}

static void tcp_outcomes(void **state)
{
        struct rig *rig = *state;
        struct pod_handler handler = {.type = POD_HANDLER_TCP_SOCKET, .port = http_server_port(rig->server)};

        run(rig, &handler, USEC_PER_SEC);
        assert_true(rig->result.success);
        handler.port = free_port();
        run(rig, &handler, USEC_PER_SEC);
        assert_false(rig->result.success);
        assert_non_null(strstr(rig->output, "connect: connection refused"));
        handler.host = (char *)"some.name";
        run(rig, &handler, USEC_PER_SEC);
        assert_false(rig->result.success);
        assert_non_null(strstr(rig->output, "must be an IP address"));
}

static void what_cannot_be_carried_out_is_an_error(void **state)
{
        struct rig *rig = *state;
        struct pod_handler exec = {.type = POD_HANDLER_EXEC};
        struct pod_handler named = {.type = POD_HANDLER_HTTP_GET, .path = (char *)"/", .port_name = (char *)"none"};

        run(rig, &exec, USEC_PER_SEC);
        assert_true(rig->result.error);
        run(rig, &named, USEC_PER_SEC);
        assert_true(rig->result.error);
}

static void cancelled_probes_are_silent(void **state)
{
        struct rig *rig = *state;
        struct pod_container container = {.name = (char *)"c"};
        struct pod_handler handler = {
                .type = POD_HANDLER_HTTP_GET, .path = (char *)"/ok", .port = http_server_port(rig->server)};
        struct probe_request request = {
                .handler = &handler, .container = &container, .address = "127.0.0.1", .timeout = USEC_PER_SEC};
        struct err err = ERR_INIT;

        rig->done = 0;
        probe_cancel(probe_start(rig->probes, &request, finished, rig));
        handler.type = POD_HANDLER_TCP_SOCKET;
        probe_cancel(probe_start(rig->probes, &request, finished, rig));
        usec_t deadline = clock_boottime() + 200 * USEC_PER_MSEC;
        while (clock_boottime() < deadline)
                assert_true(loop_step(rig->loop, deadline, &err) >= 0);
        assert_int_equal(rig->done, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(http_outcomes, setup, teardown),
                cmocka_unit_test_setup_teardown(http_redirects, setup, teardown),
                cmocka_unit_test_setup_teardown(http_redirects_are_resolved, setup, teardown),
                cmocka_unit_test_setup_teardown(http_deadline, setup, teardown),
                cmocka_unit_test_setup_teardown(http_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(tcp_outcomes, setup, teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_carried_out_is_an_error, setup, teardown),
                cmocka_unit_test_setup_teardown(cancelled_probes_are_silent, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

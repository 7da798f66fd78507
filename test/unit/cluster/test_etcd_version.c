/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of an external etcd against a server on loopback that answers /version in one way or another.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/etcd_version.h"
#include "codec/json.h"
#include "codec/value.h"
#include "phase/phase.h"
#include "phase/preflight_report.h"

#include "../phase/fixture.h"

#define NUL '\1' /* stands for one in an answer */

static char found[2048]; /* what the check reported */

static void answer_one(int client, const char *answer)
{
        char request[2048];
        char *body CLEANUP_FREE = xstrdup(str_after(answer, "500 ") ?: answer);
        size_t len = strlen(body);

        for (size_t i = 0; i < len; i++)
                if (body[i] == NUL)
                        body[i] = '\0';
        if (client < 0 || read(client, request, sizeof(request)) <= 0 ||
            strncmp(request, "GET /version HTTP/1.1\r\n", 23) != 0)
                _exit(1);
        (void)dprintf(client, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n",
                      str_after(answer, "500 ") ? "500 no" : "200 OK");
        (void)fd_write_all(client, body, len);
        (void)close(client);
}

/* A process that answers each connection with the next of the answers, the last again and again. Its port. */
static int serve(const char *const *answers, pid_t *ret)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(in);
        int fd CLEANUP_FD = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_return_code(bind(fd, (struct sockaddr *)&in, sizeof(in)), errno);
        assert_return_code(getsockname(fd, (struct sockaddr *)&in, &len), errno);
        assert_return_code(listen(fd, 8), errno);
        *ret = fork();
        assert_return_code(*ret, errno);
        if (*ret > 0)
                return ntohs(in.sin_port);
        for (;;) {
                answer_one(accept(fd, NULL, NULL), *answers);
                if (answers[1])
                        answers++;
        }
}

static int check(struct phase *phase, const char *arg, struct err *err)
{
        struct preflight_report report CLEANUP(preflight_report_release) = {.phase = phase};

        (void)arg;
        preflight_report_init(&report, phase, NULL, NULL);
        int r = etcd_version_check(&report, USEC_PER_MSEC, err);
        str_copy(found, sizeof(found), buf_str(&report.errors));
        return r;
}

/* port 0: nothing listens there. */
static void ask(struct fixture *f, const char *release, const char *endpoint)
{
        const char *api = strcmp(release, "v1.22") < 0 ? "2" : strcmp(release, "v1.31") < 0 ? "3" : "4";
        char *config CLEANUP_FREE = xasprintf("apiVersion: kubeadm.k8s.io/v1beta%s\nkind: InitConfiguration\n"
                                              "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n---\n"
                                              "apiVersion: kubeadm.k8s.io/v1beta%s\nkind: ClusterConfiguration\n"
                                              "kubernetesVersion: %s\netcd: {external: {endpoints: ['%s']}}\n",
                                              api, api, release, endpoint);

        fixture_config(f, config);
        f->version = release;
        if (fixture_run(f, check, NULL) < 0)
                fail_msg("%s: %s", release, f->err.msg);
}

static void ask_server(struct fixture *f, const char *release, const char *const *answers)
{
        pid_t pid;
        int port = serve(answers, &pid);
        char *endpoint CLEANUP_FREE = xasprintf("http://127.0.0.1:%d/", port);

        ask(f, release, endpoint);
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The answers of a release to an etcd that is too old, just too old, and new enough. */
static void check_release(struct fixture *f, const char *release, const char *least)
{
        char *version CLEANUP_FREE = xasprintf("v%s", release);
        unsigned major, minor, patch;

        assert_int_equal(sscanf(least, "%u.%u.%u", &major, &minor, &patch), 3);
        char *below CLEANUP_FREE = xasprintf("%u.%u.%u", major, minor, patch - 1);
        char *old CLEANUP_FREE = xasprintf("{\"etcdserver\":\"%s\",\"etcdcluster\":\"%u.%u.0\"}", below, major, minor);
        char *enough CLEANUP_FREE = xasprintf("{\"etcdserver\":\"%s\"}", least);
        char *said CLEANUP_FREE =
                xasprintf("this version of kubeadm only supports external etcd version >= %s. Current version: %s\n",
                          least, below);

        ask_server(f, version, (const char *const[]){old, NULL});
        if (!strstr(found, said))
                fail_msg("%s: %s, not: %s", release, found, said);
        ask_server(f, version, (const char *const[]){enough, NULL});
        assert_string_equal(found, "");
}

/* What the sources of each release say (test/peer/releases), for the first and the last of those that say the same. */
static void versions_by_release(void **state)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct value *entries CLEANUP_VALUE = NULL;
        char *path CLEANUP_FREE = xasprintf("%s/rows/releases.json", getenv("TEST_DATA"));
        struct err err = ERR_INIT;

        assert_int_equal(file_read(path, &text, &err), 0);
        assert_int_equal(json_load(path, buf_str(&text), text.len, &entries, &err), 0);
        assert_true(value_is(entries, VALUE_LIST) && entries->list.count > 0);
        for (size_t i = 0; i < entries->list.count; i++) {
                const struct value *releases = value_map_get(entries->list.items[i], "releases");
                const char *least = value_string(value_map_get(entries->list.items[i], "leastExternalEtcd"), NULL);

                assert_true(value_is(releases, VALUE_LIST) && least);
                for (size_t n = 0; n<releases->list.count; n += releases->list.count> 1 ? releases->list.count - 1 : 1)
                        check_release(*state, value_string(releases->list.items[n], ""), least);
        }
}

static void answers(void **state)
{
        struct fixture *f = *state;

        ask_server(f, "v1.36.3", (const char *const[]){"500 ", "500 ", "500 ", "{\"etcdserver\":\"3.6.8\"}", NULL});
        assert_string_equal(found, "");
        ask_server(f, "v1.36.3",
                   (const char *const[]){"500 ", "500 ", "500 ", "500 ", "{\"etcdserver\":\"3.6.8\"}", NULL});
        assert_non_null(strstr(found, "server responded with non-successful status: 500"));
        ask_server(f, "v1.36.3", (const char *const[]){"<html>", NULL});
        assert_non_null(strstr(found, "[ERROR ExternalEtcdVersion]"));
        ask_server(f, "v1.36.3", (const char *const[]){"[]", NULL});
        assert_non_null(strstr(found, "is no object"));
        ask_server(f, "v1.36.3", (const char *const[]){"{\"etcdserver\":\"new\"}", NULL});
        assert_non_null(strstr(found, "couldn't parse external etcd version \"new\""));
        ask_server(f, "v1.36.3", (const char *const[]){"{\"etcdserver\":\"3.6.8\"\1\1\1\1\1\1\1\1\1\1\1\1}", NULL});
        assert_non_null(strstr(found, "[ERROR ExternalEtcdVersion]"));
        ask(f, "v1.36.3", "http://127.0.0.1:1");
        assert_non_null(strstr(
                found, "Get \"http://127.0.0.1:1/version\": dial tcp 127.0.0.1:1: connect: connection refused\n"));
}

static void files_that_are_missing(void **state)
{
        struct fixture *f = *state;

        fixture_config(
                f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: "
                   "192.0.2.10}\n"
                   "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"
                   "etcd: {external: {endpoints: ['https://127.0.0.1:1'], caFile: /no/ca.crt, certFile: /no/c.crt, "
                   "keyFile: /no/c.key}}\n");
        f->version = "v1.36.3";
        assert_int_equal(fixture_run(f, check, NULL), 0);
        assert_non_null(strstr(found, "couldn't load external etcd's server certificate /no/ca.crt: open /no/ca.crt: "
                                      "no such file or directory"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(versions_by_release, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(answers, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(files_that_are_missing, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

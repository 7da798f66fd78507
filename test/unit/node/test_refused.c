/* SPDX-License-Identifier: Apache-2.0
 *
 * Who refused a connection, by the words of programs that were refused, and which pod would serve it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "kube/pod.h"
#include "node/refused.h"

#include "../pod_of_text.h"

/* "host:port host:port" */
static void finds(const char *text, const char *want)
{
        struct refused found[REFUSED_MAX];
        size_t n = refused_find(text, found);
        char got[512] = "";

        for (size_t i = 0; i < n; i++)
                (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s %d", i ? ", " : "", found[i].host,
                               found[i].port);
        assert_string_equal(got, want);
}

static void test_words_of_programs(void **state)
{
        (void)state;
        /* kube-apiserver */
        finds("W1121 16:23:46.123456       1 logging.go:55] [core] [Channel #1 SubChannel #2]grpc: "
              "addrConn.createTransport "
              "failed to connect to {Addr: \"127.0.0.1:2379\", ServerName: \"127.0.0.1:2379\", }. Err: connection "
              "error: "
              "desc = \"transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused\"\n",
              "127.0.0.1 2379");
        /* kube-controller-manager, kube-scheduler */
        finds("E1121 16:23:46.123456       1 leaderelection.go:436] error retrieving resource lock kube-system/x: Get "
              "\"https://192.168.122.7:6443/apis/coordination.k8s.io/v1/leases/x?timeout=5s\": dial tcp "
              "192.168.122.7:6443: connect: connection refused\n",
              "192.168.122.7 6443");
        /* etcd */
        finds("{\"level\":\"warn\",\"ts\":\"2026-11-21T16:23:46.1Z\",\"caller\":\"rafthttp/"
              "probing_status.go:68\",\"error\":"
              "\"dial tcp [fd00::7]:2380: connect: connection refused\"}\n",
              "fd00::7 2380");
        finds("curl: (7) Failed to connect to localhost port 8080 after 0 ms: Couldn't connect to server\n",
              "localhost 8080");
        finds("wget: can't connect to remote host (127.0.0.1): Connection refused\n", ""); /* no port: nothing to say */
        finds("Could not connect to Redis at 127.0.0.1:6379: Connection refused", "127.0.0.1 6379");
        finds("psql: error: connection to server at \"localhost\" (127.0.0.1), port 5432 failed: Connection refused\n",
              "127.0.0.1 5432");
        finds("[error] connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.5, "
              "upstream: \"http://127.0.0.1:8080/x\"\n",
              "127.0.0.1 8080");
        finds("Error: connect ECONNREFUSED 127.0.0.1:3000\n    at x (net.js:1141:16)\n", "127.0.0.1 3000");
        finds("dial tcp 127.0.0.1:1: connect: connection refused\ndial tcp 127.0.0.1:2: connect: connection refused\n"
              "dial tcp 127.0.0.1:1: connect: connection refused\n",
              "127.0.0.1 1, 127.0.0.1 2");
        finds("x:1: connection refused\nx:2: connection refused\nx:3: connection refused\nx:4: connection refused\n"
              "x:5: connection refused\n",
              "x 2, x 3, x 4, x 5");
}

static void test_what_is_none(void **state)
{
        (void)state;
        finds("", "");
        finds("listens on 127.0.0.1:2379\n", "");
        finds("connection refused\n", "");
        finds("16:23:46 connection refused\n", "");
        finds("main.go:123] connection refused\n", "");
        finds("x:0: connection refused\n", "");
        finds("x:65536: connection refused\n", "");
        finds("x:123456: connection refused\n", "");
        finds(":80: connection refused\n", "");
        finds("]:80: connection refused\n", "");
        finds("99:80: connection refused\n", "");
        finds(" port : connection refused\n", "");
        finds("port 80: connection refused\n", "");
}

/* ---- who serves it ---- */

static struct pod *pod_of(const char *name, const char *spec)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: %s\n", name, spec);

        return test_pod(text, &source);
}

static void test_places(void **state)
{
        static const struct {
                const char *host;
                enum refused_place of_host, of_own;
        } cases[] = {
                {"127.0.0.1", REFUSED_NODE, REFUSED_ITSELF},
                {"localhost", REFUSED_NODE, REFUSED_ITSELF},
                {"::1", REFUSED_NODE, REFUSED_ITSELF},
                {"10.0.0.1", REFUSED_NODE, REFUSED_NODE},
                {"172.17.0.2", REFUSED_ADDRESS, REFUSED_ITSELF},
                {"172.17.0.3", REFUSED_ADDRESS, REFUSED_ADDRESS},
                {"example.org", REFUSED_ADDRESS, REFUSED_ADDRESS},
        };
        struct pod *host CLEANUP_POD = pod_of("a", "{hostNetwork: true, containers: [{name: c, image: i}]}");
        struct pod *own CLEANUP_POD = pod_of("b", "{containers: [{name: c, image: i}]}");
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct refused refused = {.port = 1};
                (void)snprintf(refused.host, sizeof(refused.host), "%s", cases[i].host);
                assert_int_equal(refused_place(&refused, host, "10.0.0.1", "10.0.0.1"), cases[i].of_host);
                assert_int_equal(refused_place(&refused, own, "172.17.0.2", "10.0.0.1"), cases[i].of_own);
        }
}

static void test_servers(void **state)
{
        static const struct {
                const char *spec;
                enum refused_place place;
                int port;
                bool serves;
        } cases[] = {
#define ETCD                                                                       \
        "{hostNetwork: true, containers: [{name: etcd, image: i, command: [etcd, " \
        "'--advertise-client-urls=https://10.0.0.1:2999', "                        \
        "'--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379', "    \
        "'--listen-metrics-urls=http://127.0.0.1:2381']}]}"
                {ETCD, REFUSED_NODE, 2379, true},
                {ETCD, REFUSED_NODE, 2381, true},
                {ETCD, REFUSED_NODE, 237, false},
                {ETCD, REFUSED_NODE, 2999, false},
#define APISERVER                                                                         \
        "{hostNetwork: true, containers: [{name: a, image: i, command: [kube-apiserver, " \
        "'--etcd-servers=https://127.0.0.1:2379', '--secure-port=6443']}]}"
                {APISERVER, REFUSED_NODE, 6443, true},
                {APISERVER, REFUSED_NODE, 2379, false}, /* it asks there, it does not serve it */
                {"{hostNetwork: true, containers: [{name: a, image: i, args: ['--port', '8080']}]}", REFUSED_NODE, 8080,
                 true},
                {"{hostNetwork: true, containers: [{name: a, image: i, livenessProbe: {httpGet: {port: 10257}}}]}",
                 REFUSED_NODE, 10257, true},
                {"{containers: [{name: a, image: i, livenessProbe: {httpGet: {port: 10257}}}]}", REFUSED_NODE, 10257,
                 false}, /* in its own network */
                {"{containers: [{name: a, image: i, livenessProbe: {httpGet: {port: 10257}}}]}", REFUSED_ITSELF, 10257,
                 true},
                {"{containers: [{name: a, image: i, ports: [{containerPort: 80, hostPort: 8080}]}]}", REFUSED_NODE,
                 8080, true},
                {"{containers: [{name: a, image: i, ports: [{containerPort: 80, hostPort: 8080}]}]}", REFUSED_NODE, 80,
                 false},
                {"{containers: [{name: a, image: i, ports: [{containerPort: 80, hostPort: 8080}]}]}", REFUSED_ADDRESS,
                 80, true},
        };
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pod *pod CLEANUP_POD = pod_of("x", cases[i].spec);
                if (refused_serves(pod, cases[i].place, cases[i].port) != cases[i].serves)
                        fail_msg("%s, port %d", cases[i].spec, cases[i].port);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_of_programs),
                cmocka_unit_test(test_what_is_none),
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_servers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "kube/pod.h"
#include "node/host.h"
#include "node/pod_net.h"

#include "../pod_of_text.h"

static struct host host = {.node_name = "n1", .node_ip = "10.0.0.1", .cluster_domain = "cluster.local"};

static int setup(void **state)
{
        (void)state;
        strv_add(&host.cluster_dns, "10.96.0.10");
        strv_add(&host.dns_servers, "192.168.1.1");
        strv_add(&host.dns_searches, "example.com");
        strv_add(&host.dns_options, "timeout:2");
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        strv_release(&host.cluster_dns);
        strv_release(&host.dns_servers);
        strv_release(&host.dns_searches);
        strv_release(&host.dns_options);
        return 0;
}

static struct pod *pod_of(const char *name, const char *spec)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf(
                "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  containers: [{name: c, image: i}]\n%s", name,
                spec);

        return test_pod(text, &source);
}

/* As "hostname" and "subdomain" of the spec would. */
static void set_subdomain(struct pod *pod, const char *hostname, const char *subdomain, bool fqdn)
{
        pod->hostname = xstrdup(hostname);
        pod->subdomain = xstrdup(subdomain);
        pod->set_hostname_as_fqdn = fqdn;
}

static void assert_hostname(const char *name, const char *spec, const char *expected)
{
        struct pod *pod CLEANUP_POD = pod_of(name, spec);
        char *hostname CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(pod_net_hostname(&host, pod, &hostname, &err), 0);
        assert_string_equal(hostname, expected);
}

static void test_hostname(void **state)
{
        (void)state;
        assert_hostname("web", "", "web-n1");
        assert_hostname("web", "  hostname: other\n", "other");
        assert_hostname("web", "  hostNetwork: true\n", "");
        /* 63 characters would end in a dash. */
        assert_hostname("a0123456789b0123456789c0123456789d0123456789e0123456789f012345-x", "",
                        "a0123456789b0123456789c0123456789d0123456789e0123456789f012345");
}

static void test_fqdn(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("web", "");
        char *name CLEANUP_FREE = NULL;
        char *full CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        set_subdomain(pod, "h", "s", false);
        assert_int_equal(pod_net_hostname(&host, pod, &name, &err), 0);
        assert_string_equal(name, "h");
        pod->set_hostname_as_fqdn = true;
        assert_int_equal(pod_net_hostname(&host, pod, &full, &err), 0);
        assert_string_equal(full, "h.s.default.svc.cluster.local");
}

static void test_fqdn_too_long(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("web", "");
        char *hostname = NULL;
        struct err err = ERR_INIT;

        set_subdomain(pod, "a0123456789b0123456789c0123456789d01234567", "s", true);
        assert_true(pod_net_hostname(&host, pod, &hostname, &err) < 0);
        assert_null(hostname);
}

static void assert_hosts(const char *spec, const char *ip, const char *expected)
{
        struct pod *pod CLEANUP_POD = pod_of("web", spec);
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        pod_net_hosts(&host, pod, ip, "127.0.0.1 localhost\n", &out);
        assert_string_equal(buf_str(&out), expected);
}

#define HOSTS_HEAD                                    \
        "# Kubernetes-managed hosts file.\n"          \
        "127.0.0.1\tlocalhost\n"                      \
        "::1\tlocalhost ip6-localhost ip6-loopback\n" \
        "fe00::0\tip6-localnet\n"                     \
        "fe00::0\tip6-mcastprefix\n"                  \
        "fe00::1\tip6-allnodes\n"                     \
        "fe00::2\tip6-allrouters\n"

static void test_hosts(void **state)
{
        (void)state;
        assert_hosts("", "172.17.0.2", HOSTS_HEAD "172.17.0.2\tweb-n1\n");
        assert_hosts("", "", HOSTS_HEAD);
        assert_hosts("  hostAliases: [{ip: 1.2.3.4, hostnames: [a, b]}]\n", "172.17.0.2",
                     HOSTS_HEAD "172.17.0.2\tweb-n1\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n");
        assert_hosts("  hostNetwork: true\n", "10.0.0.1",
                     "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n");
}

static void test_hosts_of_subdomain(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("web", "");
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        set_subdomain(pod, "h", "s", false);
        pod_net_hosts(&host, pod, "172.17.0.2", "", &out);
        assert_string_equal(buf_str(&out), HOSTS_HEAD "172.17.0.2\th.s.default.svc.cluster.local\th\n");
}

static void assert_resolv(const struct host *h, const char *spec, bool missing, const char *expected)
{
        struct pod *pod CLEANUP_POD = pod_of("web", spec);
        struct buf out CLEANUP_BUF = BUF_INIT(65536);
        struct pod_dns dns;

        pod_net_dns(h, pod, &dns);
        pod_net_resolv_conf(&dns, &out);
        assert_int_equal(dns.missing_cluster_dns, missing);
        pod_dns_release(&dns);
        assert_string_equal(buf_str(&out), expected);
}

static void test_resolv_conf(void **state)
{
        (void)state;
        struct host without = host;
        without.cluster_dns = STRV_INIT;

        assert_resolv(&host, "", false,
                      "nameserver 10.96.0.10\n"
                      "search default.svc.cluster.local svc.cluster.local cluster.local example.com\n"
                      "options ndots:5\n");
        assert_resolv(&host, "  dnsPolicy: Default\n", false,
                      "nameserver 192.168.1.1\nsearch example.com\noptions timeout:2\n");
        assert_resolv(&host, "  hostNetwork: true\n", false,
                      "nameserver 192.168.1.1\nsearch example.com\noptions timeout:2\n");
        assert_resolv(&host, "  hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet\n", false,
                      "nameserver 10.96.0.10\n"
                      "search default.svc.cluster.local svc.cluster.local cluster.local example.com\n"
                      "options ndots:5\n");
        assert_resolv(&without, "", true, "nameserver 192.168.1.1\nsearch example.com\noptions timeout:2\n");
        assert_resolv(&host,
                      "  dnsPolicy: None\n"
                      "  dnsConfig: {nameservers: [1.1.1.1], searches: [x.y], options: [{name: ndots, value: '2'}, "
                      "{name: edns0}]}\n",
                      false, "nameserver 1.1.1.1\nsearch x.y\noptions ndots:2 edns0\n");
        assert_resolv(&host, "  dnsConfig: {options: [{name: ndots, value: '2'}]}\n", false,
                      "nameserver 10.96.0.10\n"
                      "search default.svc.cluster.local svc.cluster.local cluster.local example.com\n"
                      "options ndots:2\n");
}

static void test_too_many_servers(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("web", "  dnsConfig: {nameservers: [1.1.1.1, 2.2.2.2, 3.3.3.3]}\n");
        struct pod_dns dns;

        pod_net_dns(&host, pod, &dns);
        assert_true(dns.cut);
        assert_int_equal(dns.servers.len, 3);
        assert_string_equal(dns.servers.items[2], "2.2.2.2");
        pod_dns_release(&dns);
}

static void test_parse_resolv_conf(void **state)
{
        (void)state;
        struct strv servers CLEANUP_STRV = STRV_INIT;
        struct strv searches CLEANUP_STRV = STRV_INIT;
        struct strv options CLEANUP_STRV = STRV_INIT;

        pod_net_parse_resolv_conf("# comment\nnameserver 1.1.1.1\n; other\nnameserver\t2.2.2.2 # late\n"
                                  "domain old.example\nsearch a.b  c.d\noptions ndots:2 rotate\nnameserver\n",
                                  &servers, &searches, &options);
        assert_int_equal(servers.len, 2);
        assert_string_equal(servers.items[1], "2.2.2.2");
        assert_int_equal(searches.len, 2);
        assert_string_equal(searches.items[0], "a.b");
        assert_int_equal(options.len, 2);
        strv_release(&searches);
        pod_net_parse_resolv_conf("search .", &servers, &searches, &options);
        assert_int_equal(searches.len, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hostname),           cmocka_unit_test(test_fqdn),
                cmocka_unit_test(test_fqdn_too_long),      cmocka_unit_test(test_hosts),
                cmocka_unit_test(test_hosts_of_subdomain), cmocka_unit_test(test_resolv_conf),
                cmocka_unit_test(test_too_many_servers),   cmocka_unit_test(test_parse_resolv_conf),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}

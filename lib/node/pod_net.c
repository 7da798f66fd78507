/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/host.h"
#include "node/pod_net.h"

#define HOSTNAME_MAX 63 /* of a label; sethostname takes 64 */
#define FQDN_MAX 64

/* spec.hostname, else the pod's name cut to what a label may hold. Free it. */
static char *short_hostname(const struct pod *pod)
{
        if (!str_empty(pod->hostname))
                return xstrdup(pod->hostname);
        size_t len = strlen(pod->name);

        if (len > HOSTNAME_MAX)
                len = HOSTNAME_MAX;
        while (len > 0 && (pod->name[len - 1] == '-' || pod->name[len - 1] == '.'))
                len--;
        return xstrndup(pod->name, len);
}

/* subdomain.namespace.svc.clusterDomain, or NULL without a subdomain. Free it. */
static char *host_domain(const struct host *host, const struct pod *pod)
{
        if (str_empty(pod->subdomain))
                return NULL;
        return xasprintf("%s.%s.svc.%s", pod->subdomain, pod->namespace,
                         host->cluster_domain ? host->cluster_domain : "");
}

int pod_net_hostname(const struct host *host, const struct pod *pod, char **ret, struct err *err)
{
        char *name CLEANUP_FREE = short_hostname(pod);
        char *domain CLEANUP_FREE = host_domain(host, pod);

        if (pod->host_network) {
                *ret = xstrdup("");
                return 0;
        }
        if (pod->set_hostname_as_fqdn && domain) {
                char *fqdn CLEANUP_FREE = xasprintf("%s.%s", name, domain);

                if (strlen(fqdn) > FQDN_MAX)
                        return err_set(err, ERR_INVALID,
                                       "setHostnameAsFQDN: %s is longer than the %d characters of a hostname", fqdn,
                                       FQDN_MAX);
                *ret = TAKE_PTR(fqdn);
                return 0;
        }
        *ret = TAKE_PTR(name);
        return 0;
}

static void add_aliases(const struct pod *pod, struct buf *out)
{
        if (pod->host_alias_count == 0)
                return;
        buf_addstr(out, "\n# Entries added by HostAliases.\n");
        for (size_t i = 0; i < pod->host_alias_count; i++) {
                char *names CLEANUP_FREE = strv_join(&pod->host_aliases[i].hostnames, "\t");
                buf_addf(out, "%s\t%s\n", pod->host_aliases[i].ip, names);
        }
}

void pod_net_hosts(const struct host *host, const struct pod *pod, const char *ip, const char *node_hosts,
                   struct buf *out)
{
        char *name CLEANUP_FREE = short_hostname(pod);
        char *domain CLEANUP_FREE = host_domain(host, pod);

        if (pod->host_network) {
                buf_addstr(out, "# Kubernetes-managed hosts file (host network).\n");
                buf_addstr(out, node_hosts);
                add_aliases(pod, out);
                return;
        }
        buf_addstr(out, "# Kubernetes-managed hosts file.\n"
                        "127.0.0.1\tlocalhost\n"
                        "::1\tlocalhost ip6-localhost ip6-loopback\n"
                        "fe00::0\tip6-localnet\n"
                        "fe00::0\tip6-mcastprefix\n"
                        "fe00::1\tip6-allnodes\n"
                        "fe00::2\tip6-allrouters\n");
        if (!str_empty(ip) && domain)
                buf_addf(out, "%s\t%s.%s\t%s\n", ip, name, domain, name);
        else if (!str_empty(ip))
                buf_addf(out, "%s\t%s\n", ip, name);
        add_aliases(pod, out);
}

static void add_new(struct strv *to, const char *s)
{
        if (!strv_contains(to, s))
                strv_add(to, s);
}

static void add_all_new(struct strv *to, const struct strv *from)
{
        const char *s;

        STRV_FOREACH (s, from) {
                add_new(to, s);
        }
}

static bool same_option(const char *a, const char *b)
{
        size_t n = strcspn(a, ":");

        return n == strcspn(b, ":") && strncmp(a, b, n) == 0;
}

/* An option of the pod takes the place of one with the same name. */
static void set_option(struct strv *options, const char *name, const char *value)
{
        char *text CLEANUP_FREE = str_empty(value) ? xstrdup(name) : xasprintf("%s:%s", name, value);

        for (size_t i = 0; i < options->len; i++) {
                if (same_option(options->items[i], text)) {
                        strv_remove(options, i);
                        strv_insert(options, i, text);
                        return;
                }
        }
        strv_add(options, text);
}

static void cut_to_limits(struct pod_dns *dns)
{
        size_t chars = 0, keep = 0;

        while (dns->servers.len > DNS_SERVERS_MAX) {
                strv_remove(&dns->servers, dns->servers.len - 1);
                dns->cut = true;
        }
        while (keep < dns->searches.len && keep < DNS_SEARCHES_MAX) {
                chars += strlen(dns->searches.items[keep]) + (keep > 0);
                if (chars > DNS_SEARCH_CHARS_MAX)
                        break;
                keep++;
        }
        while (dns->searches.len > keep) {
                strv_remove(&dns->searches, dns->searches.len - 1);
                dns->cut = true;
        }
}

static enum pod_dns_policy effective_policy(const struct host *host, const struct pod *pod, bool *ret_missing)
{
        bool cluster = pod->dns_policy == POD_DNS_CLUSTER_FIRST_WITH_HOST_NET ||
                       (pod->dns_policy == POD_DNS_CLUSTER_FIRST && !pod->host_network);

        *ret_missing = cluster && host->cluster_dns.len == 0;
        if (pod->dns_policy == POD_DNS_NONE)
                return POD_DNS_NONE;
        return cluster && !*ret_missing ? POD_DNS_CLUSTER_FIRST : POD_DNS_DEFAULT;
}

void pod_net_dns(const struct host *host, const struct pod *pod, struct pod_dns *ret)
{
        struct pod_dns dns = {0};
        enum pod_dns_policy policy = effective_policy(host, pod, &dns.missing_cluster_dns);

        if (policy == POD_DNS_CLUSTER_FIRST) {
                strv_copy(&dns.servers, &host->cluster_dns);
                if (!str_empty(host->cluster_domain)) {
                        strv_addf(&dns.searches, "%s.svc.%s", pod->namespace, host->cluster_domain);
                        strv_addf(&dns.searches, "svc.%s", host->cluster_domain);
                        strv_add(&dns.searches, host->cluster_domain);
                }
                add_all_new(&dns.searches, &host->dns_searches);
                strv_add(&dns.options, "ndots:5");
        } else if (policy == POD_DNS_DEFAULT) {
                strv_copy(&dns.servers, &host->dns_servers);
                strv_copy(&dns.searches, &host->dns_searches);
                strv_copy(&dns.options, &host->dns_options);
        }
        add_all_new(&dns.servers, &pod->dns_nameservers);
        add_all_new(&dns.searches, &pod->dns_searches);
        for (size_t i = 0; i < pod->dns_options.count; i++)
                set_option(&dns.options, pod->dns_options.items[i].key, pod->dns_options.items[i].value);
        cut_to_limits(&dns);
        *ret = dns;
}

void pod_dns_release(struct pod_dns *dns)
{
        strv_release(&dns->servers);
        strv_release(&dns->searches);
        strv_release(&dns->options);
}

static void add_line(struct buf *out, const char *word, const struct strv *values)
{
        if (values->len == 0)
                return;
        char *text CLEANUP_FREE = strv_join(values, " ");
        buf_addf(out, "%s %s\n", word, text);
}

void pod_net_resolv_conf(const struct pod_dns *dns, struct buf *out)
{
        const char *server;

        STRV_FOREACH (server, &dns->servers) {
                buf_addf(out, "nameserver %s\n", server);
        }
        add_line(out, "search", &dns->searches);
        add_line(out, "options", &dns->options);
}

/* Words of one line, comments and white space left out. */
static void split_words(const char *line, size_t len, struct strv *words)
{
        size_t at = 0;

        while (at < len) {
                size_t start, end;

                at += strspn(line + at, " \t\r");
                if (at >= len || line[at] == '#' || line[at] == ';')
                        return;
                start = at;
                end = start + strcspn(line + start, " \t\r\n");
                if (end > len)
                        end = len;
                char *word CLEANUP_FREE = xstrndup(line + start, end - start);
                strv_add(words, word);
                at = end;
        }
}

/* The last search or domain line counts, as in libc; "search ." means none. */
static void take_words(const struct strv *words, struct strv *to)
{
        strv_release(to);
        for (size_t i = 1; i < words->len; i++)
                if (!str_eq(words->items[i], "."))
                        strv_add(to, words->items[i]);
}

void pod_net_parse_resolv_conf(const char *text, struct strv *servers, struct strv *searches, struct strv *options)
{
        for (const char *line = text; *line;) {
                struct strv words CLEANUP_STRV = STRV_INIT;
                size_t len = strcspn(line, "\n");

                split_words(line, len, &words);
                if (words.len >= 2 && str_eq(words.items[0], "nameserver"))
                        add_new(servers, words.items[1]);
                else if (words.len >= 1 && (str_eq(words.items[0], "search") || str_eq(words.items[0], "domain")))
                        take_words(&words, searches);
                else if (words.len >= 1 && str_eq(words.items[0], "options"))
                        for (size_t i = 1; i < words.len; i++)
                                add_new(options, words.items[i]);
                line += len + (line[len] == '\n');
        }
}

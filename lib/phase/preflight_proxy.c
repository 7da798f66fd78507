/* SPDX-License-Identifier: Apache-2.0
 *
 * Which proxy Go's http.ProxyFromEnvironment and apimachinery's NewProxierWithNoProxyCIDR would take for an address.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "phase/address.h"
#include "phase/preflight.h"

#define TEST_PORT "1234"

static const char *environment(const char *upper, const char *lower)
{
        const char *value = getenv(upper);

        return !str_empty(value) ? value : getenv(lower);
}

/* One entry of NO_PROXY against an address: "*", a subnet, an address, perhaps with the port. */
static bool entry_matches(const char *entry, const struct ip_address *ip, const char *port)
{
        char *host CLEANUP_FREE = NULL, *entry_port CLEANUP_FREE = NULL;
        char text[IP_TEXT_MAX], other_text[IP_TEXT_MAX];
        struct ip_subnet subnet;
        struct ip_address other;

        if (str_eq(entry, "*"))
                return true;
        if (ip_subnet_parse(entry, &subnet) == 0)
                return ip_subnet_contains(&subnet, ip);
        if (hostport_parse(entry, &host, &entry_port, NULL) < 0 || ip_parse(host, &other) < 0)
                return false;
        ip_text(ip, text);
        ip_text(&other, other_text);
        return str_eq(text, other_text) && (str_empty(entry_port) || str_eq(entry_port, port));
}

/* The proxy's URL for https://IP:PORT, or NULL. Free it. */
static char *proxy_for(const struct ip_address *ip, const char *port)
{
        const char *proxy = environment("HTTPS_PROXY", "https_proxy"), *no = environment("NO_PROXY", "no_proxy");
        struct strv entries CLEANUP_STRV = STRV_INIT;
        char *entry;

        if (str_empty(proxy) || ip_is_loopback(ip))
                return NULL;
        if (!str_empty(no))
                strv_split(&entries, no, ',');
        STRV_FOREACH (entry, &entries) {
                char *start = entry + strspn(entry, " "), *end = start + strlen(start);
                while (end > start && end[-1] == ' ')
                        *--end = '\0';
                if (entry_matches(start, ip, port))
                        return NULL;
        }
        return strstr(proxy, "://") ? xstrdup(proxy) : xasprintf("http://%s", proxy);
}

void preflight_check_proxy(struct preflight_report *report, const char *address)
{
        struct ip_address ip;

        if (ip_parse(address, &ip) < 0)
                return;
        char *joined CLEANUP_FREE = ip.v4 ? xstrdup(address) : hostport_join(address, TEST_PORT);
        char *proxy CLEANUP_FREE = proxy_for(&ip, ip.v4 ? "443" : TEST_PORT);
        if (proxy)
                preflight_warning(
                        report, "HTTPProxy",
                        "Connection to \"https://%s\" uses proxy \"%s\". If that is not intended, adjust your "
                        "proxy settings",
                        joined, proxy);
}

void preflight_check_proxy_subnet(struct preflight_report *report, const char *subnet)
{
        struct ip_subnet parsed;
        struct ip_address first;

        if (!*subnet)
                return;
        if (ip_subnet_parse(subnet, &parsed) < 0 || !ip_add(&parsed.address, 1, &first)) {
                preflight_error(report, "HTTPProxyCIDR", "error parsing CIDR \"%s\": invalid CIDR address: %s", subnet,
                                subnet);
                return;
        }
        char *proxy CLEANUP_FREE = proxy_for(&first, TEST_PORT);
        if (proxy)
                preflight_warning(
                        report, "HTTPProxyCIDR",
                        "connection to \"%s\" uses proxy \"%s\". This may lead to malfunctional cluster setup. "
                        "Make sure that Pod and Services IP ranges specified correctly as exceptions in proxy "
                        "configuration",
                        subnet, proxy);
}

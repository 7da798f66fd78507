/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "phase/host.h"

static int real_name(void *userdata, char **ret, struct err *err)
{
        char name[HOST_NAME_MAX + 1];

        (void)userdata;
        if (gethostname(name, sizeof(name)) < 0)
                return err_set_errno(err, errno, "cannot get the host name");
        name[sizeof(name) - 1] = '\0';
        *ret = xstrdup(name);
        return 0;
}

static void cleanup_file(FILE **f)
{
        if (*f)
                (void)fclose(*f);
}

static void cleanup_ifaddrs(struct ifaddrs **list)
{
        if (*list)
                freeifaddrs(*list);
}

static bool address_of(const struct ifaddrs *a, struct ip_address *ret)
{
        *ret = (struct ip_address){0};
        if (!a->ifa_addr || (a->ifa_addr->sa_family != AF_INET && a->ifa_addr->sa_family != AF_INET6))
                return false;
        ret->v4 = a->ifa_addr->sa_family == AF_INET;
        if (ret->v4)
                memcpy(ret->bytes, &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr, 4);
        else
                memcpy(ret->bytes, &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr, 16);
        return true;
}

/* The first global unicast address of a family on the interface `name` (NULL: any with all of `flags`). */
static bool interface_address(const struct ifaddrs *list, const char *name, unsigned flags, bool v6,
                              struct ip_address *ret)
{
        for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
                struct ip_address ip;

                if (!(a->ifa_flags & IFF_UP) || (a->ifa_flags & flags) != flags)
                        continue;
                if (name && strcmp(a->ifa_name, name) != 0)
                        continue;
                if (address_of(a, &ip) && ip.v4 == !v6 && ip_is_global_unicast(&ip)) {
                        *ret = ip;
                        return true;
                }
        }
        return false;
}

#define ROUTES_MAX 64

struct routes {
        char interfaces[ROUTES_MAX][IF_NAMESIZE];
        size_t count;
};

static void add_route(struct routes *routes, const char *interface)
{
        if (routes->count < ROUTES_MAX)
                (void)snprintf(routes->interfaces[routes->count++], IF_NAMESIZE, "%s", interface);
}

static int read_v4_routes(struct routes *routes, struct err *err)
{
        FILE *f CLEANUP(cleanup_file) = fopen("/proc/net/route", "re");
        char line[512], name[IF_NAMESIZE], destination[16];

        if (!f)
                return err_set_errno(err, errno, "open /proc/net/route");
        while (fgets(line, sizeof(line), f))
                if (sscanf(line, "%15s %15s", name, destination) == 2 && strcmp(destination, "00000000") == 0)
                        add_route(routes, name);
        return 0;
}

/* Optional, as there; a route without gateway is not one to the outside. */
static void read_v6_routes(struct routes *routes)
{
        static const char zero[] = "00000000000000000000000000000000";
        FILE *f CLEANUP(cleanup_file) = fopen("/proc/net/ipv6_route", "re");
        char line[512], destination[40], gateway[40], name[IF_NAMESIZE];

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "%39s %*s %*s %*s %39s %*s %*s %*s %*s %15s", destination, gateway, name) == 3 &&
                    strcmp(destination, zero) == 0 && strcmp(gateway, zero) != 0)
                        add_route(routes, name);
}

static int real_default_address(void *userdata, bool prefer_v6, struct ip_address *ret, struct err *err)
{
        struct ifaddrs *list CLEANUP(cleanup_ifaddrs) = NULL;
        struct routes routes[2] = {0}; /* IPv4, IPv6 */

        (void)userdata;
        int r = read_v4_routes(&routes[0], err);
        if (r < 0)
                return r;
        read_v6_routes(&routes[1]);
        if (routes[0].count == 0 && routes[1].count == 0)
                return 1;
        if (getifaddrs(&list) < 0)
                return err_set_errno(err, errno, "cannot list network interfaces");
        for (int turn = 0; turn < 2; turn++) {
                bool v6 = (turn == 0) == prefer_v6;
                const struct routes *family = &routes[v6];

                for (size_t i = 0; i < family->count; i++)
                        if (interface_address(list, family->interfaces[i], 0, v6, ret) ||
                            interface_address(list, NULL, IFF_LOOPBACK, v6, ret))
                                return 0;
        }
        return err_set(err, ENODEV, "unable to select an IP from default routes.");
}

static int real_loopback_address(void *userdata, struct ip_address *ret, struct err *err)
{
        struct ifaddrs *list CLEANUP(cleanup_ifaddrs) = NULL;

        (void)userdata;
        if (getifaddrs(&list) < 0)
                return err_set_errno(err, errno, "cannot list network interfaces");
        if (interface_address(list, "lo", 0, false, ret) || interface_address(list, "lo", 0, true, ret))
                return 0;
        return 1;
}

size_t host_proxy_variable(const char *variable)
{
        static const char suffix[] = "_proxy";
        const size_t suffix_len = sizeof(suffix) - 1;
        const char *equal = strchr(variable, '=');
        size_t len = equal ? (size_t)(equal - variable) : 0;

        return len >= suffix_len && strncasecmp(equal - suffix_len, suffix, suffix_len) == 0 ? len : 0;
}

const struct host host_real = {
        .name = real_name,
        .default_address = real_default_address,
        .loopback_address = real_loopback_address,
};

#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * IP addresses, subnets, host:port pairs and URLs, read and written exactly as the Go functions that kubeadm calls do:
 * netutils.ParseIPSloppy (leading zeros allowed), net.IP.String, netutils.ParseCIDRs, kubeadmutil.ParseHostPort,
 * url.Parse as far as kubeadm looks at its result.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct ip_address {
        bool v4;           /* also for an IPv4 address written as ::ffff:1.2.3.4 */
        uint8_t bytes[16]; /* network order; the first 4 where v4 */
};

#define IP_TEXT_MAX 48

/* 0, or -EINVAL. */
int ip_parse(const char *text, struct ip_address *ret);
/* Canonical text: lower case, longest run of zeros as "::". */
void ip_text(const struct ip_address *ip, char ret_text[IP_TEXT_MAX]);
bool ip_is_unspecified(const struct ip_address *ip);
bool ip_is_loopback(const struct ip_address *ip);
bool ip_is_global_unicast(const struct ip_address *ip);
/* True where text is an IPv6 address (not an IPv4 one). */
bool ip_text_is_v6(const char *text);
/* address + offset; false where it leaves the address space. */
bool ip_add(const struct ip_address *ip, uint32_t offset, struct ip_address *ret);

struct ip_subnet {
        struct ip_address address; /* masked */
        unsigned ones;             /* length of the mask */
        unsigned bits;             /* 32 or 128 */
};

#define IP_SUBNET_TEXT_MAX (IP_TEXT_MAX + 4)

/* "10.96.0.0/12"; 0 or -EINVAL. */
int ip_subnet_parse(const char *text, struct ip_subnet *ret);
void ip_subnet_text(const struct ip_subnet *subnet, char ret_text[IP_SUBNET_TEXT_MAX]);
bool ip_subnet_contains(const struct ip_subnet *subnet, const struct ip_address *ip);
/* Number of addresses as netutils.RangeSize counts: INT64_MAX for 63 host bits and more, 0 for nearly everything. */
int64_t ip_subnet_size(const struct ip_subnet *subnet);
/* Comma-separated subnets; at most `max` are stored in ret. The number found, or -EINVAL. */
int ip_subnets_parse(const char *text, struct ip_subnet *ret, size_t max);

/* HOST:PORT, HOST, IPV4, [IPV6]:PORT or IPV6. *ret_host and *ret_port (free both; port "" where absent) are set on
 * success. -ERR_INVALID with kubeadm's message. */
int hostport_parse(const char *text, char **ret_host, char **ret_port, struct err *err);
/* host:port, IPv6 in brackets (net.JoinHostPort). Free it. */
char *hostport_join(const char *host, const char *port);
/* A port number 1-65535, decimal; 0 or -EINVAL. */
int port_parse(const char *text, int *ret);

struct url {
        char *scheme; /* lower case, "" where absent */
        char *host;   /* without port and brackets */
        char *port;   /* "" where absent */
};

/* The parts of url.Parse that kubeadm looks at. -ERR_INVALID with Go's message (`parse "x": ...`). */
int url_parse(const char *text, struct url *ret, struct err *err);
void url_release(struct url *url);
#define CLEANUP_URL __attribute__((cleanup(url_release)))

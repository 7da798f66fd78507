/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "phase/address.h"

/* Four decimal numbers; leading zeros are allowed and mean nothing (Go before 1.17, kept by ParseIPSloppy). */
static const char *parse_v4(const char *p, uint8_t bytes[4])
{
        for (int i = 0; i < 4; i++) {
                unsigned n = 0;

                if (i > 0 && *p++ != '.')
                        return NULL;
                if (!isdigit((unsigned char)*p))
                        return NULL;
                for (; isdigit((unsigned char)*p); p++) {
                        n = n * 10 + (unsigned)(*p - '0');
                        if (n > 255)
                                return NULL;
                }
                bytes[i] = (uint8_t)n;
        }
        return p;
}

static const char *parse_group(const char *p, unsigned *ret)
{
        unsigned n = 0;

        if (!isxdigit((unsigned char)*p))
                return NULL;
        for (; isxdigit((unsigned char)*p); p++) {
                n = n * 16 + (unsigned)(isdigit((unsigned char)*p) ? *p - '0' : tolower((unsigned char)*p) - 'a' + 10);
                if (n > 0xffff)
                        return NULL;
        }
        *ret = n;
        return p;
}

/* Moves what was read behind the "::" (at byte `ellipsis`) to the end. */
static void expand(uint8_t bytes[16], int ellipsis, int filled)
{
        int tail = filled - ellipsis;

        memmove(bytes + 16 - tail, bytes + ellipsis, (size_t)tail);
        memset(bytes + ellipsis, 0, (size_t)(16 - filled));
}

static int parse_v6(const char *p, uint8_t bytes[16])
{
        int filled = 0, ellipsis = -1;

        memset(bytes, 0, 16);
        if (p[0] == ':' && p[1] == ':') {
                ellipsis = 0;
                p += 2;
                if (!*p)
                        return 0;
        }
        while (filled < 16) {
                unsigned group;
                const char *end = parse_group(p, &group);

                if (!end)
                        return -EINVAL;
                if (*end == '.') {
                        if ((ellipsis < 0 && filled != 12) || filled + 4 > 16)
                                return -EINVAL;
                        p = parse_v4(p, bytes + filled);
                        if (!p)
                                return -EINVAL;
                        filled += 4;
                        break;
                }
                bytes[filled++] = (uint8_t)(group >> 8);
                bytes[filled++] = (uint8_t)group;
                p = end;
                if (!*p)
                        break;
                if (*p++ != ':' || !*p)
                        return -EINVAL;
                if (*p == ':') {
                        if (ellipsis >= 0)
                                return -EINVAL;
                        ellipsis = filled;
                        if (!*++p)
                                break;
                }
        }
        if (*p || (filled < 16 && ellipsis < 0) || (filled == 16 && ellipsis >= 0))
                return -EINVAL;
        if (filled < 16)
                expand(bytes, ellipsis, filled);
        return 0;
}

int ip_parse(const char *text, struct ip_address *ret)
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        struct ip_address ip = {0};
        size_t separator = strcspn(text, ".:");

        if (text[separator] == '.') {
                const char *end = parse_v4(text, ip.bytes);
                if (!end || *end)
                        return -EINVAL;
                ip.v4 = true;
        } else if (text[separator] != ':' || parse_v6(text, ip.bytes) < 0) {
                return -EINVAL;
        } else if (memcmp(ip.bytes, mapped, sizeof(mapped)) == 0) {
                ip.v4 = true;
                memmove(ip.bytes, ip.bytes + 12, 4);
                memset(ip.bytes + 4, 0, 12);
        }
        *ret = ip;
        return 0;
}

/* The longest run of at least two zero groups: [*start, *end). */
static void longest_zeros(const uint8_t bytes[16], int *start, int *end)
{
        *start = *end = -1;
        for (int i = 0; i < 16; i += 2) {
                int j = i;
                while (j < 16 && bytes[j] == 0 && bytes[j + 1] == 0)
                        j += 2;
                if (j - i > 2 && j - i > *end - *start) {
                        *start = i;
                        *end = j;
                }
        }
}

void ip_text(const struct ip_address *ip, char ret_text[IP_TEXT_MAX])
{
        const uint8_t *b = ip->bytes;
        int start, end, n = 0;

        if (ip->v4) {
                (void)snprintf(ret_text, IP_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
                return;
        }
        longest_zeros(b, &start, &end);
        for (int i = 0; i < 16; i += 2) {
                if (i == start) {
                        n += snprintf(ret_text + n, IP_TEXT_MAX - (size_t)n, "::");
                        i = end;
                        if (i >= 16)
                                break;
                } else if (i > 0) {
                        ret_text[n++] = ':';
                }
                n += snprintf(ret_text + n, IP_TEXT_MAX - (size_t)n, "%x", (unsigned)b[i] << 8 | b[i + 1]);
        }
}

static bool all_zero(const uint8_t *b, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (b[i])
                        return false;
        return true;
}

bool ip_is_unspecified(const struct ip_address *ip)
{
        return all_zero(ip->bytes, ip->v4 ? 4 : 16);
}

bool ip_is_loopback(const struct ip_address *ip)
{
        return ip->v4 ? ip->bytes[0] == 127 : all_zero(ip->bytes, 15) && ip->bytes[15] == 1;
}

bool ip_is_global_unicast(const struct ip_address *ip)
{
        static const uint8_t broadcast[4] = {255, 255, 255, 255};
        const uint8_t *b = ip->bytes;

        if (ip_is_unspecified(ip) || ip_is_loopback(ip))
                return false;
        if (ip->v4) /* not broadcast, multicast, link-local */
                return memcmp(b, broadcast, 4) != 0 && (b[0] & 0xf0) != 224 && !(b[0] == 169 && b[1] == 254);
        return b[0] != 0xff && !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

bool ip_text_is_v6(const char *text)
{
        struct ip_address ip;

        return ip_parse(text, &ip) == 0 && !ip.v4;
}

bool ip_add(const struct ip_address *ip, uint32_t offset, struct ip_address *ret)
{
        struct ip_address sum = *ip;
        uint64_t carry = offset;

        for (int i = (ip->v4 ? 4 : 16) - 1; i >= 0; i--) {
                carry += sum.bytes[i];
                sum.bytes[i] = (uint8_t)carry;
                carry >>= 8;
        }
        if (carry)
                return false;
        *ret = sum;
        return true;
}

int ip_subnet_parse(const char *text, struct ip_subnet *ret)
{
        char address[IP_TEXT_MAX * 2];
        const char *slash = strchr(text, '/');
        struct ip_subnet subnet = {0};

        if (!slash || (size_t)(slash - text) >= sizeof(address))
                return -EINVAL;
        memcpy(address, text, (size_t)(slash - text));
        address[slash - text] = '\0';
        if (ip_parse(address, &subnet.address) < 0)
                return -EINVAL;
        subnet.bits = subnet.address.v4 ? 32 : 128;
        const char *p = slash + 1;
        if (!isdigit((unsigned char)*p))
                return -EINVAL;
        for (; isdigit((unsigned char)*p); p++) {
                subnet.ones = subnet.ones * 10 + (unsigned)(*p - '0');
                if (subnet.ones > 128)
                        return -EINVAL;
        }
        /* ::ffff:10.0.0.0/104 counts the mask over 128 bits; the network it means is an IPv4 one. */
        if (subnet.address.v4 && strchr(address, ':')) {
                if (subnet.ones < 96)
                        return -EINVAL;
                subnet.ones -= 96;
        }
        if (*p || subnet.ones > subnet.bits)
                return -EINVAL;
        for (unsigned bit = subnet.ones; bit < subnet.bits; bit++)
                subnet.address.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
        *ret = subnet;
        return 0;
}

void ip_subnet_text(const struct ip_subnet *subnet, char ret_text[IP_SUBNET_TEXT_MAX])
{
        ip_text(&subnet->address, ret_text);
        size_t n = strlen(ret_text);
        (void)snprintf(ret_text + n, IP_SUBNET_TEXT_MAX - n, "/%u", subnet->ones);
}

bool ip_subnet_contains(const struct ip_subnet *subnet, const struct ip_address *ip)
{
        if (subnet->address.v4 != ip->v4)
                return false;
        for (unsigned bit = 0; bit < subnet->ones; bit++)
                if ((subnet->address.bytes[bit / 8] ^ ip->bytes[bit / 8]) & 0x80u >> bit % 8)
                        return false;
        return true;
}

int64_t ip_subnet_size(const struct ip_subnet *subnet)
{
        unsigned host = subnet->bits - subnet->ones;

        if ((subnet->bits == 32 && host >= 31) || (subnet->bits == 128 && host >= 127))
                return 0;
        return host >= 63 ? INT64_MAX : (int64_t)1 << host;
}

int ip_subnets_parse(const char *text, struct ip_subnet *ret, size_t max)
{
        struct strv parts CLEANUP_STRV = STRV_INIT;

        strv_split(&parts, text, ',');
        for (size_t i = 0; i < parts.len; i++) {
                struct ip_subnet subnet;
                if (ip_subnet_parse(parts.items[i], &subnet) < 0)
                        return -EINVAL;
                if (i < max)
                        ret[i] = subnet;
        }
        return (int)parts.len;
}

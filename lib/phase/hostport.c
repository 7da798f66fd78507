/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/meta.h"
#include "phase/address.h"

int port_parse(const char *text, int *ret)
{
        int port = 0;

        /* strconv.ParseUint: digits alone, leading zeros allowed */
        if (!*text || text[strspn(text, "0123456789")])
                return -EINVAL;
        while (*text == '0' && text[1])
                text++;
        if (strlen(text) > 5 || str_to_int(text, 1, 65535, &port) < 0)
                return -EINVAL;
        *ret = port;
        return 0;
}

/* net.SplitHostPort. False where there is no port or the form is wrong. */
static bool split_host_port(const char *text, char **ret_host, char **ret_port)
{
        const char *colon = strrchr(text, ':'), *start = text, *end = colon;

        if (!colon)
                return false;
        if (text[0] == '[') {
                const char *bracket = strchr(text, ']');
                if (!bracket || bracket + 1 != colon)
                        return false;
                start = text + 1;
                end = bracket;
                if (memchr(start, '[', (size_t)(end - start)) || memchr(start, ']', (size_t)(end - start)))
                        return false;
        } else if (memchr(text, ':', (size_t)(colon - text)) || memchr(text, '[', (size_t)(colon - text)) ||
                   memchr(text, ']', (size_t)(colon - text))) {
                return false;
        }
        if (strpbrk(colon + 1, "[]"))
                return false;
        *ret_host = xstrndup(start, (size_t)(end - start));
        *ret_port = xstrdup(colon + 1);
        return true;
}

int hostport_parse(const char *text, char **ret_host, char **ret_port, struct err *err)
{
        char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;
        struct ip_address ip;
        int number;

        if (!split_host_port(text, &host, &port)) {
                host = xstrdup(text);
                port = xstrdup("");
        }
        if (*port && port_parse(port, &number) < 0)
                return err_set(err, ERR_INVALID,
                               "hostport %s: port %s must be a valid number between 1 and 65535, inclusive", text,
                               port);
        if (ip_parse(host, &ip) < 0 && meta_dns1123_subdomain(host, NULL) > 0)
                return err_set(err, ERR_INVALID,
                               "hostport %s: host '%s' must be a valid IP address or a valid RFC-1123 DNS subdomain",
                               text, host);
        *ret_host = TAKE_PTR(host);
        *ret_port = TAKE_PTR(port);
        return 0;
}

char *hostport_join(const char *host, const char *port)
{
        return strpbrk(host, ":%") ? xasprintf("[%s]:%s", host, port) : xasprintf("%s:%s", host, port);
}

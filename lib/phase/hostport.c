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

static int url_error(const char *text, struct err *err, const char *why)
{
        struct buf quoted CLEANUP_BUF = BUF_INIT(4096);

        buf_add_json_string(&quoted, text, strlen(text));
        return err_set(err, ERR_INVALID, "parse %s: %s", buf_str(&quoted), why);
}

/* "scheme:" at the start of text. Returns the rest, NULL where a colon comes first ("missing protocol scheme"). */
static const char *take_scheme(const char *text, struct url *url)
{
        for (size_t i = 0; text[i]; i++) {
                unsigned char c = (unsigned char)text[i];

                if (c == ':') {
                        if (i == 0)
                                return NULL;
                        free(url->scheme);
                        url->scheme = xstrndup(text, i);
                        str_lower(url->scheme);
                        return text + i + 1;
                }
                if (!isalpha(c) && (i == 0 || !(isdigit(c) || c == '+' || c == '-' || c == '.')))
                        break;
        }
        return text;
}

static int take_host(const char *text, const char *authority, size_t len, struct url *url, struct err *err)
{
        char *part CLEANUP_FREE = xstrndup(authority, len);
        const char *at = strrchr(part, '@'), *host = at ? at + 1 : part, *colon = strrchr(host, ':');

        if (host[0] == '[') {
                const char *bracket = strrchr(host, ']');
                if (!bracket)
                        return url_error(text, err, "missing ']' in host");
                colon = bracket[1] == ':' ? bracket + 1 : NULL;
                if (bracket[1] && !colon)
                        colon = bracket + 1;
        }
        if (colon && (*colon != ':' || colon[1 + strspn(colon + 1, "0123456789")])) {
                struct buf why CLEANUP_BUF = BUF_INIT(4096);
                buf_addstr(&why, "invalid port ");
                buf_add_json_string(&why, colon, strlen(colon));
                buf_addstr(&why, " after host");
                return url_error(text, err, buf_str(&why));
        }
        if (strpbrk(host, " <>\"\\^`{|}"))
                return url_error(text, err, "invalid character in host name");
        size_t n = colon ? (size_t)(colon - host) : strlen(host);
        free(url->port);
        url->port = xstrdup(colon ? colon + 1 : "");
        free(url->host);
        if (n >= 2 && host[0] == '[' && host[n - 1] == ']')
                url->host = xstrndup(host + 1, n - 2);
        else
                url->host = xstrndup(host, n);
        return 0;
}

int url_parse(const char *text, struct url *ret, struct err *err)
{
        struct url url CLEANUP_URL = {xstrdup(""), xstrdup(""), xstrdup("")};

        for (const char *p = text; *p; p++)
                if ((unsigned char)*p < 0x20 || *p == 0x7f)
                        return url_error(text, err, "net/url: invalid control character in URL");
        const char *rest = take_scheme(text, &url);
        if (!rest)
                return url_error(text, err, "missing protocol scheme");
        if (!*url.scheme && *rest != '/') {
                /* RFC 3986 section 4.2: the first segment of a relative path has no colon. */
                size_t colon = strcspn(rest, ":/");
                if (rest[colon] == ':')
                        return url_error(text, err, "first path segment in URL cannot contain colon");
        }
        if (str_starts(rest, "//") && !(!*url.scheme && str_starts(rest, "///"))) {
                int r = take_host(text, rest + 2, strcspn(rest + 2, "/?#"), &url, err);
                if (r < 0)
                        return r;
        }
        *ret = url;
        url = (struct url){0};
        return 0;
}

void url_release(struct url *url)
{
        free(url->scheme);
        free(url->host);
        free(url->port);
        *url = (struct url){0};
}

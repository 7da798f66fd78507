/* SPDX-License-Identifier: Apache-2.0 */
#include "net/go_error.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

void go_error_dial(struct buf *out, const char *host, int port, int error)
{
        const char *text = strerrordesc_np(error) ?: "unknown error";
        bool v6 = strchr(host, ':') && host[0] != '[';

        buf_addf(out, "dial tcp %s%s%s:%d: connect: %c%s", v6 ? "[" : "", host, v6 ? "]" : "", port,
                 tolower((unsigned char)text[0]), text + 1);
}

/* Host without brackets and port of an http or https URL. Without brackets the last colon counts, as for Go. */
static char *host_of(const char *url, int *ret_port)
{
        const char *https = str_after(url, "https://"), *rest = https ? https : str_after(url, "http://");

        rest = rest ? rest : url;
        char *authority CLEANUP_FREE = xstrndup(rest, strcspn(rest, "/?#"));
        const char *host = authority + (*authority == '['), *port = strrchr(authority, ':');
        size_t len = host != authority ? strcspn(host, "]") : port ? (size_t)(port - host) : strlen(host);

        *ret_port = https ? 443 : 80;
        if (port && port >= host + len) {
                char *digits CLEANUP_FREE = xstrndup(port + 1, strspn(port + 1, "0123456789"));
                (void)str_to_int(digits, 1, 65535, ret_port);
        }
        return xstrndup(host, len);
}

static bool is_address(const char *host)
{
        struct in6_addr address;

        return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

void go_error_request(struct buf *out, const char *method, const char *url, enum go_error_limit limit,
                      const struct err *err)
{
        char *word CLEANUP_FREE = xstrdup(method), *asked CLEANUP_FREE = xasprintf("%s %s: ", method, url);
        int port;
        char *host CLEANUP_FREE = host_of(url, &port);

        str_lower(word + 1);
        buf_addf(out, "%s \"%s\": ", word, url);
        if (err->code == ETIMEDOUT)
                buf_addf(out, "context deadline exceeded%s",
                         limit == GO_ERROR_CLIENT_TIMEOUT ? " (Client.Timeout exceeded while awaiting headers)" : "");
        else if (err->code == EHOSTUNREACH && !is_address(host))
                buf_addf(out, "dial tcp: lookup %s: no such host", host);
        else if (err->code == ECONNREFUSED || err->code == EHOSTUNREACH || err->code == ENETUNREACH)
                go_error_dial(out, host, port, err->code);
        else
                buf_addstr(out, str_after(err->msg, asked) ?: err->msg);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/str.h"
#include "phase/address.h"
#include "phase/field_error.h"

#define QUOTED_MAX 4096

static int url_error(const char *text, struct err *err, const char *why)
{
        struct buf quoted CLEANUP_BUF = BUF_INIT(QUOTED_MAX);

        go_quote(text, &quoted);
        return err_set(err, ERR_INVALID, "parse %s: %s", buf_str(&quoted), why);
}

/* The same with a piece of the text quoted between two words. */
static int url_error_at(const char *text, struct err *err, const char *before, const char *piece, size_t len,
                        const char *after)
{
        struct buf why CLEANUP_BUF = BUF_INIT(QUOTED_MAX);
        char *shown CLEANUP_FREE = xstrndup(piece, len);

        buf_addstr(&why, before);
        go_quote(shown, &why);
        buf_addstr(&why, after);
        return url_error(text, err, buf_str(&why));
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

static bool is_escape(const char *s, size_t left)
{
        return left >= 3 && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2]);
}

/* net/url unescape(): what is wrong with the escapes of a piece and, in a host, with its characters. A host may escape
 * what is no ASCII alone, and "%25" before a zone. */
static int check_escapes(const char *text, const char *piece, size_t len, bool host, struct err *err)
{
        for (size_t i = 0; i < len; i++) {
                const char *s = piece + i;
                bool good = is_escape(s, len - i);

                if (*s == '%') {
                        if (!good || (host && s[1] < '8' && strncmp(s, "%25", 3) != 0))
                                return url_error_at(text, err, "invalid URL escape ", s, len - i < 3 ? len - i : 3, "");
                        i += 2;
                } else if (host && strchr(" /@?^{}|\\`#", *s)) {
                        return url_error_at(text, err, "invalid character ", s, 1, " in host name");
                }
        }
        return 0;
}

static bool valid_userinfo(const char *s, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (!isalnum((unsigned char)s[i]) && !strchr("-._:~!$&'()*+,;=%@", s[i]))
                        return false;
        return true;
}

/* authority: [userinfo@]host[:port], as Go's parseAuthority and parseHost. */
static int take_host(const char *text, const char *authority, size_t len, struct url *url, struct err *err)
{
        char *part CLEANUP_FREE = xstrndup(authority, len);
        const char *at = strrchr(part, '@'), *host = at ? at + 1 : part, *colon = strrchr(host, ':');

        if (host[0] == '[') {
                const char *bracket = strrchr(host, ']');
                if (!bracket)
                        return url_error(text, err, "missing ']' in host");
                colon = bracket[1] ? bracket + 1 : NULL;
        }
        if (colon && (*colon != ':' || colon[1 + strspn(colon + 1, "0123456789")]))
                return url_error_at(text, err, "invalid port ", colon, strlen(colon), " after host");
        int r = check_escapes(text, host, strlen(host), true, err);
        if (r < 0)
                return r;
        if (at && !valid_userinfo(part, (size_t)(at - part)))
                return url_error(text, err, "net/url: invalid userinfo");
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

/* What stands between the scheme and a query. */
static int take_rest(const char *text, const char *rest, struct url *url, struct err *err)
{
        size_t len = strcspn(rest, "?");

        if (*rest != '/' && *url->scheme)
                return 0; /* opaque */
        if (*rest != '/') {
                /* RFC 3986 section 4.2: the first segment of a relative path has no colon. */
                size_t colon = strcspn(rest, ":/");

                if (colon < len && rest[colon] == ':')
                        return url_error(text, err, "first path segment in URL cannot contain colon");
        }
        if (str_starts(rest, "//") && (*url->scheme || !str_starts(rest, "///"))) {
                size_t authority = strcspn(rest + 2, "/?");
                int r = take_host(text, rest + 2, authority, url, err);

                if (r < 0)
                        return r;
                rest += 2 + authority;
                len -= 2 + authority;
        }
        return check_escapes(text, rest, len, false, err);
}

int url_parse(const char *whole, struct url *ret, struct err *err)
{
        struct url url CLEANUP_URL = {xstrdup(""), xstrdup(""), xstrdup("")};
        size_t before = strcspn(whole, "#");
        char *text CLEANUP_FREE = xstrndup(whole, before);
        int r = 0;

        for (const char *p = text; *p; p++)
                if ((unsigned char)*p < 0x20 || *p == 0x7f)
                        return url_error(text, err, "net/url: invalid control character in URL");
        if (strcmp(text, "*") != 0) {
                const char *rest = take_scheme(text, &url);

                r = rest ? take_rest(text, rest, &url, err) : url_error(text, err, "missing protocol scheme");
        }
        if (r == 0 && whole[before])
                r = check_escapes(whole, whole + before + 1, strlen(whole + before + 1), false, err);
        if (r < 0)
                return r;
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

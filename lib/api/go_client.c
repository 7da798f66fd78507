/* SPDX-License-Identifier: Apache-2.0 */
#include "api/go_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/go_quote.h"

#define TEXT_MAX 2048 /* client-go's maxUnstructuredResponseTextBytes */
#define QUOTED_MAX (8 * TEXT_MAX)

/* HOST:PORT as Go names what it dialled, where the URL has an address and not a name; else NULL. Free it. */
static char *dialled(const char *url)
{
        const char *rest = str_after(url, "https://") ?: str_after(url, "http://");
        struct in6_addr address;

        if (!rest)
                return NULL;
        char *both CLEANUP_FREE = xstrndup(rest, strcspn(rest, "/?"));
        bool v6 = *both == '[';
        char *host CLEANUP_FREE = v6 ? xstrndup(both + 1, strcspn(both + 1, "]")) : xstrndup(both, strcspn(both, ":"));
        const char *port = strrchr(v6 ? strchr(both, ']') ?: both : both, ':');

        if (inet_pton(v6 ? AF_INET6 : AF_INET, host, &address) != 1)
                return NULL;
        return xasprintf("%s%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "",
                         port ? port : (str_starts(url, "https") ? ":443" : ":80"));
}

static const char *connect_text(int code)
{
        switch (code) {
        case ECONNREFUSED:
                return "connection refused";
        case ENETUNREACH:
                return "network is unreachable";
        default:
                return NULL;
        }
}

int go_client_failure(const char *method, const char *url, const struct err *why, struct err *err)
{
        char *word CLEANUP_FREE = xstrdup(method), *address CLEANUP_FREE = dialled(url);
        const char *text = connect_text(why->code);
        int code = why->code;

        str_lower(word + 1);
        if (address && text)
                return err_set(err, code, "%s \"%s\": dial tcp %s: connect: %s", word, url, address, text);
        char *rest CLEANUP_FREE = xstrdup(why->msg);
        return err_set(err, code, "%s \"%s\": %s", word, url, rest);
}

static const struct {
        int status;
        const char *text; /* NULL: the server's own */
} texts[] = {
        {400, "the server rejected our request for an unknown reason"},
        {401, "the server has asked for the client to provide credentials"},
        {403, NULL},
        {404, "the server could not find the requested resource"},
        {405, "the server does not allow this method on the requested resource"},
        {406, "the server was unable to respond with a content type that the client supports"},
        {409, "the server reported a conflict"},
        {415, NULL},
        {422, "the server rejected our request due to an error in our request"},
        {429, "the server has received too many requests and has asked us to try again later"},
        {503, "the server is currently unable to handle the request"},
        {504,
         "the server was unable to return a response in the time allotted, but may still be processing the request"},
};

/* strings.TrimSpace of what is shown at most. */
static char *trimmed(const char *text)
{
        size_t len = strnlen(text, TEXT_MAX), start = strspn(text, " \t\r\n");

        while (len > start && strchr(" \t\r\n", text[len - 1]))
                len--;
        return xstrndup(text + start, len > start ? len - start : 0);
}

char *go_client_status_text(int status, const char *text)
{
        char *own CLEANUP_FREE = text ? trimmed(text) : xstrdup("unknown");

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (texts[i].status == status)
                        return xstrdup(texts[i].text ? texts[i].text : own);
        if (status < 500)
                return xasprintf("the server responded with the status code %d but did not return more information",
                                 status);
        struct buf quoted CLEANUP_BUF = BUF_INIT(QUOTED_MAX);
        go_quote(own, &quoted);
        return xasprintf("an error on the server (%s) has prevented the request from succeeding", buf_str(&quoted));
}

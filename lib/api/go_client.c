/* SPDX-License-Identifier: Apache-2.0 */
#include "api/go_client.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/go_quote.h"
#include "base/str.h"

#define TEXT_MAX 2048 /* client-go's maxUnstructuredResponseTextBytes */
#define QUOTED_MAX (8 * TEXT_MAX)

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

char *go_client_status_text(int status, const char *text)
{
        size_t len = text ? strnlen(text, TEXT_MAX) : 0;
        const char *shown = text ? str_trim(text, &len) : "unknown";
        char *own CLEANUP_FREE = text ? xstrndup(shown, len) : xstrdup(shown);

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

/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a running podwatch over its socket.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "net/unix_ask.h"
#include "podwatch.h"

/* podwatch answers from memory; longer than this it hangs. */
#define TIMEOUT_SEC 10

static int ask(const struct podwatch *p, const char *method, const char *path, struct buf *out, struct err *err)
{
        const struct unix_ask request = {
                .socket = p->socket, .method = method, .path = path, .timeout_seconds = TIMEOUT_SEC};
        struct buf body CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        int status = 0;
        int r = unix_ask(&request, &status, &body, err);

        if (r == -ENOENT || r == -ECONNREFUSED)
                return err_set(err, -r, "podwatch does not run (nobody listens on %s)", p->socket);
        if (r < 0)
                return r;
        /* A refusal is a line of text that says why. */
        if (status != 200 && status != 202)
                return err_set(err, ERR_REMOTE, "%.*s", (int)strcspn(buf_str(&body), "\r\n"), buf_str(&body));
        buf_add(out, buf_str(&body), body.len);
        r = buf_check(out, "podwatch's answer", err);
        return r < 0 ? r : status == 202;
}

int podwatch_get(const struct podwatch *p, const char *path, struct buf *out, struct err *err)
{
        return ask(p, "GET", path, out, err);
}

int podwatch_post(const struct podwatch *p, const char *path, struct buf *out, struct err *err)
{
        return ask(p, "POST", path, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static void mark_cut(struct err *err, size_t wanted)
{
        if (wanted >= sizeof(err->msg))
                memcpy(err->msg + sizeof(err->msg) - 4, "...", 4);
}

int err_setv(struct err *err, int code, const char *fmt, va_list ap)
{
        if (code <= 0)
                code = EIO;
        if (err) {
                /* The arguments may point into the old message. */
                char msg[sizeof(err->msg)];
                int n = vsnprintf(msg, sizeof(msg), fmt, ap);
                if (n < 0)
                        msg[0] = '\0';
                memcpy(err->msg, msg, strlen(msg) + 1);
                err->code = code;
                err->status = 0;
                mark_cut(err, n < 0 ? 0 : (size_t)n);
        }
        return -code;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        int r = err_setv(err, code, fmt, ap);
        va_end(ap);
        return r;
}

int err_set_errno(struct err *err, int errno_value, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        int r = err_setv(err, errno_value, fmt, ap);
        va_end(ap);
        if (err) {
                size_t len = strlen(err->msg);
                int n = snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
                                 strerrordesc_np(-r) ?: "unknown error");
                mark_cut(err, len + (n < 0 ? 0 : (size_t)n));
        }
        return r;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
        char context[sizeof(err->msg)], old[sizeof(err->msg)];
        va_list ap;

        if (!err)
                return -EIO;
        va_start(ap, fmt);
        (void)vsnprintf(context, sizeof(context), fmt, ap);
        va_end(ap);
        memcpy(old, err->msg, sizeof(old));
        int n = snprintf(err->msg, sizeof(err->msg), "%s: %s", context, old);
        mark_cut(err, n < 0 ? 0 : (size_t)n);
        return err->code > 0 ? -err->code : -EIO;
}

void err_clear(struct err *err)
{
        if (!err)
                return;
        err->code = 0;
        err->status = 0;
        err->msg[0] = '\0';
}

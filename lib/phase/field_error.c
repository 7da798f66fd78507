/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/field_error.h"

static void add(struct config_problems *problems, const struct value_place *place, const char *path, const char *value,
                const char *fmt, va_list ap)
{
        char *why CLEANUP_FREE = NULL;

        if (vasprintf(&why, fmt, ap) < 0)
                abort();
        config_problem_error(problems, place, "%s: Invalid value: %s: %s", path, value, why);
}

void field_invalid_text(struct config_problems *problems, const struct config_text *value, const char *path,
                        const char *fmt, ...)
{
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        va_list ap;

        go_quote(value->text, &quoted);
        va_start(ap, fmt);
        add(problems, &value->place, path, buf_str(&quoted), fmt, ap);
        va_end(ap);
}

void field_invalid_raw(struct config_problems *problems, const struct value_place *place, const char *path,
                       const char *value, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add(problems, place, path, value, fmt, ap);
        va_end(ap);
}

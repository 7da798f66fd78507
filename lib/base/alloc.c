/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static void *checked(void *p)
{
        if (!p) {
                (void)fputs("out of memory\n", stderr);
                abort();
        }
        return p;
}

void *xmalloc(size_t size)
{
        return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
        return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t count, size_t size)
{
        return checked(reallocarray(p, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
        return checked(strdup(s));
}

char *xstrndup(const char *s, size_t len)
{
        return checked(strndup(s, len));
}

char *xasprintf(const char *fmt, ...)
{
        va_list ap;
        char *s;

        va_start(ap, fmt);
        int n = vasprintf(&s, fmt, ap);
        va_end(ap);
        return checked(n < 0 ? NULL : s);
}
